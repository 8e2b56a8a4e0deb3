import type { Entry } from "../../core/entry.ts";
import type { Lookup } from "../../core/matching.ts";
import { attributesIn, dnOf } from "../ldap/wire/entry.ts";

/** What every person has (MS-ADTS §3.1.1.6): where it is not shown, it may not be read. */
const inborn = new Set(["objectclass", "objectguid", "samaccountname", "samaccounttype", "useraccountcontrol", "primarygroupid"]);

/** What an entry shows, for filters that are judged here. `asked`: what was asked for, lower case; of the rest nothing is known. */
export function shownBy(raw: Uint8Array, asked: ReadonlySet<string>): Lookup {
	const shown = new Map(
		// What came in part ("member;range=0-1499") is not known as a whole.
		attributesIn(raw).map(({ description, values }) => {
			const [name = "", ...options] = description.toLowerCase().split(";");
			return [name, options.length === 0 ? values : undefined] as const;
		}),
	);
	shown.set("distinguishedname", [Buffer.from(dnOf(raw))]);
	return (name) => (shown.has(name) || !asked.has(name) || isOid(name) ? shown.get(name) : []);
}

/** The same of a person's entry that was decoded before. */
export function knownOf({ dn, attributes }: Entry, asked: ReadonlySet<string>): Lookup {
	return ofPerson((name) => {
		if (name === "distinguishedname") return [dn];
		// Attributes of our own are none that a directory could be asked about: they are never asked for.
		if (!asked.has(name)) return undefined;
		const values = attributes.get(name);
		return values ?? (isOid(name) ? undefined : []);
	});
}

/** The same of somebody who is a person: nothing of what every person has is absent. */
export function ofPerson(lookup: Lookup): Lookup {
	return (name) => {
		const values = lookup(name);
		return values?.length === 0 && inborn.has(name) ? undefined : values;
	};
}

/** An attribute asked for by its number comes back by its name. */
function isOid(name: string): boolean {
	return /^\d/.test(name);
}
