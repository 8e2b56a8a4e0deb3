import type { Account } from "../core/account.ts";
import type { AccountChange, Cause, ChangeKind, GroupChange } from "../core/change.ts";
import type { Anchor } from "../core/entry.ts";
import { type Group, type GroupSide, MOST_NAMED } from "../core/group.ts";
import type { HoldReason } from "../core/hold.ts";
import { stepOf } from "../core/outcome.ts";
import { effectOf, makePlanName } from "../core/plan-name.ts";
import type { PlannedGroup } from "../store/group-plan.ts";
import type { Session } from "../store/session.ts";
import type { PlannedRow } from "../store/stage.ts";
import type { TargetChangeRow } from "../store/target-plan.ts";

interface Judged {
	readonly id: number;
	readonly cause: Cause | undefined;
	readonly held: { readonly reason: HoldReason; readonly because: string } | undefined;
	/** What it would do besides its kind: what the plan's name is made of. */
	readonly effect: string;
}

/** A planned change as it is shown, kept or carried out. */
export type JudgedChange = (AccountChange & Judged) | (GroupChange & Judged);

/** Every planned change with both sides: accounts in the order of ids, a page at a time, then those of targets alone, then groups. */
export function* judgedChanges(session: Session): Generator<JudgedChange> {
	const PAGE = 1000;
	let [id, kind] = [0, ""];
	for (;;) {
		const rows = session.stage.plannedPage(id, kind, PAGE);
		for (const row of rows) yield judgedAccount(row);
		const last = rows.at(-1);
		if (last === undefined) break;
		[id, kind] = [last.id, last.kind];
	}
	yield* targetChanges(session);
	yield* groupChanges(session);
}

/** Those that are a target's own doing. */
export function* targetChanges(session: Session): Generator<AccountChange & Judged> {
	const names = new Map(session.ledger.targets().map(({ id, name }) => [id, name]));
	const PAGE = 1000;
	for (let after = { id: 0, target_id: Number.MIN_SAFE_INTEGER, kind: "" }; ; ) {
		const rows = session.targetPlan.changes(after, PAGE);
		for (const row of rows) yield judgedAtTarget(row, names.get(row.target_id));
		const last = rows.at(-1);
		if (last === undefined) return;
		after = last;
	}
}

/** Those of groups alone. */
export function* groupChanges(session: Session): Generator<GroupChange & Judged> {
	for (const row of session.groupPlan.rows()) yield judgedGroup(session, row);
}

/** Names what is held, or all that is planned. */
export function nameOf(session: Session, onlyHeld: boolean): string {
	const name = makePlanName();
	for (const change of judgedChanges(session)) {
		if (onlyHeld && change.held === undefined) continue;
		name.add(planKind(change), change.anchor, change.effect);
	}
	return name.name();
}

/** A change's kind as a plan's name has it. */
export function planKind(change: Pick<AccountChange, "subject" | "kind" | "target"> | Pick<GroupChange, "subject" | "kind">) {
	if (change.subject === "group") return `group ${change.kind}` as const;
	return change.target === undefined ? change.kind : (`${change.kind} at ${change.target}` as const);
}

function judgedAccount(row: PlannedRow): JudgedChange {
	const before = row.body === null ? undefined : (JSON.parse(row.body) as Account);
	const desired = row.desired === null ? undefined : (JSON.parse(row.desired) as Account);
	const passed = new Set((row.passed_kinds?.split(",") ?? []) as ChangeKind[]);
	const step = stepOf(row.kind, before, desired, passed);
	return {
		id: row.id,
		kind: row.kind,
		subject: "account",
		target: undefined,
		anchor: row.anchor,
		name: (step.after ?? step.before)?.userName ?? "",
		why: row.why,
		cause: row.cause ?? undefined,
		before: step.before,
		after: step.after,
		held: heldOf(row),
		effect: effectOf(row.kind, step.after),
	};
}

function judgedAtTarget(row: TargetChangeRow, target: string | undefined): AccountChange & Judged {
	const before = row.before === null ? undefined : (JSON.parse(row.before) as Account);
	const desired = row.desired === null ? undefined : (JSON.parse(row.desired) as Account);
	const step = stepOf(row.kind, before, desired, new Set(row.passed_kinds.split(",") as ChangeKind[]));
	return {
		id: row.id,
		kind: row.kind,
		subject: "account",
		target,
		anchor: row.anchor,
		name: (step.after ?? step.before)?.userName ?? "",
		why: row.why,
		cause: row.cause ?? undefined,
		before: step.before,
		after: step.after,
		held: heldOf(row),
		effect: effectOf(row.kind, step.after),
	};
}

function judgedGroup(session: Session, row: PlannedGroup): GroupChange & Judged {
	const body = row.body ?? row.desired;
	const before = row.kind === "create" || row.body === null ? undefined : (JSON.parse(row.body) as Group);
	const after = row.kind === "delete" ? undefined : (JSON.parse(row.desired ?? body ?? "null") as Group | null);
	const joining = row.kind === "create" || row.kind === "update" ? membersOf(session, row.id, true) : undefined;
	const leaving = row.kind === "remove" ? membersOf(session, row.id, false) : undefined;
	return {
		id: row.id,
		kind: row.kind,
		subject: "group",
		anchor: row.anchor,
		name: (after ?? before)?.displayName ?? "",
		why: row.why,
		cause: undefined,
		before: before && withMembers(before, leaving),
		after: after === undefined || after === null ? undefined : withMembers(after, joining),
		held: heldOf(row),
		effect: row.effect,
	};
}

interface NamedMembers {
	readonly anchors: readonly Anchor[];
	readonly count: number;
}

function membersOf({ groupPlan }: Session, group: number, added: boolean): NamedMembers {
	const count = groupPlan.count(group, added);
	return { anchors: count === 0 ? [] : groupPlan.named(group, added, MOST_NAMED).map(({ anchor }) => anchor), count };
}

function withMembers(group: Group, members: NamedMembers | undefined): GroupSide {
	return members === undefined || members.count === 0 ? group : { ...group, members: members.anchors, memberCount: members.count };
}

function heldOf(row: Pick<PlannedRow, "passed" | "reason" | "because">): Judged["held"] {
	return row.passed === 1 || row.reason === null ? undefined : { reason: row.reason, because: row.because ?? "" };
}
