import { claimsOf } from "../core/claims.ts";
import type { OpenDelivery } from "./open-delivery.ts";

/**
 * Renames that are tried, and those that have what they want and are to give it up, though these are to wait still: each by itself
 * would find its name taken for ever.
 */
export function withPartners(tried: readonly OpenDelivery[], waiting: readonly OpenDelivery[]): readonly OpenDelivery[] {
	const holders = new Map<string, OpenDelivery>();
	for (const delivery of waiting) {
		const keeps = new Set(delivery.wanted === undefined ? [] : claimsOf(delivery.wanted));
		const has = delivery.applied === undefined ? [] : claimsOf(delivery.applied);
		for (const claim of has) if (!keeps.has(claim)) holders.set(claim, delivery);
	}
	const all = new Set(tried);
	// A set goes on with what is added while it is gone through.
	for (const { wanted } of all) {
		for (const claim of wanted === undefined ? [] : claimsOf(wanted)) {
			const holder = holders.get(claim);
			if (holder !== undefined) all.add(holder);
		}
	}
	return [...all];
}
