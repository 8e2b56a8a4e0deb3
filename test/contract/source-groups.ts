import { beforeAll, describe, expect, it } from "vitest";
import type { Cursor } from "../../src/core/cursor.ts";
import { dnKey } from "../../src/core/dn.ts";
import type { Anchor } from "../../src/core/entry.ts";
import type { ReadRequest } from "../../src/source/source.ts";
import { fullRequest } from "../support/requests.ts";
import { type Directory, person } from "./directory.ts";
import { addGroup, anchorOfDn, groupDn, groupNamed, groupNames, groupSource, knowing, memberDns, readWithGroups } from "./groups.ts";
import { placesOf } from "./population.ts";
import { failureOf, sourceOn } from "./reader.ts";

const DISTRIBUTION = "2";

/** Groups as every directory of Active Directory's kind must give them through our source. */
export function groupsContract(directory: () => Directory): void {
	const places = () => placesOf(directory());
	const dn = (name: string) => groupDn(directory(), name);
	const elsewhere = (name: string) => person(name, places().second);
	const ordinary = (number: number) => person(`Ordinary ${number}`, places().people);
	const keys = (...dns: readonly string[]) => dns.map(dnKey).sort();
	describe("a full reading of groups", () => {
		beforeAll(async () => {
			await addGroup(directory(), dn("Staff"), [
				ordinary(1),
				ordinary(2),
				person("Contact", places().people),
				person("PC1", places().people),
			]);
			await addGroup(directory(), dn("List"), [ordinary(3), person("Second 1", places().second)], DISTRIBUTION);
			await addGroup(directory(), dn("Nobody"));
			await directory().modify(dn("Staff"), { managedBy: ordinary(1), description: "All <of> staff", mail: "staff@corp.example" });
		}, 60_000);

		it("has every group in scope, with its fields, and all its members by their anchors, whatever they are", async () => {
			const all = await readWithGroups(groupSource(directory()), fullRequest());
			expect(all.end.unsealed).toEqual([]);
			expect(groupNames(all)).toEqual(expect.arrayContaining(["List", "Nobody", "Staff"]));
			const staff = groupNamed(all, "Staff");
			expect(staff.entry.dn).toBe(dn("Staff"));
			expect(staff.entry.attributes.get("description")).toEqual(["All <of> staff"]);
			expect(staff.entry.attributes.get("managedby")?.map(dnKey)).toEqual([dnKey(ordinary(1))]);
			expect(staff.entry.attributes.has("member")).toBe(false);
			expect(memberDns(staff)).toEqual(keys(ordinary(1), ordinary(2), person("Contact", places().people), person("PC1", places().people)));
			const [one] = [...staff.members].filter(([, name]) => name === dnKey(ordinary(1))).map(([key]) => key);
			expect(all.people.has(groupSource(directory()).anchor(Buffer.from(one as string, "hex")))).toBe(true);
			expect(groupNamed(all, "Nobody").members.size).toBe(0);
		});

		it("tells the number by which people name their primary group", async () => {
			const users = `CN=Users,${directory().baseDn}`;
			const all = await readWithGroups(groupSource(directory(), { bases: [users] }), fullRequest());
			expect(groupNamed(all, "Domain Users").entry.attributes.get("primarygrouptoken")).toEqual(["513"]);
		});

		it.each([
			{ kinds: ["security"] as const, has: "Staff", not: "List" },
			{ kinds: ["distribution"] as const, has: "List", not: "Staff" },
		])("has $kinds groups alone where these are wanted", async ({ kinds, has, not }) => {
			const all = await readWithGroups(groupSource(directory(), { kinds }), fullRequest());
			expect(groupNames(all)).toContain(has);
			expect(groupNames(all)).not.toContain(not);
		});

		it("leaves out what a filter does not select, and what lies beneath an excluded container", async () => {
			const filtered = await readWithGroups(groupSource(directory(), { filter: "(mail=*)" }), fullRequest());
			expect(groupNames(filtered)).toEqual(["Staff"]);
			const excluded = await readWithGroups(groupSource(directory(), { exclude: [dn("Staff")] }), fullRequest());
			expect(groupNames(excluded)).not.toContain("Staff");
		});

		it("has the groups nested in those, each once, also in a circle of four and outside of the scope", async () => {
			const [one, two, three, four] = [dn("Circle 1"), elsewhere("Circle 2"), elsewhere("Circle 3"), elsewhere("Circle 4")];
			for (const at of [four, three, two, one]) await addGroup(directory(), at);
			await directory().modify(one, { member: [two, ordinary(4)] });
			await directory().modify(two, { member: [three, ordinary(5)] });
			await directory().modify(three, { member: [four] });
			await directory().modify(four, { member: [one, ordinary(6)] });
			const all = await readWithGroups(groupSource(directory()), fullRequest());
			expect(groupNames(all, false)).toEqual(["Circle 2", "Circle 3", "Circle 4"]);
			expect([...all.times.values()].every((times) => times === 1)).toBe(true);
			expect(memberDns(groupNamed(all, "Circle 4"))).toEqual(keys(one, ordinary(6)));
		});

		it("says nothing of groups where none are asked for", async () => {
			const source = sourceOn(directory());
			expect(source.memberKeys).toBeUndefined();
			await readWithGroups(source, fullRequest(), async (reading) => expect(reading.groups).toBeUndefined());
		});

		it("doubts that a group is empty only where its members may not be read", async () => {
			const [nobody, domainUsers] = [
				await anchorOfDn(directory(), dn("Nobody")),
				await anchorOfDn(directory(), `CN=Domain Users,CN=Users,${directory().baseDn}`),
			];
			await readWithGroups(groupSource(directory()), fullRequest(), async (reading) => {
				expect(await reading.groups?.doubtEmpty([nobody, domainUsers])).toEqual(new Map());
			});
		});

		it("looks up groups by anchor: in scope, elsewhere, gone", async () => {
			const moved = elsewhere("Looked for");
			await addGroup(directory(), moved);
			const wanted = [
				await anchorOfDn(directory(), dn("Staff")),
				await anchorOfDn(directory(), moved),
				"00000000-1111-2222-3333-444444444444" as Anchor,
			];
			const source = groupSource(directory());
			await readWithGroups(source, fullRequest(), async (reading) => {
				const found = await reading.groups?.lookup(wanted.map((anchor) => ({ anchor, dn: dn("Staff"), had: ["cn"] })));
				const [staff, away, never] = wanted.map((anchor) => found?.get(anchor));
				expect(staff?.kind === "in-scope" ? source.decode(staff.entry.raw).dn : staff).toBe(dn("Staff"));
				expect(away).toMatchObject({ kind: "out-of-scope", where: "now in OU=Second,OU=Contract", doubt: undefined });
				expect(never).toEqual({ kind: "unseen", doubt: undefined });
			});
		});
	});

	describe("a group that users.groups names", () => {
		const named = () =>
			sourceOn(directory(), { bases: [places().people], users: { filter: undefined, exclude: [], groups: [dn("Chosen")] } });
		beforeAll(() => addGroup(directory(), dn("Chosen"), [ordinary(7), dn("Staff")]), 60_000);

		it("is found with all nested in it, and none of them is kept", async () => {
			const all = await readWithGroups(named(), fullRequest());
			expect(groupNames(all, false)).toEqual(["Chosen", "Staff"]);
			expect(groupNames(all)).toEqual([]);
			expect(all.end.scopeGroups).toEqual([{ nameKey: dnKey(dn("Chosen")), anchor: await anchorOfDn(directory(), dn("Chosen")) }]);
			expect(named().groupScope).toBeUndefined();
			expect(named().scope).not.toBe(sourceOn(directory(), { bases: [places().people] }).scope);
		});

		it("is followed through a rename by what was known before, with a warning that names it; without that it is missing", async () => {
			const anchor = await anchorOfDn(directory(), dn("Chosen"));
			await directory().move(dn("Chosen"), dn("Chosen anew"));
			const pins: ReadRequest["pins"] = new Map([[dnKey(dn("Chosen")), anchor]]);
			const all = await readWithGroups(named(), { ...fullRequest(), pins });
			expect(all.end.scopeGroups).toEqual([{ nameKey: dnKey(dn("Chosen")), anchor }]);
			expect(all.end.warnings).toEqual([expect.stringContaining("Chosen anew")]);
			expect(groupNames(all, false)).toEqual(["Chosen anew", "Staff"]);
			expect(await failureOf(readWithGroups(named(), fullRequest()))).toMatchObject({
				code: "SOURCE_BASE_MISSING",
				message: expect.stringContaining("CN=Chosen,"),
			});
			await directory().move(dn("Chosen anew"), dn("Chosen"));
		});
	});

	describe("a group that a rule names", () => {
		const ruled = (...groups: readonly string[]) => sourceOn(directory(), { bases: [places().people], ruleGroups: groups });
		beforeAll(() => addGroup(directory(), dn("Ruled"), [ordinary(8), dn("Staff")]), 60_000);

		it("is read with all nested in it, is not kept, and makes no scope", async () => {
			const all = await readWithGroups(ruled(dn("Ruled")), fullRequest());
			expect(groupNames(all, false)).toEqual(["Ruled", "Staff"]);
			expect(groupNames(all)).toEqual([]);
			expect(all.end.scopeGroups).toBeUndefined();
			expect(all.end.ruleGroups).toEqual([{ nameKey: dnKey(dn("Ruled")), anchor: await anchorOfDn(directory(), dn("Ruled")) }]);
			expect(ruled(dn("Ruled")).scope).toBe(sourceOn(directory(), { bases: [places().people] }).scope);
		});

		it("is left out when it is not there, and nothing else with it; a rename is followed by what was known before", async () => {
			const all = await readWithGroups(ruled(dn("Never made"), dn("Ruled")), fullRequest());
			expect(all.end.unsealed).toEqual([]);
			expect(all.end.ruleGroups.map(({ nameKey: key }) => key)).toEqual([dnKey(dn("Ruled"))]);
			await directory().move(dn("Ruled"), dn("Ruled anew"));
			expect((await readWithGroups(ruled(dn("Ruled")), fullRequest())).end.ruleGroups).toEqual([]);
			const pins: ReadRequest["pins"] = new Map(all.end.ruleGroups.map(({ nameKey: key, anchor }) => [key, anchor]));
			const again = await readWithGroups(ruled(dn("Ruled")), { ...fullRequest(), pins });
			expect(again.end.ruleGroups).toEqual(all.end.ruleGroups);
			expect(again.end.warnings).toEqual([expect.stringContaining("Ruled anew")]);
			expect(groupNames(again, false)).toEqual(["Ruled anew", "Staff"]);
			await directory().move(dn("Ruled anew"), dn("Ruled"));
		});

		it("is read by a delta that knows nothing of it, and a change of its members is followed", async () => {
			const before = await readWithGroups(ruled(dn("Staff")), fullRequest());
			const cursor = before.end.cursor as Cursor;
			const first = await readWithGroups(ruled(dn("Staff"), dn("Ruled")), {
				mode: "delta",
				cursor,
				pins: new Map(),
				known: knowing(before),
			});
			expect(first.mode).toBe("delta");
			expect(groupNames(first, false)).toContain("Ruled");
			await directory().modify(dn("Ruled"), { member: [ordinary(8), ordinary(9), dn("Staff")] });
			const then = { mode: "delta", cursor: first.end.cursor as Cursor, pins: new Map(), known: knowing(before, first) } as const;
			const second = await readWithGroups(ruled(dn("Staff"), dn("Ruled")), then);
			expect(groupNames(second, false)).toEqual(["Ruled"]);
		});
	});
}
