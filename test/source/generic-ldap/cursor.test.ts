import { describe, expect, it } from "vitest";
import { cookieOf, csnsOf, knowsAll, type Mark, viewChange } from "../../../src/source/generic-ldap/cursor.ts";
import type { Root } from "../../../src/source/generic-ldap/root.ts";
import { newestOf, overlapped } from "../../../src/source/generic-ldap/timestamp.ts";

const at = (time: string, server: string) => `202611271018${time}.000000Z#000000#${server}#000000`;
const mark: Mark = { version: 1, shape: "", kind: "timestamp", server: "ldap://one", csns: {}, newest: "20261127101800Z", followed: {} };
const root: Root = {
	contexts: [],
	hidden: undefined,
	controls: new Set(),
	csns: new Map(),
	server: "ldap://one",
	vendor: undefined,
	subschema: undefined,
};

describe("a server", () => {
	it.each([
		{ before: [at("01", "001")], now: [at("01", "001")], knows: true },
		{ before: [at("01", "001")], now: [at("02", "001"), at("00", "002")], knows: true },
		{ before: [at("02", "001")], now: [at("01", "001")], knows: false },
		{ before: [at("02", "001"), at("01", "002")], now: [at("03", "001")], knows: false },
	])("that is at $now knows all that one at $before knew: $knows", ({ before, now, knows }) => {
		expect(knowsAll(before, now)).toBe(knows);
	});

	it.each([
		{ what: "the same one", mark, root, newest: "20261127101800Z", says: undefined },
		{ what: "another one", mark, root: { ...root, server: "ldap://two" }, newest: "20261127101800Z", says: /read instead of ldap:\/\/one/ },
		{ what: "one whose newest change went back", mark, root, newest: "20261127101700Z", says: /went back/ },
		{
			what: "another one that knows as much by its contextCSN",
			mark: { ...mark, csns: { c: [at("01", "001")] } },
			root: { ...root, server: "ldap://two", csns: new Map([["c", [at("01", "001")]]]) },
			newest: undefined,
			says: undefined,
		},
		{
			what: "the same one with an older contextCSN",
			mark: { ...mark, csns: { c: [at("02", "001")] } },
			root: { ...root, csns: new Map([["c", [at("01", "001")]]]) },
			newest: undefined,
			says: /knows less/,
		},
	])("is doubted as it should be when it is $what", ({ mark, root, newest, says }) => {
		if (says === undefined) expect(viewChange(mark, root, newest)).toBeUndefined();
		else expect(viewChange(mark, root, newest)).toMatch(says);
	});
});

describe("a cookie", () => {
	it("leaves out the id of a server, which would stand for the reader", () => {
		const csns = csnsOf(`rid=000,sid=001,csn=${at("01", "001")};${at("02", "002")},delcsn=${at("01", "001")}`);
		expect(csns).toEqual([at("01", "001"), at("02", "002")]);
		expect(cookieOf(csns)).toBe(`rid=000,csn=${at("01", "001")};${at("02", "002")}`);
		expect(csnsOf("opaque")).toEqual([]);
	});
});

describe("the newest change", () => {
	const now = Date.UTC(2026, 10, 27, 10, 18);
	it("is the newest that a sane clock can have written", () => {
		expect(newestOf(["20261127101800Z", "20261127101801.5Z", "20991231235959Z", "nonsense"], now)).toBe("20261127101801Z");
		expect(newestOf(["20991231235959Z"], now)).toBeUndefined();
	});

	it("is asked for again from minutes before it", () => {
		expect(overlapped("20261127101800Z")).toBe("20261127101300Z");
	});
});
