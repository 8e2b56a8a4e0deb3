import { dnKey, isBeneath, parentDn, parseDn } from "../../core/dn.ts";

/** A DN that the configuration or a server names, with the form by which it is compared. */
export interface Place {
	readonly dn: string;
	readonly key: string;
}

/** Throws Failure ENTRY_UNREADABLE for what is no DN. */
export function placeOf(dn: string): Place {
	parseDn(dn); // Its message says what is wrong where; dnKey swallows it.
	return { dn, key: dnKey(dn) };
}

/** Drops places beneath other ones, and doubles. */
export function outermost(places: readonly Place[]): readonly Place[] {
	const sorted = [...places].sort((one, other) => (one.key < other.key ? -1 : one.key > other.key ? 1 : 0));
	const kept: Place[] = [];
	for (const place of sorted) {
		const last = kept.at(-1);
		if (last === undefined || !isBeneath(place.key, last.key)) kept.push(place);
	}
	return kept;
}

/** Subtrees, and those within them that do not count. */
export interface Reach {
	readonly bases: readonly Place[];
	readonly excluded: readonly Place[];
}

/** Where a DN stands towards them. */
export type Standpoint = { readonly kind: "inside" } | { readonly kind: "excluded"; readonly by: Place } | { readonly kind: "elsewhere" };

export function standpointOf({ bases, excluded }: Reach, key: string): Standpoint {
	const by = excluded.find((place) => isBeneath(key, place.key));
	if (by !== undefined) return { kind: "excluded", by };
	return bases.some((place) => isBeneath(key, place.key)) ? { kind: "inside" } : { kind: "elsewhere" };
}

/** "OU=Leavers" or "OU=Sub,OU=Leavers": a container without the part of its name that all of them have, for a person. */
export function placeName(dn: string, contexts: readonly Place[]): string {
	const key = dnKey(dn);
	const context = contexts.find((place) => isBeneath(key, place.key));
	if (context === undefined || context.key === key) return dn;
	return dn.toLowerCase().endsWith(`,${context.dn.toLowerCase()}`) ? dn.slice(0, -context.dn.length - 1) : dn;
}

/** Whether entries beneath a parent are excluded, worked out once for each parent: people come in crowds. */
export function makeExclusion({ excluded }: Reach): (dn: string) => boolean {
	if (excluded.length === 0) return () => false;
	const byParent = new Map<string, boolean>();
	return (dn) => {
		const parent = parentDn(dn) ?? "";
		let isOut = byParent.get(parent);
		if (isOut === undefined) {
			const key = dnKey(parent);
			isOut = excluded.some((place) => isBeneath(key, place.key));
			if (byParent.size >= 10_000) byParent.clear();
			byParent.set(parent, isOut);
		}
		// A single person may be excluded by name.
		return isOut || excluded.some((place) => place.key === dnKey(dn));
	};
}
