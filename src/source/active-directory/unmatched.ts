import { dnKey, isBeneath, parentDn } from "../../core/dn.ts";
import type { Filter } from "../../core/filter.ts";
import { attributesOf } from "../../core/filter-text.ts";
import { type Lookup, makeMatcher } from "../../core/matching.ts";
import { textsOf } from "../ldap/wire/entry.ts";
import type { LastKnown } from "../source.ts";
import { shownBy } from "./shown.ts";
import { examples, placeName, type Visit } from "./visit.ts";

/** Somebody in a base that is not among the people in scope: where it is and what it shows now. */
export interface Unmatched {
	readonly person: LastKnown;
	readonly dn: string;
	readonly raw: Uint8Array;
}

/** A level at which so many should show an attribute, the person itself among them, tells whether it can be read there. */
const CROWD = 3;
/** An assertion about several attributes, and none itself. */
const AMBIGUOUS_NAME = "anr";

/**
 * Whether who is not found by the filter any more has really changed. A filter that asks about a hidden attribute does not select,
 * negated or not: what the person shows is held against the filter once more, here, and what it does not show against its neighbours.
 */
export function makeUnmatchedDoubts(visit: Visit) {
	const { scope } = visit;
	const judge = makeMatcher(scope.wanted);
	const filtered = scope.filter === undefined ? [] : [...attributesOf(scope.filter)];
	const asked = new Set([...scope.attributes.map((name) => name.toLowerCase()), "objectcategory"]);
	/** Who lost an attribute, by attribute and container. */
	const losers = new Map<string, Set<string>>();
	const shownIn = makeOnce((attribute, container) => isShownIn(visit, attribute, container, "one"));
	const blindAround = makeOnce((attribute, container) => findBlindLevel(visit, attribute, container));
	const lookupIn = ({ raw }: Unmatched): Lookup => shownBy(raw, asked);
	/** What may have made it fall out only because it is hidden: a filter's attribute that it had and does not show. */
	const missedBy = (unmatched: Unmatched, truth: boolean | undefined): readonly string[] =>
		filtered.filter((attribute) => {
			if (textsOf(unmatched.raw, attribute).length > 0) return false;
			// Where the filter cannot be judged here, what it never had may matter too.
			return unmatched.person.had.includes(attribute) || (truth === undefined && asked.has(attribute) && attribute !== AMBIGUOUS_NAME);
		});
	const containerOf = ({ dn }: Unmatched): string => parentDn(dn) ?? dn;
	const losersOf = (attribute: string, container: string): Set<string> => {
		const key = `${attribute} ${dnKey(container)}`;
		const known = losers.get(key) ?? new Set();
		losers.set(key, known);
		return known;
	};

	return {
		note: (unmatched: Unmatched): void => {
			for (const attribute of missedBy(unmatched, judge(lookupIn(unmatched)))) {
				losersOf(attribute, containerOf(unmatched)).add(unmatched.person.anchor);
			}
		},
		unmatched: async (unmatched: Unmatched): Promise<string | undefined> => {
			const isHidden = (attribute: string): boolean => textsOf(unmatched.raw, attribute).length === 0;
			// What makes a person or a group one cannot be taken off it: not seeing that is never a change of it.
			const veiled = [...attributesOf(scope.kind)].find(isHidden);
			if (veiled !== undefined)
				return `${veiled} cannot be read of it, which every ${scope.words.one} has: rights may have been taken away`;
			const truth = judge(lookupIn(unmatched));
			if (truth === true) return contradiction(scope.words.filter, filtered.filter(isHidden));
			const container = containerOf(unmatched);
			for (const attribute of missedBy(unmatched, truth)) {
				const isCrowd = losersOf(attribute, container).size > 1;
				const blind =
					(await blindAround(attribute, container)) ?? (isCrowd && !(await shownIn(attribute, container)) ? container : undefined);
				if (blind !== undefined)
					return `${attribute} cannot be read of anyone in ${placeName(blind, visit.root)}: rights may have been taken away`;
			}
			return undefined;
		},
	};
}

/** Answers of an attribute at a container, each asked for once. */
function makeOnce<T>(find: (attribute: string, container: string) => Promise<T>): (attribute: string, container: string) => Promise<T> {
	const answers = new Map<string, Promise<T>>();
	return (attribute, container) => {
		const key = `${attribute} ${container}`;
		const known = answers.get(key) ?? find(attribute, container);
		answers.set(key, known);
		return known;
	};
}

function contradiction(filter: string, hidden: readonly string[]): string {
	const why = hidden.length === 0 ? "its answers contradict each other" : `${hidden.join(", ")} may be hidden from this account`;
	return `the server does not find it by ${filter}, although it matches by all that it shows: ${why}`;
}

/**
 * Where nobody shows an attribute, looked for around a container: in itself, beneath it, then beneath each one above, up to the base.
 * The first level with a crowd that should show it decides; where there is none, whether anyone at all in the bases shows it.
 */
async function findBlindLevel(visit: Visit, attribute: string, container: string): Promise<string | undefined> {
	const levels: { readonly dn: string; readonly scope: "one" | "sub" }[] = [{ dn: container, scope: "one" }];
	const key = dnKey(container);
	const base = visit.scope.bases.find((place) => isBeneath(key, place.key));
	for (let dn: string | undefined = container; base !== undefined && dn !== undefined; dn = parentDn(dn)) {
		if (!isBeneath(dnKey(dn), base.key)) break;
		levels.push({ dn, scope: "sub" });
	}
	for (const { dn, scope } of levels) {
		if (await isShownIn(visit, attribute, dn, scope)) return undefined;
		if ((await examples(visit, dn, visit.scope.kind, scope, CROWD)) >= CROWD) return dn;
	}
	for (const { dn } of visit.scope.bases) if (await isShownIn(visit, attribute, dn, "sub")) return undefined;
	return base?.dn ?? container;
}

async function isShownIn(visit: Visit, attribute: string, dn: string, scope: "one" | "sub"): Promise<boolean> {
	const shown: Filter = { kind: "and", parts: [visit.scope.kind, { kind: "present", attribute }] };
	return (await examples(visit, dn, shown, scope, 1)) > 0;
}
