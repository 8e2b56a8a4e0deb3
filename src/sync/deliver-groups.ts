import { digest } from "../lib/digest.ts";
import { eachAtMost } from "../lib/window.ts";
import type { PendingGroupRow, PendingMember } from "../store/group-ledger.ts";
import type { DeliveryResult, GroupTarget, Member } from "../target/target.ts";
import { announceGroup } from "./adopt-group.ts";
import { isEndDue } from "./deliver.ts";
import type { DeliverContext } from "./deliver-context.ts";
import { givingUpGroup } from "./giving-up.ts";
import { groupIn, logOfGroup } from "./open-group.ts";
import { MOST_LATERS, waitAfterConflict, waitAfterLater, waitAfterLoss, waitAfterRefusal } from "./waits.ts";

/** Members refused one after the other: then it is not about them. */
const MOST_REFUSED = 3;

/**
 * Brings the groups of one target from what was applied to what is wanted, after its accounts: fields first, then members in pieces
 * of what the target takes at once. Who is not there yet becomes a member once it is; a member that is refused is set aside by
 * itself. Can be cut at any instant, as `deliver`. False: it was broken off, because somebody is to leave.
 */
export async function deliverGroups(context: DeliverContext, groups: GroupTarget, signal: AbortSignal): Promise<boolean> {
	const { session, target, clock } = context;
	await eachAtMost(target.lanes, untilEnd(context, session.groupLedger.due(target.name, clock())), async (group) => {
		const row = session.groupLedger.pending(target.name, group);
		if (row !== undefined) await deliverGroup(context, groups, row, signal);
	});
	return !isEndDue(context);
}

function* untilEnd<T>(context: DeliverContext, items: readonly T[]): Generator<T> {
	for (const item of items) {
		if (isEndDue(context)) return;
		yield item;
	}
}

/** What is known of a group while its deliveries go on. */
type State = Pick<PendingGroupRow, "applied" | "applied_body" | "remote_id">;

async function deliverGroup(context: DeliverContext, groups: GroupTarget, first: PendingGroupRow, signal: AbortSignal): Promise<void> {
	const { session, target, clock, tally } = context;
	const matched = await givingUpGroup(context, first, () => announceGroup(context, groups, first, signal), signal);
	if (matched === undefined) return;
	// What was sent before and never answered may have arrived.
	let state: State = first.intent_at === null ? matched : { ...matched, applied: null, applied_body: null };
	let size = groups.memberBatch;
	let refused = 0;
	let refusal: string | undefined;
	let areFieldsRefused = false;
	for (let hasApplied = false; ; ) {
		signal.throwIfAborted();
		// What is left of it is open still, and goes on after the end.
		if (hasApplied && isEndDue(context)) return;
		const isAsWanted: boolean = first.wanted !== null && (areFieldsRefused || sameBytes(first.wanted, state.applied));
		// Fields go alone, so that what is refused with members is about these.
		const members: readonly PendingMember[] = isAsWanted ? session.groupLedger.members(target.name, first.group_id, clock(), size) : [];
		if (isAsWanted && members.length === 0) {
			if (areFieldsRefused) return;
			session.transaction(() => endGroup(context, first, refusal));
			if (hasApplied) tally.addGroup(first, "applied");
			return;
		}
		const delivery = deliveryOf(target.name, first, state, members, areFieldsRefused);
		const result = await givingUpGroup(context, first, () => groups.apply(delivery, signal), signal);
		if (result.kind === "refused" && members.length > 1) {
			size = Math.ceil(members.length / 2);
			continue;
		}
		if (result.kind === "refused" && members.length === 1 && refused < MOST_REFUSED) {
			refused++;
			refusal = session.transaction(() => setAside(context, first, members[0] as PendingMember, result.error));
			continue;
		}
		const isSettled = session.transaction(() => settle(context, first, members, result, areFieldsRefused));
		if (!isSettled || result.kind !== "applied") {
			if (result.kind !== "later") tally.addGroup(first, "refused");
			// Its fields were refused, and not its members: who is to leave it leaves it.
			areFieldsRefused = !areFieldsRefused && isHopeless(first, result) && members.length === 0 && state.remote_id !== null;
			if (areFieldsRefused) continue;
			return;
		}
		if (first.wanted === null) return tally.addGroup(first, "applied");
		hasApplied = true;
		if (members.length > 0) {
			size = groups.memberBatch;
			refused = 0;
		}
		if (!areFieldsRefused) state = { applied: first.wanted, applied_body: null, remote_id: result.remoteId };
	}
}

