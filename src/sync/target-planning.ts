import { setImmediate } from "node:timers/promises";
import type { Account } from "../core/account.ts";
import type { Cause, ChangeKind } from "../core/change.ts";
import { unreachable } from "../core/errors.ts";
import type { MappedAccount } from "../core/mapping.ts";
import { outcomeOf } from "../core/outcome.ts";
import { changedFields, withEntitlements } from "../core/plan.ts";
import { type AtTarget, type PlannedAtTarget, planAtTarget, type TargetSituation } from "../core/target-view.ts";
import type { Session } from "../store/session.ts";
import type { SourceState } from "../store/snapshot.ts";
import type { ProspectRow } from "../store/target-plan.ts";
import { type HoldingContext, makeHolding, type Seen } from "./holding.ts";
import { type KeptFields, withKept } from "./kept-fields.ts";
import type { SyncSource, TargetView } from "./settings.ts";
import { viewedTargets } from "./views.ts";

const PAGE = 500;

interface TargetContext extends HoldingContext {
	/** Fields that stay as they are, because nothing is known of them. */
	readonly kept: KeptFields;
}

/** Plans everyone on the stage for the targets with views of their own, once it is known which changes of accounts go out. */
export async function planTargets(
	session: Session,
	sync: SyncSource,
	state: SourceState,
	context: TargetContext,
	signal: AbortSignal,
): Promise<void> {
	const viewed = new Map(viewedTargets(session, sync).map(({ id, view }) => [id, view]));
	if (viewed.size === 0) return;
	const { stage, targetPlan } = session;
	const planner = makeTargetPlanner(session, sync, state, context, viewed);
	for (let after = { id: 0, target_id: Number.MIN_SAFE_INTEGER }; ; ) {
		signal.throwIfAborted();
		const page = targetPlan.page(after.id, after.target_id, PAGE);
		stage.batch(() => {
			for (const row of page) planner(row);
			targetPlan.flush();
		});
		const last = page.at(-1);
		if (last === undefined) return;
		after = last;
		await setImmediate();
	}
}

function makeTargetPlanner(
	session: Session,
	sync: SyncSource,
	state: SourceState,
	context: TargetContext,
	viewed: ReadonlyMap<number, TargetView>,
): (row: ProspectRow) => void {
	const { targetPlan } = session;
	const holdOf = makeHolding(session, state, context);
	const viewsChanged = new Map([...viewed].map(([id, view]) => [id, whyScopeChanged(session, state, id, view)]));

	return (row) => {
		const view = viewed.get(row.target_id);
		if (view === undefined) return;
		const after = accountAfter(row);
		const before = thereBefore(row);
		const planned = planAtTarget(situationOf(sync, view, row, after, before, context.kept));
		const there = { id: row.id, target: row.target_id };
		if (!isNeeded(row, after, before, planned)) return;
		const follows = planned.changes.filter(({ isOwn }) => !isOwn).map(({ kind }) => kind);
		targetPlan.want({
			...there,
			before: before === undefined ? undefined : (row.own_body ?? row.body ?? undefined),
			desired: planned.desired && JSON.stringify(planned.desired),
			wasOutside: row.is_outside === 1,
			isOutside: planned.isOutside,
			follows,
		});
		for (const change of planned.changes) {
			if (!change.isOwn) continue;
			const hold = holdOf(change, seenOf(row), { target: view.target, viewChanged: viewsChanged.get(row.target_id) });
			targetPlan.change(there, change, hold);
		}
	};
}

interface AccountAfter {
	readonly account: Account | undefined;
	readonly text: string | null;
	readonly passed: ReadonlySet<ChangeKind>;
	/** Whether it has all the fields that its entry gives it: else some are held, refused, or set aside. */
	readonly isCurrent: boolean;
	readonly end: TargetSituation["end"];
}

/** The account as this run leaves it. */
function accountAfter(row: ProspectRow): AccountAfter {
	const before = row.body === null ? undefined : (JSON.parse(row.body) as Account);
	const desired = row.desired === null ? undefined : (JSON.parse(row.desired) as Account);
	const passed = new Set((row.kinds?.split(",") ?? []) as ChangeKind[]);
	const account = outcomeOf(before, desired, passed);
	const text = account === undefined ? null : account === before ? row.body : account === desired ? row.desired : JSON.stringify(account);
	const isCurrent = account === undefined || desired === undefined || changedFields(account, desired).length === 0;
	return { account, text, passed, isCurrent, end: endAfter(row, account, desired) };
}

