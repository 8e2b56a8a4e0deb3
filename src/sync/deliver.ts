import { orderDeliveries } from "../core/delivery.ts";
import { eachAtMost } from "../lib/window.ts";
import type { PendingRow, Step } from "../store/delivery-ledger.ts";
import type { DeliveryResult, Target } from "../target/target.ts";
import { announce } from "./adopt.ts";
import type { DeliverContext } from "./deliver-context.ts";
import { givingUpAccounts } from "./giving-up.ts";
import { endOnly, type OpenDelivery, openDelivery, parked, type Sent, sending } from "./open-delivery.ts";
import { withPartners } from "./partners.ts";
import { type Answer, makeSettling, type Settling } from "./settle-delivery.ts";
import { MOST_LATERS } from "./waits.ts";

/** Renames are ordered among each other, so they are taken together; past this many, in several rounds. */
const RENAMES_AT_ONCE = 20_000;
/** So many at most are looked up, written down and sent by one lane before the next ones: writing them down has its price. */
const ANNOUNCED_TOGETHER = 16;
/** So many that were not tried yet go before one that was. */
const AGAIN_AFTER = 4;
/** How many calls of each lane make a page: the lanes run dry at its end, which costs about half a call in so many. */
const CALLS_A_PAGE = 16;
/** Asking for a page has its price, too. */
const FEWEST_A_PAGE = 256;
const MOST_A_PAGE = 10_000;

/**
 * Brings the accounts of one target from what was applied to what is wanted: ends first, then renames, then the rest. An end that
 * comes in meanwhile is next, whatever else is going on; who was tried before comes between those who were not, so that neither keeps
 * the other back. Can be cut at any instant: what was not settled is open still, and is tried again. Throws when the target as a
 * whole is out of reach; what was done until then is settled.
 */
export async function deliver(context: DeliverContext, signal: AbortSignal): Promise<void> {
	for (;;) {
		signal.throwIfAborted();
		const open = nextDeliveries(context);
		if (open.length === 0) return;
		await deliverPage(context, open, signal);
	}
}

/** Whether somebody is to leave who was not tried yet: that is done before anything else goes on. */
export function isEndDue({ session, target, clock }: DeliverContext): boolean {
	return session.ledger.isEndDue(target.name, clock());
}

const STEPS = [0, 1, 2] as const satisfies readonly Step[];

function nextDeliveries({ session, target, clock }: DeliverContext): readonly OpenDelivery[] {
	const page = Math.max(target.batch, FEWEST_A_PAGE, Math.min(target.batch * target.lanes * CALLS_A_PAGE, MOST_A_PAGE));
	const now = clock();
	let fresh: readonly PendingRow[] = [];
	for (const step of STEPS) {
		if (fresh.length === 0) fresh = session.ledger.pending(target.name, "fresh", step, now, step === 1 ? RENAMES_AT_ONCE : page);
	}
	const again: PendingRow[] = [];
	const most = fresh.length === 0 ? page : Math.ceil(fresh.length / AGAIN_AFTER);
	for (const step of STEPS) again.push(...session.ledger.pending(target.name, "again", step, now, most - again.length));
	const open = mixed(fresh, again).map((row) => openDelivery(row));
	if (!again.some(({ step }) => step === 1)) return open;
	const waiting = session.ledger.waitingRenames(target.name, now, RENAMES_AT_ONCE);
	return withPartners(
		open,
		waiting.map((row) => openDelivery(row)),
	);
}

/** One that was tried before after every few that were not. */
function mixed(fresh: readonly PendingRow[], again: readonly PendingRow[]): readonly PendingRow[] {
	if (fresh.length === 0 || again.length === 0) return [...fresh, ...again];
	const rows: PendingRow[] = [];
	for (const [index, row] of fresh.entries()) {
		rows.push(row);
		const next = (index + 1) % AGAIN_AFTER === 0 ? again[Math.floor(index / AGAIN_AFTER)] : undefined;
		if (next !== undefined) rows.push(next);
	}
	return rows.concat(again.slice(Math.floor(fresh.length / AGAIN_AFTER)));
}

