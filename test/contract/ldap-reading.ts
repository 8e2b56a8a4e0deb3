import { describe, expect, it } from "vitest";
import { dnKey } from "../../src/core/dn.ts";
import { textOf, textsOf } from "../support/ldif.ts";
import { limitedPeople, type OpenLdap } from "../support/openldap.ts";
import { fullRequest } from "../support/requests.ts";
import { ldapPlaces, ordinaryPeople } from "./ldap-directory.ts";
import { byUid, ldapSource, readLdap, uidsOf } from "./ldap-reader.ts";
import { oddNames } from "./population.ts";
import { failureOf } from "./reader.ts";

export function ldapReadingContract(server: () => OpenLdap): void {
	describe("a complete reading", () => {
		it("has everyone that an independent search finds, with the same values, and is sealed", async () => {
			const source = ldapSource(server());
			const all = await readLdap(source);
			const records = await server().search(server().baseDn, "(objectClass=inetOrgPerson)", ["*", "+"]);
			expect(records.length).toBeGreaterThan(ordinaryPeople + oddNames.length);
			expect([...all.people.keys()].sort()).toEqual(records.map((record) => textOf(record, "entryUUID")).sort());
			for (const record of records) {
				const entry = all.people.get(textOf(record, "entryUUID") as never);
				expect(entry?.dn).toBe(record.dn);
				for (const name of source.attributes) {
					expect([...(entry?.attributes.get(name.toLowerCase()) ?? [])].sort(), `${name} of ${record.dn}`).toEqual(
						textsOf(record, name).sort(),
					);
				}
			}
			expect(all.mode).toBe("full");
			expect(all.end.unsealed).toEqual([]);
			expect(all.end.read).toBe(records.length);
			expect(all.end.strategy).toBe("syncrepl");
		});

		it.each([{ pageSize: 1 }, { pageSize: 7 }, { pageSize: 1000 }])("has each person once in pages of $pageSize", async ({ pageSize }) => {
			const all = await readLdap(ldapSource(server(), { pageSize }));
			expect(new Set(all.anchors).size).toBe(all.anchors.length);
			expect(uidsOf(all)).toEqual(uidsOf(await readLdap(ldapSource(server()))));
			expect(Math.max(...all.pageLengths)).toBeLessThanOrEqual(pageSize);
			expect(all.end.unsealed).toEqual([]);
		});

		it.each(oddNames.map((name, number) => ({ name, number })))("reads the name $name", async ({ name, number }) => {
			const entry = byUid(await readLdap(ldapSource(server(), { users: { filter: `(uid=odd${number})` } })), `odd${number}`);
			expect(entry.attributes.get("displayname")).toEqual([name.trim()]);
			expect(entry.attributes.get("cn")).toEqual([name]);
		});

		it("tells who is locked by an administrator, and not who mistyped a password", async () => {
			const all = await readLdap(ldapSource(server()));
			expect(byUid(all, "locked").standing).toBe("disabled");
			expect(byUid(all, "mistyped").standing).toBe("enabled");
			expect(byUid(all, "ordinary1").standing).toBe("enabled");
		});

		it("tells who is disabled by a filter of one's own, whose attributes are asked for", async () => {
			const disabled = "(|(pwdAccountLockedTime=*)(employeeType=left))";
			const all = await readLdap(ldapSource(server(), { overrides: { disabled } }));
			expect(byUid(all, "mistyped").standing).toBe("disabled");
			expect(byUid(all, "ordinary1").standing).toBe("enabled");
		});

		it("tells when accounts end", async () => {
			const all = await readLdap(ldapSource(server()));
			expect(byUid(all, "expired").expiresAt).toBe(Date.UTC(2020, 0, 1));
			expect(byUid(all, "never").expiresAt).toBeUndefined();
		});

		it("keeps an attribute in another language apart from the plain one", async () => {
			const { attributes } = byUid(await readLdap(ldapSource(server())), "tagged");
			expect(attributes.get("displayname")).toEqual(["Plain"]);
			expect(attributes.get("displayname;lang-de")).toEqual(["Deutsch"]);
		});

		it("leaves out excluded containers, however they are spelled, and reads bases within each other once", async () => {
			const { people, second, berlin, excluded } = ldapPlaces(server());
			const spelled = excluded.replace("ou=Robots", "OU = \\52obots").replace(",ou=People", " , OU=PEOPLE");
			const all = await readLdap(ldapSource(server(), { bases: [berlin, second, people], users: { exclude: [spelled] } }));
			expect(uidsOf(all)).toEqual(expect.arrayContaining(["second1", "ordinary1", "odd1"]));
			expect(uidsOf(all)).not.toContain("robot1");
			expect(new Set(all.anchors).size).toBe(all.anchors.length);
		});

		it("names its containers, which a delta compares with", async () => {
			const { people, berlin } = ldapPlaces(server());
			const all = await readLdap(ldapSource(server()));
			expect(all.end.containers.map(({ dn }) => dnKey(dn))).toEqual(expect.arrayContaining([server().baseDn, people, berlin].map(dnKey)));
		});

		it("fails at a base that is not there", async () => {
			const failing = readLdap(ldapSource(server(), { bases: [`ou=Not there,${server().baseDn}`] }));
			expect(await failureOf(failing)).toMatchObject({ code: "SOURCE_BASE_MISSING", message: expect.stringContaining("Not there") });
		});

		it("stops when it is told to", async () => {
			const controller = new AbortController();
			const reading = await ldapSource(server(), { pageSize: 1 }).read(fullRequest(), controller.signal);
			const pages = async () => {
				for await (const _ of reading.pages) controller.abort();
			};
			expect(await failureOf(pages())).toMatchObject({ code: "CANCELLED" });
			await reading.close();
		});

		it("changes scope with what is asked, and not with how it is spelled", () => {
			const one = ldapSource(server());
			expect(ldapSource(server(), { bases: [server().baseDn.toUpperCase()] }).scope).toBe(one.scope);
			expect(ldapSource(server(), { users: { filter: "(mail=*)" } }).scope).not.toBe(one.scope);
			expect(ldapSource(server(), { overrides: { disabled: "(title=x)" } }).scope).not.toBe(one.scope);
			expect(ldapSource(server(), { overrides: { anchor: "employeeNumber" } }).scope).not.toBe(one.scope);
		});
	});

	describe("a server's size limit of 500", () => {
		it.each([{ pageSize: 1000 }, { pageSize: 100 }])(
			"ends a reading in pages of $pageSize with the limits line that cures it",
			async ({ pageSize }) => {
				const { limitedDn } = server();
				const failure = await failureOf(readLdap(ldapSource(server(), { bases: [limitedDn], pageSize })));
				expect(failure).toMatchObject({
					code: "SOURCE_LIMIT",
					message: expect.stringContaining("sizeLimitExceeded"),
					hint: expect.stringMatching(/limits .*size/),
				});
				expect(limitedPeople).toBeGreaterThan(500);
			},
		);
	});

	describe("an anchor of one's own", () => {
		it("follows people by it, and finds two with the same", async () => {
			const people = { employeeNumber: ["ordinary1", "ordinary2", "ordinary3"] };
			for (const [index, uid] of people.employeeNumber.entries()) {
				await server().modify(
					`dn: cn=${uid},ou=People,${server().baseDn}\nchangetype: modify\nreplace: employeeNumber\nemployeeNumber: N${index % 2}\n`,
				);
			}
			const source = ldapSource(server(), { overrides: { anchor: "employeeNumber" }, users: { filter: "(employeeNumber=*)" } });
			const all = await readLdap(source);
			expect([...all.people.keys()].sort()).toEqual(["n0", "n1"]);
			expect(all.end.unsealed).toEqual([expect.stringMatching(/employeeNumber n0, as somebody else does/)]);
			expect(all.end.strategy).toMatch(/modifyTimestamp/);
			const everyone = await readLdap(ldapSource(server(), { overrides: { anchor: "employeeNumber" } }));
			expect(everyone.end.unsealed).toContainEqual(expect.stringMatching(/shows no employeeNumber: it cannot be followed/));
		});
	});
}
