import type { Change, ChangeKind, Counts, DeliveryKind, GroupChangeKind, GroupCounts } from "../core/change.ts";
import type { FailureCode } from "../core/errors.ts";

export type Mode = "full" | "delta";
export type Outcome = "succeeded" | "held" | "partial" | "failed";
export type Trigger = "schedule" | "start" | "catch-up" | "watch" | "command" | "api" | "approve" | "revert";

/** What came of one run: what `sync --json` prints, and all that logs and metrics are made of. */
export interface RunReport {
	readonly run: number;
	readonly source: string;
	readonly mode: Mode;
	readonly outcome: Outcome;
	readonly sealed: boolean;
	readonly unsealed: readonly string[];
	readonly read: number;
	readonly created: number;
	readonly updated: number;
	readonly disabled: number;
	readonly enabled: number;
	readonly deleted: number;
	/** Accounts whose features or policies changed; undefined where there are no rules for any. */
	readonly entitlements: number | undefined;
	readonly unchanged: number;
	readonly held: number;
	readonly quarantined: number;
	readonly delivered: number;
	readonly pending: number;
	readonly durationMs: number;
	/** What became of groups; undefined where none are kept. */
	readonly groups: GroupCounts | undefined;
	// From here on: for logs, metrics and the terminal; not part of `sync --json`.
	readonly trigger: Trigger;
	/** Unix milliseconds. */
	readonly startedAt: number;
	readonly server: string | undefined;
	/** How changes are found from here on, for a person. */
	readonly strategy: string | undefined;
	readonly fullBecause: string | undefined;
	readonly warnings: readonly string[];
	readonly error: { readonly code: FailureCode; readonly message: string; readonly hint: string | undefined } | undefined;
	/** Names the held changes: what `approve` and `reject` take. Undefined when nothing is held. */
	readonly plan: string | undefined;
	readonly heldKinds: readonly HeldKind[];
	readonly deliveries: readonly DeliveryCount[];
	/** What of another run it took back, if it did. */
	readonly revert: RevertReport | undefined;
}

/** Which run is taken back, and how much of it. */
export interface RevertRequest {
	readonly run: number;
	/** Undefined: changes of any kind. */
	readonly kind: ChangeKind | undefined;
	/** A userName, e-mail address or anchor; undefined: everybody. */
	readonly user: string | undefined;
}

/** What of a run is not taken back. */
export interface LeftAlone {
	readonly name: string;
	/** One phrase for a person. */
	readonly why: string;
}

/** What a revert does not do. Of much, the first are named. */
export interface RevertReport {
	/** The run that is taken back. */
	readonly run: number;
	readonly leftAlone: readonly LeftAlone[];
	readonly leftAloneCount: number;
}

/** What taking a run back would do, for who only looks: of many changes the first. */
export interface RevertPreview {
	readonly source: string;
	readonly plan: string;
	/** All planned changes of accounts by kind, held or not. */
	readonly summary: Counts;
	readonly held: readonly HeldKind[];
	readonly revert: RevertReport;
	readonly changes: readonly Change[];
	/** Of all of them. */
	readonly count: number;
}

export interface HeldKind {
	readonly subject: "account" | "group";
	/** Held at this target alone; undefined: everywhere. */
	readonly target: string | undefined;
	readonly kind: ChangeKind | GroupChangeKind;
	readonly count: number;
	/** A phrase: "50 of 1,000 (5 %)", "the view changed", "protected". */
	readonly limit: string;
}

export interface DeliveryCount {
	readonly target: string;
	readonly kind: DeliveryKind;
	readonly result: "applied" | "refused" | "later";
	readonly count: number;
	readonly seconds: number;
}

/** Said as soon as a run has its number, before anything else is said of it. */
export interface RunBegun {
	readonly run: number;
	readonly source: string;
	readonly mode: Mode;
	readonly trigger: Trigger;
	/** Who approved or reverts; undefined: nobody asked. */
	readonly by: string | undefined;
	/** The plan that was approved. */
	readonly plan: string | undefined;
	/** The run that is to be taken back. */
	readonly reverts: number | undefined;
}

/** Said while a run goes on. */
export interface Progress {
	readonly source: string;
	/** "ended" comes last, once, however the run ended. */
	readonly stage: "connecting" | "reading" | "planning" | "committing" | "delivering" | "ended";
	readonly done: number;
	/** How many are expected, where that is known (the last full reading's count). */
	readonly of: number | undefined;
}
