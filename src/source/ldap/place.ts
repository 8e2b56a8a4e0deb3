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

/** The naming context of each base: the longest that it lies in, or the base itself where the server names none. */
export function contextsOf(bases: readonly Place[], contexts: readonly string[]): readonly Place[] {
	const places = contexts.filter((dn) => dn !== "").map((dn) => ({ dn, key: dnKey(dn) }));
	const found = bases.map((base) => {
		const around = places.filter((place) => isBeneath(base.key, place.key));
		return around.reduce((longest, place) => (place.key.length > longest.key.length ? place : longest), around[0] ?? base);
	});
	return outermost(found);
}

/** "OU=Leavers" or "OU=Sub,OU=Leavers": a container without the part of its name that all of them have, for a person. */
export function placeName(dn: string, contexts: readonly Place[]): string {
	const key = dnKey(dn);
	const context = contexts.find((place) => isBeneath(key, place.key));
	if (context === undefined || context.key === key) return dn;
	return dn.toLowerCase().endsWith(`,${context.dn.toLowerCase()}`) ? dn.slice(0, -context.dn.length - 1) : dn;
}

/**
 * Whether a DN is excluded, for each of many. People come in crowds: what holds beneath a container is worked out once for it,
 * and only where a single person of it is excluded each is looked at.
 */
export function makeExclusion({ excluded }: Reach): (dn: string) => boolean {
	if (excluded.length === 0) return () => false;
	const byParent = new Map<string, "all" | "none" | "some">();
	const lookAt = (parent: string): "all" | "none" | "some" => {
		const key = dnKey(parent);
		if (excluded.some((place) => isBeneath(key, place.key))) return "all";
		return excluded.some((place) => isBeneath(place.key, key)) ? "some" : "none";
	};
	return (dn) => {
		const parent = parentDn(dn) ?? "";
		let share = byParent.get(parent);
		if (share === undefined) {
			share = lookAt(parent);
			if (byParent.size >= 10_000) byParent.clear();
			byParent.set(parent, share);
		}
		if (share !== "some") return share === "all";
		const key = dnKey(dn);
		return excluded.some((place) => isBeneath(key, place.key));
	};
}
