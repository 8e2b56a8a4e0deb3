import type { Filter } from "../core/filter.ts";
import { makeMatcher, type Schema } from "../core/matching.ts";
import { integerOf, textOf } from "../core/syntax.ts";
import { dereference } from "./base.ts";
import { reaches } from "./links.ts";
import type { SearchRequest } from "./request.ts";
import type { Sight } from "./rights.ts";
import { typeOf } from "./schema.ts";
import { type AdObject, findDn, keyOf, type Store, walk } from "./store.ts";
import { dnsName, valuesOf } from "./values.ts";

/** Looked at without a find, after which `seek` yields a pause: nobody else waits long for a search that finds little. */
const PAUSE_AFTER = 1_000;

/** The objects that a search selects, one by one, in the order in which they came into the directory; "pause" where others may go first. */
export function* seek(store: Store, base: AdObject, request: SearchRequest, sight: Sight): Generator<AdObject | "pause"> {
	const matcher = makeMatcher(request.filter, schemaOf(store));
	let object = base;
	let hidden = sight.hiddenOn(base);
	const lookup = (attribute: string): ReturnType<typeof valuesOf> | undefined =>
		hidden.has(attribute) ? undefined : valuesOf(store, object, attribute);
	let idle = 0;
	for (const candidate of candidates(store, base, request)) {
		object = candidate;
		if (sight.canSee(object)) {
			hidden = sight.hiddenOn(object);
			if (matcher(lookup) === true) {
				idle = 0;
				yield object;
				continue;
			}
		}
		idle++;
		if (idle % PAUSE_AFTER === 0) yield "pause";
	}
}

function* candidates(store: Store, base: AdObject, { scope, filter }: SearchRequest): Iterable<AdObject> {
	if (scope === "base") {
		yield base;
		return;
	}
	const isHead = base.context === base;
	for (const object of walk(store, base, lowestUsn(filter))) {
		if (scope === "one" ? object.parent === base : isHead || keyOf(object).startsWith(keyOf(base))) yield object;
	}
}

/** A USN below which nothing can match: what AD's index on uSNChanged is for. */
export function lowestUsn(filter: Filter): number {
	switch (filter.kind) {
		case "and":
			return Math.max(0, ...filter.parts.map(lowestUsn));
		case "or":
			return filter.parts.length === 0 ? 0 : Math.min(...filter.parts.map(lowestUsn));
		case "greaterOrEqual":
			return filter.attribute.toLowerCase() === "usnchanged" ? Number(integerOf(textOf(filter.value)) ?? 0n) : 0;
		default:
			return 0;
	}
}

/** How values are compared here, for a matcher. */
export function schemaOf(store: Store): Schema {
	return {
		syntaxOf: (attribute) => typeOf(attribute)?.syntax,
		inChain(attribute, values, target) {
			const starts = values.flatMap((value) => findDn(store, textOf(value)) ?? []);
			return reaches(starts, attribute, target);
		},
		resolve: (reference) => dereference(store, reference)?.dn,
	};
}

/** The naming contexts below a base that a search does not enter, as the URLs of its continuation references. */
export function references(store: Store, base: AdObject, scope: SearchRequest["scope"]): readonly string[] {
	if (scope === "base") return [];
	const host = dnsName(store.domain.dn);
	const depth = scope === "one" ? "??base" : "";
	if (base === store.domain) {
		return [
			`ldap://ForestDnsZones.${host}/DC=ForestDnsZones,${store.domain.dn}${depth}`,
			`ldap://DomainDnsZones.${host}/DC=DomainDnsZones,${store.domain.dn}${depth}`,
			`ldap://${host}/${store.configuration.dn}${depth}`,
		];
	}
	return base === store.configuration ? [`ldap://${host}/CN=Schema,${base.dn}${depth}`] : [];
}
