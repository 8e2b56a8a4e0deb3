import { person, type Values } from "../contract/directory.ts";
import { ldifLine, textOf } from "../support/ldif.ts";
import type { Samba } from "../support/samba.ts";

/** Somebody, or a group, to be written to a directory. */
interface MadeUp {
	readonly dn: string;
	readonly values: Values;
}

/** Names by which comparisons go wrong: accents, composed or not, letters that are two, Turkish i, widths, scripts, spaces, signs. */
const names = [
	"Anna Åberg|anna aberg|ANNA ÅBERG|Anna  Aberg|Anna A\u030aberg|Zoë Łęcka|zoe lecka|Søren Ærø|Soren Aero|Jörg Straße|Jorg Strasse",
	"JÖRG STRASSE|İbrahim Ilgaz|ibrahim ılgaz|Ibrahim ilgaz|王小明|王小|ＷＩＤＥ Name|wide name|ｶﾀｶﾅ|カタカナ|かたかな|Σίσυφος|ΣΊΣΥΦΟΣ",
	'Юлия Ёлкина|юлия елкина|O\'Neil-Smith|ONeil Smith|Smith, John|Quote "Q" Quill|Plus+Minus=Zero|Back\\slash|Star * Struck',
	"(Paren) Thesis|Under_score|Hash #1|Emoji 🙂 Ellen|naïve café|NAIVE CAFE|x|xx|x x|1|10|9|-5|a.b|a-b|a b|ab|a  b|[a]|Zed",
	"Þór Œuvre|Thor Oeuvre|Đorđe|Dorde|Владимир|владимир|שלום|สมชาย|김철수|Ⅷ Henry|VIII Henry|ﬁsh|fish",
].flatMap((line) => line.split("|"));

const departments = ["IT", "it", "Sales", "Sales (EMEA)", "R&D", "Façade", "facade", "Human  Resources", "Human Resources", "100%"];
const descriptions = [["plain"], ["(in parentheses)"], ["a * b"], ["back\\slash"], ["one", "two", "Three"], [" leading"], ["trailing  "]];
const phones = ["+44 20 7946 0001", "+442079460001", "(020) 7946-0001", "555", "0"];
/** NORMAL_ACCOUNT, with ACCOUNTDISABLE, PASSWD_NOTREQD, DONT_EXPIRE_PASSWD, SMARTCARD_REQUIRED, NOT_DELEGATED and DONT_REQ_PREAUTH. */
const controls = [514, 546, 544, 66_050, 66_080, 262_690, 1_049_122, 4_194_850];
const expiries = ["0", "9223372036854775807", "132223104000000000", "134000000000000000", "1"];
const flags = [0, -5, 826, 2_147_483_647, -2_147_483_648];
const days = ["20261101083000.0Z", "20261101083001.0Z", "20200101000000.0Z", "19991231235959.0Z"];
const photos = ["\u0000\u0001", "abc", "ABC", "abcd", "b"];

/** Writes them all, people beneath one container and groups beneath another. */
export async function populate(samba: Samba, peopleOu: string, groupsOu: string): Promise<void> {
	const people = peopleIn(peopleOu);
	const links = people.flatMap(({ dn, values: { manager, secretary } }) => [
		...(manager === undefined ? [] : [change(dn, "replace", "manager", manager)]),
		...(secretary === undefined ? [] : [change(dn, "replace", "secretary", secretary)]),
	]);
	const unlinked = people.map(({ dn, values: { manager: _, secretary: __, ...values } }) => ({ dn, values }));
	await samba.add([...unlinked, ...groupsIn(groupsOu, people)].map(record).join("\n"));
	const ring = change(person("Ring One", groupsOu), "add", "member", person("Ring Two", groupsOu));
	await samba.modify([...links, ring].join("\n"));
	// Who gets a group as primary group leaves its members: only the number tells of it.
	const [primary] = await samba.ldapsearch(person("Primary", groupsOu), "(objectClass=group)", ["primaryGroupToken"]);
	const token = primary && textOf(primary, "primaryGroupToken");
	await samba.modify(change(people[40]?.dn as string, "replace", "primaryGroupID", token as string));
}

function record({ dn, values }: MadeUp): string {
	return `${ldifLine("dn", dn)}${Object.entries(values)
		.flatMap(([name, value]) => linesOf(name, value))
		.join("")}`;
}

