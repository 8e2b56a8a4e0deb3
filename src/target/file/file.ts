import type { Target } from "../target.ts";
import { makeChangesTarget } from "./changes.ts";
import type { FileOptions, Mirror } from "./options.ts";
import { makeStateTarget } from "./state.ts";

/** A target that is a file: the whole state, replaced at once, or one record a change, appended. `clock`: Unix milliseconds. */
export function makeFileTarget(
	options: FileOptions & { readonly content: "state" | "changes" },
	mirror: Mirror,
	clock: () => number,
): Target {
	return options.content === "state" ? makeStateTarget(options, mirror) : makeChangesTarget(options, mirror, clock);
}
