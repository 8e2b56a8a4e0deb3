import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dnKey, dnsDomain, isBeneath, parentDn, parseDn } from "../../src/core/dn.ts";
import { Failure } from "../../src/core/errors.ts";

describe("two spellings of one DN have one normal form", () => {
	it.each([
		["case", "CN=Ann Lee,OU=People,DC=corp,DC=example", "cn=ann lee,ou=PEOPLE,dc=CORP,dc=Example"],
		["spaces around separators", "CN=Ann,OU=People", " CN = Ann , OU=People "],
		["inner spaces", "CN=Ann  Lee,OU=x", "CN=Ann Lee,OU=x"],
		["escaped comma and its hex", "CN=Lee\\, Ann,OU=x", "CN=Lee\\2C Ann,OU=x"],
		["hex of lower and upper case", "CN=Lee\\2c Ann,OU=x", "CN=Lee\\2C Ann,OU=x"],
		["a needless escape", "CN=a\\=b,OU=x", "CN=a=b,OU=x"],
		["non-ASCII and its UTF-8 in hex", "CN=Zoë,OU=x", "CN=Zo\\C3\\AB,OU=x"],
		["non-ASCII case", "CN=ÅSA,OU=x", "CN=åsa,OU=x"],
		["composed and decomposed", "CN=Zo\u00eb,OU=x", "CN=Zoe\u0308,OU=x"],
		["two small sigmas", "CN=ΝΙΚΟΣ,OU=x", "CN=νικος,OU=x"],
		["leading and trailing escaped spaces", "CN=\\ a\\ ,OU=x", "CN=\\20a\\20,OU=x"],
		["a BER value", "CN=#0C03416E6E,OU=x", "CN=Ann,OU=x"],
		["an OID for a name", "2.5.4.3=Ann,2.5.4.11=x", "CN=Ann,OU=x"],
		["OID. for a name", "OID.2.5.4.3=Ann,OU=x", "CN=Ann,OU=x"],
		["the order in a multi-valued RDN", "CN=Ann+UID=7,OU=x", "UID=7+CN=Ann,OU=x"],
		["semicolons of RFC 2253", "CN=Ann;OU=x", "CN=Ann,OU=x"],
		["quotes of RFC 2253", 'CN="Lee, Ann",OU=x', "CN=Lee\\, Ann,OU=x"],
		["a leading number sign", "CN=\\#1,OU=x", "CN=\\231,OU=x"],
		["a line feed of a tombstone", "CN=Ann\\0ADEL:1,OU=x", "cn=ann\\0adel:1,OU=x"],
	])("%s", (_, one, other) => {
		expect(dnKey(one)).toBe(dnKey(other));
	});
});

it.each([
	["a comma in a name is no separator", "CN=a\\,OU=b,DC=x", "CN=a,OU=b,DC=x"],
	["a plus in a name joins nothing", "CN=a\\+UID=b,DC=x", "CN=a+UID=b,DC=x"],
	["an accent counts", "CN=Zoe,OU=x", "CN=Zoë,OU=x"],
	["a letter of a hex value counts", "CN=#0500,OU=x", "CN=#0501,OU=x"],
	["what is no DN is equal to itself alone", "no dn", "no  dn"],
])("different DNs stay different: %s", (_, one, other) => {
	expect(dnKey(one)).not.toBe(dnKey(other));
});

it("the normal form stands root first, so that beneath is a prefix", () => {
	expect(dnKey("CN=Ann,OU=People,DC=corp,DC=example")).toBe("dc=example,dc=corp,ou=people,cn=ann,");
});

it.each([
	["CN=Ann,OU=People,DC=x", "OU=People,DC=x", true],
	["CN=Ann,OU=Sub,OU=People,DC=x", "ou=PEOPLE, dc=X", true],
	["OU=People,DC=x", "OU=People,DC=x", true],
	["CN=Ann,OU=People2,DC=x", "OU=People,DC=x", false],
	["OU=People,DC=x", "CN=Ann,OU=People,DC=x", false],
	["CN=a\\,OU=People,DC=x", "OU=People,DC=x", false],
	["CN=Ann\\, Lee,OU=Z\\C3\\BCrich,DC=x", "OU=Zürich,DC=x", true],
	["not a dn OU=People,DC=x", "OU=People,DC=x", false],
])("%s is in %s: %s", (dn, container, expected) => {
	expect(isBeneath(dnKey(dn), dnKey(container))).toBe(expected);
});

it.each([
	["CN=Ann,OU=People,DC=x", "OU=People,DC=x"],
	["CN=Lee\\, Ann,OU=People,DC=x", "OU=People,DC=x"],
	["CN=back\\\\,OU=People,DC=x", "OU=People,DC=x"],
	['CN="Lee, Ann", OU=People,DC=x', "OU=People,DC=x"],
	["DC=x", undefined],
	["", undefined],
])("the parent of %s is %s", (dn, parent) => {
	expect(parentDn(dn)).toBe(parent);
});

it.each([
	["CN=Ann,OU=People,DC=corp,DC=example,DC=com", "corp.example.com"],
	["CN=x\\,DC=evil,dc=corp,dc=com", "corp.com"],
	["OU=People,O=acme", undefined],
])("the DNS domain of %s is %s", (dn, domain) => {
	expect(dnsDomain(dn)).toBe(domain);
});

it("values are unescaped, spaces kept where they were escaped", () => {
	expect(parseDn("CN=\\ Lee\\, Ann \\ +UID=7 ,OU=a\\\\b")).toEqual([
		[
			{ type: "CN", value: " Lee, Ann  " },
			{ type: "UID", value: "7" },
		],
		[{ type: "OU", value: "a\\b" }],
	]);
});

it.each([
	["People", 7],
	["OU=People,", 11],
	["OU=People,,DC=x", 11],
	["OU=a\\zb", 6],
	["OU=a\\", 6],
	["=x", 1],
	["CN=#0", 4],
	['CN="a', 6],
])("%s is refused at position %d", (text, position) => {
	expect(() => parseDn(text)).toThrow(Failure);
	expect(() => parseDn(text)).toThrow(`at position ${position} `);
});

/** Every octet as a hex pair: the spelling that needs no rule but one. */
function inHex(value: string): string {
	return Array.from(Buffer.from(value, "utf8"), (octet) => `\\${octet.toString(16).padStart(2, "0")}`).join("");
}

it("any name has the normal form of its spelling in hex, whatever way its own spelling takes", () => {
	const value = fc.string({
		unit: fc.oneof(fc.constantFrom(...' ,+"\\#;<>=aZ09.-é山'), fc.string({ minLength: 1, maxLength: 1 })),
		minLength: 1,
		maxLength: 8,
	});
	const escaped = (text: string): string =>
		text
			.replace(/[,+"\\<>;=]/g, (found) => `\\${found}`)
			.replace(/^[ #]/, (found) => `\\${found}`)
			.replace(/(?<!\\) $/, "\\ ");
	fc.assert(
		fc.property(fc.array(value, { minLength: 1, maxLength: 4 }), (values) => {
			const plain = values.map((text) => `OU=${escaped(text)}`).join(",");
			const hex = values.map((text) => `ou=${inHex(text)}`).join(",");
			expect(dnKey(plain)).toBe(dnKey(hex));
			expect(dnKey(plain).startsWith("\u0000")).toBe(false);
			expect(isBeneath(dnKey(`CN=x,${plain}`), dnKey(hex))).toBe(true);
			expect(parentDn(`CN=x,${plain}`)).toBe(plain.trimStart());
		}),
	);
});
