import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { guidText } from "../../src/core/syntax.ts";
import { type Demo, startDemo } from "../../src/demo/demo.ts";
import { type Answer, openWire, type Question, searchAll, type Wire } from "./wire.ts";

const BASE = "DC=corp,DC=example,DC=com";
const PEOPLE = `OU=People,${BASE}`;
const NOW = Date.UTC(2026, 10, 1, 8, 30);

let demo: Demo;
let wire: Wire;

beforeAll(async () => {
	demo = await startDemo({ clock: () => NOW });
	const { directory } = demo;
	directory.add(PEOPLE, { objectClass: "organizationalUnit" });
	directory.add(`CN=Anna Åberg,${PEOPLE}`, { objectClass: "user", sAMAccountName: "aaberg", mail: "anna@x.example", title: "Clerk" });
	directory.add(`CN=Smith\\, John,${PEOPLE}`, { objectClass: "user", sAMAccountName: "jsmith", manager: `CN=Anna Åberg,${PEOPLE}` });
	directory.add(`CN=Team,${PEOPLE}`, { objectClass: "group", sAMAccountName: "Team", member: [`CN=Smith\\, John,${PEOPLE}`] });
	directory.add(`CN=All,${PEOPLE}`, { objectClass: "group", sAMAccountName: "All", member: [`CN=Team,${PEOPLE}`] });
	wire = await openWire(demo.address);
	await wire.bind(demo.bindUser, demo.bindPassword);
});

afterAll(async () => {
	wire.close();
	await demo.close();
});

function names({ entries }: Pick<Answer, "entries">): string[] {
	return entries.map(({ dn }) => dn.replace(`,${PEOPLE}`, "")).sort();
}

async function one(question: Question): Promise<Answer["entries"][number]> {
	const { entries } = await wire.search(question);
	expect(entries).toHaveLength(1);
	return entries[0] as Answer["entries"][number];
}

function texts(entry: Answer["entries"][number], name: string): string[] | undefined {
	return entry.attributes.get(name)?.map((value) => value.toString());
}

it("the schema of the demo directory has an object for each attribute that there is, and none for another", async () => {
	const schema = `CN=Schema,CN=Configuration,${BASE}`;
	const filter = "(&(objectClass=attributeSchema)(|(lDAPDisplayName=MAIL)(lDAPDisplayName=tokenGroups)(lDAPDisplayName=mial)))";
	const { entries } = await wire.search({ base: schema, scope: "one", filter, attributes: ["lDAPDisplayName"] });
	expect(entries.map((entry) => texts(entry, "lDAPDisplayName"))).toEqual([["mail"], ["tokenGroups"]]);
	const groups = await wire.search({ base: BASE, scope: "sub", filter: "(objectClass=attributeSchema)" });
	expect(groups.entries).toEqual([]);
});

describe("the root DSE of the demo directory", () => {
	it("is shown to who is not bound, and nothing else is", async () => {
		const stranger = await openWire(demo.address);
		const root = await stranger.search({ base: "", scope: "base" });
		expect(root.entries[0]?.attributes.get("defaultNamingContext")?.[0]?.toString()).toBe(BASE);
		expect(await stranger.search({ base: BASE, scope: "base" })).toMatchObject({ code: 1, entries: [] });
		stranger.close();
	});

	it("names contexts, controls, the highest USN, the time, and the domain controller whose invocationId is 16 bytes", async () => {
		const root = await one({ base: "", scope: "base", attributes: ["*"] });
		expect(texts(root, "configurationNamingContext")).toEqual([`CN=Configuration,${BASE}`]);
		expect(texts(root, "namingContexts")).toContain(BASE);
		expect(texts(root, "highestCommittedUSN")).toEqual([String(demo.directory.highestUsn())]);
		expect(texts(root, "currentTime")).toEqual(["20261101083000.0Z"]);
		expect(texts(root, "supportedControl")).toContain("1.2.840.113556.1.4.319");
		expect(texts(root, "supportedCapabilities")).toContain("1.2.840.113556.1.4.800");
		expect(texts(root, "supportedLDAPVersion")).toEqual(["3", "2"]);
		const service = await one({ base: texts(root, "dsServiceName")?.[0] ?? "", scope: "base", attributes: ["invocationId"] });
		expect(service.attributes.get("invocationId")?.[0]).toHaveLength(16);
	});

	it("gives only the attributes that were asked for", async () => {
		const root = await one({ base: "", scope: "base", attributes: ["DNSHOSTNAME"] });
		expect([...root.attributes.keys()]).toEqual(["dnsHostName"]);
	});
});

