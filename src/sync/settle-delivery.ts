import type { DeliveryResult } from "../target/target.ts";
import type { DeliverContext } from "./deliver-context.ts";
import type { OpenDelivery, Sending, Sent } from "./open-delivery.ts";
import { managerOf } from "./open-delivery.ts";
import { waitAfterConflict, waitAfterLater, waitAfterLoss, waitAfterRefusal } from "./waits.ts";

type Answered = Sent & { readonly sending: Sending };

export type Answer = readonly [Answered, DeliveryResult, number];

/** Answers are written together: a transaction for each would cost more than the request did. */
const TOGETHER = 64;
/** But none waits longer for the next one, in milliseconds. */
const LONGEST_MS = 250;

/** Writes what came of deliveries into the ledger, the change log and the tally. */
export interface Settling {
	/** What one call of the target answered; seconds of each. */
	add(answers: readonly Answer[]): void;
	/** Writes what has not been written yet. */
	flush(): void;
}

export function makeSettling(context: DeliverContext): Settling {
	const { session, clock } = context;
	let waiting: Answer[] = [];
	let flushedAt = clock();
	const flush = (): void => {
		flushedAt = clock();
		if (waiting.length === 0) return;
		const answers = waiting;
		waiting = [];
		session.transaction(() => {
			for (const [sent, result, seconds] of answers) settle(context, sent, result, seconds);
		});
		context.onSettled();
	};
	return {
		add: (answers) => {
			waiting = waiting.length === 0 ? [...answers] : waiting.concat(answers);
			if (waiting.length >= TOGETHER || clock() - flushedAt >= LONGEST_MS) flush();
		},
		flush,
	};
}

function settle(context: DeliverContext, sent: Answered, result: DeliveryResult, seconds: number): void {
	const { session, target, clock, tally } = context;
	const { ledger } = session;
	const { delivery, parkAs } = sent;
	const { row } = delivery;
	const account = row.account_id;
	switch (result.kind) {
		case "applied":
			settleApplied(context, sent, result.remoteId);
			// What was only put out of the way counts when it has its own name.
			if (parkAs === undefined) tally.add(row, "applied", seconds);
			return;
		case "refused":
		case "conflict": {
			// What is taken is looked up at once: somebody may have made it since.
			const wait = result.kind === "conflict" ? waitAfterConflict(row.attempts) : waitAfterRefusal(row.attempts);
			ledger.refused(target.name, row, result.error, clock() + wait);
			tally.add(row, "refused", seconds);
			if (row.error !== result.error) log(context, delivery, result.error, "refused");
			return;
		}
		case "later":
			ledger.postponed(target.name, row, result.error, clock() + waitAfterLater(row.attempts, result.afterMs));
			tally.add(row, "later", seconds);
			return;
		case "gone":
			ledger.outdateReports(target.name, account);
			ledger.lost(target.name, account, clock(), waitAfterLoss(row.attempts, clock()));
			session.groupLedger.reopenMembers(target.name, account);
			tally.add(row, "later", seconds);
			log(context, delivery, `${result.error}: it is matched again`, "lost");
	}
}

function settleApplied({ session, target }: DeliverContext, { delivery, sending }: Answered, remoteId: string): void {
	const { ledger } = session;
	const { row } = delivery;
	const account = row.account_id;
	const { result, lacksManager } = sending;
	if (result === undefined) {
		ledger.removed(target.name, account);
		return;
	}
	ledger.applied({ target: target.name, account, digest: result.digest, body: result.text, remoteId, origin: "created" });
	if (target.managerBy !== "remote-id") return;
	if (row.remote_id !== null && row.remote_id !== remoteId) ledger.outdateReports(target.name, account);
	if (row.remote_id !== remoteId) ledger.wakeReports(target.name, account);
	// Unless the manager came in the meantime.
	if (lacksManager && row.wanted !== null && managerOf(session, target, row, delivery.wanted) === undefined) {
		ledger.rest(target.name, account, row.wanted);
	}
}

function log(context: DeliverContext, delivery: OpenDelivery, why: string, result: string): void {
	context.session.log.append()({ ...logOf(context, delivery), why, before: undefined, after: undefined, result });
}

/** What every line of the change log about a delivery says. */
export function logOf({ target, clock }: DeliverContext, { row, wanted, applied }: OpenDelivery) {
	const { run_id, kind, anchor } = row;
	const name = (wanted ?? applied)?.userName ?? "";
	return { at: clock(), run: run_id, source: target.name, target: target.name, kind, subject: "account", anchor, name };
}
