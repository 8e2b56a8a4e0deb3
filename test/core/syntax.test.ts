import { describe, expect, it } from "vitest";
import { guidBytes, guidText, sidBytes, sidText, timeOf, valueKey } from "../../src/core/syntax.ts";

describe("values of a directory", () => {
	it("shows a GUID in its usual text order", () => {
		const bytes = Buffer.from("b7e9f540386029479b5f0123456789ab", "hex");
		expect(guidText(bytes)).toBe("40f5e9b7-6038-4729-9b5f-0123456789ab");
	});

	it.each(["40f5e9b7-6038-4729-9b5f-0123456789ab", "{40F5E9B7-6038-4729-9B5F-0123456789AB}", "b7e9f540386029479b5f0123456789ab"])(
		"reads the GUID %s",
		(text) => {
			expect(Buffer.from(guidBytes(text) as Uint8Array).toString("hex")).toBe("b7e9f540386029479b5f0123456789ab");
		},
	);

	it.each(["", "40f5e9b7", "40f5e9b7-6038-4729-9b5f-0123456789ag", "40f5e9b7-6038-4729-9b5f0123456789ab"])(
		"takes %j for no GUID",
		(text) => {
			expect(guidBytes(text)).toBeUndefined();
		},
	);

	it.each(["S-1-5-32-544", "S-1-5-21-1004336348-1177238915-4294967295-500", "S-1-1-0", "S-1-281474976710655-1"])(
		"reads and shows %s",
		(text) => {
			expect(sidText(sidBytes(text) as Uint8Array)).toBe(text);
		},
	);

	it.each(["S-1-5-21-4294967296", "S-1", "s-x-5", ""])("takes %j for no SID", (text) => {
		expect(sidBytes(text)).toBeUndefined();
	});

	it.each([
		["20261101083000.0Z", "2026-11-01T08:30:00.000Z"],
		["20261101083000Z", "2026-11-01T08:30:00.000Z"],
		["2026110108Z", "2026-11-01T08:00:00.000Z"],
		["20261101083000.25+0130", "2026-11-01T07:00:00.250Z"],
	])("reads the time %s as %s", (text, iso) => {
		expect(new Date(timeOf(text) ?? Number.NaN).toISOString()).toBe(iso);
	});

	it("compares full-width letters as their usual ones, and keeps letters apart that only look alike", () => {
		expect(valueKey("ＡＢＣ", "text")).toBe(valueKey("abc", "text"));
		expect(valueKey("ø", "text")).not.toBe(valueKey("o", "text"));
		expect(valueKey("ß", "text")).not.toBe(valueKey("s", "text"));
	});
});
