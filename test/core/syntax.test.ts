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

	it.each([
		["ＡＢＣ", "abc", "full width"],
		["ｶﾅ", "カナ", "half width"],
		["かな", "カナ", "Hiragana and Katakana"],
		["A\u030a", "å", "a letter composed of two"],
		["Meißner", "meissner", "a letter that is two"],
		["Ærø", "aero", "letters that Unicode does not take apart"],
		["ΣΊΣΥΦΟΣ", "σίσυφος", "two small letters of one capital"],
		["İ", "i", "a dot that is a mark"],
	])("compares %s as %s: %s", (one, other) => {
		expect(valueKey(one, "text")).toBe(valueKey(other, "text"));
	});

	it.each([
		["ß", "s"],
		["ı", "i"],
		["đ", "ð"],
		["王", "玉"],
	])("keeps %s and %s apart, which only look alike", (one, other) => {
		expect(valueKey(one, "text")).not.toBe(valueKey(other, "text"));
	});

	it.each([
		["guid", "40f5e9b7-6038-4729-9b5f-0123456789ab", "b7e9f540386029479b5f0123456789ab"],
		["guid", "t+n1QDhgKUebXwEjRWeJqw==", "b7e9f540386029479b5f0123456789ab"],
		["sid", "S-1-5-32-544", "01020000000000052000000020020000"],
		["bytes", "AAEC/w==", "000102ff"],
	] as const)("compares a %s as %s with its bytes", (syntax, text, hex) => {
		expect(valueKey(text, syntax)).toBe(hex);
		expect(valueKey(Buffer.from(hex, "hex"), syntax)).toBe(hex);
	});
});
