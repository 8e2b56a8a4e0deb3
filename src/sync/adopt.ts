import { digest } from "../lib/digest.ts";
import type { PendingRow } from "../store/delivery-ledger.ts";
import type { Match } from "../target/target.ts";
import type { DeliverContext } from "./deliver-context.ts";
import { givingUpAccounts } from "./giving-up.ts";
import { type OpenDelivery, openDelivery, type Sent } from "./open-delivery.ts";
import { logOf } from "./settle-delivery.ts";
import { waitAfterRefusal } from "./waits.ts";

/** Looking takes no longer than this before what was looked for is sent, in milliseconds: somebody may kill us every second. */
const LONGEST_LOOK_MS = 200;

/**
 * Before anything is sent: looks for what is there already where we have no account yet, and writes down what is about to be sent,
 * since it may arrive whatever is heard of it. What was sent before and never answered is ours; whoever else is there is adopted if
 * the configuration lets us, and left alone if not. Returns what is to be sent (adopted accounts as updates of what was found, and
 * not those that were left alone), and those it has not come to.
 */
export async function announce(
	context: DeliverContext,
	all: readonly Sent[],
	signal: AbortSignal,
): Promise<{ readonly announced: readonly Sent[]; readonly rest: readonly Sent[] }> {
	const { session, target, clock } = context;
	const matches = new Map<OpenDelivery, Match>();
	const startedAt = clock();
	const sent: Sent[] = [];
	for (const each of all) {
		if (sent.length > 0 && clock() - startedAt >= LONGEST_LOOK_MS) break;
		sent.push(each);
		const { delivery } = each;
		const match = await givingUpAccounts(context, [delivery.row], () => look(context, delivery, signal), signal);
		if (match !== undefined) matches.set(delivery, match);
	}
	const announced = session.transaction(() => {
		const append = session.log.append();
		return sent.flatMap((each) => {
			const { delivery } = each;
			const { row } = delivery;
			const match = matches.get(delivery);
			const refusal = match && refusalOf(context, delivery, match);
			if (match !== undefined && refusal !== undefined) {
				session.ledger.refused(target.name, row, refusal, clock() + waitAfterRefusal(row.attempts));
				context.tally.add(row, "refused", 0);
				const sides = { before: JSON.stringify(match.remote.account), after: delivery.wantedText };
				if (row.error !== refusal) append({ ...logOf(context, delivery), why: refusal, ...sides, result: "left alone" });
				return [];
			}
			// Something else is wanted since, or its person came from another source: it is read anew.
			if (!session.ledger.intend(target.name, row, clock())) return [];
			return [{ ...each, delivery: match === undefined ? delivery : take(context, delivery, match, append) }];
		});
	});
	return { announced, rest: all.slice(sent.length) };
}

/** Who is there for an account that has no remote id: for a create, and for the end of one whose create was never answered. */
async function look({ session, target }: DeliverContext, { row, wanted }: OpenDelivery, signal: AbortSignal): Promise<Match | undefined> {
	if (row.remote_id !== null || (wanted === undefined && row.intent_at === null)) return undefined;
	// It was sent under this name, before its person came from another source.
	const former = row.external_id !== null && row.external_id !== "" && row.external_id !== row.anchor ? row.external_id : undefined;
	// Unless it is somebody else's name by now.
	const isTheirs = former === undefined || session.ledger.isOwned(target.name, former, row.account_id);
	const sentAs = isTheirs ? undefined : await target.find(former, undefined, signal);
	if (sentAs !== undefined && session.ledger.holder(target.name, sentAs.remote.remoteId, row.account_id) === undefined) return sentAs;
	return target.find(row.anchor, wanted, signal);
}

/** Why an account that is there may not be taken; undefined: it is ours, or may be. */
function refusalOf({ session, target, adopt }: DeliverContext, { row }: OpenDelivery, match: Match): string | undefined {
	const { on, remote, isAmbiguous } = match;
	const there = `${on} is there already, as ${remote.remoteId}`;
	if (isAmbiguous) return `there are several accounts with ${on}: none is taken`;
	const holder = session.ledger.holder(target.name, remote.remoteId, row.account_id);
	if (holder !== undefined) return `${there}, which is the account of ${holder}`;
	if (isOurs(row, match)) return undefined;
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

/** It has our externalId, and something of ours was sent that may have made it. */
function isOurs(row: PendingRow, { by }: Match): boolean {
	return by === "external-id" && row.intent_at !== null;
}

function take(
	context: DeliverContext,
	delivery: OpenDelivery,
	match: Match,
	append: (row: ReturnType<typeof logOf> & { why: string; before: string; after: string | undefined; result: string }) => void,
): OpenDelivery {
	const { session, target } = context;
	const { row } = delivery;
	const { on, remote } = match;
	const body = JSON.stringify(remote.account);
	const isCreated = isOurs(row, match);
	// What was not told may be anything: the target compares by itself then.
	const isKnown = remote.untold === undefined || remote.untold.length === 0;
	const found = isKnown ? { digest: digest(body), body } : { digest: Buffer.alloc(0), body: undefined };
	const externalId = remote.anchor ?? ("" as typeof row.anchor);
	session.ledger.match(target.name, row.account_id, {
		...{ ...found, remoteId: remote.remoteId, externalId },
		origin: isCreated ? "created" : "adopted",
		before: isCreated ? undefined : body,
	});
	if (target.managerBy === "remote-id") session.ledger.wakeReports(target.name, row.account_id);
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
