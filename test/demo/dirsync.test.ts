import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Demo, startDemo } from "../../src/demo/demo.ts";
import { type Answer, openWire, type Question, type Wire } from "./wire.ts";

const BASE = "DC=corp,DC=example,DC=com";
const USERS = `CN=Users,${BASE}`;
const [ann, ben, team] = ["Ann", "Ben", "Team"].map((name) => `CN=${name},${USERS}`) as [string, string, string];
const INCREMENTAL = 0x8000_0000 | 0;
const asked = ["name", "parentGUID", "isDeleted", "title", "member"];

let demo: Demo;
let wire: Wire;
beforeEach(async () => {
	demo = await startDemo();
	demo.directory.setRights(demo.bindUser, { mayReplicate: true });
	demo.directory.add(ann, { objectClass: "user", sAMAccountName: "ann", title: "Clerk" });
	demo.directory.add(ben, { objectClass: "user", sAMAccountName: "ben" });
	demo.directory.add(team, { objectClass: "group", sAMAccountName: "team", member: [ann] });
	wire = await openWire(demo.address);
	await wire.bind(demo.bindUser, demo.bindPassword);
});
afterEach(async () => {
	wire.close();
	await demo.close();
});

const since = (cookie: Uint8Array | undefined, more: Partial<Question> = {}, flags = INCREMENTAL): Promise<Answer> =>
	wire.search({ base: BASE, attributes: asked, dirSync: { flags, cookie }, ...more });
/** What is told of one change: by leading RDN, the names of what changed with their values as text. */
async function toldOf(change: () => void, more: Partial<Question> = {}, flags = INCREMENTAL): Promise<Record<string, unknown>> {
	const { cookie } = await since(undefined, { filter: "(cn=nobody)" });
	change();
	const { entries } = await since(cookie, more, flags);
	return Object.fromEntries(
		entries.map(({ dn, attributes }) => {
			const changed = [...attributes].filter(([name]) => name !== "objectGUID" && name !== "instanceType" && name !== "parentGUID");
			return [dn.slice(0, dn.search(/(?<!\\),/)), Object.fromEntries(changed.map(([name, values]) => [name, values.map(String)]))];
		}),
	);
}

describe("DirSync of the demo directory", () => {
	it.each([
		{
			what: "a change by what changed alone",
			change: () => demo.directory.modify(ann, { title: "Head" }),
			tells: { "CN=Ann": { title: ["Head"] } },
		},
		{
			what: "a cleared attribute as one without a value",
			change: () => demo.directory.modify(ann, { title: [] }),
			tells: { "CN=Ann": { title: [] } },
		},
		{ what: "nothing of what was not asked for", change: () => demo.directory.modify(ann, { mail: "a@b.example" }), tells: {} },
		{ what: "a rename by the name", change: () => demo.directory.rename(ann, "Anna"), tells: { "CN=Anna": { name: ["Anna"] } } },
		{
			what: "who came into a group and who went",
			change: () => demo.directory.modify(team, { member: [ben] }),
			tells: { "CN=Team": { "member;range=1-1": [ben], "member;range=0-0": [ann] } },
		},
	])("tells $what", async ({ change, tells }) => {
		expect(await toldOf(change)).toEqual(tells);
	});

	it("tells all members of a group where increments are not asked for", async () => {
		expect(await toldOf(() => demo.directory.addValues(team, "member", [ben]), {}, 0)).toEqual({ "CN=Team": { member: [ann, ben] } });
	});

	it("tells a deletion by the tombstone, and nothing of the groups that lose the member", async () => {
		const told = await toldOf(() => demo.directory.delete(ann));
		expect(Object.keys(told)).toEqual([
			`CN=Ann\\0ADEL:${[...demo.directory.all()].find(({ isDeleted, dn }) => isDeleted && /^CN=Ann/.test(dn))?.guid}`,
		]);
		expect(Object.values(told)).toEqual([expect.objectContaining({ isDeleted: ["TRUE"], title: [] })]);
	});

	it("hides what an object's new state does not match, and tells a move of a container by the container alone", async () => {
		expect(await toldOf(() => demo.directory.modify(ann, { title: "Head" }), { filter: "(title=Clerk)" })).toEqual({});
		demo.directory.add(`OU=Shelf,${BASE}`, { objectClass: "organizationalUnit" });
		demo.directory.move(ben, `OU=Shelf,${BASE}`);
		expect(Object.keys(await toldOf(() => demo.directory.rename(`OU=Shelf,${BASE}`, "Rack")))).toEqual(["OU=Rack"]);
	});

	it("wants the right to replicate, the head of a naming context, and a cookie of its own", async () => {
		expect((await since(undefined, { base: USERS })).code).toBe(50);
		expect((await since(Buffer.from("garbage"))).code).toBe(12);
		demo.directory.setRights(demo.bindUser, { mayReplicate: false });
		expect((await since(undefined)).code).toBe(50);
		const own = await since(undefined, {}, INCREMENTAL | 1);
		expect(own.code).toBe(0);
		expect(own.entries.map(({ dn }) => dn)).toContain(ann);
	});

	it("writes names with GUID and SID before them where extended DNs are asked for", async () => {
		const control = "1.2.840.113556.1.4.529";
		const { entries } = await wire.search({ base: team, scope: "base", attributes: ["member"], controls: [control] });
		const named = (dn: string) => new RegExp(`^<GUID=${demo.directory.get(dn)?.guid}>;<SID=S-1-5-21-[0-9-]+>;${dn}$`);
		expect(entries[0]?.dn).toMatch(named(team));
		expect(String(entries[0]?.attributes.get("member")?.[0])).toMatch(named(ann));
	});
});
