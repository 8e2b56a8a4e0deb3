import { describe, expect, it } from "vitest";
import { textsOf } from "../support/ldif.ts";
import { fullRequest } from "../support/requests.ts";
import type { Directory } from "./directory.ts";
import { oddNames, ordinaryCount, placesOf } from "./population.ts";
import { anchorOf, byLogon, failureOf, logonsOf, read, sourceOn } from "./reader.ts";

export function readingContract(directory: () => Directory): void {
	describe("a complete reading", () => {
		it("has everyone that an independent search finds, with the same values, and is sealed", async () => {
			const source = sourceOn(directory());
			const all = await read(source);
			const records = await directory().search(
				directory().baseDn,
				"(&(objectCategory=person)(objectClass=user)(sAMAccountType=805306368))",
				["*"],
			);
			expect(records.length).toBeGreaterThan(ordinaryCount + oddNames.length);
			expect([...all.entries.keys()].sort()).toEqual(records.map(anchorOf).sort());
			for (const record of records) {
				const entry = all.entries.get(anchorOf(record));
				expect(entry?.dn).toBe(record.dn);
				for (const name of source.attributes.filter((name) => name !== "objectGUID" && name !== "objectSid")) {
					expect([...(entry?.attributes.get(name.toLowerCase()) ?? [])].sort(), `${name} of ${record.dn}`).toEqual(
						textsOf(record, name).sort(),
					);
				}
			}
			expect(all.mode).toBe("full");
			expect(all.end.unsealed).toEqual([]);
			expect(all.end.read).toBe(records.length);
			expect(all.end.cursor).toBeDefined();
		});

		it.each([{ pageSize: 1 }, { pageSize: 7 }, { pageSize: 1000 }])("has each person once in pages of $pageSize", async ({ pageSize }) => {
			const { people } = placesOf(directory());
			const all = await read(sourceOn(directory(), { bases: [people], pageSize }));
			expect(new Set(all.anchors).size).toBe(all.anchors.length);
			expect(logonsOf(all)).toEqual(logonsOf(await read(sourceOn(directory(), { bases: [people] }))));
			expect(Math.max(...all.pageLengths)).toBeLessThanOrEqual(pageSize);
			expect(all.end.unsealed).toEqual([]);
		});

		it.each(oddNames.map((name, number) => ({ name, number })))("reads the name $name", async ({ name, number }) => {
			const entry = byLogon(
				await read(sourceOn(directory(), { users: { filter: `(sAMAccountName=odd${number})`, exclude: [], groups: [] } })),
				`odd${number}`,
			);
			expect(entry.attributes.get("displayname")).toEqual([name.trim()]);
			expect(entry.attributes.get("cn")).toEqual([name]);
		});

		it("finds no contacts and no computers among people", async () => {
			const logons = logonsOf(await read(sourceOn(directory())));
			expect(logons).not.toContain("PC1$");
			expect(logons).not.toContain("?");
		});

		it("tells who is disabled and who has expired", async () => {
			const all = await read(sourceOn(directory()));
			expect(byLogon(all, "disabled").standing).toBe("disabled");
			expect(byLogon(all, "ordinary1").standing).toBe("enabled");
			expect(byLogon(all, "ordinary1").expiresAt).toBeUndefined();
			expect(byLogon(all, "never0").expiresAt).toBeUndefined();
			expect(byLogon(all, "expired").expiresAt).toBe(Date.UTC(2020, 0, 1));
		});

		it("tells primary addresses from aliases, and the implicit userPrincipalName", async () => {
			const all = await read(sourceOn(directory()));
			const { domain } = directory();
			const many = byLogon(all, "many");
			expect(many.attributes.get("primarysmtpaddress")).toEqual([`many@${domain}`]);
			expect([...(many.attributes.get("othersmtpaddresses") ?? [])].sort()).toEqual([`m@${domain}`, `many.old@${domain}`]);
			const bare = byLogon(all, "bare");
			expect(bare.attributes.has("userprincipalname")).toBe(false);
			expect(bare.attributes.get("implicituserprincipalname")).toEqual([`bare@${domain}`]);
		});

		it("leaves out excluded containers, however they are spelled", async () => {
			const { people, excluded } = placesOf(directory());
			const spelled = excluded.replace("OU=Robots", "ou = \\52obots").replace(",OU=People", " , ou=PEOPLE");
			const all = await read(sourceOn(directory(), { bases: [people], users: { filter: undefined, exclude: [spelled], groups: [] } }));
			expect(logonsOf(all)).not.toContain("robot1");
			expect(logonsOf(all)).toContain("ordinary1");
		});

		it("reads several bases, and those within each other once", async () => {
			const { people, second, berlin } = placesOf(directory());
			const all = await read(sourceOn(directory(), { bases: [berlin, second, people] }));
			expect(logonsOf(all)).toEqual(expect.arrayContaining(["second1", "ordinary1", "odd1"]));
			expect(new Set(all.anchors).size).toBe(all.anchors.length);
		});

		it("narrows people down by the filter", async () => {
			const all = await read(
				sourceOn(directory(), {
					users: { filter: "(&(sAMAccountName=ordinary1*)(!(sAMAccountName=ordinary10)))", exclude: [], groups: [] },
				}),
			);
			expect(logonsOf(all)).toEqual(["ordinary1", ...Array.from({ length: 9 }, (_, index) => `ordinary1${index + 1}`)]);
		});

		it("names its containers, which a delta compares with", async () => {
			const all = await read(sourceOn(directory()));
			const dns = all.end.containers.map(({ dn }) => dn);
			expect(dns).toEqual(expect.arrayContaining([placesOf(directory()).people, placesOf(directory()).berlin]));
		});

		it("fails at a base that is not there", async () => {
			const { people, root } = placesOf(directory());
			const failing = read(sourceOn(directory(), { bases: [people, `OU=Not there,${root}`] }));
			expect(await failureOf(failing)).toMatchObject({ code: "SOURCE_BASE_MISSING", message: expect.stringContaining("Not there") });
		});

		it("fails with a wrong password, which is named, and not shown", async () => {
			const { bind } = directory().connection;
			const failure = await failureOf(read(sourceOn(directory(), { bind: { user: bind.user, password: "Mistaken.1" } })));
			expect(failure).toMatchObject({ code: "SOURCE_REFUSED" });
			expect(JSON.stringify(failure, Object.getOwnPropertyNames(failure))).not.toContain("Mistaken.1");
		});

		it("stops when it is told to", async () => {
			const controller = new AbortController();
			const reading = await sourceOn(directory(), { pageSize: 1 }).read(fullRequest(), controller.signal);
			const pages = async () => {
				for await (const _ of reading.pages) controller.abort();
			};
			expect(await failureOf(pages())).toMatchObject({ code: "CANCELLED" });
			await reading.close();
		});

		it("changes identity with the account, and scope with what is asked", () => {
			const one = sourceOn(directory());
			const { bind } = directory().connection;
			expect(sourceOn(directory(), { bind: { ...bind, user: "somebody@else.test" } }).identity).not.toBe(one.identity);
			expect(sourceOn(directory(), { bind: { ...bind, password: "another" } }).identity).toBe(one.identity);
			expect(sourceOn(directory(), { bases: [placesOf(directory()).people] }).scope).not.toBe(one.scope);
			expect(sourceOn(directory(), { users: { filter: "(mail=*)", exclude: [], groups: [] } }).scope).not.toBe(one.scope);
			expect(sourceOn(directory(), { bases: [directory().baseDn.toLowerCase()] }).scope).toBe(one.scope);
		});
	});
}
