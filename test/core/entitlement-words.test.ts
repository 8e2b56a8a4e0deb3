import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Entitlements, entitlementPhrases, wordsOfEntitlements } from "../../src/core/entitlement-words.ts";

describe("why features and policies changed", () => {
	it.each<{ before: Entitlements; after: Entitlements; says: string }>([
		{ before: {}, after: { features: ["search"] }, says: "feature search on: group Archive" },
		{ before: { features: ["search"] }, after: {}, says: "feature search off: group Archive" },
		{ before: {}, after: { policies: { mail: "block" } }, says: 'policy mail set to "block": group Archive' },
		{
			before: { policies: { mail: "block" } },
			after: { policies: { mail: "allow" } },
			says: 'policy mail from "block" to "allow": group Archive',
		},
		{ before: { policies: { mail: "block" } }, after: { policies: {} }, says: 'policy mail cleared, was "block": group Archive' },
		{ before: { features: ["a"], policies: { mail: "x" } }, after: { features: ["a"], policies: { mail: "x" } }, says: "" },
		{
			before: { features: ["b"] },
			after: { features: ["a"], policies: { mail: "" } },
			says: 'feature a on: group Archive; feature b off: group Archive; policy mail set to "": group Archive',
		},
		{ before: {}, after: { features: ["two words"] }, says: 'feature "two words" on: group Archive' },
	])("$before to $after is said as: $says", ({ before, after, says }) => {
		expect(wordsOfEntitlements(before, after, () => "group Archive")).toBe(says);
	});

	it("says through what in plain words, and in quotes only where its end could be mistaken", () => {
		const says = (through: string) => wordsOfEntitlements({}, { features: ["a"] }, () => through);
		expect(says('group "Archive Users", through Sales')).toBe('feature a on: group "Archive Users", through Sales');
		expect(says("one; two")).toBe('feature a on: "one; two"');
		expect(says('"Archive"')).toBe(String.raw`feature a on: "\"Archive\""`);
	});

	it("is read back as it was meant, whatever names, values and reasons hold", () => {
		const text = fc.oneof(
			fc.string({ unit: "grapheme" }),
			fc
				.array(fc.constantFrom("; ", ";", '"', "\\", " on: ", ": ", "feature a on: x", 'policy b set to "c": ', "\n", " ", "a", "b"), {
					maxLength: 6,
				})
				.map((parts) => parts.join("")),
		);
		const sides = fc.record({ features: fc.uniqueArray(text, { maxLength: 4 }), policies: fc.dictionary(text, text, { maxKeys: 4 }) });
		fc.assert(
			fc.property(sides, sides, fc.infiniteStream(text), (before, after, throughs) => {
				const through = new Map<string, string>();
				const words = wordsOfEntitlements(before, after, (kind, name) => {
					const said = throughs.next().value as string;
					through.set(`${kind} ${name}`, said);
					return said;
				});
				for (const why of words === "" ? [""] : [words, `new in the directory; ${words}`]) {
					const had = { features: new Set(before.features), policies: new Map(Object.entries(before.policies)) };
					for (const phrase of entitlementPhrases(why)) {
						expect(phrase.through).toBe(through.get(`${phrase.kind} ${phrase.name}`));
						if (phrase.kind === "feature") {
							expect(had.features.has(phrase.name)).toBe(phrase.is === "off");
							had.features[phrase.is === "on" ? "add" : "delete"](phrase.name);
						} else {
							expect(had.policies.get(phrase.name)).toBe(phrase.before);
							if (phrase.after === undefined) had.policies.delete(phrase.name);
							else had.policies.set(phrase.name, phrase.after);
						}
					}
					expect(had.features).toEqual(new Set(after.features));
					expect(Object.fromEntries(had.policies)).toEqual(Object.fromEntries(Object.entries(after.policies)));
				}
			}),
			{ numRuns: 500 },
		);
	});

	it.each([
		"",
		'department from "Sales" to "feature a on: x"',
		"feature",
		"features from a to b",
		'policy p set to "half',
		"new in the directory",
	])("is nothing in %j", (why) => {
		expect(entitlementPhrases(why)).toEqual([]);
	});
});
