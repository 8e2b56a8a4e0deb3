import type { Account } from "../core/account.ts";
import { type Ordered, orderDeliveries } from "../core/delivery.ts";
import { Failure } from "../core/errors.ts";
import { digest } from "../lib/digest.ts";
import type { PendingRow, Step } from "../store/ledger.ts";
import type { Session } from "../store/session.ts";
import type { Delivery, DeliveryResult, Target } from "../target/target.ts";
import type { DeliveryCount } from "./report.ts";
import { waitAfterLater, waitAfterRefusal } from "./waits.ts";

export interface DeliverContext {
	readonly session: Session;
	readonly target: Target;
	readonly clock: () => number;
	readonly onProgress: (done: number) => void;
}

/** The two accounts are parsed when somebody looks at them: for a first delivery to the local target nobody does. */
interface OpenDelivery {
	readonly row: PendingRow;
	readonly wantedText: string | undefined;
	readonly wanted: Account | undefined;
	readonly applied: Account | undefined;
}

/** Renames are ordered among each other, so they are taken together; past this many, in several rounds. */
const RENAMES_AT_ONCE = 20_000;

/**
 * Brings one target from what was applied to what is wanted. Can be cut at any instant: what was not settled is open still, and
 * is tried again. Throws only when the target as a whole is out of reach; what was done until then is settled.
 */
export async function deliver(context: DeliverContext, signal: AbortSignal): Promise<readonly DeliveryCount[]> {
	const tally = makeTally(context.target.name);
	let done = 0;
	for (const step of [0, 1, 2] as const satisfies readonly Step[]) {
		for (;;) {
			signal.throwIfAborted();
			const open = nextDeliveries(context, step);
			if (open.length === 0) break;
			for (const batch of batchesOf(order(open), context.target.batch)) {
				done += await deliverBatch(context, batch, tally, signal);
				context.onProgress(done);
				signal.throwIfAborted();
			}
		}
	}
	return tally.counts();
}

function nextDeliveries({ session, target, clock }: DeliverContext, step: Step): readonly OpenDelivery[] {
	const limit = step === 1 ? RENAMES_AT_ONCE : target.batch;
	return session.ledger.pending(target.name, step, clock(), limit).map(openDelivery);
}

function openDelivery(row: PendingRow): OpenDelivery {
	const wantedText = row.wanted === null || row.body === null ? undefined : row.body;
	const wanted = accountIn(wantedText);
	const applied = accountIn(row.applied_body ?? undefined);
	return {
		row,
		wantedText,
		get wanted() {
			return wanted();
		},
		get applied() {
			return applied();
		},
	};
}

function accountIn(text: string | undefined): () => Account | undefined {
	let account: Account | undefined;
	return () => {
		if (text !== undefined) account ??= JSON.parse(text) as Account;
		return account;
	};
}

function order(open: readonly OpenDelivery[]): readonly Ordered<OpenDelivery>[] {
	// Names wait for others only where somebody has one already.
	if (open.every(({ row }) => row.applied_body === null)) return open.map((delivery) => ({ delivery, parkAs: undefined }));
	return orderDeliveries(open, ({ row }) => `${row.anchor}.parked`);
}

function* batchesOf<T>(items: readonly T[], size: number): Generator<readonly T[]> {
	for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}

/** One call of the target. Returns how many deliveries were settled. */
async function deliverBatch(
	context: DeliverContext,
	batch: readonly Ordered<OpenDelivery>[],
	tally: Tally,
	signal: AbortSignal,
): Promise<number> {
	const { session, target, clock } = context;
	const remoteIds = await announce(context, batch, signal);
	const started = clock();
	const results = await target.apply(
		batch.map(({ delivery, parkAs }) => sendable(delivery, parkAs, remoteIds)),
		signal,
	);
	const seconds = (clock() - started) / 1000 / Math.max(1, batch.length);
	let settled = 0;
	session.transaction(() => {
		const append = session.log.append();
		batch.forEach(({ delivery, parkAs }, index) => {
			const { row } = delivery;
			const result: DeliveryResult = results[index] ?? { kind: "refused", error: "the target gave no answer for it" };
			settle(context, delivery, parkAs, result);
			if (parkAs !== undefined && result.kind === "applied") return;
			tally.add(row.kind, result.kind === "applied" || result.kind === "later" ? result.kind : "refused", seconds);
			if (result.kind === "applied") settled++;
			if (result.kind === "refused") {
				const name = (delivery.wanted ?? delivery.applied)?.userName ?? "";
				append({
					...logged(row, name, clock()),
					why: result.error,
					source: target.name,
					before: undefined,
					after: undefined,
					result: "refused",
				});
			}
		});
	});
	return settled;
}

