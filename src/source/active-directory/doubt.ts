import { parentDn } from "../../core/dn.ts";
import type { Filter } from "../../core/filter.ts";
import { attributesOf } from "../../core/filter-text.ts";
import { textsOf } from "../ldap/wire/entry.ts";
import { type Found, search } from "../ldap/wire/session.ts";
import type { LastKnown } from "../source.ts";
import { guidOctets } from "./guid.ts";
import { isProvenEmpty } from "./listing.ts";
import { anything } from "./root.ts";
import { personFilter } from "./scope.ts";
import { examples, placeName, type Visit } from "./visit.ts";

/**
 * Rights taken away look just like people gone: Active Directory does not say "forbidden", it shows less. Here is asked, for one
 * person at a time, whether what is not seen would be seen if it were there. A doubt is a sentence; without one, there is none.
 */
export interface Doubts {
	/** Why somebody that is seen nowhere may still be there. */
	unseen(person: LastKnown): Promise<string | undefined>;
	/** Why somebody in a base that is not among the people in scope may still be one of them. `raw`: what it shows now. */
	unmatched(person: LastKnown, dn: string, raw: Uint8Array): Promise<string | undefined>;
}

/** Answers are kept for as long as the reading lasts: people leave containers in crowds. */
export function makeDoubts(visit: Visit): Doubts {
	const containers = new Map<string, Promise<string | undefined>>();
	const readable = new Map<string, Promise<boolean>>();
	const once = <T>(kept: Map<string, Promise<T>>, key: string, find: () => Promise<T>): Promise<T> => {
		const known = kept.get(key) ?? find();
		kept.set(key, known);
		return known;
	};

	return {
		unseen: async (person) => {
			const parent = parentDn(person.dn);
			const doubt = parent === undefined ? undefined : await once(containers, parent, () => doubtContainer(visit, parent));
			return doubt ?? doubtHidden(visit, person);
		},
		unmatched: async (person, dn, raw) => {
			const isHidden = (attribute: string): boolean => textsOf(raw, attribute).length === 0;
			// What makes a person one cannot be taken off it: not seeing that is never a change of the person's.
			const veiled = [...attributesOf(personFilter)].find(isHidden);
			if (veiled !== undefined) return `${veiled} cannot be read of it, which everybody has: rights may have been taken away`;
			for (const attribute of visit.scope.filter === undefined ? [] : attributesOf(visit.scope.filter)) {
				// What it still shows may well have changed; what it never had is not missed.
				if (!isHidden(attribute) || !person.had.includes(attribute)) continue;
				const parent = parentDn(dn) ?? dn;
				if (await once(readable, `${attribute} ${parent}`, () => isReadableNear(visit, attribute, parent))) continue;
				return `${attribute} cannot be read of it nor of anyone else in ${placeName(parent, visit.root)}: rights may have been taken away`;
			}
			return undefined;
		},
	};
}

async function doubtContainer(visit: Visit, parent: string): Promise<string | undefined> {
	const name = placeName(parent, visit.root);
	const there = await lookAt(visit, parent);
	if (there.entries.length === 0) return `${name}, where it was, cannot be seen any more: it may be hidden from this account`;
	if ((await examples(visit, parent, anything, "one", 1)) > 0) return undefined;
	if (await isProvenEmpty(visit, parent)) return undefined;
	return `${name}, where it was, shows nothing at all to this account: the right to list it may have been taken away`;
}

/** By its GUID an object can be addressed though nothing of it may be read: "there is nothing to show" is not "there is no such object". */
async function doubtHidden(visit: Visit, person: LastKnown): Promise<string | undefined> {
	if (guidOctets(person.anchor) === undefined) return undefined;
	const { isThere } = await lookAt(visit, `<GUID=${person.anchor}>`);
	return isThere ? "it is still there, but this account cannot read it" : undefined;
}

function lookAt(visit: Visit, base: string): Promise<Found> {
	return search(visit.session, { base, scope: "base", filter: anything, attributes: ["objectClass"] });
}

/**
 * Whether an attribute shows on others where this person is. Two others who should show it and do not are enough to doubt; in a
 * container with fewer, the bases as a whole are asked.
 */
async function isReadableNear(visit: Visit, attribute: string, parent: string): Promise<boolean> {
	const shown: Filter = { kind: "and", parts: [personFilter, { kind: "present", attribute }] };
	if ((await examples(visit, parent, shown, "one", 1)) > 0) return true;
	// The person itself is one of them.
	if ((await examples(visit, parent, personFilter, "one", 3)) >= 3) return false;
	for (const base of visit.scope.bases) if ((await examples(visit, base.dn, shown, "sub", 1)) > 0) return true;
	return false;
}
