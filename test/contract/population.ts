import { type Directory, escapeValue, person, type Values } from "./directory.ts";

/** Names that DNs, LDIF, filters and JSON have trouble with. */
export const oddNames = [
	"Lopez, Ana",
	"Back\\slash",
	'Quote "Q" Quote',
	"Plus + Minus",
	"Semi;colon",
	"Less < More >",
	"Equal = Same",
	"#Hash First",
	" Space First",
	"Space Last ",
	"Slash / Star *",
	"Paren (th) esis",
	"Jürgen Müßig",
	"Łukasz Żółć",
	"Ελένη Παπαδοπούλου",
	"Владимир Щукин",
	"山田 太郎",
	"محمد الأمين",
	"Zoë 😀 Emoji",
	"A".repeat(64),
] as const;

/** More than two small pages of people. */
export const ordinaryCount = 40;

export interface Places {
	readonly root: string;
	readonly people: string;
	readonly berlin: string;
	readonly excluded: string;
	readonly second: string;
	readonly groups: string;
}

export function placesOf(directory: Directory): Places {
	const root = `OU=Contract,${directory.baseDn}`;
	const people = `OU=People,${root}`;
	return {
		root,
		people,
		berlin: `OU=${escapeValue("Berlin, Mitte")},${people}`,
		excluded: `OU=Robots,${people}`,
		second: `OU=Second,${root}`,
		groups: `OU=Groups,${root}`,
	};
}

/** Fills a directory with the people, and the things that are no people, that the contract asks about. */
export async function populate(directory: Directory, size: "all" | "few" = "all"): Promise<void> {
	const places = placesOf(directory);
	for (const dn of Object.values(places)) await directory.add(dn, { objectClass: "organizationalUnit" });

	for (let number = 0; number < (size === "few" ? 12 : ordinaryCount); number++)
		await addPerson(directory, `Ordinary ${number}`, places.people, `ordinary${number}`);
	if (size === "few") return;
	for (const [number, name] of oddNames.entries()) {
		await addPerson(directory, name, number % 2 === 0 ? places.people : places.berlin, `odd${number}`, { displayName: name.trim() });
	}
	for (const number of [1, 2, 3]) {
		await addPerson(directory, `Robot ${number}`, places.excluded, `robot${number}`);
		await addPerson(directory, `Second ${number}`, places.second, `second${number}`);
	}
	await addPerson(directory, "Disabled", places.people, "disabled", { userAccountControl: "514" });
	await addPerson(directory, "Expired", places.people, "expired", { accountExpires: "132223104000000000" });
	await addPerson(directory, "Expires never", places.people, "never0", { accountExpires: "0" });
	await addPerson(directory, "Bare", places.people, "bare", { userPrincipalName: [], mail: [], proxyAddresses: [], givenName: [], sn: [] });
	await addPerson(directory, "Many addresses", places.people, "many", {
		proxyAddresses: [
			`smtp:many.old@${directory.domain}`,
			`SMTP:many@${directory.domain}`,
			"X500:/o=Corp/cn=many",
			`smtp:m@${directory.domain}`,
		],
	});

	await directory.add(person("Contact", places.people), { objectClass: "contact", displayName: "Contact", mail: "contact@elsewhere.test" });
	await directory.add(person("PC1", places.people), { objectClass: "computer", sAMAccountName: "PC1$", userAccountControl: "4096" });
}

/** Adds a person with the usual attributes; `values` override them, an empty list leaves one out. */
export async function addPerson(directory: Directory, name: string, ou: string, logon: string, values: Values = {}): Promise<string> {
	const dn = person(name, ou);
	const usual: Values = {
		objectClass: "user",
		sAMAccountName: logon,
		userPrincipalName: `${logon}@${directory.domain}`,
		userAccountControl: "512",
		givenName: "Given",
		sn: "Surname",
		displayName: `${logon} displayed`,
		mail: `${logon}@${directory.domain}`,
		proxyAddresses: [`SMTP:${logon}@${directory.domain}`],
		department: "Research",
	};
	const given = Object.entries({ ...usual, ...values }).filter(([, value]) => value.length > 0);
	await directory.add(dn, Object.fromEntries(given));
	return dn;
}
