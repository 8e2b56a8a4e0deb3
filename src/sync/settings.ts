import type { CompiledCondition } from "../core/condition.ts";
import type { GroupLimits, Limits } from "../core/gate.ts";
import type { Lifecycle } from "../core/lifecycle.ts";
import type { compileMapping } from "../core/mapping.ts";
import type { MatchField } from "../core/match.ts";
import type { CompiledRules } from "../core/rules.ts";
import type { EndActions } from "../core/target-view.ts";
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
	/** What gives features and policies. */
	readonly entitling: CompiledRules;
	/** Targets that do not get what everyone gets. */
	readonly views: readonly TargetView[];
	/** A text that changes with mapping, lifecycle, features, policies and views: then everyone is planned anew from the snapshot. */
	readonly rules: string;
}

/** One target in the eyes of one source: whose accounts it gets, how they look there, and what becomes of them. */
export interface TargetView {
	readonly target: string;
	/** Whose accounts; undefined: everybody's. */
	readonly condition: CompiledCondition | undefined;
	/** The source's mapping with the target's own lines in it; undefined: as everywhere. */
	readonly mapping: ReturnType<typeof compileMapping> | undefined;
	/** Undefined: as everywhere. */
	readonly lifecycle: EndActions | undefined;
	/** The gate of what is the target's own doing. */
	readonly limits: Limits;
	/** The condition as a text: by another one nobody is ended without approval. */
	readonly scope: string;
}
