import type { Account } from "../core/account.ts";
import { type Cause, type ChangeKind, type Counts, changeKinds, type GroupChangeKind, noCounts } from "../core/change.ts";
import type { Anchor } from "../core/entry.ts";
import { judge } from "../core/gate.ts";
import { effectOf } from "../core/plan-name.ts";
import { collapsed } from "../core/seal.ts";
import { digest } from "../lib/digest.ts";
import type { Session } from "../store/session.ts";
import type { SourceState } from "../store/snapshot.ts";
import type { Hold } from "./holding.ts";
import { whyLinksAreDoubted } from "./links.ts";
import { blindPlaces } from "./places.ts";
import type { PlanningResult } from "./planning.ts";
import type { HeldKind } from "./report.ts";
import type { SyncSource } from "./settings.ts";
import { settleClaims } from "./settle.ts";

export interface Judgement {
	/** What goes out, and what is held, by kind. */
	readonly passed: Counts;
	readonly held: Counts;
	readonly heldKinds: readonly HeldKind[];
	/** Attributes that many lost at once: they break the seal. */
	readonly collapsed: readonly string[];
	/** What is held of an entry because of attributes that it lost. */
	readonly lossHolds: ReadonlyMap<number, Hold>;
	/** Why nobody loses anything by whom entries name, if so. */
	readonly linkDoubt: string | undefined;
}

/** Identifies an approved change. */
export type Approval =
	| { readonly subject: "account"; readonly anchor: Anchor; readonly kind: ChangeKind; readonly target: string | undefined }
	| { readonly subject: "group"; readonly anchor: Anchor; readonly kind: GroupChangeKind };

/**
 * Judges what is on the stage: rejected changes are dropped, names settled, approved ones released, kinds past their limits held.
 * Of accounts only; groups are judged after them.
 */
export function judgeStage(
	session: Session,
	sync: SyncSource,
	state: SourceState,
	planning: PlanningResult,
	approvals: readonly Approval[],
): Judgement {
	const { settlement, decisions } = session;
	for (const { id, kind, cause, desired, outcome } of settlement.rejected()) {
		if (!rejectionOf(kind, cause, desired === null ? undefined : (JSON.parse(desired) as Account)).equals(outcome)) continue;
		settlement.drop(id, kind);
		decisions.keepRejected(id, kind, "");
	}
	settleClaims(session);
	const lossHolds = new Map<number, Hold>();
	for (const [id, because] of blindPlaces(session, sync.source, state, settlement.lossy()))
		lossHolds.set(id, { reason: "hidden", because });
	// After that, since what many lost breaks the seal as well.
	const lost = holdAttributeLoss(session, state, planning, lossHolds);
	for (const [id, { reason, because }] of lossHolds) {
		for (const kind of ["update", "entitlement", "disable", "delete"] as const) settlement.holdOne(id, kind, reason, because);
	}
	const linkDoubt = whyLinksAreDoubted(session, sync, state, planning, lossHolds);
	if (linkDoubt !== undefined) for (const id of planning.losers) settlement.holdOne(id, "entitlement", "hidden", linkDoubt);
	for (const approval of approvals) {
		if (approval.subject !== "account" || approval.target !== undefined) continue;
		const { anchor, kind } = approval;
		const id = session.stage.idOf(anchor);
		if (id !== undefined) settlement.release(id, kind);
	}
	const verdicts = judge(countsOf(settlement.counts()), populationOf(state), sync.limits);
	for (const kind of changeKinds) {
		const verdict = verdicts[kind];
		if (verdict.kind === "hold") settlement.holdKind(kind, "limit", verdict.because);
	}
	settlement.passRest();
	// Held fields keep their names: whoever was to take one of these must wait as well.
	if (settlement.unclaimHeld() > 0) settleClaims(session);
	const heldKinds = settlement
		.heldKinds()
		.map(({ kind, because, count }) => ({ subject: "account" as const, target: undefined, kind, count, limit: because }));
	return {
		passed: countsOf(settlement.passed()),
		held: countsOf(settlement.held()),
		heldKinds,
		collapsed: lost,
		lossHolds,
		linkDoubt,
	};
}

/** What a rejection remembers of a change: the same cause and the same fields are the same change. */
export function rejectionOf(kind: ChangeKind, cause: Cause | null, after: Account | undefined): Buffer {
	return digest(JSON.stringify([kind, cause, effectOf(kind, after)]));
}

function holdAttributeLoss(
	session: Session,
	state: SourceState,
	{ losses }: PlanningResult,
	lossHolds: Map<number, Hold>,
): readonly string[] {
	const { settlement, snapshot } = session;
	if (losses.size === 0) return [];
	const counts = snapshot.attributeCounts(state.id);
	const gone = [...losses].map(([attribute, lost]) => ({ attribute, lost, had: counts.get(attribute) ?? 0 }));
	const sentences = collapsed(gone);
	if (sentences.length === 0) return [];
	const names = new Set(gone.filter((loss) => collapsed([loss]).length > 0).map(({ attribute }) => attribute));
	for (const { id, lost } of settlement.lossy()) {
		const mine = lost.split(",").filter((name) => names.has(name));
		if (mine.length === 0) continue;
		lossHolds.set(id, { reason: "attribute-loss", because: `${mine.join(", ")} is missing from many at once: lost rights, or meant` });
	}
	return sentences;
}

function populationOf(state: SourceState): Counts {
	const all = state.active + state.inactive;
	return { create: all, update: all, entitlement: all, disable: state.active, enable: state.inactive, delete: state.inactive };
}

function countsOf(rows: readonly { readonly kind: ChangeKind; readonly count: number }[]): Counts {
	const counts = { ...noCounts };
	for (const { kind, count } of rows) counts[kind] = count;
	return counts;
}
