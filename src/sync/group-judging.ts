import { type GroupCounts, noGroupCounts } from "../core/change.ts";
import { judgeNumber } from "../core/gate.ts";
import { isSticky } from "../core/hold.ts";
import { digest } from "../lib/digest.ts";
import type { Session } from "../store/session.ts";
import type { SourceState } from "../store/snapshot.ts";
import { lastingGroups, planGroupFields, planMemberships } from "./group-planning.ts";
import type { Approval } from "./judging.ts";
import type { Membership } from "./membership.ts";
import type { HeldKind } from "./report.ts";
import type { SyncSource } from "./settings.ts";

export interface GroupContext {
	/** Undefined: no groups are read and none are kept. */
	readonly membership: Membership | undefined;
	/** Why what we see of groups is not comparable with what we saw, if so. */
	readonly viewChanged: string | undefined;
	/** Why the server that was read may know less than the one before, if so. */
	readonly serverChanged: string | undefined;
	/** A sealed full reading of a server that knows everything: what was held for a doubt is judged by what it says. */
	readonly isSettling: boolean;
	/** Whatever a server that knows everything has otherwise was read just now: what was held because another one might not know is judged again. */
	readonly isCurrent: boolean;
	readonly approvals: readonly Approval[];
}

export interface GroupJudgement {
	readonly counts: GroupCounts;
	/** Changes held. */
	readonly held: number;
	readonly heldKinds: readonly HeldKind[];
}

/** Plans and judges groups, then memberships, once it is known which accounts there will be. */
export async function judgeGroups(
	session: Session,
	sync: SyncSource,
	state: SourceState,
	context: GroupContext,
	signal: AbortSignal,
): Promise<GroupJudgement> {
	const { membership } = context;
	if (membership === undefined) return { counts: noGroupCounts, held: 0, heldKinds: [] };
	const { groupPlan } = session;
	const population = groupPlan.population(state.id);
	planGroupFields(session, sync.source);
	decide(session, state, context);
	const deleted = judgeNumber(groupPlan.unheld("delete"), population.groups, sync.groupLimits.deleted);
	if (deleted.kind === "hold") groupPlan.holdKind("delete", "limit", deleted.because);
	groupPlan.passRest();

	session.stage.batch(() => {
		groupPlan.touchStaged();
		for (const id of membership.touched()) groupPlan.touch(id);
		for (const id of session.groups.heldMembers(state.id)) groupPlan.touch(id);
	});
	await planMemberships(session, membership, lastingGroups(session, state), signal);
	decide(session, state, context);
	const removed = judgeNumber(groupPlan.unheldRemovals(), population.memberships, sync.groupLimits.removed);
	if (removed.kind === "hold") groupPlan.holdKind("remove", "limit", `${removed.because} memberships`);
	groupPlan.passRest();
	return judgementOf(session);
}

/** Drops what was rejected, holds what is held whatever its number, and releases what was approved. */
function decide(session: Session, state: SourceState, { membership, approvals, ...context }: GroupContext): void {
	const { groupPlan, groups, groupStage } = session;
	for (const { id, kind, effect, outcome } of groupPlan.rejected()) {
		if (groupRejectionOf(kind, effect).equals(outcome)) groupPlan.drop(id, kind);
	}
	const earlier = new Map(
		session.snapshot
			.heldGroups(state.id)
			.filter(({ reason }) => isSticky(reason) && !context.isSettling && !(reason === "server" && context.isCurrent))
			.map((row) => [`${row.entry_id} ${row.kind}`, row]),
	);
	for (const { id, kind, passed } of groupPlan.rows()) {
		if (passed === 1 || (kind !== "delete" && kind !== "remove")) continue;
		const known = earlier.get(`${id} ${kind}`);
		const doubt = (kind === "remove" ? membership?.doubtOf(id) : membership?.groups.get(id)?.doubt) ?? undefined;
		if (known !== undefined) groupPlan.hold(id, kind, known.reason, known.because);
		else if (context.serverChanged !== undefined) groupPlan.hold(id, kind, "server", context.serverChanged);
		else if (doubt !== undefined) groupPlan.hold(id, kind, "doubt", doubt);
		else if (context.viewChanged !== undefined) groupPlan.hold(id, kind, "view", context.viewChanged);
	}
	for (const { subject, anchor, kind } of approvals) {
		if (subject !== "group") continue;
		const id = groupStage.idByAnchor(anchor) ?? groups.byAnchor(state.id, anchor)?.id;
		if (id !== undefined) groupPlan.release(id, kind);
	}
}

/** What a rejection remembers of a group's change. */
export function groupRejectionOf(kind: string, effect: string): Buffer {
	return digest(JSON.stringify(["group", kind, effect]));
}

function judgementOf({ groupPlan }: Session): GroupJudgement {
	const passed = { create: 0, update: 0, remove: 0, delete: 0 };
	let held = 0;
	for (const row of groupPlan.totals()) {
		if (row.passed === 1) passed[row.kind] += row.count;
		else held += row.count;
	}
	const { added, removed } = groupPlan.memberTotals();
	return {
		counts: { created: passed.create, updated: groupPlan.updated(), deleted: passed.delete, joined: added, left: removed },
		held,
		heldKinds: groupPlan
			.heldKinds()
			.map(({ kind, because, count }) => ({ subject: "group", target: undefined, kind, count, limit: because })),
	};
}
