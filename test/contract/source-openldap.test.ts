import { beforeAll, describe, expect, it } from "vitest";
import { useOpenLdap } from "../support/openldap.ts";
import { describeWith } from "../support/require.ts";
import { ldapDeltaContract } from "./ldap-delta.ts";
import { ldapPlaces, ldapWriter, populateLdap } from "./ldap-directory.ts";
import { ldapFindContract } from "./ldap-find.ts";
import { ldapGroupsContract } from "./ldap-groups.ts";
import { ldapLookupContract } from "./ldap-lookup.ts";
import { byUid, ldapSource, readLdap, uidsOf } from "./ldap-reader.ts";
import { ldapReadingContract } from "./ldap-reading.ts";
import { ldapRuleGroupsContract } from "./ldap-rule-groups.ts";

describeWith(["slapd"], "an OpenLDAP server", () => {
	const server = useOpenLdap();
	const people = () => ldapPlaces(server()).people;
	const source = () => ldapSource(server(), { bases: [people()] });
	const writer = () => ldapWriter(server());

	describe("the source", () => {
		beforeAll(() => populateLdap(server()), 60_000);
		ldapReadingContract(server);
		ldapLookupContract(server);
		ldapFindContract(server);
		ldapDeltaContract(server, "syncrepl");
		ldapDeltaContract(server, "timestamp");
		ldapGroupsContract(server);
		ldapRuleGroupsContract(server);
	});

	describe("when it forgets or goes back", () => {
		it("makes a full reading of a delta that would not name the deleted, and goes on from there", async () => {
			await writer().add(writer().person("Forgotten", people()));
			const full = await readLdap(source());
			await server().remove(`cn=Forgotten,${people()}`);
			await writer().modify(`cn=Ordinary7,${people()}`, { title: "Moved on" });
			await server().restart();
			const second = await readLdap(source(), full);
			expect(second).toMatchObject({ mode: "full", fullBecause: expect.stringMatching(/session log.*syncprov-sessionlog/) });
			expect(second.end.unsealed).toEqual([]);
			expect(uidsOf(second)).not.toContain("forgotten");
			await writer().modify(`cn=Ordinary7,${people()}`, { title: "And on" });
			const third = await readLdap(source(), second);
			expect(third.mode, third.fullBecause).toBe("delta");
			expect(uidsOf(third)).toEqual(["ordinary7"]);
		});

		it("makes a full reading, and says that this server knows less, when it was restored from an old copy", async () => {
			const restore = await server().snapshot();
			await writer().modify(`cn=Ordinary8,${people()}`, { title: "Lost" });
			const before = await readLdap(source());
			await restore();
			const after = await readLdap(source(), before);
			expect(after).toMatchObject({
				mode: "full",
				fullBecause: expect.stringContaining("knows less"),
				end: { viewChanged: expect.stringContaining("old copy") },
			});
		});

		it("does not mind another address of a server that knows as much", async () => {
			const before = await readLdap(source());
			const elsewhere = ldapSource({ ...server(), url: server().url.replace("127.0.0.1", "localhost") }, { bases: [people()] });
			const after = await readLdap(elsewhere, before);
			expect(after.mode, after.fullBecause).toBe("delta");
			const byTimestamp = { bases: [people()], changes: "timestamp" } as const;
			const first = await readLdap(ldapSource(server(), byTimestamp));
			const other = await readLdap(ldapSource({ ...server(), url: server().url.replace("127.0.0.1", "localhost") }, byTimestamp), first);
			expect(other).toMatchObject({ mode: "full", fullBecause: expect.stringContaining("another server") });
		});
	});

	describe("with rights taken away", () => {
		it("does not know who is disabled when the attribute that says so may not be read", async () => {
			expect(byUid(await readLdap(source()), "locked").standing).toBe("disabled");
			await server().restart({ access: ["access to attrs=pwdAccountLockedTime by * none"] });
			const blind = await readLdap(source());
			expect(byUid(blind, "locked").standing).toBe("unknown");
			expect(byUid(blind, "ordinary1").standing).toBe("unknown");
			expect(blind.end.unsealed).toEqual([expect.stringMatching(/pwdaccountlockedtime cannot be read beneath "ou=People/)]);
			const [found] = (await source().find("ordinary1", new AbortController().signal)).people;
			expect(source().decode(found?.raw as Uint8Array)).toEqual(byUid(blind, "ordinary1"));
			const unlocked = ldapSource(server(), { bases: [people()], users: { filter: "(!(pwdAccountLockedTime=*))" } });
			const asked = new Set(unlocked.attributes.map((name) => name.toLowerCase()));
			expect(unlocked.placeOf(byUid(blind, "ordinary1"), asked)).toMatchObject({ kind: "unknown" });
			await server().restart({ access: [] });
			expect(byUid(await readLdap(source()), "ordinary1").standing).toBe("enabled");
			expect(unlocked.placeOf(byUid(await readLdap(source()), "ordinary1"), asked)).toEqual({ kind: "in-scope" });
		});

		it("doubts who does not match any more by an attribute that is hidden", async () => {
			const filtered = ldapSource(server(), { bases: [people()], users: { filter: "(title=*)" } });
			const anchor = await writer().anchor("(uid=ordinary9)");
			await server().restart({ access: ["access to attrs=title by * none"] });
			await readLdap(filtered, undefined, async (reading) => {
				const found = await reading.lookup([{ anchor, dn: `cn=Ordinary9,${people()}`, had: ["title"] }]);
				expect(found.get(anchor)).toMatchObject({
					kind: "out-of-scope",
					doubt: expect.stringContaining("neither by the filter nor by its contrary"),
				});
			});
			expect((await filtered.find("ordinary9", new AbortController().signal)).people).toMatchObject([
				{ anchor, place: { kind: "unknown", why: expect.stringContaining("title may be hidden from this account") } },
			]);
			await server().restart({ access: [] });
		});

		it("doubts that people are gone whose container shows nothing any more", async () => {
			const cellar = `ou=Cellar,${people()}`;
			await writer().add([cellar, { objectClass: "organizationalUnit" }], writer().person("Hidden", cellar));
			const anchor = await writer().anchor("(uid=hidden)");
			await server().restart({ access: [`access to dn.one="${cellar}" by * none`] });
			await readLdap(source(), undefined, async (reading, all) => {
				expect(uidsOf(all)).not.toContain("hidden");
				const found = await reading.lookup([{ anchor, dn: `cn=Hidden,${cellar}`, had: [] }]);
				expect(found.get(anchor)).toMatchObject({
					kind: "unseen",
					doubt: expect.stringMatching(/ou=Cellar,ou=People, where it was, shows nothing/),
				});
			});
			await server().restart({ access: [] });
		});

		it("reads in full each time when the naming context cannot be seen", async () => {
			await server().restart({ access: [`access to dn.base="${server().baseDn}" by * none`] });
			const full = await readLdap(source());
			expect(full.end).toMatchObject({ unsealed: [], strategy: "full readings only" });
			expect(await readLdap(source(), full)).toMatchObject({ mode: "full", fullBecause: expect.stringContaining("naming context") });
			await server().restart({ access: [] });
		});
	});
});
