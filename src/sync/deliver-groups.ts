import type { Group } from "../core/group.ts";
import { digest } from "../lib/digest.ts";
import type { PendingGroupRow, PendingMember } from "../store/group-ledger.ts";
import type { DeliveryResult, GroupTarget, Member } from "../target/target.ts";
import type { DeliverContext } from "./deliver.ts";
import { waitAfterLater, waitAfterRefusal } from "./waits.ts";

/** What came of groups at one target. */
export interface GroupDeliveries {
	readonly applied: number;
	readonly refused: number;
}

const PAGE = 100;

/**
 * Brings the groups of one target from what was applied to what is wanted, after its accounts: fields first, then members in pieces
 * of what the target takes at once. Who is not there yet becomes a member once it is. Can be cut at any instant, as `deliver`.
 */
export async function deliverGroups(context: DeliverContext, groups: GroupTarget, signal: AbortSignal): Promise<GroupDeliveries> {
	const { session, target, clock } = context;
	const counts = { applied: 0, refused: 0 };
	for (let after = 0; ; ) {
		const rows = session.groupLedger.pending(target.name, after, clock(), PAGE);
		for (const row of rows) {
			after = row.group_id;
			const result = await deliverGroup(context, groups, row, signal);
			if (result !== undefined) counts[result]++;
			context.onProgress(counts.applied);
		}
		if (rows.length < PAGE) return counts;
	}
}

async function deliverGroup(
	context: DeliverContext,
	groups: GroupTarget,
	first: PendingGroupRow,
	signal: AbortSignal,
): Promise<"applied" | "refused" | undefined> {
	const { session, target } = context;
	let row = first;
	let done: "applied" | undefined;
	for (;;) {
		signal.throwIfAborted();
		const members = row.wanted === null ? [] : session.groupLedger.members(target.name, row.group_id, groups.memberBatch);
		// Nothing but members who are not at the target yet: they wait with it.
		if (members.length === 0 && sameBytes(row.wanted, row.applied) && row.wanted !== null) return done;
		const remoteId = row.remote_id ?? (await announce(context, groups, row, signal));
		const wanted = groupIn(row.wanted === null ? null : row.body);
		const result = await groups.apply(
			{
				anchor: row.anchor,
				remoteId,
				wanted,
				applied: groupIn(row.applied_body ?? (sameBytes(row.wanted, row.applied) ? row.body : null)),
				added: members.filter((member) => member.wanted === 1).map(asMember),
				removed: members.filter((member) => member.wanted === 0).map(asMember),
				key: "",
			},
			signal,
		);
		const isSettled = session.transaction(() => settle(context, row, members, result));
		if (!isSettled) return result.kind === "refused" ? "refused" : undefined;
		done = "applied";
		if (members.length < groups.memberBatch || result.kind !== "applied") return done;
		row = { ...row, applied: row.wanted, applied_body: null, remote_id: result.remoteId, intent_at: null };
	}
}

/** As for accounts: the intent is written down before a create is sent, and one that was never answered is asked about first. */
async function announce(
	{ session, target, clock }: DeliverContext,
	groups: GroupTarget,
	row: PendingGroupRow,
	signal: AbortSignal,
): Promise<string | undefined> {
	if (!target.announcesCreates || row.wanted === null) return undefined;
	const group = groupIn(row.body);
	const found = row.intent_at === null || group === undefined ? undefined : await groups.find(row.anchor, group, signal);
	session.transaction(() => session.groupLedger.intend(target.name, row.group_id, clock()));
	return found?.remoteId;
}

function settle(
	{ session, target, clock }: DeliverContext,
	row: PendingGroupRow,
	members: readonly PendingMember[],
	result: DeliveryResult,
): boolean {
	const { groupLedger } = session;
	const { group_id, attempts } = row;
	switch (result.kind) {
		case "applied":
			for (const { account_id, wanted } of members) groupLedger.settled(target.name, group_id, account_id, wanted);
			if (row.wanted === null || row.body === null) groupLedger.removed(target.name, group_id);
			else groupLedger.applied(target.name, group_id, digest(row.body), row.body, result.remoteId);
			return true;
		case "refused":
			groupLedger.failed(target.name, group_id, result.error, clock() + waitAfterRefusal(attempts));
			return false;
		case "later":
			groupLedger.failed(target.name, group_id, result.error, clock() + waitAfterLater(result.afterMs ?? 0));
			return false;
		case "gone":
		case "conflict":
			groupLedger.failed(target.name, group_id, result.error, clock() + waitAfterRefusal(attempts));
			return false;
	}
}

function asMember({ anchor, remote_id }: PendingMember): Member {
	return { anchor, remoteId: remote_id };
}

function groupIn(body: string | null): Group | undefined {
	return body === null ? undefined : (JSON.parse(body) as Group);
}

function sameBytes(one: Buffer | null, other: Buffer | null): boolean {
	return one === null || other === null ? one === other : one.equals(other);
}
