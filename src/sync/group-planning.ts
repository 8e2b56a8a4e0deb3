import { setImmediate } from "node:timers/promises";
import type { GroupChangeKind } from "../core/change.ts";
import { changedGroupFields, type Group, mapGroup } from "../core/group.ts";
import { digest } from "../lib/digest.ts";
import { makeKeySum } from "../lib/key-sum.ts";
import type { Source } from "../source/source.ts";
import type { StagedGroupRow } from "../store/group-stage.ts";
import type { Session } from "../store/session.ts";
import type { SourceState } from "../store/snapshot.ts";
import { decodeIfPossible } from "./attributes.ts";
import type { Membership } from "./membership.ts";

const PAGE = 1000;
/** Members named in a change's reason. */
const NAMED = 3;

/** What becomes of each staged group itself: made, changed, gone. Its members come later, once it is known which accounts there are. */
export function planGroupFields(session: Session, source: Source): void {
	session.stage.batch(() => {
		for (const row of session.groupStage.staged()) {
			const change = planGroup(source, row);
			if (change !== undefined) session.groupPlan.plan(row.id, change.kind, change.why, change.desired, change.effect);
		}
	});
}

interface GroupChangePlan {
	readonly kind: GroupChangeKind;
	readonly why: string;
	readonly desired: Group | undefined;
	readonly effect: string;
}

/**
 *   in the directory, in scope    at the targets    →  change
 *   yes                           no                →  create
 *   yes, with other fields        yes               →  update
 *   no                            yes               →  delete
 */
function planGroup(source: Source, row: StagedGroupRow): GroupChangePlan | undefined {
	const before = row.body === null ? undefined : (JSON.parse(row.body) as Group);
	if (row.presence !== "present" || row.in_scope === 0) {
		if (before === undefined) return undefined;
		const why =
			row.presence === "deleted"
				? `not in the directory any more (${row.evidence})`
				: `left the scope of groups${row.evidence === null ? "" : `: ${row.evidence}`}`;
		return { kind: "delete", why, desired: undefined, effect: "" };
	}
	const entry = decodeIfPossible(source, row.bytes);
	const desired = entry && mapGroup(entry);
	// What cannot be read stays as it is.
	if (desired === undefined) return undefined;
	if (before === undefined) return { kind: "create", why: "new in the directory", desired, effect: JSON.stringify(desired) };
	const changed = changedGroupFields(before, desired);
	return changed.length === 0 ? undefined : { kind: "update", why: changed.join(", "), desired, effect: JSON.stringify(desired) };
}

/**
 * Plans who comes into and goes out of which group at the targets. `lasting`: the groups that will be there after this run. Accounts
 * of which an end is held keep their memberships until that is decided.
 */
export async function planMemberships(
	session: Session,
	membership: Membership,
	lasting: ReadonlySet<number>,
	signal: AbortSignal,
): Promise<void> {
	const { stage, groupPlan } = session;
	for (let after = 0; ; ) {
		signal.throwIfAborted();
		const page = groupPlan.touched(after, PAGE);
		stage.batch(() => {
			for (const row of page) {
				after = row.id;
				if (row.exists_after === 0 || row.is_frozen === 1) continue;
				const wanted = row.is_deleted === 1 ? undefined : membership.groupsOf(row.id, row.primary_id ?? undefined);
				const had = new Set(groupPlan.memberships(row.id));
				for (const group of wanted ?? []) if (lasting.has(group) && !had.delete(group)) groupPlan.membership(group, row.id, true);
				// Of a group that goes, or is to go, nobody is taken out one by one.
				for (const group of had) if (lasting.has(group)) groupPlan.membership(group, row.id, false);
			}
			groupPlan.flush();
		});
		if (page.length < PAGE) break;
		await setImmediate();
	}
	planMemberChanges(session);
}

/** Makes changes of groups of what comes and goes. */
function planMemberChanges(session: Session): void {
	const { stage, groupPlan } = session;
	stage.batch(() => {
		const created = new Set(
			groupPlan
				.rows()
				.filter(({ kind }) => kind === "create")
				.map(({ id }) => id),
		);
		for (const { id, added, removed } of groupPlan.counts()) {
			// Those that a new group begins with are part of its creation.
			if (added > 0 && !created.has(id)) groupPlan.planUpdate(id, whyMembers(session, id, true, added), null, effectOf(session, id, true));
			if (removed > 0) groupPlan.plan(id, "remove", whyMembers(session, id, false, removed), undefined, effectOf(session, id, false));
		}
	});
}

function whyMembers({ groupPlan }: Session, group: number, added: boolean, count: number): string {
	const names = groupPlan.named(group, added, NAMED).map(({ name }) => name);
	const more = count > names.length ? ` and ${(count - names.length).toLocaleString("en-US")} more` : "";
	return `${count.toLocaleString("en-US")} ${count === 1 ? "member" : "members"} ${added ? "added" : "removed"}: ${names.join(", ")}${more}`;
}

/** Names a set of accounts in any order. */
function effectOf({ groupPlan }: Session, group: number, added: boolean): string {
	const sum = makeKeySum();
	for (const anchor of groupPlan.anchors(group, added)) sum.add(digest(anchor));
	return `${added ? "+" : "-"}${sum.bytes().toString("base64")}`;
}

/** Groups that the targets will have after this run: those there are and those it makes, without those it takes away or holds so. */
export function lastingGroups(session: Session, state: SourceState): ReadonlySet<number> {
	const lasting = new Set(session.groups.kept(state.id));
	for (const { id, kind, passed } of session.groupPlan.rows()) {
		if (kind === "create" && passed === 1) lasting.add(id);
		if (kind === "delete") lasting.delete(id);
	}
	return lasting;
}