function logged(row: PendingRow, name: string, at: number) {
	return { at, run: row.run_id, kind: row.kind, subject: "account", anchor: row.anchor, name };
}

/**
 * Writes down which creates are about to be sent, where sending twice could make two accounts; and for those that were sent
 * before and never answered, asks the target first. Returns the remote ids found that way.
 */
async function announce(
	context: DeliverContext,
	batch: readonly Ordered<OpenDelivery>[],
	signal: AbortSignal,
): Promise<ReadonlyMap<number, string>> {
	const { session, target, clock } = context;
	const found = new Map<number, string>();
	if (!target.announcesCreates) return found;
	const creates = batch.filter(({ delivery: { row, wanted } }) => row.remote_id === null && wanted !== undefined);
	for (const { delivery } of creates) {
		const { row, wanted } = delivery;
		if (row.intent_at === null || wanted === undefined) continue;
		const match = await target.find(row.anchor, wanted, signal);
		if (match?.by === "external-id") found.set(row.account_id, match.remote.remoteId);
	}
	session.transaction(() => {
		for (const { delivery } of creates) session.ledger.intend(target.name, delivery.row.account_id, clock());
	});
	return found;
}

function settle(
	{ session, target, clock }: DeliverContext,
	delivery: OpenDelivery,
	parkAs: string | undefined,
	result: DeliveryResult,
): void {
	const { ledger } = session;
	const { row, wantedText } = delivery;
	switch (result.kind) {
		case "applied": {
			const sent = parkAs === undefined ? wantedText : textOf(parked(delivery.applied, delivery.wanted, parkAs));
			if (sent === undefined) ledger.removed(target.name, row.account_id);
			else {
				const sentDigest = parkAs === undefined && row.wanted !== null ? row.wanted : digest(sent);
				ledger.applied(target.name, row.account_id, sentDigest, sent, result.remoteId, "created");
			}
			return;
		}
		case "refused":
			ledger.failed(target.name, row.account_id, result.error, clock() + waitAfterRefusal(row.attempts));
			return;
		case "later":
			ledger.failed(target.name, row.account_id, result.error, clock() + waitAfterLater(result.afterMs ?? 0));
			return;
		case "gone":
		case "conflict":
			ledger.failed(target.name, row.account_id, result.error, clock() + waitAfterRefusal(row.attempts));
	}
}

function sendable(delivery: OpenDelivery, parkAs: string | undefined, remoteIds: ReadonlyMap<number, string>): Delivery {
	const { row, wantedText } = delivery;
	const remoteId = row.remote_id ?? remoteIds.get(row.account_id);
	const { anchor, kind } = row;
	const same = { anchor, kind, remoteId, appliedAnchor: undefined, managerId: undefined, key: "" };
	if (parkAs !== undefined) {
		const { applied, wanted } = delivery;
		return { ...same, wanted: parked(applied, wanted, parkAs), applied };
	}
	return {
		...same,
		wantedText,
		get wanted() {
			return delivery.wanted;
		},
		get applied() {
			return delivery.applied;
		},
	};
}

function textOf(account: Account | undefined): string | undefined {
	return account && JSON.stringify(account);
}

/** Out of the way: another userName, and no addresses, until its own delivery comes. */
function parked(applied: Account | undefined, wanted: Account | undefined, userName: string): Account | undefined {
	const account = applied ?? wanted;
	if (account === undefined) return undefined;
	const { emails: _, ...rest } = account;
	return { ...rest, userName };
}

interface Tally {
	add(kind: PendingRow["kind"], result: DeliveryCount["result"], seconds: number): void;
	counts(): readonly DeliveryCount[];
}

function makeTally(target: string): Tally {
	const counts = new Map<string, { -readonly [K in keyof DeliveryCount]: DeliveryCount[K] }>();
	return {
		add: (kind, result, seconds) => {
			const key = `${kind} ${result}`;
			const count = counts.get(key) ?? { target, kind, result, count: 0, seconds: 0 };
			count.count++;
			count.seconds += seconds;
			counts.set(key, count);
		},
		counts: () => [...counts.values()],
	};
}

/** A target that is out of reach as a whole, as a sentence; anything else is a bug and is thrown on. */
export function targetProblem(target: string, error: unknown): string {
	if (error instanceof Failure && (error.code === "TARGET_UNREACHABLE" || error.code === "TARGET_REFUSED"))
		return `target ${target}: ${error.message}`;
	throw error;
}