describe("a search in the demo directory", () => {
	it.each([
		["base", PEOPLE, ["OU=People,DC=corp,DC=example,DC=com"]],
		["one", PEOPLE, ["CN=All", "CN=Anna Åberg", "CN=Smith\\, John", "CN=Team"]],
		["sub", PEOPLE, ["CN=All", "CN=Anna Åberg", "CN=Smith\\, John", "CN=Team", "OU=People,DC=corp,DC=example,DC=com"]],
	] as const)("of scope %s finds what is there", async (scope, base, expected) => {
		expect(names(await wire.search({ base, scope }))).toEqual(expected);
	});

	it.each([
		["(objectCategory=person)", ["CN=Anna Åberg", "CN=Smith\\, John"]],
		["(&(objectClass=user)(!(mail=*)))", ["CN=Smith\\, John"]],
		["(cn=smith, john)", ["CN=Smith\\, John"]],
		["(cn=anna*)", ["CN=Anna Åberg"]],
		["(sAMAccountType=805306368)", ["CN=Anna Åberg", "CN=Smith\\, John"]],
		["(userAccountControl:1.2.840.113556.1.4.803:=512)", ["CN=Anna Åberg", "CN=Smith\\, John"]],
		[`(memberOf=CN=Team,${PEOPLE})`, ["CN=Smith\\, John"]],
		[`(memberOf=CN=All,${PEOPLE})`, ["CN=Team"]],
		[`(memberOf:1.2.840.113556.1.4.1941:=CN=All,${PEOPLE})`, ["CN=Smith\\, John", "CN=Team"]],
		[`(member:1.2.840.113556.1.4.1941:=CN=Smith\\5c, John,${PEOPLE})`, ["CN=All", "CN=Team"]],
		[`(manager=cn=anna åberg,${PEOPLE})`, ["CN=Smith\\, John"]],
		["(noSuchThing=*)", []],
		["(!(noSuchThing=*))", []],
	])("finds by %s", async (filter, expected) => {
		expect(names(await wire.search({ base: PEOPLE, filter }))).toEqual(expected);
	});

	it("finds an object by its GUID as text, as raw hex, and by its SID, wherever it is", async () => {
		const { dn, attributes } = await one({ base: PEOPLE, filter: "(sAMAccountName=aaberg)" });
		const guid = attributes.get("objectGUID")?.[0] as Buffer;
		for (const base of [`<GUID=${guidText(guid)}>`, `<GUID=${guid.toString("hex")}>`]) {
			expect((await one({ base, scope: "base" })).dn).toBe(dn);
		}
		const sid = attributes.get("objectSid")?.[0] as Buffer;
		expect((await one({ base: `<SID=${sid.toString("hex")}>`, scope: "base" })).dn).toBe(dn);
	});

	it("finds a well-known container by its GUID", async () => {
		const base = `<WKGUID=A9D1CA15768811D1ADED00C04FD8D5CD,${BASE}>`;
		expect((await one({ base, scope: "base" })).dn).toBe(`CN=Users,${BASE}`);
	});

	it("spells attributes as the schema does, whatever was asked, leaves unknown ones out, and gives the name as it was written", async () => {
		const { dn, attributes } = await one({
			base: PEOPLE,
			filter: "(mail=*)",
			attributes: ["MAIL", "nosuchthing", "SamAccountName", "department"],
		});
		expect(dn).toBe(`CN=Anna Åberg,${PEOPLE}`);
		expect([...attributes.keys()]).toEqual(["mail", "sAMAccountName"]);
	});

	it("gives no attributes for 1.1, names only for typesOnly, and constructed ones only when asked", async () => {
		const filter = "(sAMAccountName=aaberg)";
		expect((await one({ base: PEOPLE, filter, attributes: ["1.1"] })).attributes.size).toBe(0);
		const types = await one({ base: PEOPLE, filter, attributes: ["mail"], typesOnly: true });
		expect(types.attributes.get("mail")).toEqual([]);
		expect((await one({ base: PEOPLE, filter })).attributes.has("canonicalName")).toBe(false);
		expect(texts(await one({ base: PEOPLE, filter, attributes: ["canonicalName"] }), "canonicalName")).toEqual([
			"corp.example.com/People/Anna Åberg",
		]);
		expect((await one({ base: PEOPLE, filter, attributes: ["+"] })).attributes.has("parentGUID")).toBe(true);
	});

	it("answers 32 with the nearest ancestor for a base that is not there", async () => {
		const answer = await wire.search({ base: `OU=Nowhere,OU=Neither,${PEOPLE}` });
		expect(answer).toMatchObject({ code: 32, matchedDn: PEOPLE, entries: [] });
	});

	it("sends the client elsewhere (code 10) for a name in another domain, and refuses what is no name", async () => {
		expect(await wire.search({ base: "DC=other,DC=example" })).toMatchObject({
			code: 10,
			referral: ["ldap://other.example/DC=other,DC=example"],
		});
		expect(await wire.search({ base: "not a name" })).toMatchObject({ code: 34 });
	});

	it("names the other naming contexts below the domain's root, unless the domain-scope control is there", async () => {
		const plain = await wire.search({ base: BASE, filter: "(cn=none)" });
		expect(plain.references).toContain(`ldap://corp.example.com/CN=Configuration,${BASE}`);
		expect(plain.code).toBe(0);
		const scoped = await wire.search({ base: BASE, filter: "(cn=none)", controls: ["1.2.840.113556.1.4.1339"] });
		expect(scoped.references).toEqual([]);
		expect((await wire.search({ base: PEOPLE })).references).toEqual([]);
	});

	it("does not find the configuration below the domain's root", async () => {
		expect(names(await wire.search({ base: BASE, filter: "(objectClass=nTDSDSA)" }))).toEqual([]);
		expect(names(await wire.search({ base: `CN=Configuration,${BASE}`, filter: "(objectClass=nTDSDSA)" }))).toHaveLength(1);
	});

	it("refuses a critical control that it does not know", async () => {
		expect(await wire.search({ base: PEOPLE, controls: ["1.2.3.4"] })).toMatchObject({ code: 12, entries: [] });
	});

	it("stops at the client's size limit with code 4 and what it found so far", async () => {
		const answer = await wire.search({ base: PEOPLE, sizeLimit: 2 });
		expect(answer.code).toBe(4);
		expect(answer.entries).toHaveLength(2);
	});
});

