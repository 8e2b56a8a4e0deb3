import { type Changes, put } from "./fields.ts";
import type { Json } from "./json.ts";
import type { Shape } from "./shape.ts";

/**
 * The resource to PUT: as it is there, with our changes. A PUT without what is there already takes it away, and one without `active`
 * brings an account back at some servers. What only the server writes is left out, since strict ones refuse it.
 */
export function merged(resource: Json, changes: Changes, shape: Shape, schema: string): Json {
	const whole: Record<string, unknown> = { schemas: [schema] };
	for (const [name, value] of Object.entries(resource)) {
		if (!shape.readOnly.has(name.toLowerCase()) && value !== null) whole[name] = value;
	}
	for (const [path, value] of changes) put(whole, path, value);
	return whole;
}
