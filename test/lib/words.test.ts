import { describe, expect, it } from "vitest";
import { formatDuration, parseDuration } from "../../src/lib/duration.ts";
import { nearest } from "../../src/lib/nearest.ts";
import { alignColumns, printable, textWidth } from "../../src/lib/table.ts";

describe("the nearest word", () => {
	it.each([
		{ word: "url", known: ["urls", "users"], gives: "urls" },
		{ word: "urs", known: ["urls", "users"], gives: "urls" },
		{ word: "lifecylce", known: ["limits", "lifecycle"], gives: "lifecycle" },
		{ word: "Sync", known: ["sync"], gives: "sync" },
		{ word: "name", known: ["userName", "name.givenName"], gives: "name.givenName" },
		{ word: "frobnicate", known: ["sync", "plan"], gives: undefined },
		{ word: "x", known: ["run"], gives: undefined },
	])("of $word among $known is $gives", ({ word, known, gives }) => {
		expect(nearest(word, known)).toBe(gives);
	});
});

describe("a duration", () => {
	it.each([
		{ text: "500ms", ms: 500 },
		{ text: "15m", ms: 900_000 },
		{ text: "30d", ms: 30 * 86_400_000 },
		{ text: "2y", ms: 730 * 86_400_000 },
		{ text: "30", ms: undefined },
		{ text: "1.5h", ms: undefined },
		{ text: "30 d", ms: undefined },
		{ text: "-1d", ms: undefined },
	])("$text is $ms ms", ({ text, ms }) => {
		expect(parseDuration(text)).toBe(ms);
	});

	it.each([
		{ ms: 0, says: "0 ms" },
		{ ms: 999, says: "999 ms" },
		{ ms: 4210, says: "4.2 s" },
		{ ms: 59_949, says: "59.9 s" },
		{ ms: 59_960, says: "1 min" },
		{ ms: 200_000, says: "3 min 20 s" },
		{ ms: 3_599_900, says: "1 h" },
		{ ms: 7_500_000, says: "2 h 5 min" },
		{ ms: 3 * 86_400_000 + 4 * 3_600_000, says: "3 d 4 h" },
	])("of $ms ms reads $says", ({ ms, says }) => {
		expect(formatDuration(ms)).toBe(says);
	});
});

describe("a table", () => {
	it("aligns wide signs, marks and colours by what the terminal shows", () => {
		const red = `${String.fromCharCode(27)}[31mab${String.fromCharCode(27)}[39m`;
		expect([textWidth("山田"), textWidth("e\u0301"), textWidth(red)]).toEqual([4, 1, 2]);
		expect(
			alignColumns([
				["山田", "x"],
				["abc", "y"],
			]),
		).toEqual(["山田  x", "abc   y"]);
	});

	it("lets no control sign and no change of direction through", () => {
		expect(printable("a\u001b[2Jb\u202ec\nd")).toBe("a\u{fffd}[2Jb\u{fffd}c\u{fffd}d");
	});
});
