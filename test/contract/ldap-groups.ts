import { beforeAll, describe, expect, it } from "vitest";
import { dnKey } from "../../src/core/dn.ts";
import type { OpenLdap } from "../support/openldap.ts";
import { ldapPlaces, ldapWriter } from "./ldap-directory.ts";
import { type Group, type LdapRead, ldapSource, readLdap } from "./ldap-reader.ts";
import { failureOf } from "./reader.ts";

export function ldapGroupsContract(server: () => OpenLdap): void {
	const places = () => ldapPlaces(server());
	const writer = () => ldapWriter(server());
	const person = (number: number): string => `cn=Ordinary${number},${places().people}`;
	const group = (name: string, ou = places().groups): string => `cn=${name},${ou}`;
	const source = (roots: readonly string[] = [], filter?: string) =>
		ldapSource(server(), {
			bases: [places().people],
			users: { groups: roots },
			groups: { bases: [places().groups], filter, exclude: [`ou=Old,${places().groups}`] },
		});
	const named = ({ groups }: LdapRead, name: string): Group => {
		const found = groups.filter((one) => one.name === name);
		if (found.length !== 1) throw new Error(`${name} was read ${found.length} times`);
		return found[0] as Group;
	};
	const keys = (names: readonly string[]) => [...names].map(dnKey).sort();
	const membersOf = (read: LdapRead, name: string) => keys(named(read, name).members);

	describe("groups", () => {
		beforeAll(async () => {
			const { add, modify } = writer();
			await add(
				[`ou=Old,${places().groups}`, { objectClass: "organizationalUnit" }],
				[group("Names"), { objectClass: "groupOfNames", member: [person(1), person(2)], description: "By name" }],
				[group("Unique"), { objectClass: "groupOfUniqueNames", uniqueMember: [person(3), `${person(4)}#'0101'B`] }],
				[group("Posix"), { objectClass: "posixGroup", gidNumber: "5001", memberUid: ["ORDINARY5", "nobody-known"] }],
				[group("Open"), { objectClass: "groupOfMembers" }],
				[group("Outside", places().elsewhere), { objectClass: "groupOfNames", member: [person(6)] }],
				[group("Stranger", places().elsewhere), { objectClass: "groupOfNames", member: [person(6)] }],
				[group("Retired", `ou=Old,${places().groups}`), { objectClass: "groupOfNames", member: [person(6)] }],
				[group("Circle"), { objectClass: "groupOfNames", member: [group("Outside", places().elsewhere), person(7)] }],
			);
			await modify(group("Outside", places().elsewhere), { member: [person(6), group("Deep", places().elsewhere), group("Circle")] });
			await add([
				group("Deep", places().elsewhere),
				{ objectClass: "groupOfNames", member: [person(8), group("Outside", places().elsewhere)] },
			]);
			await modify(person(9), {
				objectClass: ["inetOrgPerson", "posixAccount"],
				uidNumber: "9",
				gidNumber: "5001",
				homeDirectory: "/home/9",
			});
		});

		it("are read by each kind of member, each once, with those within them wherever they are, in circles too", async () => {
			const all = await readLdap(source());
			expect(all.end.unsealed).toEqual([]);
			expect(membersOf(all, "Names")).toEqual(keys([person(1), person(2)]));
			expect(named(all, "Names").entry.attributes.get("description")).toEqual(["By name"]);
			expect(named(all, "Names").entry.attributes.has("member")).toBe(false);
			expect(membersOf(all, "Unique")).toEqual(keys([person(3), person(4)]));
			expect(named(all, "Posix").members).toEqual(["nobody-known", person(5)].sort());
			expect(named(all, "Open").members).toEqual([]);
			expect(membersOf(all, "Circle")).toEqual(keys([group("Outside", places().elsewhere), person(7)]));
			for (const name of ["Outside", "Deep"]) expect(named(all, name).isInScope, name).toBe(false);
			for (const name of ["Names", "Unique", "Posix", "Open", "Circle"]) expect(named(all, name).isInScope, name).toBe(true);
			expect(all.groups.map(({ name }) => name)).not.toContain("Stranger");
			expect(all.groups.map(({ name }) => name)).not.toContain("Retired");
		});

		it("are narrowed down by their filter", async () => {
			const all = await readLdap(source([], "(cn=Names)"));
			expect(all.groups.map(({ name }) => name)).toEqual(["Names"]);
		});

		it("tell membership by primary group by the numbers of both sides", async () => {
			const all = await readLdap(source());
			expect(source().primary).toEqual({ member: "gidnumber", group: "gidnumber" });
			expect(named(all, "Posix").entry.attributes.get("gidnumber")).toEqual(["5001"]);
			const people = [...all.people.values()].filter((entry) => entry.attributes.get("gidnumber")?.[0] === "5001");
			expect(people.map(({ dn }) => dn)).toEqual([person(9)]);
		});

		it("doubt their emptiness only where the server does not vouch for it", async () => {
			const [open, names] = [await writer().anchor("(cn=Open)"), await writer().anchor("(cn=Names)")];
			await readLdap(source(), undefined, async ({ groups }) => {
				expect(await groups?.doubtEmpty([open, names])).toEqual(new Map([[names, expect.stringContaining("may be hidden")]]));
			});
		});

		it("are asked for by anchor where they were not seen", async () => {
			const wanted = await Promise.all(
				["Names", "Stranger", "Retired"].map(async (name) => ({ anchor: await writer().anchor(`(cn=${name})`), dn: group(name), had: [] })),
			);
			await readLdap(source(), undefined, async ({ groups }) => {
				const found = await groups?.lookup(wanted);
				expect(wanted.map(({ anchor }) => found?.get(anchor))).toMatchObject([
					{ kind: "in-scope" },
					{ kind: "out-of-scope", where: "now in ou=Elsewhere" },
					{ kind: "out-of-scope", where: "now in the excluded ou=Old,ou=Groups" },
				]);
			});
		});

		it("name the scope by users.groups, through renames by what was pinned", async () => {
			const root = group("Scope", places().elsewhere);
			await writer().add([root, { objectClass: "groupOfNames", member: person(1) }]);
			const anchor = await writer().anchor("(cn=Scope)");
			const pinned = { nameKey: dnKey(root), anchor };
			const first = await readLdap(source([root]));
			expect(first.end.scopeGroups).toEqual([pinned]);
			expect(named(first, "Scope")).toMatchObject({ isInScope: false, members: [person(1)] });
			await writer().move(root, group("Scope renamed", places().second));
			expect(await failureOf(readLdap(source([root])))).toMatchObject({
				code: "SOURCE_BASE_MISSING",
				message: expect.stringContaining("users.groups"),
			});
			const again = await readLdap(source([root]), undefined, undefined, new Map([[pinned.nameKey, anchor]]));
			expect(again.end.scopeGroups).toEqual([pinned]);
			expect(named(again, "Scope renamed").members).toEqual([person(1)]);
		});

		it("are read wherever they are when a rule names them, in the naming contexts of the bases; one that is not there is left out", async () => {
			const ruled = group("Ruled", places().elsewhere);
			await writer().add([ruled, { objectClass: "groupOfNames", member: [person(2), group("Names")] }]);
			const anchor = await writer().anchor("(cn=Ruled)");
			const pinned = { nameKey: dnKey(ruled), anchor };
			const naming = (...groups: readonly string[]) => ldapSource(server(), { bases: [places().people], ruleGroups: groups });
			const first = await readLdap(naming(ruled, group("Never made")));
			expect(first.end).toMatchObject({ unsealed: [], scopeGroups: undefined, ruleGroups: [pinned] });
			expect(named(first, "Ruled")).toMatchObject({ isInScope: false, members: [person(2), group("Names")].sort() });
			expect(membersOf(first, "Names")).toEqual(keys([person(1), person(2)]));
			expect(naming(ruled).scope).toBe(naming().scope);
			// A group named anew is not read by a delta.
			expect(await readLdap(naming(), first)).toMatchObject({ mode: "full" });
			await writer().move(ruled, group("Ruled anew", places().elsewhere));
			const again = await readLdap(naming(ruled), undefined, undefined, new Map([[pinned.nameKey, anchor]]));
			expect(again.end.ruleGroups).toEqual([pinned]);
		});

		it("of 20,000 members are read whole", async () => {
			const members = Array.from({ length: 20_000 }, (_, number) => `cn=Member ${number},ou=Crowd,dc=corp,dc=example,dc=test`);
			await writer().add([group("Huge"), { objectClass: "groupOfMembers", member: members }]);
			const huge = named(await readLdap(source([], "(cn=Huge)")), "Huge");
			expect(huge.members).toEqual([...members].sort());
			await server().remove(group("Huge"));
		});
	});

	describe("a delta of groups", () => {
		async function deltaAfter(change: () => Promise<unknown>, roots: readonly string[] = []): Promise<LdapRead> {
			const before = await readLdap(source(roots));
			await change();
			const delta = await readLdap(source(roots), before);
			expect(delta.mode, delta.fullBecause).toBe("delta");
			return delta;
		}
		const names = ({ groups }: LdapRead) => groups.map(({ name }) => name).sort();

		it("is the group whose members changed, whole, and no other", async () => {
			const delta = await deltaAfter(() => writer().modify(group("Names"), { member: [person(1), person(3)] }));
			expect(names(delta)).toEqual(["Names"]);
			expect(membersOf(delta, "Names")).toEqual(keys([person(1), person(3)]));
		});

		it("has a new group, and those within it that nobody knew", async () => {
			const { add } = writer();
			const inner = group("Inner new", places().elsewhere);
			const delta = await deltaAfter(async () => {
				await add([inner, { objectClass: "groupOfNames", member: person(2) }]);
				await add([group("New"), { objectClass: "groupOfNames", member: [inner, person(1)] }]);
			});
			expect(names(delta)).toEqual(["Inner new", "New"]);
			expect(named(delta, "Inner new").isInScope).toBe(false);
		});

		it("follows the new name of a member, which leaves no trace in the group", async () => {
			const { add, move } = writer();
			const one = writer().person("GroupRenamed", places().people);
			await add(one, [group("Of renamed"), { objectClass: "groupOfNames", member: one[0] }]);
			const to = `cn=GroupRenamed\\, married,${places().people}`;
			const delta = await deltaAfter(() => move(one[0], to));
			expect(membersOf(delta, "Of renamed")).toEqual(keys([to]));
		});

		it("follows a member by uid, when a person gets the uid", async () => {
			const one = writer().person("Late", places().people, { uid: "somebody-else" });
			await writer().add(one);
			const delta = await deltaAfter(() => writer().modify(one[0], { uid: "nobody-known" }));
			expect(membersOf(delta, "Posix")).toEqual(keys([person(5), one[0]]));
		});

		it("follows members whose container was moved", async () => {
			const { add, move, person: make } = writer();
			const [here, there] = [`ou=Team,${places().people}`, `ou=Team moved,${places().people}`];
			const one = make("Teammate", here);
			await add([here, { objectClass: "organizationalUnit" }], one, [group("Of team"), { objectClass: "groupOfNames", member: one[0] }]);
			const delta = await deltaAfter(() => move(here, there));
			expect(membersOf(delta, "Of team")).toEqual(keys([`cn=Teammate,${there}`]));
		});

		it("names a group that was deleted, and one that left the scope", async () => {
			const { add, anchor, move } = writer();
			const [deleted, left] = [group("To delete"), group("To leave")];
			await add(...[deleted, left].map((dn): [string, Record<string, string>] => [dn, { objectClass: "groupOfNames", member: person(1) }]));
			const gone = await anchor("(cn=To delete)");
			const delta = await deltaAfter(async () => {
				await server().remove(deleted);
				await move(left, group("To leave", places().elsewhere));
			});
			expect(delta.deletedGroups).toEqual([gone]);
			expect(named(delta, "To leave").isInScope).toBe(false);
		});
	});
}
