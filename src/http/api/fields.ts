import { z } from "zod";
import { endOf, startOf } from "../../lib/instant.ts";

/** What the OpenAPI document says of schemas; a registry of our own, since the configuration's schemas are no part of it. */
export const documented = z.registry<{ id?: string | undefined; [key: string]: unknown }>();

/** A schema with a sentence for the document. */
export function said<Schema extends z.ZodType>(schema: Schema, description: string, examples?: readonly unknown[]): Schema {
	documented.add(schema, { description, ...(examples !== undefined && { examples }) });
	return schema;
}

/** A schema that stands in the document under a name of its own. */
export function component<Schema extends z.ZodType>(id: string, description: string, schema: Schema): Schema {
	documented.add(schema, { id, description });
	return schema;
}

export const count = z.int().min(0);
export const anInstant = z.iso.datetime();
export const runNumber = z.int().min(1);
export const changeKind = z.enum(["create", "update", "entitlement", "disable", "enable", "delete"]);

/** Text that somebody wrote, in a path or a query. */
export const someName = z.string().trim().min(1).max(1000);

/** A flag of a query. */
export const flag = z.enum(["true", "false"]).transform((text) => text === "true");

/** A day or an instant of a query, as the instant from which on, or before which, something is meant. Unix milliseconds. */
export const from = dateOf(startOf);
export const to = dateOf(endOf);

/** The number of a run, in a path or a query. */
export const runParameter = z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER);

/** Who somebody says to be. It is a claim: known is the token alone. */
export const by = z
	.string()
	.trim()
	.min(1)
	.max(200)
	.regex(/^\P{Cc}*$/u, "holds control characters");

/** An answer as its schema has it, at compile time; its lists need not be ones that can be written to. */
export function answer<Schema extends z.ZodType>(_schema: Schema, value: Frozen<z.output<Schema>>): z.output<Schema> {
	return value as z.output<Schema>;
}

type Frozen<T> = T extends readonly (infer Item)[]
	? readonly Frozen<Item>[]
	: T extends object
		? { readonly [Key in keyof T]: Frozen<T[Key]> }
		: T;

function dateOf(parse: (text: string) => number | undefined) {
	return z.string().transform((text, context) => {
		const at = parse(text);
		if (at !== undefined) return at;
		context.addIssue({ code: "custom", message: "is neither a day (2026-11-01) nor an instant with its zone (2026-11-01T09:00:00Z)" });
		return z.NEVER;
	});
}
