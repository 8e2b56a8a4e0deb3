import { beforeAll, describe, expect, it } from "vitest";
import type { Anchor } from "../../src/core/entry.ts";
import { groupKey } from "../../src/core/group-name.ts";
import type { ReadRequest } from "../../src/source/source.ts";
import type { OpenLdap } from "../support/openldap.ts";
import { ldapPlaces, ldapWriter } from "./ldap-directory.ts";
import { ldapSource, readLdap } from "./ldap-reader.ts";

/** How rules name a group of any other directory than Active Directory, and which one is then meant. */
export function ldapRuleGroupsContract(server: () => OpenLdap): void {
	const places = () => ldapPlaces(server());
	const writer = () => ldapWriter(server());
	const member = () => `cn=Ordinary1,${places().people}`;
	const here = (name: string) => `cn=${name},${places().groups}`;
	const away = (name: string) => `cn=${name},${places().elsewhere}`;
	const add = (dn: string) => writer().add([dn, { objectClass: "groupOfNames", member: member() }]);
	const naming = (...groups: readonly string[]) => ldapSource(server(), { bases: [places().people], ruleGroups: groups });
	const readNaming = (text: string, pins?: ReadRequest["pins"]) =>
		readLdap(naming(text), undefined, undefined, pins).then(({ end }) => end);
	const pinned = (text: string, anchor: Anchor): ReadRequest["pins"] => new Map([[groupKey(text), anchor]]);
	const anchorAt = async (dn: string): Promise<Anchor> => {
		const [found] = await server().search(dn, "(objectClass=groupOfNames)", ["entryUUID"]);
		return found?.attributes.get("entryuuid")?.[0]?.toString() as Anchor;
	};

	describe("a group that a rule names in any way", () => {
		beforeAll(() => add(here("Sellers of all")));

		it.each([
			["its DN", async () => here("sellers of all")],
			["its anchor", () => anchorAt(here("Sellers of all"))],
			["its anchor in another spelling", async () => `{${(await anchorAt(here("Sellers of all"))).toUpperCase()}}`],
			["its cn", async () => "SELLERS of all"],
		])("is found by %s", async (_, textOf) => {
			const text = await textOf();
			const all = await readLdap(naming(text));
			const anchor = await anchorAt(here("Sellers of all"));
			expect(all.end).toMatchObject({ ruleGroups: [{ nameKey: groupKey(text), anchor }], unsealed: [], warnings: [] });
			expect(Object.keys(all.end.ruleGroups[0] ?? {})).toEqual(["nameKey", "anchor"]);
			expect(all.groups.map(({ name }) => name)).toEqual(["Sellers of all"]);
		});

		it.each([
			["a DN", () => here("Never made")],
			["a DN of another server", () => "cn=Far,dc=elsewhere,dc=test"],
			["what is a DN only elsewhere", () => "foo=Bar,dc=elsewhere"],
			["an anchor", () => "00000000-1111-2222-3333-444444444444"],
			["a name", () => "Never made"],
			["a name that would be a filter", () => "Sellers*"],
			["a person's DN", () => member()],
			["a person's name", () => "Ordinary1"],
		])("is none, and stops nothing, where %s names no group", async (_, text) => {
			expect(await readNaming(text())).toMatchObject({ ruleGroups: [], unsealed: [], warnings: [] });
		});

		it("is none, and a warning says why, where it is named by a SID", async () => {
			const end = await readNaming("S-1-5-21-1-2-3-1104");
			expect(end).toMatchObject({ ruleGroups: [], unsealed: [] });
			expect(end.warnings).toEqual([expect.stringMatching(/"S-1-5-21-1-2-3-1104".* SID, .* gives its groups none; name it by its DN/)]);
		});
	});

	describe("a group that a rule names, and that has another name since", () => {
		let first: Anchor;
		let other: Anchor;
		beforeAll(async () => {
			await add(here("Before"));
			first = await anchorAt(here("Before"));
			await writer().move(here("Before"), away("After"));
			await add(here("Before"));
			other = await anchorAt(here("Before"));
		});

		it.each([
			{ form: "DN", textOf: () => here("Before"), isNews: true },
			{ form: "anchor", textOf: () => first, isNews: false },
			{ form: "cn", textOf: () => "Before", isNews: true },
		])("is still the one that was meant by its $form, although another one has that now", async ({ textOf, isNews }) => {
			const end = await readNaming(textOf(), pinned(textOf(), first));
			expect(end.ruleGroups).toEqual([{ nameKey: groupKey(textOf()), anchor: first }]);
			const news = `the group "${textOf()}" of a rule is now "${away("After")}": it is still the same one; change the configuration`;
			expect(end.warnings).toEqual(isNews ? [news] : []);
		});

		it("is the other one for whoever never knew the first", async () => {
			for (const text of [here("Before"), "before"]) {
				expect(
					(await readNaming(text)).ruleGroups.map(({ anchor }) => anchor),
					text,
				).toEqual([other]);
			}
		});

		it("stays the scope, too, where users.groups names it", async () => {
			const root = here("Before");
			const source = ldapSource(server(), { bases: [places().people], users: { groups: [root] } });
			const { end } = await readLdap(source, undefined, undefined, pinned(root, first));
			expect(end.scopeGroups).toEqual([{ nameKey: groupKey(root), anchor: first }]);
			expect(end.warnings).toEqual([expect.stringContaining(`of users.groups is now "${away("After")}"`)]);
		});
	});

	it("a group that is deleted and made again under its name is taken by that, but not by the anchor of the first one", async () => {
		await add(here("Again"));
		const first = await anchorAt(here("Again"));
		await server().remove(here("Again"));
		await add(here("Again"));
		const anchor = await anchorAt(here("Again"));
		for (const text of [here("Again"), "Again"]) {
			expect((await readNaming(text, pinned(text, first))).ruleGroups, text).toEqual([{ nameKey: groupKey(text), anchor }]);
		}
		expect(await readNaming(first, pinned(first, first))).toMatchObject({ ruleGroups: [], warnings: [] });
	});

	describe("a name that several groups have", () => {
		beforeAll(async () => {
			await add(here("Twin"));
			await add(away("Twin"));
		});

		it("means none of them, and a warning has all of them and the cure", async () => {
			const { ruleGroups, unsealed, warnings } = await readNaming("twin");
			expect({ ruleGroups, unsealed }).toEqual({ ruleGroups: [], unsealed: [] });
			expect(warnings).toEqual([expect.stringMatching(/^2 groups have the name "twin".*; name it by its DN or GUID$/)]);
			for (const each of [here("Twin"), away("Twin")]) expect(warnings[0]).toContain(`"${each}"`);
		});

		it("means the one that was meant as long as it had the name alone", async () => {
			const anchor = await anchorAt(away("Twin"));
			expect(await readNaming("Twin", pinned("Twin", anchor))).toMatchObject({ ruleGroups: [{ anchor }], warnings: [] });
		});

		it("means the one that is left, which a delta reads although nothing changed of it", async () => {
			const before = await readLdap(naming("Twin"));
			await server().remove(away("Twin"));
			const delta = await readLdap(naming("Twin"), before);
			expect(delta.mode, delta.fullBecause).toBe("delta");
			expect(delta.end.ruleGroups).toMatchObject([{ anchor: await anchorAt(here("Twin")) }]);
			expect(delta.groups.map(({ name, members }) => ({ name, members }))).toEqual([{ name: "Twin", members: [member()] }]);
			expect((await readLdap(naming("Twin"), delta)).groups).toEqual([]);
		});
	});
}