function isHopeless({ attempts }: PendingGroupRow, { kind }: DeliveryResult): boolean {
	return kind === "refused" || kind === "conflict" || (kind === "later" && attempts >= MOST_LATERS);
}

/** `asItIs`: with its members alone, its fields as the target has them. */
function deliveryOf(
	target: string,
	row: PendingGroupRow,
	{ applied, applied_body, remote_id }: State,
	members: readonly PendingMember[],
	asItIs: boolean,
) {
	const there = groupIn(applied_body ?? (asItIs || sameBytes(row.wanted, applied) ? row.body : null));
	return {
		anchor: row.anchor,
		remoteId: remote_id ?? undefined,
		wanted: asItIs ? there : groupIn(row.wanted === null ? null : row.body),
		applied: there,
		added: members.filter((member) => member.wanted === 1).map(asMember),
		removed: members.filter((member) => member.wanted === 0).map(asMember),
		key: digest(
			`${target} ${row.anchor} ${row.run_id} ${row.revision} ${members.map((member) => `${member.account_id} ${member.wanted}`).join()}`,
		).toString("hex"),
	};
}

/** Nothing more can be sent now: what is left waits for its account, or for its time. */
function endGroup({ session, target }: DeliverContext, row: PendingGroupRow, refusal: string | undefined): void {
	const { group_id, error } = row;
	const due = session.groupLedger.memberDue(target.name, group_id);
	if (due === undefined) session.groupLedger.rest(target.name, group_id);
	else session.groupLedger.refused(target.name, row, refusal ?? error ?? "some members were refused", due);
}

/** Returns what is said of it. */
function setAside(context: DeliverContext, row: PendingGroupRow, { account_id, anchor }: PendingMember, error: string): string {
	const { session, target, clock } = context;
	session.groupLedger.refuseMember(target.name, row.group_id, account_id, clock() + waitAfterRefusal(row.attempts));
	const refusal = `member ${anchor}: ${error}`;
	if (row.error === null) log(context, row, refusal, "refused");
	return refusal;
}

function settle(
	context: DeliverContext,
	row: PendingGroupRow,
	members: readonly PendingMember[],
	result: DeliveryResult,
	areFieldsRefused: boolean,
): boolean {
	const { session, target, clock } = context;
	const { groupLedger } = session;
	const { group_id, attempts } = row;
	switch (result.kind) {
		case "applied":
			for (const { account_id, wanted } of members) groupLedger.settled(target.name, group_id, account_id, wanted);
			if (areFieldsRefused) return true;
			if (row.wanted === null || row.body === null) groupLedger.removed(target.name, group_id);
			else groupLedger.applied(target.name, group_id, digest(row.body), row.body, result.remoteId);
			return true;
		case "refused":
		case "conflict": {
			const wait = result.kind === "conflict" ? waitAfterConflict(attempts) : waitAfterRefusal(attempts);
			if (areFieldsRefused) return false;
			groupLedger.refused(target.name, row, result.error, clock() + wait);
			if (row.error !== result.error) log(context, row, result.error, "refused");
			return false;
		}
		case "later":
			groupLedger.postponed(target.name, row, result.error, clock() + waitAfterLater(attempts, result.afterMs));
			return false;
		case "gone":
			groupLedger.lost(target.name, group_id, clock(), waitAfterLoss(attempts, clock()));
			log(context, row, `${result.error}: it is matched again`, "lost");
			return false;
	}
}

function log(context: DeliverContext, row: PendingGroupRow, why: string, result: string): void {
	context.session.log.append()({ ...logOfGroup(context, row), why, before: undefined, after: undefined, result });
}

function asMember({ anchor, remote_id }: PendingMember): Member {
	return { anchor, remoteId: remote_id };
}

function sameBytes(one: Buffer | null, other: Buffer | null): boolean {
	return one === null || other === null ? one === other : one.equals(other);
}
