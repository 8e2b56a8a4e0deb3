import { beforeAll, describe, expect, it } from "vitest";
import { dnKey } from "../../src/core/dn.ts";
import type { Anchor } from "../../src/core/entry.ts";
import { groupKey } from "../../src/core/group-name.ts";
import type { GenericLdapOptions } from "../../src/source/generic-ldap/options.ts";
import { useDirectory389 } from "../support/directory-389.ts";
import { textOf } from "../support/ldif.ts";
import { describeWith } from "../support/require.ts";
import { byUid, ldapSource, readLdap, uidsOf } from "./ldap-reader.ts";
import { failureOf } from "./reader.ts";

describeWith(["389ds"], "a 389 Directory Server", () => {
	const server = useDirectory389();
	const people = () => `ou=People,${server().baseDn}`;
	const groups = () => `ou=Groups,${server().baseDn}`;
	const source = (options: Partial<GenericLdapOptions> = {}) =>
		ldapSource(server(), { preset: "389ds", bases: [people()], groups: { bases: [groups()], filter: undefined, exclude: [] }, ...options });
	const add = (dn: string, lines: string) => server().modify(`dn: ${dn}\nchangetype: add\n${lines}\n`);
	const change = (dn: string, lines: string) => server().modify(`dn: ${dn}\nchangetype: ${lines}\n`);
	const anchorOf = async (filter: string): Promise<Anchor> => {
		const [found] = await server().search(server().baseDn, filter, ["nsUniqueId"]);
		return textOf(found as never, "nsUniqueId") as Anchor;
	};

	beforeAll(async () => {
		for (const ou of ["People", "Groups", "Leavers"]) await add(`ou=${ou},${server().baseDn}`, "objectClass: organizationalUnit");
		await add(`ou=Sub,${people()}`, "objectClass: organizationalUnit");
		const made = "objectClass: nsPerson\nobjectClass: nsAccount\nobjectClass: nsOrgPerson\nobjectClass: posixAccount";
		await add(`uid=ann,${people()}`, `${made}\ncn: Ann\ndisplayName: Ann\nuidNumber: 1\ngidNumber: 5000\nhomeDirectory: /home/ann`);
		for (const uid of ["bob", "carol", "dave"])
			await add(`uid=${uid},ou=Sub,${people()}`, `objectClass: inetOrgPerson\ncn: ${uid}\nsn: ${uid}\ntitle: T`);
		await change(`uid=bob,ou=Sub,${people()}`, "modify\nreplace: nsAccountLock\nnsAccountLock: TRUE");
		await add(`cn=members,${groups()}`, `objectClass: groupOfNames\nmember: uid=ann,${people()}`);
		await add(`cn=empty,${groups()}`, "objectClass: groupOfNames");
	});

	it("is read by nsUniqueId, with people of either make, who is locked, and groups that may be empty", async () => {
		await readLdap(source(), undefined, async (reading, all) => {
			expect(all.end).toMatchObject({ unsealed: [], strategy: expect.stringContaining("modifyTimestamp") });
			expect(uidsOf(all)).toEqual(["ann", "bob", "carol", "dave"]);
			expect(byUid(all, "ann").anchor).toBe(await anchorOf("(uid=ann)"));
			expect(byUid(all, "bob").standing).toBe("disabled");
			expect(byUid(all, "carol").standing).toBe("enabled");
			const empty = await anchorOf("(cn=empty)");
			expect(all.groups.map(({ name, members }) => [name, members.length])).toEqual([
				["members", 1],
				["empty", 0],
			]);
			expect(await reading.groups?.doubtEmpty([empty])).toEqual(new Map());
		});
	});

	it("finds a person by uid and nsUniqueId, and says what a group is and whom the filter leaves out", async () => {
		const find = async (user: string, options: Partial<GenericLdapOptions> = {}) =>
			(await source(options).find(user, new AbortController().signal)).people;
		const bob = await anchorOf("(uid=bob)");
		for (const name of ["bob", bob, `uid=bob,ou=Sub,${people()}`])
			expect(await find(name), name).toMatchObject([{ anchor: bob, place: { kind: "in-scope" } }]);
		expect(await find("members")).toMatchObject([{ place: { kind: "not-a-person", what: "a group" } }]);
		const users = { filter: "(title=*)", exclude: [], groups: [] };
		const why = "(title=*) does not match: title has no value";
		expect(await find("ann", { users })).toMatchObject([{ place: { kind: "filtered", why } }]);
		for (const text of ["*", "b*", "bob\u0000", `foo=bar,${server().baseDn}`, "uid=bob,dc=elsewhere,dc=test"])
			expect(await find(text), JSON.stringify(text)).toEqual([]);
	});

	it("finds a group that a rule names by its nsUniqueId, wherever the dashes are, or by its name", async () => {
		const anchor = await anchorOf("(cn=members)");
		const digits = anchor.replaceAll("-", "");
		const asUuid = [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16), digits.slice(16, 20), digits.slice(20)].join("-");
		for (const text of [anchor, anchor.toUpperCase(), asUuid, "Members"]) {
			const all = await readLdap(source({ groups: undefined, ruleGroups: [text] }));
			expect(all.end.ruleGroups, text).toEqual([{ nameKey: groupKey(text), anchor }]);
			expect(all.groups.map(({ name }) => name)).toEqual(["members"]);
		}
	});

	it("tells by modifyTimestamp of a rename, a move of a container out of scope, and nothing of a deletion", async () => {
		const before = await readLdap(source());
		const [ann, dave] = [await anchorOf("(uid=ann)"), await anchorOf("(uid=dave)")];
		await change(`uid=ann,${people()}`, "modrdn\nnewrdn: uid=ann2\ndeleteoldrdn: 1");
		await change(`uid=dave,ou=Sub,${people()}`, "delete");
		const moved = `ou=Sub,ou=Leavers,${server().baseDn}`;
		await change(`ou=Sub,${people()}`, `modrdn\nnewrdn: ou=Sub\ndeleteoldrdn: 0\nnewsuperior: ou=Leavers,${server().baseDn}`);
		await readLdap(source(), before, async (reading, delta) => {
			expect(delta.mode, delta.fullBecause).toBe("delta");
			expect(delta.people.get(ann)?.dn).toBe(`uid=ann2,${people()}`);
			expect(delta.end.containers.map(({ dn }) => dnKey(dn))).toContain(dnKey(moved));
			const carol = byUid(before, "carol");
			const found = await reading.lookup([
				{ anchor: carol.anchor, dn: carol.dn, had: [] },
				{ anchor: dave, dn: `uid=dave,${moved}`, had: [] },
			]);
			expect(found.get(carol.anchor)).toMatchObject({ kind: "out-of-scope", where: "now in ou=Sub,ou=Leavers" });
			expect(found.get(dave)).toEqual({ kind: "unseen", doubt: undefined });
		});
	});

	it("does not hide by its rights who is locked, nor who no longer matches: both are doubted", async () => {
		const filtered = source({ bases: [server().baseDn], users: { filter: "(title=T)", exclude: [], groups: [] } });
		const carol = await anchorOf("(uid=carol)");
		const aci = `aci: (targetattr = "nsAccountLock || title")(version 3.0; acl "hide"; deny (all) userdn="ldap:///${server().reader.user}";)`;
		await change(server().baseDn, `modify\nadd: aci\n${aci}`);
		const blind = await readLdap(source({ bases: [server().baseDn] }));
		expect(byUid(blind, "bob").standing).toBe("unknown");
		expect(blind.end.unsealed).toEqual([expect.stringContaining("nsaccountlock cannot be read")]);
		await readLdap(filtered, undefined, async (reading) => {
			const found = await reading.lookup([{ anchor: carol, dn: `uid=carol,ou=Sub,ou=Leavers,${server().baseDn}`, had: ["title"] }]);
			expect(found.get(carol)).toMatchObject({ kind: "out-of-scope", doubt: expect.stringContaining("hidden") });
		});
		await change(server().baseDn, `modify\ndelete: aci\n${aci}`);
	});

	describe("with a size limit", () => {
		it("ends a reading with it", async () => {
			await change("cn=config", "modify\nreplace: nsslapd-sizelimit\nnsslapd-sizelimit: 2");
			expect(await failureOf(readLdap(source({ bases: [server().baseDn] })))).toMatchObject({ code: "SOURCE_LIMIT" });
			await change("cn=config", "modify\nreplace: nsslapd-sizelimit\nnsslapd-sizelimit: 2000");
		});
	});
});
