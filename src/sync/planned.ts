import type { ReadingEnd } from "../source/source.ts";
import type { Session } from "../store/session.ts";
import type { SourceState } from "../store/snapshot.ts";
import type { GroupJudgement } from "./group-judging.ts";
import type { Approval, Judgement } from "./judging.ts";
import type { Offline, OfflineTerms } from "./offline.ts";
import type { PlanningResult } from "./planning.ts";
import type { HeldKind, Mode, Progress, RevertReport, RevertRequest } from "./report.ts";
import type { RulesNow } from "./rules.ts";
import type { SyncSource } from "./settings.ts";
import type { TargetJudgement } from "./target-judging.ts";

/** What a run reads and is told. */
export interface RunContext {
	readonly session: Session;
	readonly sync: SyncSource;
	readonly clock: () => number;
	readonly onProgress: (progress: Progress) => void;
}

export type RunKind =
	| { readonly kind: "read"; readonly mode: Mode | "auto" }
	/** Only what waits for this decision, from the snapshot as it is. */
	| { readonly kind: "decide"; readonly approvals: readonly Approval[] }
	/** What an earlier run did is taken back, from the snapshot as it is. */
	| { readonly kind: "revert"; readonly request: RevertRequest }
	/** Everybody of the snapshot by another configuration; never committed. */
	| { readonly kind: "whatif"; readonly terms: OfflineTerms };

/** A reading and the plan it led to: on the stage, judged, nothing done yet. */
export interface Planned {
	readonly at: number;
	readonly state: SourceState;
	readonly reading: ReadSummary | undefined;
	/** What took the place of a reading where nothing was asked but the snapshot. */
	readonly offline: Offline | undefined;
	readonly planning: PlanningResult;
	readonly judgement: Judgement;
	readonly atTargets: TargetJudgement;
	readonly groups: GroupJudgement;
	/** Everything held, of accounts, of targets alone, and of groups. */
	readonly heldKinds: readonly HeldKind[];
	/** Names the held changes if there are any, else all of them; undefined when nobody asks for it. */
	readonly plan: string | undefined;
	readonly rules: RulesNow;
	readonly unsealed: readonly string[];
	readonly warnings: readonly string[];
	readonly shielded: ReadonlySet<number> | undefined;
	/** Of a run that takes another one back. */
	readonly revert: RevertReport | undefined;
	/** How many there will be once this is committed. */
	readonly quarantined: number;
	/** How many of the entries that were read change something. */
	readonly changedEntries: number;
}

export interface ReadSummary {
	readonly mode: Mode;
	readonly server: string;
	readonly fullBecause: string | undefined;
	readonly read: number;
	readonly end: ReadingEnd;
	/** Whether the protocol itself proved the reading complete: only then may cursor and view move on. */
	readonly isWhole: boolean;
}
