import { parentDn } from "../../src/core/dn.ts";
import type { Anchor } from "../../src/core/entry.ts";
import { ldifLine, textOf } from "../support/ldif.ts";
import type { OpenLdap } from "../support/openldap.ts";
import type { Values } from "./directory.ts";
import { escapeValue } from "./directory.ts";
import { oddNames } from "./population.ts";

/** Where things are in the directory that the contract of type ldap is tried on. */
export interface LdapPlaces {
	readonly root: string;
	readonly people: string;
	readonly berlin: string;
	readonly excluded: string;
	readonly second: string;
	readonly groups: string;
	readonly elsewhere: string;
}

export const ordinaryPeople = 40;

export function ldapPlaces({ baseDn }: Pick<OpenLdap, "baseDn">): LdapPlaces {
	const people = `ou=People,${baseDn}`;
	return {
		root: baseDn,
		people,
		berlin: `ou=${escapeValue("Berlin, Mitte")},${people}`,
		excluded: `ou=Robots,${people}`,
		second: `ou=Second,${baseDn}`,
		groups: `ou=Groups,${baseDn}`,
		elsewhere: `ou=Elsewhere,${baseDn}`,
	};
}

/** Writes by OpenLDAP's own tools: they share nothing with our reader. */
export function ldapWriter(server: OpenLdap) {
	const lines = (values: Values): string =>
		Object.entries(values)
			.flatMap(([name, value]) => [value].flat().map((one) => ldifLine(name, one)))
			.join("");
	const added = (dn: string, values: Values): string => `${ldifLine("dn", dn)}changetype: add\n${lines(values)}`;
	const person = (name: string, ou: string, values: Values = {}): [string, Values] => {
		const usual: Values = {
			objectClass: "inetOrgPerson",
			uid: name.toLowerCase(),
			cn: name,
			sn: "Surname",
			givenName: "Given",
			title: "Title",
		};
		const uid = values["uid"] ?? name.toLowerCase();
		const given = Object.entries({ ...usual, mail: `${uid}@corp.test`, ...values }).filter(([, value]) => value.length > 0);
		return [`cn=${escapeValue(name)},${ou}`, Object.fromEntries(given)];
	};
	return {
		/** All of them in one go. */
		add: (...entries: readonly (readonly [string, Values])[]) => server.modify(entries.map(([dn, values]) => added(dn, values)).join("\n")),
		/** Replaces the values of attributes; an empty list takes the attribute away. */
		modify: (dn: string, values: Values) =>
			server.modify(
				`${ldifLine("dn", dn)}changetype: modify\n${Object.entries(values)
					.map(([name, value]) => `replace: ${name}\n${lines({ [name]: value })}-\n`)
					.join("")}`,
			),
		move: (dn: string, to: string) => server.move(dn, to.slice(0, to.length - (parentDn(to)?.length ?? 0) - 1), parentDn(to) ?? ""),
		remove: (dn: string) => server.remove(dn),
		/** A person's DN and values, to be added. */
		person,
		anchor: async (filter: string): Promise<Anchor> => {
			const [found] = await server.search(server.baseDn, filter, ["entryUUID"]);
			const anchor = found === undefined ? undefined : textOf(found, "entryUUID");
			if (anchor === undefined) throw new Error(`nothing matches ${filter}`);
			return anchor as Anchor;
		},
	};
}

/** Fills a directory with the people, and the things that are no people, that the contract asks about. */
export async function populateLdap(server: OpenLdap): Promise<void> {
	const { people, berlin, excluded, second, groups, elsewhere } = ldapPlaces(server);
	const writer = ldapWriter(server);
	const { person } = writer;
	await writer.add(
		...[people, berlin, excluded, second, groups, elsewhere].map((dn): [string, Values] => [dn, { objectClass: "organizationalUnit" }]),
		...Array.from({ length: ordinaryPeople }, (_, number) => person(`Ordinary${number}`, people)),
		...oddNames.map((name, number) => person(name, number % 2 === 0 ? people : berlin, { uid: `odd${number}`, displayName: name.trim() })),
		...[1, 2, 3].flatMap((number) => [person(`Robot${number}`, excluded), person(`Second${number}`, second)]),
		person("Expired", people, { objectClass: ["inetOrgPerson", "shadowAccount"], shadowExpire: "18262" }),
		person("Never", people, { objectClass: ["inetOrgPerson", "shadowAccount"], shadowExpire: "-1" }),
		person("Bare", people, { mail: [], givenName: [], title: [] }),
		person("Tagged", people, { displayName: "Plain", "displayName;lang-de": "Deutsch" }),
		["cn=printer,ou=People,dc=corp,dc=example,dc=test", { objectClass: "device" }],
	);
	await writer.add(person("Locked", people), person("Mistyped", people));
	// What only the server or its administrator writes.
	await writer.modify(`cn=Locked,${people}`, { pwdAccountLockedTime: "000001010000Z" });
	await writer.modify(`cn=Mistyped,${people}`, { pwdAccountLockedTime: "20261101120000Z" });
}
