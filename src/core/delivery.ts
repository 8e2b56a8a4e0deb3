import type { Account } from "./account.ts";
import { claimsOf } from "./claims.ts";

/** One open delivery, as far as its order matters. */
export interface Open {
	/** Undefined: the account goes. */
	readonly wanted: Account | undefined;
	/** Undefined: nothing there yet, or not known. */
	readonly applied: Account | undefined;
}

export interface Ordered<T extends Open> {
	readonly delivery: T;
	/** Give the account this userName first, out of the way of the others; its own delivery comes later in the order. */
	readonly parkAs: string | undefined;
	/** What is of one wave waits for none of the same wave, only for those before. */
	readonly wave: number;
}

/**
 * Puts deliveries in an order in which every name is freed before it is taken, and says which of them may go side by side. Where
 * names go round in a circle (a swap), one account is parked under `parkedName` first. Otherwise the given order stays.
 */
export function orderDeliveries<T extends Open>(deliveries: readonly T[], parkedName: (delivery: T) => string): readonly Ordered<T>[] {
	const holders = new Map<string, T>();
	for (const delivery of deliveries) {
		if (delivery.applied === undefined) continue;
		const keeps = new Set(delivery.wanted === undefined ? [] : claimsOf(delivery.wanted));
		for (const claim of claimsOf(delivery.applied)) if (!keeps.has(claim)) holders.set(claim, delivery);
	}
	const ordered: Ordered<T>[] = [];
	const state = new Map<T, "waiting" | "done">();
	/** In which wave the names of a delivery are free, by parking it or by itself. */
	const freed = new Map<T, number>();
	const parked = new Set<T>();

	// Iterative, because a chain of renames can be as long as the plan: a frame is a delivery and the claims it still has to see freed.
	const place = (first: T): void => {
		const frames: { readonly delivery: T; readonly holders: readonly T[]; readonly needs: T[] }[] = [];
		const enter = (delivery: T): void => {
			state.set(delivery, "waiting");
			const claims = delivery.wanted === undefined ? [] : claimsOf(delivery.wanted);
			const needs = claims.flatMap((claim) => holders.get(claim) ?? []).filter((holder) => holder !== delivery);
			frames.push({ delivery, holders: [...needs], needs });
		};
		enter(first);
		for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
			const holder = frame.needs.pop();
			if (holder === undefined) {
				const { delivery } = frame;
				const wave = Math.max(parked.has(delivery) ? 1 : 0, ...frame.holders.map((each) => (freed.get(each) ?? 0) + 1));
				ordered.push({ delivery, parkAs: undefined, wave });
				if (!parked.has(delivery)) freed.set(delivery, wave);
				state.set(delivery, "done");
				frames.pop();
			} else if (state.get(holder) === undefined) enter(holder);
			else if (state.get(holder) === "waiting" && !parked.has(holder)) {
				parked.add(holder);
				freed.set(holder, 0);
				ordered.push({ delivery: holder, parkAs: parkedName(holder), wave: 0 });
			}
		}
	};
	for (const delivery of deliveries) if (state.get(delivery) === undefined) place(delivery);
	return ordered;
}
