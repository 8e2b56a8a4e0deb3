import { digest } from "../lib/digest.ts";
import type { PendingGroupRow } from "../store/group-ledger.ts";
import type { GroupMatch, GroupTarget } from "../target/target.ts";
import type { DeliverContext } from "./deliver-context.ts";
import { groupIn, logOfGroup } from "./open-group.ts";
import { waitAfterRefusal } from "./waits.ts";

/**
 * Before a group is created: looks for what is there already, as `matchCreates` does for accounts. Of an adopted group only those
 * members are added and removed that come and go here. Returns what is to be sent, or undefined when the group is left alone.
 */
export async function matchGroup(
	context: DeliverContext,
	groups: GroupTarget,
	row: PendingGroupRow,
	signal: AbortSignal,
): Promise<PendingGroupRow | undefined> {
	const { session, target, clock } = context;
	const wanted = groupIn(row.body);
	if (!target.announcesCreates || wanted === undefined) return row;
	const match = await groups.find(row.anchor, wanted, signal);
	return session.transaction(() => {
		if (match === undefined) {
			session.groupLedger.intend(target.name, row.group_id, clock());
			return row;
		}
		const refusal = refusalOf(context, row, match);
		if (refusal !== undefined) {
			session.groupLedger.refused(target.name, row.group_id, refusal, clock() + waitAfterRefusal(row.attempts));
			context.tally.addGroup("refused");
			if (row.error !== refusal) append(context, row, refusal, match, "left alone");
			return undefined;
		}
		const isCreated = match.by === "external-id" && row.intent_at !== null;
		const body = JSON.stringify(match.group);
		const found = { remoteId: match.remoteId, digest: digest(body), body };
		const origin = isCreated ? "created" : "adopted";
		session.groupLedger.match(target.name, row.group_id, { ...found, origin, before: isCreated ? undefined : body });
		if (!isCreated) append(context, row, `${match.on} was there already, as ${match.remoteId}: adopted`, match, "adopted");
		return { ...row, remote_id: match.remoteId, applied: found.digest, applied_body: body, intent_at: null };
	});
}

function refusalOf({ session, target, adopt }: DeliverContext, row: PendingGroupRow, match: GroupMatch): string | undefined {
	const there = `${match.on} is there already, as ${match.remoteId}`;
	if (match.isAmbiguous) return `there are several groups with ${match.on}: none is taken`;
	if (match.by === "external-id" && row.intent_at !== null) return undefined;
	const holder = session.groupLedger.holder(target.name, match.remoteId, row.group_id);
	if (holder !== undefined) return `${there}, which is the group ${holder}`;
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
