import type { Account } from "../core/account.ts";
import type { Change } from "../core/change.ts";
import type { Group } from "../core/group.ts";
import type { PinRecord } from "../core/pin.ts";
import type { HeldKind, Mode, Outcome, Trigger } from "../sync/report.ts";
import type { ChainProof } from "./chain.ts";
import type { LogReader } from "./log-reader.ts";
import type { ReadBackCounts, TargetTrouble } from "./target-states.ts";

/** What the commands that change nothing, `/health`, `/metrics` and the API read. Implemented over a read-only connection by `openViews`. */
export interface Views extends LogReader {
	sources(): readonly SourceView[];
	/** Also those that are not in the configuration any more. */
	targets(): readonly TargetView[];
	held(): readonly HeldPlanView[];
	/** The same for a glance, with the first `most` changes of each plan: of a first import everybody may be held. */
	heldBriefly(most: number): readonly HeldBrief[];
	quarantine(): readonly QuarantineView[];
	/** The same for a glance: how many, and `most` of them. A mapping that has gone wrong may set everybody aside. */
	quarantineBriefly(most: number): QuarantineBrief;
	/** All that is pinned, in order of names. */
	pins(): IterableIterator<PinRecord & { readonly source: string; readonly anchor: string; readonly name: string }>;
	/** Newest first. */
	runs(limit: number, before?: number): readonly RunView[];
	run(id: number): RunView | undefined;
	changes(run: number): IterableIterator<LoggedChange>;
	/** All accounts in order of userName, or those that match a userName, e-mail or anchor exactly (without case). */
	accounts(user?: string): IterableIterator<AccountView>;
	/** All groups in order of displayName, or those whose displayName (without case) or anchor it is. */
	groups(group?: string): IterableIterator<GroupView>;
	/** Members of a group, in order of userName. */
	members(group: GroupView): IterableIterator<MemberView>;
	/** What the directory has as direct members of a group that is no account of ours, as far as `limit`. */
	strangers(group: GroupView, limit: number): readonly string[];
	/** How many accounts have each feature. Every feature that anybody has. */
	featureCounts(): readonly { readonly feature: string; readonly count: number }[];
	/** How many accounts have each feature and each value of a policy: all that anybody has. */
	entitlementCounts(): readonly EntitlementCount[];
	/** Accounts per target and state, for the metric. */
	accountCounts(): readonly { readonly target: string; readonly state: "active" | "disabled"; readonly count: number }[];
	/** Walks the whole change log. */
	proveChain(): ChainProof;
	/** Bytes of the database with its write-ahead log. */
	size(): number;
	close(): void;
}

export interface EntitlementCount {
	readonly kind: "feature" | "policy";
	readonly name: string;
	/** Of a policy. */
	readonly value: string | undefined;
	readonly accounts: number;
}

export interface SourceView {
	readonly source: string;
	readonly lastRun: RunView | undefined;
	/** The newest run that was not `failed`, by mode. Unix milliseconds of its end. */
	readonly lastSuccess: Readonly<Record<Mode, number | undefined>>;
	/** Whether the last full reading was sealed; undefined before the first. */
	readonly sealed: boolean | undefined;
	readonly entries: number;
	/** By kind; those of groups as "group update". */
	readonly held: Readonly<Record<string, number>>;
	readonly quarantined: number;
	/** How changes are found between full readings, for a person; undefined before the first reading. */
	readonly strategy: string | undefined;
	/** Groups kept at the targets, and memberships of accounts in them. */
	readonly groups: number;
	readonly memberships: number;
}

export interface TargetView {
	readonly target: string;
	readonly accounts: number;
	readonly pending: number;
	readonly failed: number;
	/** Accounts that are left alone since they were read back. */
	readonly released: number;
	readonly lastError: string | undefined;
	/** Why it takes nothing at all, if so. */
	readonly trouble: TargetTrouble | undefined;
	readonly readBack: { readonly at: number; readonly counts: ReadBackCounts } | undefined;
}

export interface HeldPlanView {
	readonly plan: string;
	readonly source: string;
	/** Unix milliseconds since which something has been held. */
	readonly since: number;
	readonly kinds: readonly HeldKind[];
	readonly changes: readonly Change[];
}

export interface HeldBrief extends Omit<HeldPlanView, "changes"> {
	/** Of all changes, also of those that are not among `first`. */
	readonly count: number;
	readonly first: readonly HeldChange[];
}

/** A change that is held, without what it would change. */
export interface HeldChange extends Pick<Change, "subject" | "kind" | "name" | "why"> {
	readonly anchor: string;
	/** Held at this target alone; undefined: everywhere. */
	readonly target: string | undefined;
}

export interface QuarantineView {
	readonly source: string;
	readonly anchor: string;
	readonly name: string;
	readonly reason: string;
	readonly since: number;
}

export interface QuarantineBrief {
	readonly count: number;
	/** Of each source those that were seen first. */
	readonly first: readonly QuarantineView[];
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
	/** Accounts whose features or policies changed. */
	readonly entitlements: number;
	readonly held: number;
	readonly quarantined: number;
	/** The run that this one took back. */
	readonly reverts: number | undefined;
}

export type LoggedChange = Change & Logged;

interface Logged {
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
	/** What is kept of it against the directory's word. */
	readonly pins: readonly PinRecord[];
	/** Names of the groups it is in, nested ones included. */
	readonly groups: readonly string[];
	readonly targets: Readonly<
		Record<
			string,
			{ readonly state: "applied" | "pending" | "held" | "failed" | "released"; readonly remoteId?: string; readonly error?: string }
		>
	>;
}

/** One line of `groups --json`. */
export interface GroupView {
	readonly id: number;
	readonly source: string;
	readonly anchor: string;
	readonly group: Group;
	/** Accounts in it, nested ones included. */
	readonly memberCount: number;
	readonly targets: Readonly<
		Record<string, { readonly state: "applied" | "pending" | "failed"; readonly remoteId?: string; readonly error?: string }>
	>;
}

export interface MemberView {
	readonly anchor: string;
	readonly userName: string;
	readonly active: boolean;
	/** In the group itself, and not only in one that is in it. */
	readonly isDirect: boolean;
}
