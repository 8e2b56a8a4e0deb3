import { describe, expect, it } from "vitest";
import type { Cursor } from "../../../src/core/cursor.ts";
import { nextCursor, parseMarks, startOf, viewChange } from "../../../src/source/active-directory/cursor.ts";
import type { Root } from "../../../src/source/active-directory/root.ts";

const shape = "shape";
const minutes = 60_000;

function dc(name: string, usn: number | undefined, invocationId: string | undefined = `id of ${name}`): Root {
	const highestUsn = usn === undefined ? undefined : BigInt(usn);
	return { invocationId, highestUsn, domains: [], controls: new Set(), currentTime: undefined, hostName: name };
}

/** The cursor after readings of these, one after the other. */
function cursorAfter(...readings: readonly { readonly from: Root; readonly at: number }[]): Cursor | undefined {
	let cursor: Cursor | undefined;
	for (const { from, at } of readings)
		cursor = nextCursor(parseMarks(cursor), { shape, dirSync: undefined, seesDeleted: true }, from, "ldaps://x", at);
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
	const change = (cursor: Cursor | undefined, from: Root) => viewChange(parseMarks(cursor), from, "ldaps://x");

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
