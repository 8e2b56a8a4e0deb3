import type { PendingGroupRow } from "../store/group-ledger.ts";
import type { GroupMatch, GroupTarget } from "../target/target.ts";
import type { DeliverContext } from "./deliver-context.ts";
import { groupIn, logOfGroup } from "./open-group.ts";
import { waitAfterRefusal } from "./waits.ts";

/**
 * Before anything of a group is sent: looks for what is there already where we have none yet, and writes down that something is about
 * to be sent, as `announce` does for accounts. Of an adopted group only those members are added and removed that come and go here.
 * Returns what is to be sent, or undefined when the group is left alone.
 */
export async function announceGroup(
	context: DeliverContext,
	groups: GroupTarget,
	row: PendingGroupRow,
	signal: AbortSignal,
): Promise<PendingGroupRow | undefined> {
	const { session, target, clock } = context;
	if (!target.announcesCreates) return row;
	const wanted = row.wanted === null ? undefined : groupIn(row.body);
	const isLooked = row.remote_id === null && (wanted !== undefined || row.intent_at !== null);
	const match = isLooked ? await groups.find(row.anchor, wanted, signal) : undefined;
	return session.transaction(() => {
		const refusal = match && refusalOf(context, row, match);
		if (match !== undefined && refusal !== undefined) {
			session.groupLedger.refused(target.name, row, refusal, clock() + waitAfterRefusal(row.attempts));
			context.tally.addGroup(row, "refused");
			if (row.error !== refusal) append(context, row, refusal, match, "left alone");
			return undefined;
		}
		if (!session.groupLedger.intend(target.name, row, clock())) return undefined;
		return match === undefined ? row : take(context, row, match);
	});
}

function take(context: DeliverContext, row: PendingGroupRow, match: GroupMatch): PendingGroupRow {
	const { session, target } = context;
	const isCreated = isOurs(row, match);
	// Its fields are compared by the target, since its externalId may not be ours yet.
	const found = { remoteId: match.remoteId, digest: Buffer.alloc(0), body: undefined };
	const before = isCreated ? undefined : JSON.stringify(match.group);
	session.groupLedger.match(target.name, row.group_id, { ...found, origin: isCreated ? "created" : "adopted", before });
	if (!isCreated) append(context, row, `${match.on} was there already, as ${match.remoteId}: adopted`, match, "adopted");
	return { ...row, remote_id: match.remoteId, applied: found.digest, applied_body: null };
}

/** It has our externalId, and something of ours was sent that may have made it. */
function isOurs(row: PendingGroupRow, { by }: GroupMatch): boolean {
	return by === "external-id" && row.intent_at !== null;
}

function refusalOf({ session, target, adopt }: DeliverContext, row: PendingGroupRow, match: GroupMatch): string | undefined {
	const there = `${match.on} is there already, as ${match.remoteId}`;
	if (match.isAmbiguous) return `there are several groups with ${match.on}: none is taken`;
	const holder = session.groupLedger.holder(target.name, match.remoteId, row.group_id);
	if (holder !== undefined) return `${there}, which is the group ${holder}`;
	if (isOurs(row, match)) return undefined;
	if (match.anchor !== undefined && match.anchor !== row.anchor) return `${there}, and has another externalId: ${match.anchor}`;
	switch (adopt) {
		case "exact":
			return undefined;
		case "report":
			return `${there}, and would be adopted with adopt: exact`;
		case "never":
			return `${there}, and is not ours (adopt: never)`;
	}
}

function append(context: DeliverContext, row: PendingGroupRow, why: string, { group }: GroupMatch, result: string): void {
	const sides = { before: JSON.stringify(group), after: row.body ?? undefined };
	context.session.log.append()({ ...logOfGroup(context, row), why, ...sides, result });
}
