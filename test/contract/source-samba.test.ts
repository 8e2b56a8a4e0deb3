import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Cursor } from "../../src/core/cursor.ts";
import { dnKey } from "../../src/core/dn.ts";
import { ldifLine, type Record, textOf } from "../support/ldif.ts";
import { fullRequest } from "../support/requests.ts";
import { describeWith } from "../support/require.ts";
import { useSamba } from "../support/samba.ts";
import { noTls } from "../support/tls.ts";
import { openWatch } from "../support/watches.ts";
import { type Directory, person, type Values } from "./directory.ts";
import { addGroup, groupNamed, knowing, memberDns, readWithGroups } from "./groups.ts";
import { addPerson, placesOf } from "./population.ts";
import { anchorAt, byLogon, failureOf, logonsOf, read, sourceOn } from "./reader.ts";
import { directoryOnSamba } from "./samba.ts";
import { sourceContract } from "./source.ts";

describeWith(["samba"], "a Samba domain controller", () => {
	const samba = useSamba();
	const directory = () => directoryOnSamba(samba());
	sourceContract(directory, () => samba().admin);

	describe("and only a real one", () => {
		it("has service accounts and trusts, which are no people", async () => {
			const people = placesOf(directory()).people;
			await samba().add(
				[
					ldifLine("dn", `CN=gmsa1,${people}`),
					"objectClass: msDS-GroupManagedServiceAccount\nsAMAccountName: gmsa1$\nmsDS-ManagedPasswordInterval: 30\nuserAccountControl: 4096\n",
				].join(""),
			);
			await samba().add(
				`${ldifLine("dn", `CN=msa1,${people}`)}objectClass: msDS-ManagedServiceAccount\nsAMAccountName: msa1$\nuserAccountControl: 4096\n`,
			);
			const logons = logonsOf(await read(sourceOn(directory())));
			expect(logons.filter((logon) => logon.endsWith("$"))).toEqual([]);
		});

		it("hands out all 1,600 members of a group, part by part, and one change of them by the next delta", async () => {
			const base = `OU=Crowd,${directory().baseDn}`;
			await directory().add(base, { objectClass: "organizationalUnit" });
			const contacts = Array.from({ length: 1600 }, (_, number) => person(`Contact ${number}`, base));
			for (let at = 0; at < contacts.length; at += 500) {
				await samba().add(
					contacts
						.slice(at, at + 500)
						.map((dn) => `${ldifLine("dn", dn)}objectClass: contact\n`)
						.join("\n"),
				);
			}
			const dn = person("Crowd", base);
			await addGroup(directory(), dn, contacts);
			const source = sourceOn(directory(), { bases: [base], groups: { bases: [base], filter: undefined, exclude: [], kinds: [] } });
			const before = await readWithGroups(source, fullRequest());
			expect(before.end.unsealed).toEqual([]);
			expect(memberDns(groupNamed(before, "Crowd"))).toEqual(contacts.map(dnKey).sort());
			await samba().modify(`${ldifLine("dn", dn)}changetype: modify\ndelete: member\n${ldifLine("member", contacts[0] as string)}-\n`);
			const cursor = before.end.cursor as Cursor;
			const delta = await readWithGroups(source, { mode: "delta", cursor, pins: new Map(), known: knowing(before) });
			expect(groupNamed(delta, "Crowd").members.size).toBe(1599);
		}, 120_000);

		it("has its USN go back when it is restored: a full reading, and the run can say why", async () => {
			const restore = await samba().snapshot();
			await directory().modify(person("Ordinary 2", placesOf(directory()).people), { department: "Lost" });
			const cursor = (await read(sourceOn(directory()))).end.cursor as Cursor;
			await restore();
			const full = await read(sourceOn(directory()), cursor);
			expect(full.mode).toBe("full");
			expect(full.fullBecause).toMatch(/went back/);
		}, 60_000);

		it("is trusted by the CA that signed it, and by nothing else", async () => {
			const { url, caPem, otherCa } = samba();
			const over = (address: string, tls: Partial<Directory["connection"]["tls"]>) =>
				sourceOn(directory(), { urls: [address], insecure: false, tls: { ...noTls, ca: caPem, ...tls } });
			expect(logonsOf(await read(over(url, {})))).toContain("ordinary1");
			expect(logonsOf(await read(over(samba().ldapUrl, { startTls: true })))).toContain("ordinary1");
			for (const address of [url, samba().ldapUrl]) {
				const startTls = address === samba().ldapUrl;
				const strange = over(address, { startTls, ca: readFileSync(otherCa, "utf8") });
				expect(await failureOf(read(strange))).toMatchObject({ code: "SOURCE_UNTRUSTED" });
				const misnamed = over(address, { startTls, servername: "dc9.elsewhere.example.test" });
				expect(await failureOf(read(misnamed))).toMatchObject({ code: "SOURCE_UNTRUSTED" });
			}
			for (const kind of ["expired", "wrong-host"] as const) {
				await samba().presentCertificate(kind);
				expect(await failureOf(read(over(url, {}))), kind).toMatchObject({ code: "SOURCE_UNTRUSTED" });
				expect(await failureOf(read(over(samba().ldapUrl, { startTls: true }))), kind).toMatchObject({ code: "SOURCE_UNTRUSTED" });
			}
			await samba().presentCertificate("good");
		}, 60_000);
	});

	describe("when it fails", () => {
		const briefly = { connectMs: 2_000, bindMs: 1_000, requestMs: 1_000 };

		it("breaks the reading when it dies in the middle of it, and serves the next", async () => {
			const reading = await sourceOn(directory(), { pageSize: 5 }).read(fullRequest(), new AbortController().signal);
			const pages = async () => {
				for await (const _ of reading.pages) await samba().kill();
			};
			expect(await failureOf(pages())).toMatchObject({ code: "SOURCE_BROKE" });
			await reading.close();
			expect(await failureOf(read(sourceOn(directory())))).toMatchObject({ code: "SOURCE_UNREACHABLE" });
			await samba().start();
			expect(logonsOf(await read(sourceOn(directory())))).toContain("ordinary1");
		}, 60_000);

		it("does not hang a reading when it stops answering", async () => {
			const reading = await sourceOn(directory(), { pageSize: 5, timeouts: briefly }).read(fullRequest(), new AbortController().signal);
			const pages = async () => {
				for await (const _ of reading.pages) samba().pause();
			};
			try {
				expect(await failureOf(pages())).toMatchObject({ code: expect.stringMatching(/^SOURCE_(?:BROKE|UNREACHABLE)$/) });
				await reading.close();
				expect(await failureOf(read(sourceOn(directory(), { timeouts: briefly })))).toMatchObject({ code: "SOURCE_UNREACHABLE" });
			} finally {
				samba().resume();
			}
			expect(logonsOf(await read(sourceOn(directory())))).toContain("ordinary1");
		}, 60_000);

		it("ends a watch when it stops, and takes a new one when it is back", async () => {
			const watch = await openWatch(sourceOn(directory(), { watch: true }));
			await samba().stop();
			expect(await watch.ended).toMatchObject({ code: "SOURCE_BROKE", hint: expect.stringContaining("schedule") });
			await samba().start();
			const again = await openWatch(sourceOn(directory(), { watch: true }));
			again.stop();
			expect(await again.ended).toMatchObject({ code: "CANCELLED" });
		}, 60_000);

		it("is passed over for the next of the urls when it is down", async () => {
			const urls = ["ldap://127.0.0.1:1", ...directory().connection.urls];
			const all = await read(sourceOn(directory(), { urls }));
			expect(logonsOf(all)).toContain("ordinary1");
		});

		it.each([
			{ state: "disabled", values: { userAccountControl: "514" }, says: /disabled/ },
			{ state: "expired", values: { accountExpires: "132223104000000000" }, says: /expired/ },
			{ state: "with a password that must change", values: { pwdLastSet: "0" }, says: /change/ },
		])("says that the service account is $state", async ({ state, values, says }) => {
			const name = `svc ${state}`;
			await samba().tool("user", "create", name, "Passw0rd.svc");
			const dn = person(name, `CN=Users,${samba().baseDn}`);
			await directory().modify(dn, values as Values);
			const failure = await failureOf(read(sourceOn(directory(), { bind: { user: dn, password: "Passw0rd.svc" } })));
			expect(failure).toMatchObject({ code: "SOURCE_REFUSED" });
			expect(`${(failure as Error).message} ${(failure as { hint?: string }).hint}`).toMatch(says);
		});
	});

	describe("with rights taken away", () => {
		/** schemaIDGUID of userAccountControl. */
		const userAccountControl = "bf967a68-0de6-11d0-a285-00aa003049e2";

		async function deny(dn: string, entry: (sid: string) => string): Promise<() => Promise<void>> {
			const [account] = await samba().ldbsearch("(sAMAccountName=svc-dirsyncd)", ["objectSid"]);
			return samba().grant(dn, entry(textOf(account as Record, "objectSid") as string));
		}

		it("does not know who is disabled when userAccountControl cannot be read", async () => {
			const dn = await addPerson(directory(), "Veiled", placesOf(directory()).people, "veiled", { userAccountControl: "514" });
			const giveBack = await deny(dn, (sid) => `(OD;;RP;${userAccountControl};;${sid})`);
			expect(byLogon(await read(sourceOn(directory())), "veiled").standing).toBe("unknown");
			const enabled = "(!(userAccountControl:1.2.840.113556.1.4.803:=2))";
			const filtered = sourceOn(directory(), { users: { filter: enabled, exclude: [], groups: [] } });
			const placeFound = async () => (await filtered.find("veiled", new AbortController().signal)).people[0]?.place;
			// Samba judges by what it does not show, or as if that were not there (measured); it is never said to have no value.
			expect(await placeFound()).toEqual({ kind: "filtered", why: `${enabled} does not match` });
			const shown = sourceOn(directory(), { users: { filter: "(userAccountControl=514)", exclude: [], groups: [] } });
			expect((await shown.find("veiled", new AbortController().signal)).people).toMatchObject([
				{ place: { kind: "filtered", why: "(userAccountControl=514) does not match" } },
			]);
			await giveBack();
			expect(byLogon(await read(sourceOn(directory())), "veiled").standing).toBe("disabled");
			expect(await placeFound()).toEqual({ kind: "filtered", why: `${enabled} does not match: userAccountControl is "514"` });
		});

		it("doubts that people are gone whose container may not be listed", async () => {
			const { people } = placesOf(directory());
			const cellar = `OU=Cellar,${people}`;
			await directory().add(cellar, { objectClass: "organizationalUnit" });
			const dn = await addPerson(directory(), "Hidden", cellar, "hidden");
			const anchor = await anchorAt(directory(), "hidden");
			await deny(cellar, (sid) => `(D;CI;RPLCLO;;;${sid})`);
			await read(sourceOn(directory()), undefined, async (open, all) => {
				expect(logonsOf(all)).not.toContain("hidden");
				const found = await open.lookup([{ anchor, dn, had: ["cn"] }]);
				expect(found.get(anchor)).toMatchObject({ kind: "unseen", doubt: expect.stringMatching(/Cellar|still there/) });
			});
		});
	});
});
