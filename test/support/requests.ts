import type { Cursor } from "../../src/core/cursor.ts";
import type { ReadRequest } from "../../src/source/source.ts";

/** What a snapshot without groups says of members. */
const knowingNothing: Pick<ReadRequest, "pins" | "known"> = { pins: new Map(), known: () => undefined };

/** Everything; after an earlier reading with its cursor. */
export function fullRequest(cursor?: Cursor): ReadRequest {
	return { ...knowingNothing, mode: "full", cursor };
}

/** What has changed since. */
export function deltaRequest(cursor: Cursor): ReadRequest {
	return { ...knowingNothing, mode: "delta", cursor };
}