describe("a paged search", () => {
	beforeAll(() => {
		const { directory } = demo;
		directory.add(`OU=Many,${BASE}`, { objectClass: "organizationalUnit" });
		for (let index = 0; index < 1050; index++) {
			directory.add(`CN=M${index},OU=Many,${BASE}`, { objectClass: "user", sAMAccountName: `m${index}` });
		}
	});

	const many: Question = { base: `OU=Many,${BASE}`, scope: "one", attributes: ["cn"] };

	it("gives each object once, and ends with an empty cookie", async () => {
		const { entries, pages } = await searchAll(wire, many, 300);
		expect(new Set(entries.map(({ dn }) => dn)).size).toBe(1050);
		expect(pages.map((page) => page.entries.length)).toEqual([300, 300, 300, 150]);
	});

	it("may end with an empty page, as AD's do", async () => {
		const { pages } = await searchAll(wire, many, 350);
		expect(pages.map((page) => page.entries.length)).toEqual([350, 350, 350, 0]);
		expect(pages.at(-1)?.cookie).toHaveLength(0);
	});

	it("caps pages at MaxPageSize without a word, and a search without paging with code 4", async () => {
		const { pages } = await searchAll(wire, many, 5000);
		expect(pages.map((page) => page.entries.length)).toEqual([1000, 50]);
		const unpaged = await wire.search(many);
		expect(unpaged.code).toBe(4);
		expect(unpaged.entries).toHaveLength(1000);
	});

	it("takes a cookie once, on its own connection, and for its own question", async () => {
		const first = await wire.search({ ...many, page: { size: 10 } });
		const other = await openWire(demo.address);
		await other.bind(demo.bindUser, demo.bindPassword);
		expect(await other.search({ ...many, page: { size: 10, cookie: first.cookie } })).toMatchObject({ code: 12 });
		other.close();
		expect(await wire.search({ ...many, filter: "(cn=M1*)", page: { size: 10, cookie: first.cookie } })).toMatchObject({ code: 53 });
		expect(await wire.search({ ...many, page: { size: 10, cookie: first.cookie } })).toMatchObject({ code: 0 });
		expect(await wire.search({ ...many, page: { size: 10, cookie: first.cookie } })).toMatchObject({ code: 12 });
		expect(await wire.search({ ...many, page: { size: 10, cookie: Buffer.from("made up") } })).toMatchObject({ code: 12 });
	});

	it("ends when the client asks for a page of none", async () => {
		const first = await wire.search({ ...many, page: { size: 10 } });
		expect(await wire.search({ ...many, page: { size: 0, cookie: first.cookie } })).toMatchObject({
			code: 0,
			entries: [],
			cookie: Buffer.alloc(0),
		});
		expect(await wire.search({ ...many, page: { size: 10, cookie: first.cookie } })).toMatchObject({ code: 12 });
	});

	it("misses nobody and gives nobody twice when the directory changes in between", async () => {
		const first = await wire.search({ ...many, page: { size: 500 } });
		demo.directory.delete(`CN=M0,OU=Many,${BASE}`);
		demo.directory.rename(`CN=M1,OU=Many,${BASE}`, "Renamed");
		demo.directory.add(`CN=Late,OU=Many,${BASE}`, { objectClass: "user", sAMAccountName: "late" });
		const rest = await wire.search({ ...many, page: { size: 1000, cookie: first.cookie } });
		const all = [...first.entries, ...rest.entries].map(({ dn }) => dn.split(",")[0]);
		expect(new Set(all).size).toBe(all.length);
		for (let index = 1; index < 1050; index++) expect(all).toContain(`CN=M${index}`);
		expect(all).toContain("CN=Late");
	});
});

