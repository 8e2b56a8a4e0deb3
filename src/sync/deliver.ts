import { orderDeliveries } from "../core/delivery.ts";
import { eachAtMost } from "../lib/window.ts";
import type { Step } from "../store/delivery-ledger.ts";
import type { DeliveryResult } from "../target/target.ts";
import { matchCreates } from "./adopt.ts";
import type { DeliverContext } from "./deliver-context.ts";
import { type OpenDelivery, openDelivery, parked, type Sent, sending } from "./open-delivery.ts";
import { makeSettling, type Settling } from "./settle-delivery.ts";

/** Renames are ordered among each other, so they are taken together; past this many, in several rounds. */
const RENAMES_AT_ONCE = 20_000;
/**
 * So many creates are looked up, written down and sent by one lane before the next ones: few enough that some are done even if we are
 * killed every second, and enough that writing them down costs little.
 */
const MATCHED_TOGETHER = 4;
/** How many calls of each lane make a page: the lanes run dry at its end, which costs about half a call in so many. */
const CALLS_A_PAGE = 16;
const MOST_A_PAGE = 10_000;

/**
 * Brings the accounts of one target from what was applied to what is wanted: ends first, then renames, then the rest, asked anew
 * after every page, so that who leaves does not wait for a first delivery to end. Can be cut at any instant: what was not settled
 * is open still, and is tried again. Throws when the target as a whole is out of reach; what was done until then is settled.
 */
export async function deliver(context: DeliverContext, signal: AbortSignal): Promise<void> {
	for (;;) {
		signal.throwIfAborted();
		const open = nextDeliveries(context);
		if (open.length === 0) return;
		await deliverPage(context, open, signal);
	}
}

function nextDeliveries({ session, target, clock }: DeliverContext): readonly OpenDelivery[] {
	const page = Math.max(target.batch, Math.min(target.batch * target.lanes * CALLS_A_PAGE, MOST_A_PAGE));
	for (const step of [0, 1, 2] as const satisfies readonly Step[]) {
		const rows = session.ledger.pending(target.name, step, clock(), step === 1 ? RENAMES_AT_ONCE : page);
		if (rows.length > 0) return rows.map((row) => openDelivery(row));
	}
	return [];
}

async function deliverPage(context: DeliverContext, open: readonly OpenDelivery[], signal: AbortSignal): Promise<void> {
	const { target } = context;
	const settling = makeSettling(context);
	const together = target.announcesCreates ? Math.max(target.batch, MATCHED_TOGETHER) : target.batch;
	try {
		for (const wave of wavesOf(order(open), target.lanes)) {
			await eachAtMost(target.lanes, batchesOf(wave, together), (some) => deliverSome(context, some, settling, signal));
			settling.flush();
		}
	} finally {
		settling.flush();
	}
}

async function deliverSome(context: DeliverContext, some: readonly Sent[], settling: Settling, signal: AbortSignal): Promise<void> {
	const { session, target, clock } = context;
	const matched = target.announcesCreates ? await matchCreates(context, some, signal) : some;
	for (const batch of batchesOf(matched, target.batch)) {
		const started = clock();
		const sent = batch.map((each) => ({ ...each, sending: sending(session, target, each) }));
		const results = await target.apply(
			sent.map((each) => each.sending.delivery),
			signal,
		);
		const seconds = (clock() - started) / 1000 / batch.length;
		settling.add(sent.map((each, index) => [each, results[index] ?? unanswered, seconds]));
	}
}

const unanswered: DeliveryResult = { kind: "later", error: "the target gave no answer for it" };

function order(open: readonly OpenDelivery[]): readonly Sent[] {
	// Names wait for others only where somebody has one already.
	if (open.every(({ appliedText }) => appliedText === undefined)) return open.map((delivery) => ({ delivery, parkAs: undefined, wave: 0 }));
	const parkedAs = new Map<OpenDelivery, string>();
	return orderDeliveries(open, ({ row }) => `${row.anchor}.parked`).map((each) => {
		const { delivery, parkAs } = each;
		if (parkAs !== undefined) parkedAs.set(delivery, parkAs);
		const name = parkAs === undefined ? parkedAs.get(delivery) : undefined;
		// What was parked starts from there.
		return name === undefined ? each : { ...each, delivery: openDelivery(delivery.row, JSON.stringify(parked(delivery, name))) };
	});
}

/** With a single lane the order alone is enough. */
function wavesOf(sent: readonly Sent[], lanes: number): readonly (readonly Sent[])[] {
	if (lanes === 1) return [sent];
	const waves: Sent[][] = [];
	for (const each of sent) {
		waves[each.wave] ??= [];
		waves[each.wave]?.push(each);
	}
	return waves;
}

function* batchesOf<T>(items: readonly T[], size: number): Generator<readonly T[]> {
	for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}
