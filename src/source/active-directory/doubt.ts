import { parentDn } from "../../core/dn.ts";
import { type Found, probe } from "../ldap/wire/session.ts";
import type { LastKnown } from "../source.ts";
import { guidOctets } from "./guid.ts";
import { isProvenEmpty } from "./listing.ts";
import { anything } from "./root.ts";
import { makeUnmatchedDoubts, type Unmatched } from "./unmatched.ts";
import { examples, placeName, type Visit } from "./visit.ts";

/**
 * Rights taken away look just like people gone: Active Directory does not say "forbidden", it shows less. Here is asked, for one
 * person at a time, whether what is not seen would be seen if it were there. A doubt is a sentence; without one, there is none.
 */
export interface Doubts {
	/** Why somebody that is seen nowhere may still be there. */
	unseen(person: LastKnown): Promise<string | undefined>;
	/** Tells of somebody who will be asked about by `unmatched`: several who lost the same together say more than one alone. */
	note(unmatched: Unmatched): void;
	/** Why somebody in a base that is not among the people in scope may still be one of them. */
	unmatched(unmatched: Unmatched): Promise<string | undefined>;
}

/** Answers are kept for as long as the reading lasts: people leave containers in crowds. */
export function makeDoubts(visit: Visit): Doubts {
	const containers = new Map<string, Promise<string | undefined>>();
	return {
		unseen: async (person) => {
			const parent = parentDn(person.dn);
			if (parent !== undefined) {
				const asked = containers.get(parent) ?? doubtContainer(visit, parent);
				containers.set(parent, asked);
				const doubt = await asked;
				if (doubt !== undefined) return doubt;
			}
			return doubtHidden(visit, person);
		},
		...makeUnmatchedDoubts(visit),
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
	return probe(visit.session, { base, filter: anything, attributes: ["objectClass"] });
}
