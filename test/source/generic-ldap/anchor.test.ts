import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Anchor } from "../../../src/core/entry.ts";
import { makeAnchors } from "../../../src/source/generic-ldap/anchor.ts";
import { presetOf } from "../../../src/source/generic-ldap/presets.ts";
import { encodeEntry } from "../../../src/source/ldap/wire/entry.ts";

const entry = (attribute: string, value: string) => encodeEntry("uid=x", [{ description: attribute, values: [Buffer.from(value)] }]);

describe("an anchor", () => {
	it.each([
		{ preset: "openldap", shown: "6BA7B810-9DAD-11D1-80B4-00C04FD430C8", anchor: "6ba7b810-9dad-11d1-80b4-00c04fd430c8", octets: 16 },
		{ preset: "389ds", shown: "b3a0c601-5f6d11ee-8c3bd2a6-4a0b4b1a", anchor: "b3a0c601-5f6d11ee-8c3bd2a6-4a0b4b1a", octets: 16 },
		{ preset: "freeipa", shown: "6ba7b810-9dad-11d1-80b4-00c04fd430c8", anchor: "6ba7b810-9dad-11d1-80b4-00c04fd430c8", octets: 16 },
		{ preset: "google", shown: "6ba7b810-9dad-11d1-80b4-00c04fd430c8", anchor: "6ba7b810-9dad-11d1-80b4-00c04fd430c8", octets: 16 },
	] as const)(
		"of preset $preset is $octets octets in network order, and as text what the directory shows",
		({ preset, shown, anchor, octets }) => {
			const { people, anchorOf } = makeAnchors(presetOf(preset), { anchor: undefined });
			const key = people.keyOf(entry(people.attribute, shown)) as Uint8Array;
			expect(key).toHaveLength(octets);
			expect(Buffer.from(key).toString("hex")).toBe(anchor.replaceAll("-", ""));
			expect(anchorOf(key)).toBe(anchor);
		},
	);

	it.each(["autogenerate", "6ba7b810", "", "6ba7b810-9dad-11d1-80b4-00c04fd430c8-00"])(
		"is none where a UUID should be and %j is",
		(shown) => {
			const { people } = makeAnchors(presetOf("freeipa"), { anchor: undefined });
			expect(people.keyOf(entry("ipaUniqueID", shown))).toBeUndefined();
		},
	);

	it("of one's own is any text without its case, and never taken for a UUID", () => {
		const { people, groups, anchorOf } = makeAnchors(presetOf("389ds"), { anchor: "employeeNumber" });
		fc.assert(
			fc.property(fc.string({ minLength: 1, maxLength: 40, unit: "grapheme" }), (text) => {
				const key = people.keyOf(entry("employeeNumber", text)) as Uint8Array;
				expect(anchorOf(key)).toBe(Buffer.from(text).toString("utf8").trim().toLowerCase() as Anchor);
				expect(key.length).not.toBe(16);
			}),
		);
		// Groups have no employeeNumber.
		expect(groups.attribute).toBe("nsUniqueId");
	});

	it("that every entry has takes the place of the preset's for groups and containers too", () => {
		const { people, groups, containers } = makeAnchors(presetOf("389ds"), { anchor: "entryUUID" });
		expect([people, groups, containers].map(({ attribute }) => attribute)).toEqual(["entryUUID", "entryUUID", "entryUUID"]);
	});
});
