import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Cursor } from "../../../src/core/cursor.ts";
import type { Anchor } from "../../../src/core/entry.ts";
import { type Demo, startDemo } from "../../../src/demo/demo.ts";
import type { Asked } from "../../../src/demo/faults.ts";
import type { ActiveDirectoryOptions } from "../../../src/source/active-directory/options.ts";
import type { Changes } from "../../../src/source/active-directory/strategy.ts";
import { directoryOnDemo } from "../../contract/demo.ts";
import { logonsOf, type Read, read, sourceOn } from "../../contract/reader.ts";

const root = "DC=corp,DC=example,DC=com";
const users = `CN=Users,${root}`;
const ann = `CN=Ann,${users}`;

let demo: Demo;
beforeEach(async () => {
	demo = await startDemo();
	demo.directory.add(ann, { objectClass: "user", sAMAccountName: "ann" });
	demo.directory.setRights(demo.bindUser, { mayReplicate: true });
});
afterEach(() => demo.close());

let edits = 0;
const edit = (): void => demo.directory.modify(ann, { department: `Department ${++edits}` });
const source = (changes: Changes, more: Partial<ActiveDirectoryOptions> = {}) =>
	sourceOn(directoryOnDemo(demo, changes), { bases: [users], ...more });
const cursorBy = async (changes: Changes): Promise<Cursor> => (await read(source(changes))).end.cursor as Cursor;
/** What a delta finds of one change. */
async function deltaBy(changes: Changes, cursor: Cursor, more: Partial<ActiveDirectoryOptions> = {}): Promise<Read> {
	edit();
	return read(source(changes, more), cursor);
}
/** A cursor with some of it changed. */
function altered(cursor: Cursor, alter: (marks: Record<string, unknown>) => void): Cursor {
	const marks = JSON.parse(cursor) as Record<string, unknown>;
	alter(marks);
	return JSON.stringify(marks) as Cursor;
}
function withCookie(cursor: Cursor, cookie: string): Cursor {
	return altered(cursor, (marks) => {
		const { cookies } = marks["dirSync"] as { cookies: Record<string, string> };
		for (const key of Object.keys(cookies)) cookies[key] = Buffer.from(cookie).toString("base64");
	});
}

describe("a delta goes on from what the cursor has", () => {
	it.each([
		{ before: "dirsync", after: "usn" },
		{ before: "usn", after: "dirsync" },
		{ before: "auto", after: "usn" },
		{ before: "dirsync", after: "dirsync" },
	] as const)("when changes was $before and is $after", async ({ before, after }) => {
		const delta = await deltaBy(after, await cursorBy(before));
		expect(delta.mode, delta.fullBecause).toBe("delta");
		expect(logonsOf(delta)).toEqual(["ann"]);
		const again = await deltaBy(before, delta.end.cursor as Cursor);
		expect(again.mode, again.fullBecause).toBe("delta");
		expect(logonsOf(again)).toEqual(["ann"]);
	});

	it("when it was written before there was DirSync", async () => {
		const old = altered(await cursorBy("auto"), (marks) => {
			marks["version"] = 1;
			delete marks["dirSync"];
			delete marks["seesDeleted"];
		});
		const delta = await deltaBy("auto", old);
		expect(delta.mode, delta.fullBecause).toBe("delta");
		expect(logonsOf(delta)).toEqual(["ann"]);
	});

	it("by uSNChanged when the right to replicate was taken away", async () => {
		const cursor = await cursorBy("auto");
		demo.directory.setRights(demo.bindUser, { mayReplicate: false });
		const delta = await deltaBy("auto", cursor);
		expect(delta).toMatchObject({ mode: "delta", end: { strategy: "uSNChanged, deletions with full readings" } });
		expect(logonsOf(delta)).toEqual(["ann"]);
	});
});

