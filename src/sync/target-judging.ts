import type { Account } from "../core/account.ts";
import { type ChangeKind, type Counts, changeKinds, noCounts } from "../core/change.ts";
import { judge, type Population } from "../core/gate.ts";
import type { Session } from "../store/session.ts";
import type { SourceState } from "../store/snapshot.ts";
import { type Approval, type Judgement, rejectionOf } from "./judging.ts";
import { asksLinks } from "./links.ts";
import type { HeldKind } from "./report.ts";
import type { SyncSource } from "./settings.ts";
import { viewedTargets } from "./views.ts";

export interface TargetJudgement {
	/** The targets' own changes that go out, and those that are held. */
	readonly passed: number;
	readonly held: number;
	readonly heldKinds: readonly HeldKind[];
}

/**
 * Judges what is the targets' own doing, each target by itself: a kind past its limit there is held there, and nothing else is. What
 * follows from a change of the account itself passed with that one.
 */
export function judgeTargets(
	session: Session,
	sync: SyncSource,
	state: SourceState,
	{ lossHolds, linkDoubt }: Pick<Judgement, "lossHolds" | "linkDoubt">,
	approvals: readonly Approval[],
): TargetJudgement {
	const { targetPlan, stage } = session;
	const viewed = viewedTargets(session, sync);
	if (viewed.length === 0) return { passed: 0, held: 0, heldKinds: [] };
	const names = new Map(viewed.map(({ id, view }) => [id, view.target]));
	dropRejected(session, names);
	for (const [id, { reason, because }] of lossHolds) targetPlan.holdLoss(id, reason, because);
	if (linkDoubt !== undefined) {
		for (const { id } of viewed.filter(({ view }) => asksLinks([view]))) {
			for (const kind of ["disable", "delete"] as const) targetPlan.holdKind(id, kind, "hidden", linkDoubt);
		}
	}
	for (const approval of approvals) {
		if (approval.subject !== "account" || approval.target === undefined) continue;
		const id = stage.idOf(approval.anchor);
		const target = viewed.find(({ view }) => view.target === approval.target);
		if (id !== undefined && target !== undefined) targetPlan.release(id, target.id, approval.kind);
	}
	const counts = targetPlan.counts();
	for (const { id, view } of viewed) {
		const own = countsOf(counts.filter(({ target_id }) => target_id === id));
		if (!changeKinds.some((kind) => own[kind] > 0 && view.limits[kind] !== undefined)) continue;
		const verdicts = judge(own, populationAt(session, state, id), view.limits);
		for (const kind of changeKinds) {
			const verdict = verdicts[kind];
			if (verdict.kind === "hold") targetPlan.holdKind(id, kind, "limit", verdict.because);
		}
	}
	targetPlan.passRest();
	return {
		passed: targetPlan.passed(),
		held: targetPlan.held(),
		heldKinds: targetPlan
			.heldKinds()
			.map(({ target_id, kind, because, count }) => ({ subject: "account", target: names.get(target_id), kind, count, limit: because })),
	};
}

function dropRejected({ targetPlan, decisions }: Session, names: ReadonlyMap<number, string>): void {
	for (const { id, target_id, kind, cause, desired, outcome } of targetPlan.rejected()) {
		if (!rejectionOf(kind, cause, desired === null ? undefined : (JSON.parse(desired) as Account)).equals(outcome)) continue;
		targetPlan.drop(id, target_id, kind);
		decisions.keepRejected(id, kind, names.get(target_id) ?? "");
	}
}

/** The accounts there before the run, in the state that each kind of change ends; a delete may end any. */
function populationAt({ targetPlan }: Session, state: SourceState, target: number): Population {
	const { total, active } = targetPlan.population(state.id, target);
	return { create: total, update: total, entitlement: total, disable: active, enable: total - active, delete: total };
}

function countsOf(rows: readonly { readonly kind: ChangeKind; readonly count: number }[]): Counts {
	const counts = { ...noCounts };
	for (const { kind, count } of rows) counts[kind] = count;
	return counts;
}
