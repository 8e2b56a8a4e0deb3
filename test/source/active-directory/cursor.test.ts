import { describe, expect, it } from "vitest";
import type { Cursor } from "../../../src/core/cursor.ts";
import { mixedCursor, nextCursor, startOf, viewOf } from "../../../src/source/active-directory/cursor.ts";
import { parseMarks } from "../../../src/source/active-directory/marks.ts";
import { ownOf, type Root } from "../../../src/source/active-directory/root.ts";
import { parseVector } from "../../../src/source/active-directory/vector.ts";

const shape = "shape";
const minutes = 60_000;

function dc(name: string, usn: number | undefined, invocationId: string | undefined = `id of ${name}`): Root {
	const highestUsn = usn === undefined ? undefined : BigInt(usn);
	return {
		invocationId,
		highestUsn,
		vector: undefined,
		writes: undefined,
		domains: [],
		controls: new Set(),
		currentTime: undefined,
		hostName: name,
	};
}

const told = { shape, dirSync: undefined, seesDeleted: true };
const toldBy = (root: Root) => ({ ...told, seen: root.vector ?? ownOf(root) });

/** The cursor after readings of these, one after the other. */
function cursorAfter(...readings: readonly { readonly from: Root; readonly at: number }[]): Cursor | undefined {
	let cursor: Cursor | undefined;
	for (const { from, at } of readings) cursor = nextCursor(parseMarks(cursor), toldBy(from), from, "ldaps://x", at);
	return cursor;
}

function start(cursor: Cursor | undefined, from: Root, ofShape = shape) {
	return startOf(parseMarks(cursor), ofShape, from, "ldaps://x", "auto");
}

describe("a delta", () => {
	it("starts where the last reading of that domain controller began", () => {
		expect(start(cursorAfter({ from: dc("dc1", 100), at: 0 }), dc("dc1", 150))).toEqual({ kind: "usn", since: 100n });
	});

	it("starts there even when nothing was written since", () => {
		expect(start(cursorAfter({ from: dc("dc1", 100), at: 0 }), dc("dc1", 100))).toEqual({ kind: "usn", since: 100n });
	});

	it("knows each domain controller's own USN, and goes back a while at one that is read after another", () => {
		const readings = [0, 30, 90, 120].map((minute) => ({ from: dc("dc1", 1000 + minute), at: minute * minutes }));
		const cursor = cursorAfter(...readings, { from: dc("dc2", 7), at: 125 * minutes });
		expect(start(cursor, dc("dc2", 9))).toEqual({ kind: "usn", since: 7n });
		// dc2 may not have known all that dc1 had told before: an hour before the last mark of dc1.
		expect(start(cursor, dc("dc1", 1200))).toEqual({ kind: "usn", since: 1030n });
	});

	it("takes the oldest mark there is when the first reading was not that long ago", () => {
		const cursor = cursorAfter(
			{ from: dc("dc1", 100), at: 0 },
			{ from: dc("dc1", 110), at: minutes },
			{ from: dc("dc2", 7), at: 2 * minutes },
		);
		expect(start(cursor, dc("dc1", 120))).toEqual({ kind: "usn", since: 100n });
	});
});

describe("a full reading is made, and says why,", () => {
	const cursor = cursorAfter({ from: dc("dc1", 100), at: 0 });
	it.each([
		["when the domain controller was never read", start(cursor, dc("dc2", 5000)), /dc2 \(invocationId id of dc2\) was never read before/],
		["when it has a new invocationId", start(cursor, dc("dc1", 100, "new")), /dc1 has a new invocationId, new instead of id of dc1/],
		["when its USN went back", start(cursor, dc("dc1", 99)), /highest USN of dc1 went back from 100 to 99/],
		["when something else is asked for", start(cursor, dc("dc1", 100), "other"), /what is asked of the directory has changed/],
		["when it does not tell its USN", start(cursor, dc("dc1", undefined)), /does not show its invocationId/],
		["when the cursor is of another version", start('{"version":9}' as Cursor, dc("dc1", 100)), /not one of this version/],
		["when the cursor is broken", start("{" as Cursor, dc("dc1", 100)), /not one of this version/],
	])("%s", (_, found, because) => {
		expect(found).toEqual({ kind: "full", because: expect.stringMatching(because) });
	});
});

