import { beforeAll, describe, expect, it } from "vitest";
import { dnKey } from "../../src/core/dn.ts";
import type { Anchor } from "../../src/core/entry.ts";
import type { Reading, Whereabouts } from "../../src/source/source.ts";
import type { OpenLdap } from "../support/openldap.ts";
import { escapeValue } from "./directory.ts";
import { ldapPlaces, ldapWriter } from "./ldap-directory.ts";
import { ldapSource, readLdap } from "./ldap-reader.ts";
import { oddNames } from "./population.ts";

const had = ["cn", "uid", "title"];
const never = "00000000-1111-2222-3333-444444444444" as Anchor;

export function ldapLookupContract(server: () => OpenLdap): void {
	const places = () => ldapPlaces(server());
	const writer = () => ldapWriter(server());
	async function reading<T>(use: (reading: Reading) => Promise<T>, filter?: string, protect: readonly string[] = []): Promise<T> {
		let result: { readonly value: T } | undefined;
		const source = ldapSource(server(), { bases: [places().people], users: { filter, exclude: [places().excluded] }, protect });
		await readLdap(source, undefined, async (open) => {
			result = { value: await use(open) };
		});
		return (result as { readonly value: T }).value;
	}
	async function lookup(anchor: Anchor, dn: string, filter?: string): Promise<Whereabouts> {
		const found = await reading((open) => open.lookup([{ anchor, dn, had }]), filter);
		return found.get(anchor) as Whereabouts;
	}

	describe("a lookup", () => {
		beforeAll(async () => {
			const { person, add } = writer();
			await add(person("LookMoved", places().second), person("LookRobot", places().excluded), person("LookDeleted", places().people));
		});

		it("finds who is in scope, under every odd name, in one question", async () => {
			const wanted = await Promise.all(
				oddNames.map(async (name, number) => ({
					anchor: await writer().anchor(`(uid=odd${number})`),
					dn: `cn=${escapeValue(name)},${places().people}`,
					had,
				})),
			);
			const found = await reading((open) => open.lookup(wanted));
			expect([...found.values()].map(({ kind }) => kind)).toEqual(oddNames.map(() => "in-scope"));
		});

		it("says where somebody is now who is not in scope", async () => {
			const was = (name: string) => `cn=${name},${places().people}`;
			const { anchor } = writer();
			expect(await lookup(await anchor("(uid=lookmoved)"), was("LookMoved"))).toMatchObject({
				kind: "out-of-scope",
				dn: `cn=LookMoved,${places().second}`,
				where: "now in ou=Second",
				doubt: undefined,
			});
			expect(await lookup(await anchor("(uid=lookrobot)"), was("LookRobot"))).toMatchObject({
				kind: "out-of-scope",
				where: "now in the excluded ou=Robots,ou=People",
				doubt: undefined,
			});
			expect(await lookup(await anchor("(uid=ordinary5)"), was("Ordinary5"), "(title=Elsewhere)")).toMatchObject({
				kind: "out-of-scope",
				where: "no longer matches users.filter",
				doubt: undefined,
			});
			const device = await anchor("(cn=printer)");
			expect(await lookup(device, was("printer"))).toMatchObject({
				kind: "out-of-scope",
				where: "not a person any more",
				doubt: undefined,
			});
		});

		it("sees nobody, without a doubt, where somebody was deleted", async () => {
			const dn = `cn=LookDeleted,${places().people}`;
			const anchor = await writer().anchor("(uid=lookdeleted)");
			await server().remove(dn);
			expect(await lookup(anchor, dn)).toEqual({ kind: "unseen", doubt: undefined });
			expect(await lookup(never, dn)).toEqual({ kind: "unseen", doubt: undefined });
		});

		it("doubts that somebody is gone whose container cannot be seen", async () => {
			const hidden = await lookup(never, `cn=Somebody,ou=Hidden,${places().people}`);
			expect(hidden).toMatchObject({ kind: "unseen", doubt: expect.stringContaining("ou=Hidden") });
		});

		it("believes a container that is empty by the server's own count", async () => {
			await writer().add([`ou=Empty,${places().people}`, { objectClass: "organizationalUnit" }]);
			expect(await lookup(never, `cn=Somebody,ou=Empty,${places().people}`)).toEqual({ kind: "unseen", doubt: undefined });
		});

		it("tells an attribute that nobody has from one that can be read", async () => {
			expect(await reading((open) => open.isReadable("title"))).toBe(true);
			expect(await reading((open) => open.isReadable("carLicense"))).toBe(false);
		});

		it("names who reports to a manager, also after the manager was renamed", async () => {
			const { person, add, modify, move, anchor } = writer();
			const [boss, one, two] = [person("Boss", places().people), person("Report1", places().people), person("Report2", places().berlin)];
			await add(boss, one, two);
			for (const [dn] of [one, two]) await modify(dn, { manager: boss[0] });
			await move(boss[0], `cn=Boss\\, married,${places().people}`);
			const who = await anchor("(uid=boss)");
			const found = await reading((open) => open.reportsOf([who]));
			expect((found.get(who) ?? []).map(dnKey).sort()).toEqual([one[0], two[0]].map(dnKey).sort());
		});

		it("protects people by name, by group within group, in circles too, by uid, by primary group, and by container", async () => {
			const { person, add, modify } = writer();
			const group = (name: string) => `cn=${name},${places().groups}`;
			const names = ["Direct", "Nested", "Named", "Byuid", "Primary"];
			const posix = { objectClass: ["inetOrgPerson", "posixAccount"], uidNumber: "4711", gidNumber: "4711", homeDirectory: "/home/x" };
			await add(...names.map((name) => person(`Prot${name}`, places().people, name === "Primary" ? posix : {})));
			const [direct, nested, named, byUid, primary] = names.map((name) => `cn=Prot${name},${places().people}`) as [
				string,
				string,
				string,
				string,
				string,
			];
			await add([group("Inner"), { objectClass: "groupOfNames", member: nested }]);
			await add([group("Outer"), { objectClass: "groupOfUniqueNames", uniqueMember: [direct, group("Inner")] }]);
			await modify(group("Inner"), { member: [nested, group("Outer")] });
			await add([group("ProtPosix"), { objectClass: "posixGroup", gidNumber: "4711", memberUid: ["PROTBYUID", "nobody"] }]);
			const protect = [group("Outer").toUpperCase(), named, places().berlin, group("ProtPosix")];
			const source = ldapSource(server(), { bases: [places().people], protect });
			const { end } = await readLdap(source);
			expect([...end.protection.people].sort()).toEqual([direct, nested, named, byUid, primary].map(dnKey).sort());
			expect(end.protection.containers).toEqual([dnKey(places().berlin)]);
			expect(end.protection.unresolved).toEqual([]);
			const missing = await readLdap(ldapSource(server(), { protect: [group("No such group")] }));
			expect(missing.end.protection.unresolved).toEqual([expect.stringContaining("No such group")]);
		});
	});
}
