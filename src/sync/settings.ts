import type { GroupLimits, Limits } from "../core/gate.ts";
import type { Lifecycle } from "../core/lifecycle.ts";
import type { compileMapping } from "../core/mapping.ts";
import type { MatchField } from "../core/match.ts";
import type { Source } from "../source/source.ts";

/** One source with all that decides what becomes of what it says. */
export interface SyncSource {
	readonly source: Source;
	readonly mapping: ReturnType<typeof compileMapping>;
	readonly lifecycle: Lifecycle;
	readonly limits: Limits;
	readonly groupLimits: GroupLimits;
	/** By what a person who comes from another source is known again; undefined: by nothing. */
	readonly match: MatchField | undefined;
	/** A text that changes with mapping and lifecycle: then everyone is planned anew from the snapshot. */
	readonly rules: string;
}