describe("a group with more members than MaxValRange", () => {
	const dn = `CN=Large,${PEOPLE}`;

	beforeAll(() => {
		const { directory } = demo;
		const members = Array.from({ length: 1501 }, (_, index) => `CN=L${index},OU=Large,${BASE}`);
		directory.add(`OU=Large,${BASE}`, { objectClass: "organizationalUnit" });
		for (const [index, member] of members.entries()) directory.add(member, { objectClass: "contact", displayName: `L${index}` });
		directory.add(dn, { objectClass: "group", sAMAccountName: "Large", member: members });
	});

	it("comes in ranges, with an empty `member` beside the first", async () => {
		const first = await one({ base: dn, scope: "base", attributes: ["member"] });
		expect([...first.attributes].map(([name, values]) => [name, values.length])).toEqual([
			["member", 0],
			["member;range=0-1499", 1500],
		]);
		const last = await one({ base: dn, scope: "base", attributes: ["member;range=1500-*"] });
		expect([...last.attributes].map(([name, values]) => [name, values.length])).toEqual([["member;range=1500-*", 1]]);
	});

	it("gives a range that was asked for, and an empty last one past the end", async () => {
		const part = await one({ base: dn, scope: "base", attributes: ["member;range=10-19"] });
		expect([...part.attributes.keys()]).toEqual(["member;range=10-19"]);
		const past = await one({ base: dn, scope: "base", attributes: ["member;range=9000-*"] });
		expect([...past.attributes]).toEqual([["member;range=9000-*", []]]);
	});

	it("follows a MaxValRange that was changed meanwhile", async () => {
		demo.directory.setLimits({ maxValRange: 600 });
		const first = await one({ base: dn, scope: "base", attributes: ["member"] });
		expect([...first.attributes.keys()]).toEqual(["member", "member;range=0-599"]);
		demo.directory.setLimits({ maxValRange: 5000 });
		const whole = await one({ base: dn, scope: "base", attributes: ["member"] });
		expect([...whole.attributes].map(([name, values]) => [name, values.length])).toEqual([["member", 1501]]);
	});
});
