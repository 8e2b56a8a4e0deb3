import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { textOf } from "../../src/core/syntax.ts";
import { type Demo, startDemo } from "../../src/demo/demo.ts";
import { latinize } from "../../src/demo/names.ts";
import { makePerson, weddingName } from "../../src/demo/people.ts";
import { makeRandom, scramble, unscramble } from "../../src/demo/random.ts";
import { openWire, type Wire } from "./wire.ts";

const BASE = "DC=corp,DC=example,DC=com";

describe("made-up people", () => {
	it("are the same for the same seed and index, in whatever order they are asked for", () => {
		const forwards = [0, 1, 2, 500].map((index) => makePerson(7, index));
		const backwards = [500, 2, 1, 0].map((index) => makePerson(7, index)).reverse();
		expect(forwards).toEqual(backwards);
		expect(makePerson(8, 1)).not.toEqual(makePerson(7, 1));
	});

	it("have names of many languages, with apostrophes, commas, and what a DN must escape", () => {
		const listed = Array.from({ length: 1000 }, (_, index) => makePerson(1, index).listed);
		for (const letters of [
			/'/,
			/,/,
			/"/,
			/\+/,
			/\\/,
			/^#/,
			/\p{Script=Cyrillic}/u,
			/\p{Script=Han}/u,
			/\p{Script=Arabic}/u,
			/\p{Script=Greek}/u,
			/ø|å|ł|ğ/,
		]) {
			expect(listed.some((name) => letters.test(name))).toBe(true);
		}
	});

	it("are mostly enabled; some are disabled, expired, or will expire", () => {
		const standings = Array.from({ length: 2000 }, (_, index) => makePerson(1, index).standing);
		const count = (wanted: string): number => standings.filter((standing) => standing === wanted).length;
		expect(count("enabled")).toBeGreaterThan(1700);
		for (const standing of ["disabled", "expired", "expiring"]) expect(count(standing)).toBeGreaterThan(10);
	});

	it("have managers, and never in a circle", () => {
		for (let index = 1; index < 1000; index++) expect(makePerson(1, index).manager).toBeLessThan(index);
		expect(makePerson(1, 0).manager).toBeUndefined();
	});

	it("get login names of Latin letters from any name", () => {
		expect(["Ærøskøbing", "Łoś", "Weiß", "D'Aboville", "İbrahim", "Þórdís", "van 't Hoff"].map(latinize)).toEqual([
			"aeroskobing",
			"los",
			"weiss",
			"daboville",
			"ibrahim",
			"thordis",
			"vanthoff",
		]);
		for (let index = 0; index < 2000; index++) expect(makePerson(3, index).family.latin).toMatch(/^[a-z]+$/);
	});

	it("take another name of their own language when they marry", () => {
		expect(["Holm", "Dahl", "Öberg"]).toContain(weddingName("Åberg", makeRandom(4)).shown.replace(/^(?!Holm|Dahl).*$/, "Öberg"));
		for (let seed = 0; seed < 50; seed++) expect(weddingName("Åberg", makeRandom(seed)).shown).not.toBe("Åberg");
	});

	it("can be found by a number that was scrambled", () => {
		for (const index of [0, 1, 2, 999_999, 4_294_967_295]) expect(unscramble(scramble(index))).toBe(index);
	});
});

describe("the demo company", () => {
	it("has as many people as were asked for, with contacts, computers, groups in groups, and accounts that are no people", async () => {
		const demo = await startDemo({ people: { kind: "company", count: 200 } });
		const all = [...demo.directory.all()];
		const of = (objectClass: string): number =>
			all.filter(({ attributes }) => textOf(attributes.get("objectClass")?.at(-1) ?? "") === objectClass).length;
		expect(all.filter(({ attributes }) => attributes.has("employeeID"))).toHaveLength(200);
		expect([of("contact"), of("computer"), of("msDS-GroupManagedServiceAccount")]).toEqual([10, 20, 1]);
		const everyone = demo.directory.get("Everyone");
		expect(everyone?.attributes.get("member")).toHaveLength(10);
		const one = (name: string): string[] =>
			all.flatMap(({ attributes }) => (attributes.get(name) ?? []).map((value) => textOf(value).toLowerCase()));
		for (const name of ["sAMAccountName", "mail", "userPrincipalName"]) expect(new Set(one(name)).size).toBe(one(name).length);
		expect(new Set(one("proxyAddresses")).size).toBe(one("proxyAddresses").length);
		await demo.close();
	});

	it("is the same company for the same seed", async () => {
		const names = async (seed: number): Promise<string[]> => {
			const demo = await startDemo({ seed, clock: () => 0, people: { kind: "company", count: 50 } });
			const found = [...demo.directory.all()].map(({ dn, guid }) => `${guid} ${dn}`);
			await demo.close();
			return found;
		};
		expect(await names(5)).toEqual(await names(5));
		expect(await names(5)).not.toEqual(await names(6));
	});
});