describe("a full reading is made, and says why,", () => {
	it("when the server does not take the cookie of DirSync", async () => {
		const full = await deltaBy("auto", withCookie(await cursorBy("auto"), "garbage"));
		expect(full.mode).toBe("full");
		expect(full.fullBecause).toMatch(/does not take DirSync's cookie any more, unavailableCriticalExtension \(12\)/);
		expect((await deltaBy("auto", full.end.cursor as Cursor)).mode).toBe("delta");
	});

	it("when the highest USN went back, which DirSync would not notice", async () => {
		const before = demo.directory.highestUsn();
		edit();
		const cursor = await cursorBy("auto");
		demo.directory.rollBackUsn(before);
		const full = await read(source("auto"), cursor);
		expect(full.mode).toBe("full");
		expect(full.fullBecause).toMatch(/went back/);
	});

	it("when the configuration wants no deltas", async () => {
		const full = await deltaBy("full", await cursorBy("full"));
		expect(full).toMatchObject({ mode: "full", end: { strategy: "full readings only" } });
		expect(full.fullBecause).toContain("changes: full");
	});

	it.each([
		{ more: { attributes: ["tokenGroups"] }, says: /^the mapping, or a target, uses tokenGroups/ },
		{ more: { attributes: ["memberOf"] }, says: /^the mapping, or a target, uses memberOf/ },
		{ more: { users: { filter: `(!(memberOf=CN=Guests,${users}))`, exclude: [], groups: [] } }, says: /^users\.filter uses memberof/i },
	])("when changes of an attribute cannot be seen: $says", async ({ more, says }) => {
		const cursor = (await read(source("auto", more))).end.cursor as Cursor;
		const full = await deltaBy("auto", cursor, more);
		expect(full.mode).toBe("full");
		expect(full.fullBecause).toMatch(says);
		expect(full.end.strategy).toBe("full readings only");
	});
});

describe("DirSync", () => {
	it("goes on at a domain controller never read before, and says that it may be behind", async () => {
		const cursor = await cursorBy("auto");
		demo.directory.renewInvocationId();
		const delta = await deltaBy("auto", cursor);
		expect(delta.mode, delta.fullBecause).toBe("delta");
		expect(logonsOf(delta)).toEqual(["ann"]);
		expect(delta.end.viewChanged).toMatch(/new invocationId/);
		expect((await deltaBy("auto", delta.end.cursor as Cursor)).end.viewChanged).toBeUndefined();
	});

	it("proves a deletion by itself to who may replicate and not look into the deleted objects", async () => {
		const cursor = await cursorBy("auto");
		const anchor = demo.directory.get(ann)?.guid as Anchor;
		demo.directory.delete(ann);
		await read(source("auto"), cursor, async (reading, { end }) => {
			expect(end.outside.map((one) => one.anchor)).toEqual([anchor]);
			expect(await reading.lookup([{ anchor, dn: ann, had: [] }])).toEqual(new Map([[anchor, { kind: "deleted" }]]));
		});
	});

	it("finds who no longer matches the filter", async () => {
		const more = { users: { filter: "(department=IT)", exclude: [], groups: [] } };
		demo.directory.modify(ann, { department: "IT" });
		const cursor = (await read(source("auto", more))).end.cursor as Cursor;
		demo.directory.modify(ann, { department: [] });
		const delta = await read(source("auto", more), cursor);
		expect(logonsOf(delta)).toEqual([]);
		expect(delta.end.outside.map(({ anchor }) => anchor)).toEqual([demo.directory.get(ann)?.guid]);
	});

	it("is not tried at a delta for an account that may not use it, so that a quiet day is one search", async () => {
		demo.directory.setRights(demo.bindUser, { mayReplicate: false });
		const cursor = await cursorBy("auto");
		const asked: string[] = [];
		const when = ({ search }: Asked): boolean => {
			if (search?.scope === "sub") asked.push(search.base);
			return false;
		};
		demo.faults.set({ kind: "slow", delayMs: 0 }, { when });
		expect((await read(source("auto"), cursor)).mode).toBe("delta");
		expect(asked).toEqual([root]);
	});
});
