import type { Changes } from "./fields.ts";
import type { Json } from "./json.ts";
import type { Dialect } from "./options.ts";
import { PATCH_OP, readPath } from "./urns.ts";

export interface Operation {
	readonly op: "add" | "remove" | "replace";
	readonly path?: string;
	readonly value?: unknown;
}

/** The body of a PATCH (RFC 7644 §3.5.2). */
export function patchBody(operations: readonly Operation[]): Json {
	return { schemas: [PATCH_OP], Operations: operations };
}

/** Changes as operations: one for each path, or one for all values without a path. What is taken away needs its path in either. */
export function operationsOf(changes: Changes, dialect: Exclude<Dialect, "put">): readonly Operation[] {
	const removed = [...changes].filter(([, value]) => value === undefined).map(([path]): Operation => ({ op: "remove", path }));
	const set = [...changes].filter(([, value]) => value !== undefined);
	if (set.length === 0) return removed;
	if (dialect === "path") return [...set.map(([path, value]): Operation => ({ op: "replace", path, value })), ...removed];
	const values: Record<string, unknown> = {};
	for (const [path, value] of set) setWithin(values, path, value);
	return [{ op: "replace", value: values }, ...removed];
}

/** An extension's attributes stand beneath its URN, a complex attribute's beneath its name. */
function setWithin(values: Record<string, unknown>, path: string, value: unknown): void {
	const { extension, attribute, sub } = readPath(path);
	const within = (owner: Record<string, unknown>, name: string): Record<string, unknown> => {
		const inner = { ...(owner[name] as Record<string, unknown> | undefined) };
		owner[name] = inner;
		return inner;
	};
	const owner = extension === undefined ? values : within(values, extension);
	if (sub === undefined) owner[attribute] = value;
	else within(owner, attribute)[sub] = value;
}
