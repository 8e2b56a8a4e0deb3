import { dnKey, parentDn } from "../../core/dn.ts";
import type { Filter } from "../../core/filter.ts";
import { attributesOf, printFilter } from "../../core/filter-text.ts";
import { type Lookup, makeMatcher, type Schema, type Truth } from "../../core/matching.ts";
import { demandsOf, explainMismatch } from "../../core/mismatch.ts";
import type { ScopePlace } from "../../core/scope.ts";
import { type Place, placeName, type Reach, standpointOf } from "./place.ts";
import type { Control } from "./wire/encode.ts";
import { probe, type Session } from "./wire/session.ts";

/** What makes an entry ours. */
export interface Standard extends Reach {
	/** Whatever is a person. */
	readonly kind: Filter;
	/** users.filter, if there is one. */
	readonly filter: Filter | undefined;
	readonly schema: Schema;
}

/** An entry to be held against it. */
export interface Candidate {
	readonly dn: string;
	/** "a computer": what it is if it is no person. */
	readonly what: string;
	/** What is known of its attributes. */
	readonly lookup: Lookup;
}

/** Where an entry stands by what was read of it. `isPerson` undefined: that cannot be told. */
export function placeByReading(standard: Standard, candidate: Candidate, isPerson: Truth): ScopePlace {
	const { filter, schema } = standard;
	const matches = filter === undefined ? true : makeMatcher(filter, schema)(candidate.lookup);
	const untold = (by: Filter): string => explainMismatch(by, candidate.lookup, schema).join("; ");
	return placeBy(standard, candidate, { isPerson, matches, contexts: [], failing: filter === undefined ? [] : [filter], untold });
}

/** How its server is asked about an entry. */
export interface Asking {
	readonly session: Session;
	/** Left out of the names of places. */
	readonly contexts: readonly Place[];
	readonly controls: readonly Control[];
}

/** Where an entry stands as its server judges it, and why as far as it shows that. */
export async function placeByServer(
	standard: Standard,
	candidate: Candidate,
	{ session, contexts, controls }: Asking,
): Promise<ScopePlace> {
	const ask = (filter: Filter): Promise<Truth> => truthOf(session, candidate.dn, filter, controls);
	const isPerson = await ask(standard.kind);
	const matches = standard.filter === undefined || isPerson === false ? true : await ask(standard.filter);
	const failing: Filter[] = [];
	if (matches === false && standard.filter !== undefined)
		for (const part of demandsOf(standard.filter)) if ((await ask(part)) === false) failing.push(part);
	const untold = (filter: Filter): string => {
		const hidden = [...attributesOf(filter)].filter((name) => (candidate.lookup(name)?.length ?? 0) === 0);
		const what = hidden.length === 0 ? "an attribute of it" : hidden.join(", ");
		return `the server finds it neither by ${printFilter(filter)} nor by its contrary: ${what} may be hidden from this account`;
	};
	return placeBy(standard, candidate, { isPerson, matches, contexts, failing, untold });
}

/**
 * Asked both ways, because a server that may not look at an attribute for us finds an entry neither by a filter on it nor by the
 * contrary (RFC 4511 §4.5.1.7).
 */
async function truthOf(session: Session, dn: string, filter: Filter, controls: readonly Control[]): Promise<Truth> {
	const isSelected = async (by: Filter): Promise<boolean> =>
		(await probe(session, { base: dn, filter: by, attributes: ["1.1"], controls })).entries.length > 0;
	if (await isSelected(filter)) return true;
	return (await isSelected({ kind: "not", part: filter })) ? false : undefined;
}

interface Judged {
	readonly isPerson: Truth;
	readonly matches: Truth;
	readonly contexts: readonly Place[];
	/** Where the filter does not match: itself, or the parts of it that do not. */
	readonly failing: readonly Filter[];
	/** Why it cannot be told whether a filter matches. */
	untold(filter: Filter): string;
}

/** What keeps it out most of all is said: what it is, then where it is, then what it lacks. */
function placeBy(standard: Standard, candidate: Candidate, { isPerson, matches, contexts, failing, untold }: Judged): ScopePlace {
	const { dn, what } = candidate;
	if (isPerson === false) return { kind: "not-a-person", what };
	const standpoint = standpointOf(standard, dnKey(dn));
	if (standpoint.kind === "excluded") return { kind: "excluded", by: standpoint.by.dn };
	if (standpoint.kind === "elsewhere") {
		return { kind: "elsewhere", where: `in ${placeName(parentDn(dn) ?? dn, contexts)}, beneath none of the bases` };
	}
	if (isPerson === undefined) return { kind: "unknown", why: untold(standard.kind) };
	if (standard.filter === undefined || matches === true) return { kind: "in-scope" };
	if (matches === undefined) return { kind: "unknown", why: untold(standard.filter) };
	const reasons = failing.flatMap((part) => explain(part, candidate.lookup, standard.schema));
	return { kind: "filtered", why: reasons.length === 0 ? `${printFilter(standard.filter)} does not match` : reasons.join("; ") };
}

/** The server may know better than what it shows: then all there is to say is the filter. */
function explain(filter: Filter, lookup: Lookup, schema: Schema): readonly string[] {
	if (makeMatcher(filter, schema)(lookup) !== false) return [`${printFilter(filter)} does not match`];
	return explainMismatch(filter, lookup, schema);
}