async function deliverPage(context: DeliverContext, open: readonly OpenDelivery[], signal: AbortSignal): Promise<void> {
	const { target } = context;
	const settling = makeSettling(context);
	const isOfEnds = open.some(({ row }) => row.step === 0 && row.attempts === 0);
	let isBroken = false;
	/** Until somebody is to leave. */
	const goesOn = (): boolean => {
		isBroken ||= !isOfEnds && isEndDue(context);
		return !isBroken;
	};
	function* whileItGoesOn<T>(items: Iterable<T>): Generator<T> {
		for (const item of items) {
			if (!goesOn()) return;
			yield item;
		}
	}
	try {
		for (const wave of wavesOf(order(open), target)) {
			if (isBroken) return;
			const share = Math.min(ANNOUNCED_TOGETHER, Math.ceil(wave.length / target.lanes));
			const together = target.announcesCreates ? Math.max(target.batch, share) : target.batch;
			await eachAtMost(target.lanes, whileItGoesOn(batchesOf(wave, together)), async (some) => {
				for (let rest = some; rest.length > 0 && goesOn(); ) rest = await deliverSome(context, rest, settling, goesOn, signal);
			});
			settling.flush();
		}
	} finally {
		settling.flush();
	}
}

/** Returns those that were not come to yet. */
async function deliverSome(
	context: DeliverContext,
	some: readonly Sent[],
	settling: Settling,
	goesOn: () => boolean,
	signal: AbortSignal,
): Promise<readonly Sent[]> {
	const { target } = context;
	const { announced, rest } = target.announcesCreates ? await announce(context, some, signal) : { announced: some, rest: [] };
	for (const batch of batchesOf(announced, target.batch)) {
		// What was announced and is not sent is looked for again, no more.
		if (!goesOn()) break;
		const answers = await send(context, batch, signal);
		const ends = new Map<Answer, readonly Answer[]>();
		try {
			for (const answer of answers.filter(isHopeless)) {
				ends.set(answer, await endAlone(context, answer, (unknown) => ends.set(answer, [unknown]), signal));
			}
		} finally {
			settling.add(ends.size === 0 ? answers : answers.flatMap((answer) => ends.get(answer) ?? [answer]));
		}
	}
	return rest;
}

function isHopeless([{ delivery }, { kind }]: Answer): boolean {
	return kind === "refused" || kind === "conflict" || (kind === "later" && delivery.row.attempts >= MOST_LATERS);
}

/**
 * Where an account that is to end was not taken as it is wanted: its end alone. Returns what is to be settled, the end before the
 * refusal, which is what remains. `onSending`: from here on nobody knows what is there, until it is answered.
 */
async function endAlone(
	{ session, target }: DeliverContext,
	answer: Answer,
	onSending: (unknown: Answer) => void,
	signal: AbortSignal,
): Promise<readonly Answer[]> {
	const [sent, result, seconds] = answer;
	if ("error" in result) onSending([sent, { kind: "later", error: result.error }, seconds]);
	const end = await endOnly(session, target, sent, signal);
	if (end === undefined) return [answer];
	const [ended = unanswered] = await target.apply([end.sending.delivery], signal);
	if (ended.kind === "applied") return [[end, ended, 0], answer];
	if (ended.kind === "gone") return [[sent, ended, seconds]];
	return ended.kind === "later" && "error" in result ? [[sent, { kind: "later", error: result.error }, seconds]] : [answer];
}

/** One call of the target. */
async function send(context: DeliverContext, batch: readonly Sent[], signal: AbortSignal): Promise<readonly Answer[]> {
	const { session, target, clock } = context;
	const started = clock();
	const sent = batch.map((each) => ({ ...each, sending: sending(session, target, each) }));
	const deliveries = sent.map((each) => each.sending.delivery);
	const rows = batch.map(({ delivery }) => delivery.row);
	const results = await givingUpAccounts(context, rows, () => target.apply(deliveries, signal), signal);
	const seconds = (clock() - started) / 1000 / batch.length;
	return sent.map((each, index) => [each, results[index] ?? unanswered, seconds]);
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

/** With a single lane the order alone is enough, as long as nothing needs to be written down between two deliveries of one account. */
function wavesOf(sent: readonly Sent[], { lanes, announcesCreates }: Target): readonly (readonly Sent[])[] {
	if (lanes === 1 && !announcesCreates) return [sent];
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
