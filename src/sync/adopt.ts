import { digest } from "../lib/digest.ts";
import type { Match } from "../target/target.ts";
import type { DeliverContext } from "./deliver-context.ts";
import { type OpenDelivery, openDelivery, type Sent } from "./open-delivery.ts";
import { logOf } from "./settle-delivery.ts";
import { waitAfterRefusal } from "./waits.ts";

/**
 * Before anything is created: looks for what is there already, and writes down which creates are about to be sent. What was sent
 * before and never answered is ours; whoever else is there is adopted if the configuration lets us, and left alone if not. Returns
 * what is to be sent: adopted accounts as updates of what was found, and not those that were left alone.
 */
export async function matchCreates(context: DeliverContext, sent: readonly Sent[], signal: AbortSignal): Promise<readonly Sent[]> {
	const { session, target, clock } = context;
	const isCreate = ({ delivery: { row, wanted } }: Sent): boolean => row.remote_id === null && wanted !== undefined;
	if (!sent.some(isCreate)) return sent;
	const matches = new Map<OpenDelivery, Match>();
	for (const each of sent) {
		const { row, wanted } = each.delivery;
		const match = isCreate(each) && wanted !== undefined ? await target.find(row.anchor, wanted, signal) : undefined;
		if (match !== undefined) matches.set(each.delivery, match);
	}
	return session.transaction(() => {
		const append = session.log.append();
		return sent.flatMap((each) => {
			if (!isCreate(each)) return [each];
			const { delivery } = each;
			const { row } = delivery;
			const match = matches.get(delivery);
			if (match === undefined) {
				session.ledger.intend(target.name, row.account_id, clock());
				return [each];
			}
			const refusal = refusalOf(context, delivery, match);
			if (refusal === undefined) return [{ ...each, delivery: take(context, delivery, match, append) }];
			session.ledger.refused(target.name, row.account_id, refusal, clock() + waitAfterRefusal(row.attempts));
			context.tally.add(row.kind, "refused", 0);
			const after = delivery.wantedText;
			if (row.error !== refusal) {
				append({ ...logOf(context, delivery), why: refusal, before: JSON.stringify(match.remote.account), after, result: "left alone" });
			}
			return [];
		});
	});
}

/** Why an account that is there may not be taken; undefined: it is ours, or may be. */
function refusalOf({ session, target, adopt }: DeliverContext, { row }: OpenDelivery, match: Match): string | undefined {
	const { on, by, remote, isAmbiguous } = match;
	const there = `${on} is there already, as ${remote.remoteId}`;
	if (isAmbiguous) return `there are several accounts with ${on}: none is taken`;
	if (by === "external-id" && row.intent_at !== null) return undefined;
	const holder = session.ledger.holder(target.name, remote.remoteId, row.account_id);
	if (holder !== undefined) return `${there}, which is the account of ${holder}`;
	if (remote.anchor !== undefined && remote.anchor !== row.anchor) return `${there}, and has another externalId: ${remote.anchor}`;
	switch (adopt) {
		case "exact":
			return undefined;
		case "report":
			return `${there}, and would be adopted with adopt: exact`;
		case "never":
			return `${there}, and is not ours (adopt: never)`;
	}
}

function take(
	context: DeliverContext,
	delivery: OpenDelivery,
	{ by, on, remote }: Match,
	append: (row: ReturnType<typeof logOf> & { why: string; before: string; after: string | undefined; result: string }) => void,
): OpenDelivery {
	const { session, target } = context;
	const { row } = delivery;
	const body = JSON.stringify(remote.account);
	const isCreated = by === "external-id" && row.intent_at !== null;
	// What was not told may be anything: the target compares by itself then.
	const isKnown = remote.untold === undefined || remote.untold.length === 0;
	const found = isKnown ? { digest: digest(body), body } : { digest: Buffer.alloc(0), body: undefined };
	const externalId = remote.anchor ?? ("" as typeof row.anchor);
	session.ledger.match(target.name, row.account_id, {
		...{ ...found, remoteId: remote.remoteId, externalId },
		origin: isCreated ? "created" : "adopted",
		before: isCreated ? undefined : body,
	});
	if (!isCreated) {
		const why = `${on} was there already, as ${remote.remoteId}: adopted`;
		append({ ...logOf(context, delivery), why, before: body, after: delivery.wantedText, result: "adopted" });
	}
	return openDelivery({
		...row,
		applied: found.digest,
		applied_body: found.body ?? null,
		remote_id: remote.remoteId,
		external_id: externalId,
		intent_at: null,
	});
}
