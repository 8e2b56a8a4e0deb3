import type { Counts, GroupCounts } from "./core/change.ts";
import type { Explanation } from "./explain/explanation.ts";
import type { Forgotten } from "./store/forget.ts";
import type { Unpinned } from "./store/pins.ts";
import type { DeliveryNews } from "./sync/deliveries.ts";
import type { JudgedChange } from "./sync/judged.ts";
import type { Drift, ReadBackReport } from "./sync/read-back.ts";
import type { HeldKind, Mode, Progress, RevertPreview, RevertReport, RevertRequest, RunBegun, RunReport, Trigger } from "./sync/report.ts";
import type { WhatIf } from "./sync/whatif.ts";

export type { DeliveryNews } from "./sync/deliveries.ts";
export type { Drift, ReadBackReport } from "./sync/read-back.ts";
export type { WhatIf } from "./sync/whatif.ts";

/** What is told while work goes on. */
export interface Listener {
	/** Left out by who is told by the answer alone. */
	begun?(run: RunBegun): void;
	progress(progress: Progress): void;
	/** After each operation on a directory server. */
	ldap(source: string, operation: string, seconds: number): void;
	/** When a directory server's certificate expires, Unix milliseconds. */
	certificate(source: string, expiresAt: number): void;
}

export interface SyncRequest {
	readonly source: string;
	readonly mode: Mode | "auto";
	readonly trigger: Trigger;
	/** Who asked for it; left out: nobody did. */
	readonly by?: string | undefined;
}

/** What `sync` would do. `changes` can be walked any number of times until `close`. */
export interface PlanResult {
	readonly source: string;
	readonly mode: Mode;
	readonly sealed: boolean;
	readonly unsealed: readonly string[];
	readonly fullBecause: string | undefined;
	readonly warnings: readonly string[];
	readonly read: number;
	readonly quarantined: number;
	/** "sha256:…": names what is held if anything is, else all of it. */
	readonly plan: string;
	/** All planned changes by kind, held or not. */
	readonly summary: Counts;
	/** Changes that are the doing of one target alone, held or not: the summary does not count them. */
	readonly atTargets: number;
	/** What would become of groups, as far as it is not held. */
	readonly groups: GroupCounts;
	readonly held: readonly HeldKind[];
	changes(): Iterable<JudgedChange>;
	close(): void;
}

/** What taking a run back would do, and what of it would be left alone. */
export interface RevertPlan extends PlanResult {
	readonly revert: RevertReport;
}

/** Holds a configuration against what the database has, without a right to write anything and without any connection. */
export interface Trial {
	whatIf(source: string, on: Listener, signal: AbortSignal): Promise<WhatIf>;
	/** What becomes of sources and targets that only the database or only the configuration knows, in sentences. */
	notes(): readonly string[];
	close(): void;
}

/** Plans without a right to write anything. */
export interface Planner {
	/** What `Engine.revert` would do. Throws NOT_FOUND. */
	revert(request: RevertRequest, on: Listener, signal: AbortSignal): Promise<RevertPlan>;
	plan(request: Omit<SyncRequest, "trigger">, on: Listener, signal: AbortSignal): Promise<PlanResult>;
	/** Reads a target back, and says what is not as we left it. */
	readBack(target: string, onDrift: (drift: Drift) => void, signal: AbortSignal): Promise<ReadBackReport>;
	/** Tells whom a name means, and why their accounts are as they are. Asks the directory only for whom nothing here is known. */
	explain(user: string, signal: AbortSignal): Promise<readonly Explanation[]>;
	close(): Promise<void>;
}

export interface Engine {
	sync(request: SyncRequest, on: Listener, signal: AbortSignal): Promise<RunReport>;
	/** Throws PLAN_UNKNOWN, or reports PLAN_CHANGED as the run's error. */
	approve(plan: string, by: string, on: Listener, signal: AbortSignal): Promise<RunReport>;
	reject(plan: string, by: string): Promise<{ readonly source: string; readonly rejected: number }>;
	/**
	 * Takes a run back, from its before-images: a run of its own, judged like any other, after which what it changed is pinned. Throws
	 * NOT_FOUND when there is no such run, or nothing that it did is known.
	 */
	revert(request: RevertRequest, by: string, on: Listener, signal: AbortSignal): Promise<RunReport>;
	/** Lets go of what is pinned of one person: the next run plans them as the directory has them. Throws NOT_FOUND. */
	unpin(user: string, by: string): Promise<Unpinned>;
	/**
	 * Stands by at a source and calls `woken` when something may have changed there, the first time as soon as it stands; goes on
	 * beside everything else. Ends only by throwing: see `Source.watch`.
	 */
	watch(source: string, woken: () => void, signal: AbortSignal): Promise<never>;
	/** What `revert` would do, and the first `most` of its changes; changes nothing. Throws NOT_FOUND. */
	preview(request: RevertRequest, most: number, signal: AbortSignal): Promise<RevertPreview>;
	/** See `Planner`. */
	explain(user: string, signal: AbortSignal): Promise<readonly Explanation[]>;
	/** Begins what is open and due at every target; it goes on beside everything else. */
	deliver(): void;
	/** When the next open delivery is due: Unix milliseconds, undefined when nothing is open. */
	nextDelivery(): number | undefined;
	/**
	 * Forgets what is known of a target that is not in the configuration any more, or of one account at any target, which is matched
	 * anew then. Nothing at the target changes by it. Throws NOT_FOUND, USAGE.
	 */
	forget(target: string, user: string | undefined, by: string): Promise<Forgotten>;
	/**
	 * Reads a target back, and does what the configuration says about what is not as we left it. `by`: who asked for it, if anybody
	 * did. Throws TARGET_…, NOT_FOUND.
	 */
	readBack(target: string, by: string | undefined, signal: AbortSignal): Promise<ReadBackReport>;
	retain(): { readonly runs: number; readonly changes: number; readonly entries: number };
	backUp(file: string): void;
	close(): Promise<void>;
}

/** For who stays: deliveries go on when the run that wanted them has ended. */
export interface Beside {
	/** How long a run waits for its deliveries, in milliseconds. */
	patienceMs(trigger: Trigger): number;
	/** What came of deliveries, whichever run they are of. */
	readonly onNews: (news: DeliveryNews) => void;
	/** What went wrong with them that is no target's fault; and at which target, for which run. */
	readonly onError: (error: unknown, about: Pick<DeliveryNews, "target" | "run">) => void;
}

export interface EngineOptions {
	/** Deliveries that outlast their run; by default a run waits until nothing more is due. */
	readonly beside?: Beside;
	/** How thoroughly the database is checked at the start: see `openDatabase`. */
	readonly check: "always" | "small";
	/** Unix milliseconds. */
	readonly clock: () => number;
	/** 0 to below 1. */
	readonly random: () => number;
}