describe("a vast company", () => {
	let demo: Demo;
	let wire: Wire;
	const COUNT = 1_000_000;

	beforeAll(async () => {
		demo = await startDemo({ people: { kind: "vast", count: COUNT } });
		wire = await openWire(demo.address);
		await wire.bind(demo.bindUser, demo.bindPassword);
	});

	afterAll(async () => {
		wire.close();
		await demo.close();
	});

	it("serves pages of people who are nowhere held, each with a GUID and a DN by which it is found again", async () => {
		const question = { base: `OU=People,${BASE}`, filter: "(objectCategory=person)" };
		const first = await wire.search({ ...question, page: { size: 500 } });
		const second = await wire.search({ ...question, page: { size: 500, cookie: first.cookie } });
		const entries = [...first.entries, ...second.entries];
		expect(new Set(entries.map(({ attributes }) => attributes.get("objectGUID")?.[0]?.toString("hex"))).size).toBe(1000);
		for (const entry of [entries[0], entries[7], entries[999]]) {
			const guid = entry?.attributes.get("objectGUID")?.[0]?.toString("hex");
			const sid = entry?.attributes.get("objectSid")?.[0]?.toString("hex");
			for (const base of [`<GUID=${guid}>`, `<SID=${sid}>`, entry?.dn ?? ""]) {
				const found = await wire.search({ base, scope: "base" });
				expect(found.entries).toEqual([entry]);
			}
		}
	});

	it("has managers who are there", async () => {
		const { entries } = await wire.search({ base: `OU=People,${BASE}`, filter: "(manager=*)", page: { size: 20 } });
		for (const { attributes } of entries) {
			const manager = attributes.get("manager")?.[0]?.toString() ?? "";
			expect((await wire.search({ base: manager, scope: "base", attributes: ["1.1"] })).entries[0]?.dn).toBe(manager);
		}
	});

	it("finds the 100 who were touched among a million by their USN, and the newest of those who were made", async () => {
		const before = demo.directory.highestUsn();
		expect(demo.directory.touch(100)).toBe(100);
		const delta = await wire.search({ base: BASE, filter: `(uSNChanged>=${before + 1})`, attributes: ["title", "uSNChanged"] });
		expect(delta.entries).toHaveLength(100);
		expect(delta.entries.every(({ attributes }) => attributes.get("title")?.[0]?.toString().startsWith("Touched at "))).toBe(true);
		const born = await wire.search({ base: BASE, filter: `(&(objectClass=user)(uSNChanged>=${before - 9}))`, attributes: ["uSNCreated"] });
		expect(born.entries.length).toBeGreaterThanOrEqual(110);
	});

	it("lets single people be changed, renamed, moved and deleted like any others", async () => {
		const question = { base: `OU=People,${BASE}`, filter: "(objectCategory=person)", page: { size: 3 } };
		const [, , third] = (await wire.search(question)).entries;
		const guid = third?.attributes.get("objectGUID")?.[0]?.toString("hex") ?? "";
		const self = `<GUID=${guid}>`;
		const read = async () => (await wire.search({ base: self, scope: "base" })).entries[0];
		demo.directory.rename(self, "Somebody Else");
		demo.directory.disable(self);
		expect((await read())?.dn).toMatch(/^CN=Somebody Else,/);
		expect((await read())?.attributes.get("userAccountControl")?.[0]?.toString()).toBe("514");
		expect((await wire.search({ base: third?.dn ?? "", scope: "base" })).code).toBe(32);
		demo.directory.move(self, `OU=Leavers,${BASE}`);
		expect((await wire.search({ base: `OU=Leavers,${BASE}`, scope: "one" })).entries).toHaveLength(1);
		expect((await wire.search(question)).entries.map(({ dn }) => dn)).not.toContain((await read())?.dn);
		demo.directory.delete(self);
		expect(await read()).toBeUndefined();
		expect((await wire.search({ base: `OU=Leavers,${BASE}`, scope: "one" })).entries).toHaveLength(0);
	});

	it("keeps people who are touched between two pages at their place", async () => {
		const small = await startDemo({ people: { kind: "vast", count: 2000 } });
		const other = await openWire(small.address);
		await other.bind(small.bindUser, small.bindPassword);
		const question = { base: `OU=People,${BASE}`, filter: "(objectClass=user)", attributes: ["1.1"] };
		const first = await other.search({ ...question, page: { size: 1000 } });
		small.directory.touch(50);
		const second = await other.search({ ...question, page: { size: 1000, cookie: first.cookie } });
		const third = await other.search({ ...question, page: { size: 1000, cookie: second.cookie } });
		const names = [first, second, third].flatMap(({ entries }) => entries.map(({ dn }) => dn));
		expect(names).toHaveLength(2000);
		expect(new Set(names).size).toBe(2000);
		other.close();
		await small.close();
	});

	it("answers others while a search looks through a million in vain", async () => {
		const other = await openWire(demo.address);
		await other.bind(demo.bindUser, demo.bindPassword);
		const id = other.ask({ base: BASE, filter: "(title=Nobody)" });
		expect((await other.search({ base: "", scope: "base" })).code).toBe(0);
		other.abandon(id);
		expect((await other.search({ base: "", scope: "base" })).code).toBe(0);
		other.close();
	});
});

describe("a client that stops reading", () => {
	it("holds nobody else up, and gets everything once it goes on", async () => {
		const demo = await startDemo({ people: { kind: "vast", count: 3000 } });
		const [slow, other] = [await openWire(demo.address), await openWire(demo.address)];
		await slow.bind(demo.bindUser, demo.bindPassword);
		const question = { base: `OU=People,${BASE}`, filter: "(objectClass=user)", page: { size: 1000 } };
		slow.pause();
		const asked = Array.from({ length: 20 }, () => slow.search(question));
		expect((await other.search({ base: "", scope: "base" })).code).toBe(0);
		slow.resume();
		for (const answer of await Promise.all(asked)) expect(answer.entries).toHaveLength(1000);
		slow.close();
		other.close();
		await demo.close();
	});
});
