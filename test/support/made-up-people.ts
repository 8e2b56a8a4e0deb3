import { createHash } from "node:crypto";
import { ldifLine } from "./ldif.ts";

const givenNames =
	"Ada Bo Chiara Dmitri Élodie Farid Grace Håkon Inês Jun Katarzyna Luís Mónica Ngozi Oskar Priya Quentin Rosa Søren Thi Umar Vera".split(
		" ",
	);
const surnames =
	"Adeyemi Bauer Castro Dubois Eriksson Fischer García Huang Ibrahim Jansen Kowalski Lindqvist Müller Nguyen O'Brien Patel Rossi".split(
		" ",
	);
const departments =
	"Accounting,Engineering,Facilities,Legal,Logistics,Marketing,Operations,Procurement,Research,Sales,Support,Treasury".split(",");
const towns = "Antwerp,Bergen,Cork,Dresden,Exeter,Florence,Gdańsk,Haarlem,Izmir,Kraków,Lyon,Málaga".split(",");

/** A person of about 26 attributes and 1.6 kB of LDIF, which is what people in a directory of a firm weigh. Always the same for a number. */
export function personOf(number: number, baseDn: string) {
	const random = createHash("sha256").update(`person ${number}`).digest();
	const pick = (list: readonly string[], at: number) => list[(random.readUInt16BE(at * 2) + number) % list.length] as string;
	const given = pick(givenNames, 8);
	const surname = pick(surnames, 9);
	const department = pick(departments, 10);
	const userName = `u${String(number).padStart(7, "0")}`;
	const domain = baseDn.toLowerCase().replace(/,?dc=/g, ".").slice(1);
	return {
		dn: dnOf(number, baseDn),
		guid: random.subarray(0, 16),
		given,
		surname,
		department,
		userName,
		principal: `${userName}@${domain}`,
		domain,
		town: pick(towns, 11),
		title: `${pick(["Senior", "Junior", "Lead", "Deputy"], 12)} ${department} Officer`,
		// One in fifty is disabled, as in most directories that have seen some years.
		userAccountControl: number % 50 === 49 ? 514 : 512,
		managerDn: dnOf(Math.floor(number / 12), baseDn),
	};
}

/** The LDIF of a person, with AD's attributes. */
export function personLdif(number: number, usn: number, baseDn: string): string {
	const person = personOf(number, baseDn);
	const mail = (local: string) => `${local}@${person.domain}`;
	const plain = (text: string) =>
		text
			.normalize("NFD")
			.replace(/[^a-z]/gi, "")
			.toLowerCase();
	const sid = Buffer.concat([Buffer.from("010500000000000515000000aabbccdd11223344deadbeef", "hex"), Buffer.alloc(4)]);
	sid.writeUInt32LE(10_000 + number, 24);
	const values: [string, string | Buffer][] = [
		["dn", person.dn],
		...["top", "person", "organizationalPerson", "user"].map((name): [string, string] => ["objectClass", name]),
		["cn", `${person.given} ${person.surname} ${number}`],
		["sn", person.surname],
		["givenName", person.given],
		["displayName", `${person.given} ${person.surname}`],
		["description", `${person.title} since 2019, ${person.town} office, third floor, east wing, by the stairs`],
		["objectGUID", person.guid],
		["objectSid", sid],
		["objectCategory", `CN=Person,CN=Schema,CN=Configuration,${baseDn}`],
		["objectCategory", "person"],
		["sAMAccountName", person.userName],
		["sAMAccountType", "805306368"],
		["userPrincipalName", person.principal],
		["userAccountControl", String(person.userAccountControl)],
		["accountExpires", "9223372036854775807"],
		["primaryGroupID", "513"],
		["uSNCreated", String(usn)],
		["uSNChanged", String(usn)],
		["whenCreated", "20190401080000.0Z"],
		["whenChanged", "20260401080000.0Z"],
		["mail", mail(`${plain(person.given)}.${plain(person.surname)}.${number}`)],
		["proxyAddresses", `SMTP:${mail(`${plain(person.given)}.${plain(person.surname)}.${number}`)}`],
		["proxyAddresses", `smtp:${mail(`${plain(person.surname)}${number}`)}`],
		["proxyAddresses", `smtp:${mail(person.userName)}`],
		["title", person.title],
		["department", person.department],
		["telephoneNumber", `+44 20 7946 ${String(number % 10_000).padStart(4, "0")}`],
		["mobile", `+44 7700 9${String(number % 100_000).padStart(5, "0")}`],
		["employeeNumber", String(1_000_000 + number)],
		["l", person.town],
		["streetAddress", `${1 + (number % 200)} Station Road`],
		["manager", person.managerDn],
	];
	return values.map(([name, value]) => ldifLine(name, value)).join("");
}

function dnOf(number: number, baseDn: string): string {
	return `CN=Person ${number},OU=Unit ${number % 20},OU=People,${baseDn}`;
}
