import type { Account } from "../core/account.ts";
import type { Change, ChangeKind } from "../core/change.ts";
import type { Mode, Outcome, Trigger } from "../sync/report.ts";

/** What `status`, `/health`, `/metrics` and the API read. Implemented over a read-only connection by `openViews`. */
export interface Views {
	sources(): readonly SourceView[];
	targets(): readonly TargetView[];
	held(): readonly HeldPlanView[];
	quarantine(): readonly QuarantineView[];
	/** Newest first. */
	runs(limit: number, before?: number): readonly RunView[];
	run(id: number): RunView | undefined;
	changes(run: number): IterableIterator<LoggedChange>;
	/** All accounts in order of userName, or those that match a userName, e-mail or anchor exactly (without case). */
	accounts(user?: string): IterableIterator<AccountView>;
	/** Accounts per target and state, for the metric. */
	accountCounts(): readonly { readonly target: string; readonly state: "active" | "disabled"; readonly count: number }[];
	/** Throws Failure DATABASE_CORRUPT naming the first broken row; returns how many rows the chain has. */
	verifyChain(): number;
	/** Bytes of the database with its write-ahead log. */
	size(): number;
	close(): void;
}

export interface SourceView {
	readonly source: string;
	readonly lastRun: RunView | undefined;
	/** The newest run that was not `failed`, by mode. Unix milliseconds of its end. */
	readonly lastSuccess: Readonly<Record<Mode, number | undefined>>;
	/** Whether the last full reading was sealed; undefined before the first. */
	readonly sealed: boolean | undefined;
	readonly entries: number;
	readonly held: Readonly<Partial<Record<ChangeKind, number>>>;
	readonly quarantined: number;
}

export interface TargetView {
	readonly target: string;
	readonly accounts: number;
	readonly pending: number;
	readonly failed: number;
	readonly lastError: string | undefined;
}

export interface HeldPlanView {
	readonly plan: string;
	readonly source: string;
	/** Unix milliseconds since which something has been held. */
	readonly since: number;
	readonly kinds: readonly { readonly kind: ChangeKind; readonly count: number; readonly limit: string }[];
	readonly changes: readonly Change[];
}

export interface QuarantineView {
	readonly source: string;
	readonly anchor: string;
	readonly name: string;
	readonly reason: string;
	readonly since: number;
}

export interface RunView {
	readonly run: number;
	readonly source: string;
	readonly mode: Mode;
	readonly trigger: Trigger;
	readonly startedAt: number;
	readonly endedAt: number | undefined;
	readonly outcome: Outcome | "running";
	readonly sealed: boolean;
	readonly unsealed: readonly string[];
	readonly fullBecause: string | undefined;
	readonly server: string | undefined;
	readonly error: string | undefined;
	readonly read: number;
	readonly created: number;
	readonly updated: number;
	readonly disabled: number;
	readonly enabled: number;
	readonly deleted: number;
	readonly held: number;
	readonly quarantined: number;
}

export interface LoggedChange extends Change {
	readonly sequence: number;
	/** Unix milliseconds. */
	readonly at: number;
	readonly run: number;
	readonly source: string;
	/** committed, approved, rejected, refused … */
	readonly result: string;
}

/** One line of `accounts --json` (design 5.3). */
export interface AccountView {
	readonly source: string;
	readonly anchor: string;
	readonly account: Account;
	/** Why the account is not active, for a person; undefined when it is. */
	readonly because: string | undefined;
	readonly targets: Readonly<
		Record<string, { readonly state: "applied" | "pending" | "held" | "failed"; readonly remoteId?: string; readonly error?: string }>
	>;
}
