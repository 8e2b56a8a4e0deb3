import type { Account } from "../core/account.ts";
import type { ChangeKind } from "../core/change.ts";
import type { Anchor } from "../core/entry.ts";
import { Failure } from "../core/errors.ts";
import { makePlanName } from "../core/plan-name.ts";
import { decisionRow } from "../store/decision-row.ts";
import type { HeldRow } from "../store/decisions.ts";
import { type CommitAs, commitRun } from "./committing.ts";
import { groupRejectionOf } from "./group-judging.ts";
import { judgedChanges, planKind } from "./judged.ts";
import { type Approval, rejectionOf } from "./judging.ts";
import type { Planned, RunContext, RunKind } from "./planned.ts";
import { plan } from "./run.ts";

/** Which changes a plan's name stands for, and how to come to them again. */
export interface Decision {
	readonly kind: RunKind;
	readonly approvals: readonly Approval[];
}

/** What waits under this name in the database, or undefined when nothing does. */
export function findHeld(context: RunContext, name: string): Decision | undefined {
	const rows = context.session.decisions.held(name).filter(({ source }) => source === context.sync.source.name);
	if (rows.length === 0) return undefined;
	const approvals = rows.map(({ subject, anchor, kind, target }) => asApproval(subject, anchor, kind, target === "" ? undefined : target));
	return { kind: { kind: "decide", approvals }, approvals };
}

/**
 * What `plan` showed and no run has stored: the directory is read again, and if the plan has this name still, it is the one that
 * was shown. Returns undefined when it has not.
 */
export async function findShown(context: RunContext, name: string, signal: AbortSignal): Promise<Decision | undefined> {
	const kind: RunKind = { kind: "read", mode: "full" };
	try {
		const planned = await plan(context, kind, [], true, signal);
		if (planned.plan !== name) return undefined;
		const approvals = [...judgedChanges(context.session)].flatMap((change) =>
			change.held === undefined
				? []
				: [asApproval(change.subject, change.anchor, change.kind, change.subject === "account" ? change.target : undefined)],
		);
		return { kind, approvals };
	} finally {
		context.session.clear();
	}
}

function asApproval(subject: "account" | "group", anchor: Anchor, kind: string, target: string | undefined): Approval {
	// Subject and kind come from one change, where they belong together.
	return { subject, anchor, kind, ...(subject === "account" && { target }) } as Approval;
}

/**
 * Carries out what was approved, if it is still what was shown. Throws PLAN_CHANGED otherwise, and then nothing has been done.
 */
export async function runApproved(
	context: RunContext,
	name: string,
	decision: Decision,
	as: CommitAs,
	signal: AbortSignal,
): Promise<Planned> {
	const planned = await plan(context, decision.kind, decision.approvals, false, signal);
	const wanted = new Set(decision.approvals.map((approval) => `${approval.anchor} ${planKind(approval)}`));
	const now = makePlanName();
	let found = 0;
	for (const change of judgedChanges(context.session)) {
		const kind = planKind(change);
		if (!wanted.has(`${change.anchor} ${kind}`)) continue;
		found++;
		now.add(kind, change.anchor, change.effect);
	}
	if (found !== wanted.size || now.name() !== name) {
		throw new Failure(
			"PLAN_CHANGED",
			`what plan ${name} would do is no longer what was shown: of ${wanted.size} changes ${found} are still planned`,
			{
				hint: "Look at it anew with `dirsyncd plan` or `dirsyncd status`, and approve what is shown then.",
			},
		);
	}
	commitRun(context, planned, as);
	return planned;
}

/** Remembers a person's no: these changes are not planned again until something else is wanted. */
export function reject(context: RunContext, name: string, by: string, at: number): number {
	const { session } = context;
	const rows = session.decisions.held(name);
	return session.transaction(() => {
		const append = session.log.append();
		const why = `${rows.length} held ${rows.length === 1 ? "change was" : "changes were"} not to be done`;
		append(decisionRow({ kind: "reject", by, name, why }, { at, run: 0, source: context.sync.source.name }));
		for (const row of rows) {
			// What a person pinned is let go, and is not planned again by that.
			const isPinned = row.subject === "account" && row.target === "" && session.pins.refuse(row.entry_id, row.kind as ChangeKind);
			if (!isPinned) session.decisions.reject(row.entry_id, row.kind, row.target, rejectedOutcome(row), by, at);
			const { subject, kind, anchor, why, source } = row;
			append({
				at,
				run: 0,
				source,
				target: row.target === "" ? undefined : row.target,
				kind,
				subject,
				anchor,
				name: row.name,
				why,
				before: row.before ?? undefined,
				after: row.after ?? undefined,
				result: `rejected by ${by}`,
			});
		}
		const first = rows[0];
		if (first !== undefined) session.decisions.clearHeld(first.source_id);
		return rows.length;
	});
}

function rejectedOutcome({ subject, kind, cause, after, effect }: HeldRow): Buffer {
	if (subject === "group") return groupRejectionOf(kind, effect ?? "");
	return rejectionOf(kind as ChangeKind, cause, after === null ? undefined : (JSON.parse(after) as Account));
}
