import type { Anchor, RawEntry } from "../../core/entry.ts";
import type { Filter } from "../../core/filter.ts";
import { makeExclusion } from "../ldap/place.ts";
import { dnOf } from "../ldap/wire/entry.ts";
import { readPages } from "../ldap/wire/pages.ts";
import { byAnchor } from "./anchor.ts";
import { type Marked, touchedPlaces } from "./delta.ts";
import type { Veil } from "./veil.ts";
import { batchesOf, both, pagesOptions, type Visit } from "./visit.ts";

/** Counts what was handed out; the arrays of RawEntry are made anew for each page. */
export interface Tally {
	read: number;
	/** Entries that show no anchor. */
	nameless: number;
	/** Whether the last page was asked for and came. */
	isComplete: boolean;
}

/** Everybody in scope, base by base. */
export async function* fullPages(visit: Visit, veil: Veil, tally: Tally): AsyncGenerator<readonly RawEntry[], void> {
	const doubles = makeDoubles(visit);
	for (const { dn } of visit.scope.bases) {
		for await (const page of scopedPages(visit, veil, tally, dn, visit.scope.people)) {
			const single = page.filter((entry) => !doubles(entry));
			tally.read += single.length;
			yield single;
		}
	}
	tally.isComplete = true;
}

/**
 * Those in scope that changed since, then everybody beneath a container that did. `delivered` gathers whom it was and keeps anyone
 * from being handed out twice.
 */
export async function* deltaPages(
	visit: Visit,
	veil: Veil,
	tally: Tally,
	marked: Marked,
	delivered: Set<Anchor>,
): AsyncGenerator<readonly RawEntry[], void> {
	const { scope } = visit;
	const searches: { readonly dn: string; readonly filter: Filter }[] = [];
	for (const batch of batchesOf(marked.people)) {
		const ids = byAnchor(
			scope.anchors.people,
			batch.map(({ anchor }) => anchor),
		);
		for (const { dn } of scope.bases) searches.push({ dn, filter: both(scope.people, ids) });
	}
	for (const { dn } of touchedPlaces(scope.bases, marked.containers)) searches.push({ dn, filter: scope.people });
	for (const { dn, filter } of searches) {
		for await (const page of scopedPages(visit, veil, tally, dn, filter)) {
			const fresh = page.filter(({ key }) => {
				const anchor = scope.anchors.anchorOf(key);
				return !delivered.has(anchor) && delivered.add(anchor);
			});
			if (fresh.length === 0) continue;
			tally.read += fresh.length;
			yield fresh;
		}
	}
	tally.isComplete = true;
}

async function* scopedPages(
	visit: Visit,
	veil: Veil,
	tally: Tally,
	base: string,
	filter: Filter,
): AsyncGenerator<readonly RawEntry[], void> {
	const { scope } = visit;
	const isExcluded = makeExclusion(scope);
	const request = { base, scope: "sub", filter, attributes: scope.asked } as const;
	for await (const raws of readPages(visit.session, request, pagesOptions(visit))) {
		const page: RawEntry[] = [];
		for (const came of raws) {
			if (scope.excluded.length > 0 && isExcluded(dnOf(came))) continue;
			const key = scope.anchors.people.keyOf(came);
			if (key !== undefined) page.push({ key, raw: await veil.over(came) });
			else if (++tally.nameless === 1) visit.unsealed.push(nameless(dnOf(came), scope.anchors.people.attribute));
		}
		if (page.length > 0) yield page;
	}
}

/** Said of the first one only: when a right is missing, it is missing for thousands. */
function nameless(dn: string, attribute: string): string {
	return `"${dn}" shows no ${attribute}: it cannot be followed, and the right to read it may be missing`;
}

/** Whether somebody shows an anchor that somebody else has shown. The server sees to it that UUIDs are single; nobody to the rest. */
function makeDoubles(visit: Visit): (entry: RawEntry) => boolean {
	const seen = new Set<string>();
	const { anchors } = visit.scope;
	return ({ key, raw }) => {
		if (key.length === 16) return false;
		const anchor = anchors.anchorOf(key);
		if (!seen.has(anchor)) {
			seen.add(anchor);
			return false;
		}
		visit.unsealed.push(
			`"${dnOf(raw)}" shows ${anchors.people.attribute} ${anchor}, as somebody else does: an anchor must be one person's alone`,
		);
		return true;
	};
}
