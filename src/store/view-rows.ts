import type { Account } from "../core/account.ts";
import type { Change, ChangeKind, GroupChangeKind } from "../core/change.ts";
import type { Anchor } from "../core/entry.ts";
import type { Group } from "../core/group.ts";
import type { PinRecord } from "../core/pin.ts";
import type { Mode, Outcome, Trigger } from "../sync/report.ts";
import type { AccountView, GroupView, LoggedChange, MemberView, RunView } from "./views.ts";

export interface RunRow {
	readonly id: number;
	readonly source: string;
	readonly mode: Mode;
	readonly trigger: Trigger;
	readonly started_at: number;
	readonly ended_at: number | null;
	readonly outcome: Outcome | "running";
	readonly sealed: number;
	readonly unsealed: string;
	readonly full_because: string | null;
	readonly server: string | null;
	readonly error: string | null;
	readonly entries_read: number;
	readonly created: number;
	readonly updated: number;
	readonly disabled: number;
	readonly enabled: number;
	readonly deleted: number;
	readonly entitlements: number;
	readonly held: number;
	readonly quarantined: number;
	readonly reverts: number | null;
}

interface ChangeSides {
	readonly subject: "account" | "group";
	readonly kind: ChangeKind | GroupChangeKind;
	readonly anchor: string;
	readonly name: string;
	readonly why: string;
	readonly before: string | null;
	readonly after: string | null;
}

export interface HeldViewRow extends ChangeSides {
	/** Empty: held everywhere. */
	readonly target: string;
	readonly plan: string;
	readonly source: string;
	readonly since: number;
	readonly because: string;
}

export interface ChangeRow extends ChangeSides {
	readonly sequence: number;
	readonly at: number;
	readonly run_id: number;
	readonly source: string;
	/** Null: a change of the account itself. */
	readonly target: string | null;
	readonly result: string;
}

export interface AccountRow {
	readonly id: number;
	readonly source: string;
	readonly anchor: string;
	readonly body: string;
	readonly because: string | null;
	readonly pins: string;
	readonly groups: string;
	readonly targets: string;
}

export function makeRun(row: RunRow): RunView {
	const { id, source, mode, trigger, outcome, created, updated, disabled, enabled, deleted, entitlements, held, quarantined } = row;
	return {
		run: id,
		source,
		mode,
		trigger,
		startedAt: row.started_at,
		endedAt: row.ended_at ?? undefined,
		outcome,
		sealed: row.sealed === 1,
		unsealed: JSON.parse(row.unsealed) as string[],
		fullBecause: row.full_because ?? undefined,
		server: row.server ?? undefined,
		error: row.error ?? undefined,
		read: row.entries_read,
		created,
		updated,
		disabled,
		enabled,
		deleted,
		entitlements,
		held,
		quarantined,
		reverts: row.reverts ?? undefined,
	};
}

export function makeChange(row: ChangeRow): LoggedChange;
export function makeChange(row: HeldViewRow): Change;
export function makeChange(row: HeldViewRow | ChangeRow): Change | LoggedChange {
	// The database has what was written as a Change: subject, kind and sides belong together.
	const change = {
		kind: row.kind,
		subject: row.subject,
		anchor: row.anchor as Anchor,
		name: row.name,
		why: row.why,
		before: side(row.before),
		after: side(row.after),
		...(row.subject === "account" && { target: row.target === null || row.target === "" ? undefined : row.target }),
	} as Change;
	return "sequence" in row
		? { ...change, sequence: row.sequence, at: row.at, run: row.run_id, source: row.source, result: row.result }
		: change;
}

interface AtTarget {
	readonly target: string;
	readonly remoteId: string | null;
	readonly error: string | null;
	readonly state: AccountView["targets"][string]["state"];
}

interface GroupAtTarget {
	readonly target: string;
	readonly pending: number;
	readonly remoteId: string | null;
	readonly error: string | null;
}

export interface GroupRow {
	readonly id: number;
	readonly source: string;
	readonly anchor: string;
	readonly body: string;
	readonly members: number;
	readonly targets: string;
}

export function makeGroupView(row: GroupRow): GroupView {
	const targets = JSON.parse(row.targets) as GroupAtTarget[];
	return {
		id: row.id,
		source: row.source,
		anchor: row.anchor,
		group: JSON.parse(row.body) as Group,
		memberCount: row.members,
		targets: Object.fromEntries(
			targets.map(({ target, pending, remoteId, error }) => [
				target,
				{
					state: error !== null ? "failed" : pending === 1 ? "pending" : "applied",
					...(remoteId !== null && { remoteId }),
					...(error !== null && { error }),
				},
			]),
		),
	};
}

export function makeAccountView(row: AccountRow): AccountView {
	const targets = JSON.parse(row.targets) as AtTarget[];
	return {
		source: row.source,
		anchor: row.anchor,
		account: JSON.parse(row.body) as Account,
		because: row.because ?? undefined,
		pins: JSON.parse(row.pins) as PinRecord[],
		groups: JSON.parse(row.groups) as string[],
		targets: Object.fromEntries(
			targets.map(({ target, state, remoteId, error }) => [
				target,
				{
					state,
					...(remoteId !== null && { remoteId }),
					...(error !== null && { error }),
				},
			]),
		),
	};
}

/** A member of a group. */
export interface MemberRow {
	readonly id: number;
	readonly anchor: string;
	readonly user_name: string;
	readonly active: number;
	readonly is_direct: number;
}

export function makeMember({ anchor, user_name, active, is_direct }: MemberRow): MemberView {
	return { anchor, userName: user_name, active: active === 1, isDirect: is_direct === 1 };
}

function side(text: string | null): Change["before"] {
	return text === null ? undefined : (JSON.parse(text) as Change["before"]);
}
