import { describe, expect, it } from "vitest";
import { compileMultiple, compileSingle, parseTemplate } from "../../src/core/template.ts";

const attributes = new Map<string, readonly string[]>([
	["mail", ["Ann@Example.com", "b@example.com"]],
	["cn", [" Ann "]],
	["empty", [""]],
	["blank", ["  "]],
]);

function read(text: string) {
	const template = parseTemplate(text);
	if (template.kind === "problem") throw new Error(template.message);
	return template;
}

describe("a template", () => {
	it.each([
		{ text: "{mail}", gives: "Ann@Example.com", because: "the first value" },
		{ text: "{MAIL}", gives: "Ann@Example.com", because: "attribute names have no case" },
		{ text: "{mail | lower}", gives: "ann@example.com", because: "functions follow a pipe" },
		{ text: "{cn|trim|upper}", gives: "ANN", because: "several, from left to right" },
		{ text: "{none ?? mail}", gives: "Ann@Example.com", because: "the fallback" },
		{ text: "{none ?? mail | lower}", gives: "ann@example.com", because: "a function works on whatever there was" },
		{ text: "{none | lower ?? mail}", gives: "Ann@Example.com", because: "but not on what comes after it" },
		{ text: '{none ?? "n/a"}', gives: "n/a", because: "a text as the last resort" },
		{ text: "{empty ?? mail}", gives: "Ann@Example.com", because: "an empty value is none" },
		{ text: "{blank | trim ?? mail}", gives: "Ann@Example.com", because: "and one that trim empties" },
		{ text: "<{mail}> {cn}", gives: "<Ann@Example.com>  Ann ", because: "text around" },
		{ text: "{{{mail}}}", gives: "{Ann@Example.com}", because: "doubled braces are braces" },
		{ text: "fixed", gives: "fixed", because: "text alone" },
		{ text: "{none}", gives: undefined, because: "no value" },
		{ text: "{mail}-{none}", gives: undefined, because: "one placeholder without a value is no value at all" },
		{ text: "", gives: undefined, because: "an empty template" },
	])("$text gives $gives: $because", ({ text, gives }) => {
		expect(compileSingle(read(text))(attributes)).toBe(gives);
	});

	it.each([
		{ text: "{mail | lower}", gives: ["ann@example.com", "b@example.com"] },
		{ text: "smtp:{mail}", gives: ["smtp:Ann@Example.com", "smtp:b@example.com"] },
		{ text: "{mail | first}", gives: ["Ann@Example.com"] },
		{ text: "{mail}{cn}", gives: ["Ann@Example.com Ann "] },
		{ text: "{none}", gives: [] },
		{ text: "fixed", gives: ["fixed"] },
	])("$text in a field of several values gives $gives", ({ text, gives }) => {
		expect(compileMultiple(read(text))(attributes)).toEqual(gives);
	});

	it.each([
		{ text: "a{mail", at: 1, message: "never closed" },
		{ text: "mail}", at: 4, message: "without an opening one" },
		{ text: "{}", at: 0, message: "empty placeholder" },
		{ text: "{mail | shout}", at: 8, message: 'no function "shout"' },
		{ text: "{mail |}", at: 7, message: "function's name" },
		{ text: "{mail ??}", at: 8, message: "attribute's name" },
		{ text: "{mail upn}", at: 6, message: "??, | or }" },
		{ text: "{mail ?? 'x}", at: 9, message: "quoted text" },
		{ text: "{mail ?? ", at: 9, message: "the end" },
	])("$text is refused at character $at: $message", ({ text, at, message }) => {
		expect(parseTemplate(text)).toMatchObject({ kind: "problem", at, message: expect.stringContaining(message) });
	});
});