function endAfter(row: ProspectRow, account: Account | undefined, desired: Account | undefined): TargetSituation["end"] {
	const seen = row.ended === null ? undefined : { cause: row.ended, why: wordsFor(row.ended) };
	if (account === undefined) {
		return row.delete_why === null ? seen : { cause: row.delete_cause ?? row.ended ?? "deleted", why: row.delete_why };
	}
	// What the account is kept for in spite of, a target may end it for.
	if (account.active) return seen;
	// An account that stays disabled because its enabling is held keeps why it is.
	const [cause, because] = desired?.active === true ? [row.old_cause, row.old_because] : [row.cause, row.because];
	return { cause: cause ?? "disabled", why: because ?? wordsFor(cause ?? "disabled") };
}

function thereBefore(row: ProspectRow): AtTarget | undefined {
	const text = row.own_body ?? row.body;
	if (row.is_there === 0 || text === null) return undefined;
	return { account: JSON.parse(text) as Account, isOutside: row.is_outside === 1 };
}

function situationOf(
	{ lifecycle }: SyncSource,
	view: TargetView,
	row: ProspectRow,
	after: AccountAfter,
	before: AtTarget | undefined,
	kept: KeptFields,
): TargetSituation {
	const { account, passed, end } = after;
	const truth = row.truth === null ? undefined : row.truth === 1;
	return {
		target: view.target,
		before,
		account,
		passed,
		end: account?.active === true && !isKept(lifecycle, end?.cause) ? undefined : end,
		fields: fieldsFor(view, row, after, before, kept),
		verdict: view.condition && { truth, why: row.why },
		lifecycle: view.lifecycle,
		onOutside: (view.lifecycle ?? lifecycle).onOutOfScope,
	};
}

/** Whether the account is active because the lifecycle says so, and not because its end is held or was rejected. */
function isKept(lifecycle: SyncSource["lifecycle"], cause: Cause | undefined): boolean {
	switch (cause) {
		case undefined:
			return false;
		case "disabled":
		case "expired":
			return lifecycle.onDisabled === "keep";
		case "out-of-scope":
			return lifecycle.onOutOfScope === "keep";
		case "deleted":
			return lifecycle.onDeleted === "keep";
		default:
			return unreachable(cause);
	}
}

/** Fields that the account's own plan does not have out yet are not given to a target either. */
function fieldsFor(
	view: TargetView,
	row: ProspectRow,
	{ account, isCurrent }: AccountAfter,
	before: AtTarget | undefined,
	kept: KeptFields,
): MappedAccount | undefined {
	if (row.is_present === 0) return undefined;
	if (view.mapping === undefined) return account;
	// What rules give is the same everywhere, as far as it goes out, also beside fields that stay as they are there.
	if (before !== undefined && (row.fields === null || !isCurrent)) {
		return account === undefined || row.truth === 0 ? undefined : withEntitlements(before.account, account);
	}
	if (row.fields === null) return undefined;
	const fields = withKept(JSON.parse(row.fields) as MappedAccount, before?.account, kept.at.get(view.target));
	return fields && withEntitlements(fields, account ?? {});
}

/** Whether anything is to be written: a change, a person's place, or where the text wanted there stands. */
function isNeeded(row: ProspectRow, after: AccountAfter, before: AtTarget | undefined, planned: PlannedAtTarget): boolean {
	if (planned.changes.length > 0) return true;
	if (before === undefined || planned.desired === undefined) return false;
	if (planned.isOutside !== before.isOutside) return true;
	const text = row.own_body ?? row.body;
	return (text === after.text ? null : text) !== row.own_body;
}

function seenOf(row: ProspectRow): Seen {
	return {
		id: row.id,
		isNew: row.is_new === 1,
		isShielded: row.shielded === 1,
		lost: row.lost ?? undefined,
		hasRegained: row.has_regained === 1,
		// Of whom it has come in: that they are to. Of everybody else: that they are not any more.
		doubt: row.truth === 1 ? undefined : (row.doubt ?? undefined),
		groupsDoubt: row.truth === 1 ? (row.doubt ?? undefined) : undefined,
	};
}

/** By another condition than at the last run nobody is ended without a person's word: the directory did not change. */
function whyScopeChanged({ targetPlan }: Session, state: SourceState, id: number, { scope, target }: TargetView): string | undefined {
	if (state.rules === undefined || (targetPlan.scopeOf(id, state.id) ?? "") === scope) return undefined;
	return `the scope of target ${target} in the configuration is another than at the last run`;
}

function wordsFor(cause: Cause): string {
	switch (cause) {
		case "disabled":
			return "disabled in the directory";
		case "expired":
			return "account expired";
		case "out-of-scope":
			return "left the scope";
		case "deleted":
			return "not in the directory any more";
		default:
			return unreachable(cause);
	}
}