describe("a full reading", () => {
	const dc1 = { from: dc("dc1", 100), at: 0 };
	const both = cursorAfter(dc1, { from: dc("dc2", 7), at: minutes });
	const change = (cursor: Cursor | undefined, from: Root) => viewOf(parseMarks(cursor), from, "ldaps://x", true, 0).changed;

	it.each([
		[
			"a domain controller never read before",
			cursorAfter(dc1),
			dc("dc2", 5000),
			/^dc2 was read instead of dc1, and may not have everything/,
		],
		["one that was read before another one", both, dc("dc1", 150), /^dc1 was read instead of dc2/],
		[
			"one whose USN went back",
			cursorAfter(dc1),
			dc("dc1", 99),
			/^dc1 was restored from an old copy \(its highest USN went back from 100 to 99/,
		],
		["one with a new invocationId", cursorAfter(dc1), dc("dc1", 100, "new"), /^dc1 has a new invocationId/],
		[
			"another one that hides its invocationId",
			cursorAfter(dc1),
			{ ...dc("dc3", 100), invocationId: undefined },
			/^dc3 was read instead of dc1/,
		],
	])("from %s may be older than the last one, and says so", (_, cursor, from, says) => {
		expect(change(cursor, from)).toMatch(says);
	});

	it("from the domain controller of last time, or the first one ever, is not", () => {
		expect(change(undefined, dc("dc1", 100))).toBeUndefined();
		expect(change(both, dc("dc2", 7))).toBeUndefined();
		expect(change(both, dc("dc2", 9))).toBeUndefined();
		expect(change(both, { ...dc("dc2", 9), invocationId: undefined })).toBeUndefined();
	});
});

it("the marks of before a rollback are forgotten, and those of other domain controllers kept", () => {
	const cursor = cursorAfter(
		{ from: dc("dc1", 100), at: 0 },
		{ from: dc("dc2", 7), at: 20 * minutes },
		{ from: dc("dc1", 200), at: 40 * minutes },
		{ from: dc("dc1", 150), at: 60 * minutes },
	);
	expect(start(cursor, dc("dc1", 160))).toEqual({ kind: "usn", since: 150n });
	expect(start(cursor, dc("dc2", 8))).toEqual({ kind: "usn", since: 7n });
});

it("the cursor does not grow with the number of readings or of domain controllers", () => {
	const readings = Array.from({ length: 3000 }, (_, n) => ({ from: dc(`dc${n % 100}`, n), at: n * minutes }));
	const cursor = cursorAfter(...readings) as string;
	expect(cursor.length).toBeLessThan(30_000);
	expect(Object.keys(parseMarks(cursor as Cursor)?.dcs ?? {})).toHaveLength(50);
});

it("there is no cursor from a server without USNs", () => {
	expect(cursorAfter({ from: dc("dc1", undefined), at: 0 })).toBeUndefined();
});

describe("with vectors of what has arrived from whom", () => {
	const hour = 60 * minutes;
	const knowing = (name: string, usn: number, others: Readonly<Record<string, number>>): Root => ({
		...dc(name, usn),
		vector: new Map([...Object.entries(others), [`id of ${name}`, usn] as const].map(([origin, its]) => [origin, BigInt(its)])),
	});
	const view = (cursor: Cursor | undefined, from: Root, at: number, isAnew = false) =>
		viewOf(parseMarks(cursor), from, "ldaps://x", isAnew, at);
	/** dc1 told up to 100; dc2, read after it, has heard of 90. */
	const cursor = cursorAfter(
		{ from: knowing("dc1", 60, { "id of dc2": 5 }), at: 0 },
		{ from: knowing("dc1", 100, { "id of dc2": 5 }), at: 2 * hour },
		{ from: knowing("dc2", 7, { "id of dc1": 90 }), at: 2 * hour + minutes },
	);

	it("a domain controller is read from what was written on it after the other one had last heard of it", () => {
		const short = cursorAfter(
			{ from: knowing("dc1", 100, { "id of dc2": 5 }), at: 0 },
			{ from: knowing("dc2", 7, { "id of dc1": 90 }), at: minutes },
		);
		expect(start(short, knowing("dc1", 120, {}))).toEqual({ kind: "usn", since: 90n });
		// What was arriving meanwhile is in no vector: an hour before as well.
		expect(start(cursor, knowing("dc1", 120, {}))).toEqual({ kind: "usn", since: 60n });
	});

	it("a full reading is made where it had told what came from a third one, and the other one had not heard of that", () => {
		const third = cursorAfter(
			{ from: knowing("dc1", 100, { "id of dc3": 40 }), at: 0 },
			{ from: knowing("dc2", 7, { "id of dc1": 90, "id of dc3": 30 }), at: minutes },
		);
		expect(start(third, knowing("dc1", 120, {}))).toEqual({
			kind: "full",
			because: expect.stringMatching(/^dc2, which was read after dc1, had not heard of all that dc1 knew/),
		});
	});

	it("one that has not heard of everything is behind, whatever kind of reading, until it has or three hours have passed", () => {
		const behind = { changed: "dc2 has not heard yet of all that was written on dc1", isCurrent: false };
		const current = { changed: undefined, isCurrent: true };
		expect(view(cursor, knowing("dc2", 9, { "id of dc1": 99 }), 3 * hour)).toEqual(behind);
		expect(view(cursor, knowing("dc2", 9, { "id of dc1": 99 }), 3 * hour, true)).toEqual(behind);
		expect(view(cursor, knowing("dc2", 9, { "id of dc1": 100 }), 3 * hour)).toEqual(current);
		const givenUp = { changed: undefined, isCurrent: false };
		expect(view(cursor, knowing("dc2", 9, { "id of dc1": 99 }), 5 * hour + 2 * minutes)).toEqual(givenUp);
		// Never read before, and it knows everything: nothing is held.
		expect(view(cursor, knowing("dc3", 9, { "id of dc1": 100, "id of dc2": 7 }), 3 * hour, true)).toEqual(current);
	});

	it("what told of no change leaves nobody behind", () => {
		const idle = nextCursor(
			parseMarks(cursor),
			{ ...told, seen: undefined },
			knowing("dc1", 500, { "id of dc2": 7 }),
			"ldaps://x",
			3 * hour,
		);
		expect(view(idle, knowing("dc2", 9, { "id of dc1": 100 }), 3 * hour)).toEqual({ changed: undefined, isCurrent: true });
	});

	it("after another one was read in part, the snapshot has no more than both of them had, and cookies of before are dropped", () => {
		const whole = (root: Root) => ({ ...toldBy(root), dirSync: { view: "all" as const, cookies: { "dc=x,": "AA==" } } });
		const [dc1, dc2, later] = [
			knowing("dc1", 100, { "id of dc2": 5 }),
			knowing("dc2", 7, { "id of dc1": 90 }),
			knowing("dc1", 110, { "id of dc2": 5 }),
		];
		const first = nextCursor(undefined, whole(dc1), dc1, "ldaps://x", 0);
		const mixed = mixedCursor(parseMarks(first), whole(dc2), dc2, minutes);
		expect(parseMarks(mixed)).toMatchObject({ last: "id of dc1", isMixed: true, dirSync: undefined });
		expect(start(mixed, knowing("dc1", 120, {}))).toEqual({ kind: "usn", since: 90n });
		const same = mixedCursor(parseMarks(first), whole(later), later, minutes);
		expect(parseMarks(same)).toMatchObject({ isMixed: false, dirSync: whole(dc1).dirSync });
		expect(usnOf(same)).toEqual({ kind: "usn", since: 100n });
	});

	function usnOf(after: Cursor | undefined) {
		return startOf(parseMarks(after), shape, knowing("dc1", 120, {}), "ldaps://x", "usn");
	}

	it("a cursor of before vectors lets nobody be believed who has not heard of what it tells of", () => {
		const old = JSON.stringify({
			version: 1,
			shape,
			last: "id of dc1",
			dcs: { "id of dc1": { name: "dc1", marks: [{ at: 0, usn: "100" }] } },
		});
		expect(view(old as Cursor, knowing("dc2", 9, { "id of dc1": 50 }), hour, true).changed).toMatch(/^dc2 has not heard yet/);
		expect(view(old as Cursor, knowing("dc2", 9, { "id of dc1": 100 }), hour, true).changed).toBeUndefined();
	});

	it("of a read-only domain controller's own writes nobody has to hear", () => {
		const readOnly = (usn: number, of: number): Root => ({
			...dc("rodc", usn),
			vector: new Map([["id of dc1", BigInt(of)]]),
		});
		const both = cursorAfter({ from: readOnly(1000, 90), at: 0 }, { from: knowing("dc1", 100, {}), at: minutes });
		expect(view(both, knowing("dc1", 110, {}), hour)).toEqual({ changed: undefined, isCurrent: true });
		expect(start(both, readOnly(1100, 105))).toEqual({ kind: "usn", since: 1000n });
	});

	it("what another shape told in part is followed by a full reading, whatever the shape is then", () => {
		const first = cursorAfter({ from: knowing("dc1", 100, {}), at: 0 });
		const from = knowing("dc1", 110, {});
		const mixed = mixedCursor(parseMarks(first), { ...toldBy(from), shape: "other" }, from, minutes);
		for (const its of [shape, "other"]) expect(start(mixed, from, its)).toMatchObject({ kind: "full" });
	});

	it.each([
		["version 2", 2, 32],
		["version 1", 1, 24],
	])("a vector of %s is read, and what is none is not taken for one", (_, version, size) => {
		const octets = Buffer.alloc(16 + 2 * size);
		octets.writeUInt32LE(version, 0);
		octets.writeUInt32LE(2, 8);
		octets.writeUInt8(1, 16);
		octets.writeBigInt64LE(5n, 32);
		octets.writeBigInt64LE(2n ** 40n, 32 + size);
		expect([...(parseVector(octets) ?? [])]).toEqual([
			["00000001-0000-0000-0000-000000000000", 5n],
			["00000000-0000-0000-0000-000000000000", 2n ** 40n],
		]);
		expect(parseVector(octets.subarray(0, octets.length - 1))).toBeUndefined();
		octets.writeBigInt64LE(-1n, 32);
		expect(parseVector(octets)).toBeUndefined();
		octets.writeUInt32LE(3, 0);
		expect(parseVector(octets)).toBeUndefined();
		expect(parseVector(Buffer.alloc(4))).toBeUndefined();
	});

	it("the cursor stays small with fifty domain controllers that all know of each other", () => {
		const id = (n: number) => `00000000-0000-0000-0000-${String(n).padStart(12, "0")}`;
		const all = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [id(n), 12_345_678 + n]));
		const readings = Array.from({ length: 150 }, (_, n) => ({
			from: { ...knowing(`dc${n % 50}`, 20_000_000 + n, all), invocationId: id(n % 50) },
			at: n * 15 * minutes,
		}));
		expect((cursorAfter(...readings) as string).length).toBeLessThan(500_000);
	});
});
