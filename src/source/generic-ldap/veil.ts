import { dnKey, isBeneath } from "../../core/dn.ts";
import type { Filter } from "../../core/filter.ts";
import type { Place } from "../ldap/place.ts";
import { attributesIn, dnOf, encodeEntry } from "../ldap/wire/entry.ts";
import { both, either, examples, not, type Visit } from "./visit.ts";

/** The attribute of our own by which an entry says what could not be read of it, for as long as its bytes are kept. */
export const HIDDEN = "dirsyncd-hidden";

/** Marks entries of which it cannot be told whether they are disabled. */
export interface Veil {
	/** The same bytes, unless an attribute that tells people's state cannot be read beneath their base. */
	over(raw: Uint8Array): Promise<Uint8Array>;
	/** Of the attributes that tell people's state, those that cannot be read beneath a base. */
	hiddenIn(base: Place): Promise<readonly string[]>;
}

/**
 * Hardly anybody has the attribute that says "disabled", so that nothing tells one who is not from one of whom it may not be read.
 * A filter does: a server that may not look at an attribute for us finds an entry neither by (a=*) nor by (!(a=*)) (RFC 4511
 * §4.5.1.7: Undefined). Asked once for each base, with the people in it.
 */
export function makeVeil(visit: Visit): Veil {
	const answers = new Map<string, Promise<readonly string[]>>();
	const hiddenIn = (base: Place): Promise<readonly string[]> => {
		const asked = answers.get(base.key) ?? findHidden(visit, base);
		answers.set(base.key, asked);
		return asked;
	};
	return {
		hiddenIn,
		over: async (raw) => {
			const { bases, state } = visit.scope;
			if (state.attributes.length === 0) return raw;
			const only = bases[0];
			const base = bases.length === 1 ? only : bases.find(({ key }) => isBeneath(dnKey(dnOf(raw)), key));
			const hidden = base === undefined ? [] : await hiddenIn(base);
			if (hidden.length === 0) return raw;
			const mark = { description: HIDDEN, values: hidden.map((name) => Buffer.from(name)) };
			return encodeEntry(dnOf(raw), [...attributesIn(raw), mark]);
		},
	};
}

async function findHidden(visit: Visit, base: Place): Promise<readonly string[]> {
	const { state, persons } = visit.scope;
	const tells = (attribute: string): Filter => either([{ kind: "present", attribute }, not({ kind: "present", attribute })]);
	const some = async (filter: Filter): Promise<boolean> => (await examples(visit, base.dn, both(persons, filter), "sub", 1)) > 0;
	if (await some(both(...state.attributes.map(tells)))) return [];
	const hidden: string[] = [];
	for (const attribute of state.attributes) {
		if (await some(tells(attribute))) continue;
		// Nobody is locked by what the server has never heard of.
		if (!(await visit.knowsAttribute(attribute))) continue;
		hidden.push(attribute);
	}
	if (hidden.length === 0 || !(await some({ kind: "present", attribute: "objectClass" }))) return [];
	visit.unsealed.push(`${hidden.join(", ")} cannot be read beneath "${base.dn}" by this account: who is disabled is not known`);
	return hidden;
}
