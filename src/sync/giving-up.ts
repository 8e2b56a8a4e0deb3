import type { PendingRow } from "../store/delivery-ledger.ts";
import type { PendingGroupRow } from "../store/group-ledger.ts";
import type { DeliverContext } from "./deliver-context.ts";
import { waitAfterThrow } from "./waits.ts";

/**
 * Does what is about some accounts. Where the target as a whole gives up at it, or we stumble, these are tried after the others: it
 * may be their doing. Throws what the target throws.
 */
export function givingUpAccounts<T>(
	context: DeliverContext,
	rows: readonly PendingRow[],
	work: () => Promise<T>,
	signal: AbortSignal,
): Promise<T> {
	const { session, target } = context;
	return givingUp(context, rows, (row, error, nextAt) => session.ledger.postponed(target.name, row, error, nextAt), work, signal);
}

/** The same of a group. */
export function givingUpGroup<T>(context: DeliverContext, row: PendingGroupRow, work: () => Promise<T>, signal: AbortSignal): Promise<T> {
	const { session, target } = context;
	return givingUp(context, [row], (row, error, nextAt) => session.groupLedger.postponed(target.name, row, error, nextAt), work, signal);
}

async function givingUp<R extends { readonly attempts: number }, T>(
	{ session, clock }: DeliverContext,
	rows: readonly R[],
	postpone: (row: R, error: string, nextAt: number) => void,
	work: () => Promise<T>,
	signal: AbortSignal,
): Promise<T> {
	try {
		return await work();
	} catch (error) {
		if (!signal.aborted) {
			const words = error instanceof Error ? error.message : String(error);
			session.transaction(() => {
				for (const row of rows) postpone(row, words, clock() + waitAfterThrow(row.attempts));
			});
		}
		throw error;
	}
}
