import { beforeAll, describe, expect, it } from "vitest";
import type { Cursor } from "../../src/core/cursor.ts";
import type { Anchor } from "../../src/core/entry.ts";
import { groupKey } from "../../src/core/group-name.ts";
import { sidText } from "../../src/core/syntax.ts";
import type { ReadRequest } from "../../src/source/source.ts";
import { fullRequest } from "../support/requests.ts";
import { type Directory, person } from "./directory.ts";
import { anchorOfDn, groupDn, groupNames, knowing, readWithGroups } from "./groups.ts";
import { placesOf } from "./population.ts";
import { sourceOn } from "./reader.ts";

const SECURITY = "-2147483646";

/** How rules name a group of Active Directory, and which one is then meant. */
export function ruleGroupsContract(directory: () => Directory): void {
	const places = () => placesOf(directory());
	const dn = (name: string) => groupDn(directory(), name);
	const away = (name: string) => person(name, places().second);
	const add = (at: string, logon: string) => directory().add(at, { objectClass: "group", sAMAccountName: logon, groupType: SECURITY });
	const naming = (...groups: readonly string[]) => sourceOn(directory(), { bases: [places().people], ruleGroups: groups });
	const readNaming = (text: string, pins: ReadRequest["pins"] = new Map()) =>
		readWithGroups(naming(text), { ...fullRequest(), pins }).then(({ end }) => end);
	const pinned = (text: string, anchor: Anchor): ReadRequest["pins"] => new Map([[groupKey(text), anchor]]);
	async function sidOf(at: string): Promise<string> {
		const [found] = await directory().search(at, "(objectClass=*)", ["objectSid"]);
		return sidText(found?.attributes.get("objectsid")?.[0] as Buffer);
	}
	/** One group by all of its names. */
	async function namesOf(at: string, logon: string) {
		const [guid, sid] = [await anchorOfDn(directory(), at), await sidOf(at)];
		return { dn: at, guid, bracedGuid: `{${guid.toUpperCase()}}`, sid, lowSid: sid.toLowerCase(), logon, cn: at.slice(3, at.indexOf(",")) };
	}
	type Names = Awaited<ReturnType<typeof namesOf>>;

	describe("a group that a rule names in any way", () => {
		let names: Names;
		beforeAll(async () => {
			await add(dn("Sellers of all"), "sell (all)");
			names = await namesOf(dn("Sellers of all"), "sell (all)");
		}, 60_000);

		it.each(["dn", "guid", "bracedGuid", "sid", "lowSid", "logon", "cn"] as const)("is found by its %s", async (form) => {
			const all = await readWithGroups(naming(names[form]), fullRequest());
			expect(all.end).toMatchObject({ ruleGroups: [{ nameKey: groupKey(names[form]), anchor: names.guid }], unsealed: [], warnings: [] });
			expect(groupNames(all, false)).toEqual(["Sellers of all"]);
		});

		it("is one group by all its names", async () => {
			const all = await readWithGroups(naming(...Object.values(names)), fullRequest());
			expect(new Set(all.end.ruleGroups.map(({ anchor }) => anchor))).toEqual(new Set([names.guid]));
			expect([...all.times.values()]).toEqual([1]);
		});

		it.each([
			["a DN", () => dn("Never made")],
			["a DN of another domain", () => "CN=Far,DC=elsewhere,DC=test"],
			["what is a DN only elsewhere", () => "foo=Bar,DC=elsewhere"],
			["a GUID", () => "00000000-1111-2222-3333-444444444444"],
			["a SID of this domain", () => names.sid.replace(/\d+$/, "999999")],
			["a SID of another domain", () => "S-1-5-21-1-2-3-1104"],
			["a name", () => "Never made"],
			["a name that would be a filter", () => "Sellers*"],
			["a person's DN", () => person("Ordinary 1", places().people)],
			["a person's name", () => "ordinary1"],
		])("is none, and stops nothing, where %s names no group", async (_, text) => {
			expect(await readNaming(text())).toMatchObject({ ruleGroups: [], unsealed: [], warnings: [] });
		});

		it("is none, and stops nothing, where a GUID is a person's", async () => {
			const guid = await anchorOfDn(directory(), person("Ordinary 1", places().people));
			expect(await readNaming(guid)).toMatchObject({ ruleGroups: [], unsealed: [], warnings: [] });
		});
	});

	describe("a group that a rule names, and that has another name since", () => {
		let names: Names;
		let other: Anchor;
		beforeAll(async () => {
			await add(dn("Before"), "before-logon");
			names = await namesOf(dn("Before"), "before-logon");
			await directory().move(dn("Before"), away("After"));
			await directory().modify(away("After"), { sAMAccountName: "after-logon" });
			await add(dn("Before"), "before-logon");
			other = await anchorOfDn(directory(), dn("Before"));
		}, 60_000);

		it.each([
			{ form: "dn", isNews: true },
			{ form: "guid", isNews: false },
			{ form: "sid", isNews: false },
			{ form: "logon", isNews: true },
			{ form: "cn", isNews: true },
		] as const)("is still the one that was meant by its $form, although another one has that now", async ({ form, isNews }) => {
			const end = await readNaming(names[form], pinned(names[form], names.guid));
			expect(end.ruleGroups).toEqual([{ nameKey: groupKey(names[form]), anchor: names.guid }]);
			const news = `the group "${names[form]}" of a rule is now "${away("After")}": it is still the same one; change the configuration`;
			expect(end.warnings).toEqual(isNews ? [news] : []);
		});

		it("is the other one for whoever never knew the first", async () => {
			for (const form of ["dn", "logon", "cn"] as const) {
				expect(
					(await readNaming(names[form])).ruleGroups.map(({ anchor }) => anchor),
					form,
				).toEqual([other]);
			}
		});

		it("is no news as long as one of its names is the one that is written", async () => {
			await add(dn("Half"), "half-logon");
			const anchor = await anchorOfDn(directory(), dn("Half"));
			await directory().move(dn("Half"), away("Half anew"));
			const end = await readNaming("HALF-LOGON", pinned("half-logon", anchor));
			expect(end).toMatchObject({ ruleGroups: [{ anchor }], warnings: [] });
		});

		it("stays the scope, too, where users.groups names it", async () => {
			const users = { filter: undefined, exclude: [], groups: [names.dn] };
			const source = sourceOn(directory(), { bases: [places().people], users });
			const { end } = await readWithGroups(source, { ...fullRequest(), pins: pinned(names.dn, names.guid) });
			expect(end.scopeGroups).toEqual([{ nameKey: groupKey(names.dn), anchor: names.guid }]);
			expect(end.warnings).toEqual([expect.stringContaining(`of users.groups is now "${away("After")}"`)]);
		});
	});

	it("a group that is deleted and made again under its name is taken by that, but not by what the first one alone had", async () => {
		await add(dn("Again"), "again-logon");
		const names = await namesOf(dn("Again"), "again-logon");
		await directory().remove(dn("Again"));
		await add(dn("Again"), "again-logon");
		const anchor = await anchorOfDn(directory(), dn("Again"));
		for (const form of ["dn", "logon", "cn", "guid", "sid"] as const) {
			const end = await readNaming(names[form], pinned(names[form], names.guid));
			const isFound = form !== "guid" && form !== "sid";
			expect(end.ruleGroups, form).toEqual(isFound ? [{ nameKey: groupKey(names[form]), anchor }] : []);
			expect(end.warnings, form).toEqual([]);
		}
	});

	describe("a name that several groups have", () => {
		beforeAll(async () => {
			await add(dn("Twin"), "twin-one");
			await add(away("Twin"), "twin-two");
		}, 60_000);

		it("means none of them, and a warning has all of them and the cure", async () => {
			const { ruleGroups, unsealed, warnings } = await readNaming("twin");
			expect({ ruleGroups, unsealed }).toEqual({ ruleGroups: [], unsealed: [] });
			expect(warnings).toEqual([expect.stringMatching(/^2 groups have the name "twin".*; name it by its DN or GUID$/)]);
			for (const each of [dn("Twin"), away("Twin")]) expect(warnings[0]).toContain(`"${each}"`);
		});

		it("means the one that was meant as long as it had the name alone", async () => {
			const anchor = await anchorOfDn(directory(), away("Twin"));
			expect(await readNaming("Twin", pinned("Twin", anchor))).toMatchObject({ ruleGroups: [{ anchor }], warnings: [] });
		});

		it("means the one that logs on by it", async () => {
			await add(dn("Twin by logon"), "Twin");
			const anchor = await anchorOfDn(directory(), dn("Twin by logon"));
			expect(await readNaming("twin")).toMatchObject({ ruleGroups: [{ anchor }], warnings: [] });
			await directory().remove(dn("Twin by logon"));
		});

		it("means the one that is left, which a delta reads although nothing changed of it", async () => {
			const before = await readWithGroups(naming("Twin"), fullRequest());
			await directory().remove(away("Twin"));
			const request = { mode: "delta", cursor: before.end.cursor as Cursor, pins: new Map(), known: knowing(before) } as const;
			const delta = await readWithGroups(naming("Twin"), request);
			expect(delta.mode, delta.fullBecause).toBe("delta");
			expect(delta.end.ruleGroups).toMatchObject([{ anchor: await anchorOfDn(directory(), dn("Twin")) }]);
			expect(groupNames(delta, false)).toEqual(["Twin"]);
		});
	});
}