function change(dn: string, how: "add" | "replace", name: string, value: string | readonly string[]): string {
	return `${ldifLine("dn", dn)}changetype: modify\n${how}: ${name}\n${linesOf(name, value).join("")}-\n`;
}

function linesOf(name: string, value: string | readonly string[]): string[] {
	return [value].flat().map((one) => ldifLine(name, one));
}

/** Some 65 people beneath `ou`, no two with the same attributes; who reports to whom makes chains, a fork and a circle. */
function peopleIn(ou: string): readonly MadeUp[] {
	const dnOf = (index: number): string => person(`${index} ${names[index]}`, ou);
	return names.map((name, index) => ({
		dn: dnOf(index),
		values: {
			objectClass: "user",
			sAMAccountName: `filter${index}`,
			userPrincipalName: `Filter${index}@corp.example.test`,
			userAccountControl: String(pick(controls, index)),
			displayName: name,
			...(index % 5 !== 4 && { sn: name.split(" ").at(-1) as string }),
			...(index % 5 !== 3 && { givenName: name.split(" ")[0] as string }),
			...(index % 3 !== 2 && { department: pick(departments, index) }),
			...(index % 4 !== 3 && { description: pick(descriptions, index) }),
			...(index % 2 === 0 && { telephoneNumber: pick(phones, index / 2) }),
			...(index % 6 === 0 && { otherTelephone: [pick(phones, index), pick(phones, index + 1)] }),
			...(index % 2 === 1 && { mail: `Filter.${index}@corp.example.test` }),
			...(index % 3 === 0 && {
				proxyAddresses: [`SMTP:Filter.${index}@corp.example.test`, `smtp:f${index}@old.example.org`, "X500:/o=Corp/cn=F"],
			}),
			...(index % 7 !== 6 && { accountExpires: pick(expiries, index) }),
			...(index % 4 === 0 && { flags: String(pick(flags, index / 4)), countryCode: String(index) }),
			...(index % 3 === 1 && { uidNumber: String(index * 7 - 20) }),
			...(index % 4 === 1 && { showInAdvancedViewOnly: index % 8 === 1 ? "TRUE" : "FALSE" }),
			...(index % 3 === 2 && { msTSExpireDate: pick(days, index) }),
			...(index % 5 === 0 && { employeeNumber: `00${index}` }),
			...(index % 5 === 1 && { loginShell: index % 2 === 0 ? "/bin/sh" : "/bin/SH", serialNumber: [`Sn${index}`, `sn${index}`] }),
			...(index % 5 === 2 && { thumbnailPhoto: pick(photos, index) }),
			...(index % 6 === 3 && { secretary: dnOf(0) }),
			...(managerOf(index) !== undefined && { manager: dnOf(managerOf(index) as number) }),
		},
	}));
}

/** Groups beneath `ou`: nested three deep, two that contain each other, one that is only a primary group, one without anybody. */
function groupsIn(ou: string, people: readonly MadeUp[]): readonly MadeUp[] {
	const some = (from: number, to: number): readonly string[] => people.slice(from, to).map(({ dn }) => dn);
	const group = (name: string, member: readonly string[]): MadeUp => ({
		dn: person(name, ou),
		values: {
			objectClass: "group",
			sAMAccountName: name.replace(/\W/g, "-"),
			groupType: "-2147483646",
			...(member.length > 0 && { member }),
		},
	});
	const inner = group("Inner, really", some(0, 6));
	const middle = group("Middle", [inner.dn, ...some(4, 10)]);
	const ring = group("Ring One", some(30, 33));
	return [
		...[inner, middle, group("Äußere", [middle.dn, ...some(20, 22)])],
		...[ring, group("Ring Two", [ring.dn, ...some(33, 35)])],
		...[group("Primary", some(40, 42)), group("Nobody", [])],
	];
}

/** Everybody below 10 reports to the one before them, the first to nobody; 11 to 13 make a circle; 20 to 30 report to 5. */
function managerOf(index: number): number | undefined {
	if (index > 0 && index < 10) return index - 1;
	if (index > 10 && index < 14) return index === 13 ? 11 : index + 1;
	if (index === 14) return 14;
	return index >= 20 && index < 30 ? 5 : undefined;
}

function pick<T>(from: readonly T[], index: number): T {
	return from[index % from.length] as T;
}
