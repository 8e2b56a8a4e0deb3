import { type Changes, setWithin } from "./fields.ts";
import type { Json } from "./json.ts";
import type { Dialect } from "./options.ts";
import { PATCH_OP } from "./urns.ts";

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
