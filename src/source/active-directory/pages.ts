import type { RawEntry } from "../../core/entry.ts";
import type { Filter } from "../../core/filter.ts";
import { makeExclusion } from "../ldap/place.ts";
import { domainScope } from "../ldap/wire/encode.ts";
import { dnOf, hasRanges } from "../ldap/wire/entry.ts";
import { readPages } from "../ldap/wire/pages.ts";
import { completeRanges } from "../ldap/wire/range.ts";
import { changedSince, type Marked, touchedPlaces } from "./delta.ts";
import { byGuid, keyOf, pagesOptions, type Visit } from "./visit.ts";

/** Counts what was handed out; the arrays of RawEntry are made anew for each page. */
export interface Tally {
	read: number;
	/** Entries that show no objectGUID. */
	nameless: number;
	/** Whether the last page was asked for and came. */
	isComplete: boolean;
}

/** Everybody in scope, base by base. */
export async function* fullPages(visit: Visit, tally: Tally): AsyncGenerator<readonly RawEntry[], void> {
	for (const { dn } of visit.scope.bases) {
		for await (const page of scopedPages(visit, tally, dn, visit.scope.wanted)) {
			tally.read += page.length;
			yield page;
		}
	}
	tally.isComplete = true;
}

/**
 * Those in scope that changed, found by their USN or, without one to begin at, by GUID; then everybody beneath a container that
 * changed. `delivered` gathers whom it was, as hex of the key, and keeps anyone from being handed out twice.
 */
export async function* deltaPages(
	visit: Visit,
	tally: Tally,
	since: bigint | undefined,
	marked: Marked,
	delivered: Set<string>,
): AsyncGenerator<readonly RawEntry[], void> {
	const searches = [
		...(since === undefined ? byMarks(visit, marked) : byUsn(visit, since, marked)),
		...touchedPlaces(visit.scope.bases, marked.containers).map(({ dn }) => ({ dn, filter: visit.scope.wanted })),
	];
	for (const { dn, filter } of searches) {
		for await (const page of scopedPages(visit, tally, dn, filter)) {
			const fresh = page.filter(({ key }) => {
				const hex = Buffer.from(key).toString("hex");
				return !delivered.has(hex) && delivered.add(hex);
			});
			if (fresh.length === 0) continue;
			tally.read += fresh.length;
			yield fresh;
		}
	}
	tally.isComplete = true;
}

interface PeopleSearch {
	readonly dn: string;
	readonly filter: Filter;
}

/** Without a mark there is nobody to find, and the search can be saved: a delta of nothing is one search. */
function byUsn({ scope }: Visit, since: bigint, { people }: Marked): readonly PeopleSearch[] {
	const filter: Filter = { kind: "and", parts: [changedSince(since), scope.wanted] };
	return people.length === 0 ? [] : scope.bases.map(({ dn }) => ({ dn, filter }));
}

/** GUIDs asked for in one search. */
const BATCH = 50;

function byMarks({ scope }: Visit, { people }: Marked): readonly PeopleSearch[] {
	const searches: PeopleSearch[] = [];
	for (let at = 0; at < people.length; at += BATCH) {
		const some = people.slice(at, at + BATCH);
		const filter: Filter = { kind: "and", parts: [scope.wanted, byGuid(some.map(({ anchor }) => anchor))] };
		for (const { dn } of scope.bases) searches.push({ dn, filter });
	}
	return searches;
}

async function* scopedPages(visit: Visit, tally: Tally, base: string, filter: Filter): AsyncGenerator<readonly RawEntry[], void> {
	const isExcluded = makeExclusion(visit.scope);
	const request = { base, scope: "sub", filter, attributes: visit.scope.attributes, controls: [domainScope] } as const;
	for await (const raws of readPages(visit.session, request, pagesOptions(visit))) {
		const page: RawEntry[] = [];
		for (const came of raws) {
			const raw = hasRanges(came) ? await completeRanges(visit.session, came) : came;
			const key = keyOf(raw);
			if (visit.scope.excluded.length > 0 && isExcluded(dnOf(raw))) continue;
			if (key !== undefined) page.push({ key, raw });
			else if (++tally.nameless === 1) visit.unsealed.push(nameless(dnOf(raw)));
		}
		if (page.length > 0) yield page;
	}
}

/** Said of the first one only: when a right is missing, it is missing for thousands. */
function nameless(dn: string): string {
	return `"${dn}" shows no objectGUID: it cannot be followed, and the right to read it may be missing`;
}
