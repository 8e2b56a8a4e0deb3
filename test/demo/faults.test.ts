import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Demo, startDemo } from "../../src/demo/demo.ts";
import type { Asked, Fault } from "../../src/demo/faults.ts";
import { openWire, type Question, searchAll, type Wire } from "./wire.ts";

const BASE = "DC=corp,DC=example,DC=com";
const people: Question = { base: `OU=People,${BASE}`, scope: "one", attributes: ["cn", "mail"] };

let demo: Demo;
let wire: Wire;

beforeAll(async () => {
	demo = await startDemo();
	demo.directory.add(`OU=People,${BASE}`, { objectClass: "organizationalUnit" });
	for (let index = 0; index < 10; index++) {
		demo.directory.add(`CN=P${index},OU=People,${BASE}`, { objectClass: "user", sAMAccountName: `p${index}`, mail: `p${index}@x.example` });
	}
});

afterAll(() => demo.close());

beforeEach(async () => {
	wire = await openWire(demo.address);
	await wire.bind(demo.bindUser, demo.bindPassword);
	return () => {
		demo.faults.clear();
		wire.close();
	};
});

const onPage =
	(page: number) =>
	(asked: Asked): boolean =>
		asked.search?.base === people.base && asked.page === page;

describe("a fault of the demo directory", () => {
	it.each<[string, Fault, string]>([
		["ends the connection after five entries", { kind: "cut", after: 5 }, "end"],
		["resets the connection after five entries", { kind: "reset", after: 5 }, "ECONNRESET"],
		["says why and ends the connection", { kind: "disconnection", after: 5 }, "end"],
		["brings bytes that are no LDAP", { kind: "garbage", after: 5 }, "end"],
	])("%s, in the middle of the second page", async (_, fault, why) => {
		demo.faults.set(fault);
		const first = await wire.search({ ...people, page: { size: 4 } });
		expect(first.entries).toHaveLength(4);
		await expect(wire.search({ ...people, page: { size: 4, cookie: first.cookie } })).rejects.toThrow();
		expect(await wire.over).toBe(why);
		expect(demo.faults.struck()).toBeGreaterThan(0);
	});

	it("never answers, although the connection stays, until it is abandoned or gone", async () => {
		const undo = demo.faults.set({ kind: "hang", after: 5 });
		const hanging = wire.search(people).catch((error: Error) => error.message);
		// The connection itself is alive: it answers other questions.
		expect((await wire.search({ base: "", scope: "base" })).code).toBe(0);
		undo();
		expect((await wire.search(people)).entries).toHaveLength(10);
		wire.close();
		expect(await hanging).toBe("connection over: end");
	});

	it.each([
		["busy", 51],
		["unavailable", 52],
		["sizeLimitExceeded", 4],
		["timeLimitExceeded", 3],
		["adminLimitExceeded", 11],
	] as const)("ends a search with %s after three entries", async (result, code) => {
		demo.faults.set({ kind: "result", result, after: 3 });
		const answer = await wire.search({ ...people, page: { size: 100 } });
		expect(answer).toMatchObject({ code, cookie: undefined });
		expect(answer.entries).toHaveLength(3);
	});

	it("sends the client elsewhere", async () => {
		demo.faults.set({ kind: "referral", urls: ["ldap://dc2.corp.example.com/"] });
		expect(await wire.search(people)).toMatchObject({ code: 10, referral: ["ldap://dc2.corp.example.com/"], entries: [] });
	});

	it("gives an empty page with a cookie, after which the search goes on", async () => {
		demo.faults.set({ kind: "empty-page" }, { when: onPage(2) });
		const { entries, pages } = await searchAll(wire, people, 4);
		expect(pages.map((page) => page.entries.length)).toEqual([4, 0, 4, 2]);
		expect(entries).toHaveLength(10);
	});

	it("leaves the paged-results control away, although there is more", async () => {
		demo.faults.set({ kind: "no-paged-control" });
		expect(await wire.search({ ...people, page: { size: 4 } })).toMatchObject({ code: 0, cookie: undefined });
	});

	it("refuses a good cookie", async () => {
		demo.faults.set({ kind: "cookie-refused" }, { when: onPage(2) });
		const { entries, pages } = await searchAll(wire, people, 4);
		expect(entries).toHaveLength(4);
		expect(pages.at(-1)?.code).toBe(12);
	});

	it("loses an attribute that filters still see", async () => {
		demo.faults.set({ kind: "lost-attribute", attribute: "MAIL" });
		const { entries } = await wire.search({ ...people, filter: "(mail=*)" });
		expect(entries).toHaveLength(10);
		expect(entries.every(({ attributes }) => attributes.has("cn") && !attributes.has("mail"))).toBe(true);
		demo.faults.clear();
		expect((await wire.search(people)).entries[0]?.attributes.has("mail")).toBe(true);
	});

	it("delays each page, and a client's time limit of a second then ends the search with code 3", async () => {
		demo.faults.set({ kind: "slow", delayMs: 1100 }, { when: onPage(2) });
		const first = await wire.search({ ...people, timeLimit: 1, page: { size: 4 } });
		const second = await wire.search({ ...people, timeLimit: 1, page: { size: 4, cookie: first.cookie } });
		expect(second.code).toBe(3);
	});

	it("strikes as often as it was told to, and counts", async () => {
		const before = demo.faults.struck();
		demo.faults.set({ kind: "result", result: "busy", after: 0 }, { times: 2 });
		const codes = [];
		for (let round = 0; round < 4; round++) codes.push((await wire.search(people)).code);
		expect(codes).toEqual([51, 51, 0, 0]);
		expect(demo.faults.struck() - before).toBe(2);
	});

	it("leaves binds, the root DSE and single objects alone unless its predicate says otherwise", async () => {
		demo.faults.set({ kind: "result", result: "busy", after: 0 });
		expect((await wire.bind(demo.bindUser, demo.bindPassword)).code).toBe(0);
		expect((await wire.search({ base: "", scope: "base" })).code).toBe(0);
		expect((await wire.search({ base: BASE, scope: "base" })).code).toBe(0);
		demo.faults.set({ kind: "result", result: "unavailable", after: 0 }, { when: ({ operation }) => operation === "bind" });
		expect((await wire.bind(demo.bindUser, demo.bindPassword)).code).toBe(52);
		demo.faults.set({ kind: "result", result: "busy", after: 0 }, { when: ({ search }) => search?.base === "" });
		expect((await wire.search({ base: "", scope: "base" })).code).toBe(51);
	});

	it("meets a client as soon as it connects", async () => {
		demo.faults.set({ kind: "cut", after: 0 }, { when: ({ operation }) => operation === "connect" });
		const late = await openWire(demo.address);
		expect(await late.over).toBe("end");
	});

	it("may hold a bind forever", async () => {
		demo.faults.set({ kind: "hang", after: 0 }, { when: ({ operation }) => operation === "bind" });
		const late = await openWire(demo.address);
		const bound = late.bind(demo.bindUser, demo.bindPassword).catch((error: Error) => error.message);
		expect((await late.search({ base: "", scope: "base" })).code).toBe(0);
		late.close();
		expect(await bound).toBe("connection over: end");
	});

	it("of a dropped server ends every connection, and the next one is served", async () => {
		demo.drop();
		expect(["end", "ECONNRESET"]).toContain(await wire.over);
		const next = await openWire(demo.address);
		expect((await next.search({ base: "", scope: "base" })).code).toBe(0);
		next.close();
	});

	it("knows who asks, on which connection, and which page", async () => {
		const seen: string[] = [];
		const when = ({ operation, account, page }: Asked): boolean => {
			seen.push(`${operation} ${account.split(",")[0]} ${page}`);
			return false;
		};
		demo.faults.set({ kind: "cut", after: 0 }, { when });
		await searchAll(wire, people, 5);
		expect(seen).toEqual(["search CN=svc-dirsyncd 1", "search CN=svc-dirsyncd 2", "search CN=svc-dirsyncd 3"]);
	});
});

describe("the demo directory bears", () => {
	it("bytes that are no LDAP: the client is told and sent away, others are served", async () => {
		const rude = await openWire(demo.address);
		rude.sendRaw(Buffer.from("GET / HTTP/1.1\r\nHost: ldap\r\n\r\n"));
		expect(await rude.over).toBe("end");
		expect((await wire.search(people)).code).toBe(0);
	});

	it("a request that comes byte by byte", async () => {
		const slow = await openWire(demo.address);
		const bind = Buffer.from("300c020101600702010304008000", "hex");
		for (const byte of bind) slow.sendRaw(Uint8Array.of(byte));
		expect((await slow.search({ base: "", scope: "base" })).code).toBe(0);
		slow.close();
	});

	it("a client that vanishes in the middle of a search", async () => {
		const gone = await openWire(demo.address);
		await gone.bind(demo.bindUser, demo.bindPassword);
		gone.ask(people);
		gone.close();
		expect((await wire.search(people)).code).toBe(0);
	});
});
