import { describe, expect, it } from "vitest";
import type { Entry } from "../../../src/core/entry.ts";
import type { Filter } from "../../../src/core/filter.ts";
import { matches } from "../../../src/core/matching.ts";
import { makeDecoder } from "../../../src/source/active-directory/decode.ts";
import { expiryMs } from "../../../src/source/active-directory/file-time.ts";
import { guidOctets, guidText } from "../../../src/source/active-directory/guid.ts";
import { ridOf, sidText } from "../../../src/source/active-directory/sid.ts";
import { encodeEntry } from "../../../src/source/ldap/wire/entry.ts";

const guid = Buffer.from("b7e9f540386029479b5f000102030405", "hex");

function decode(
	attributes: Readonly<Record<string, string | Buffer | readonly (string | Buffer)[]>>,
	dn = "CN=Ann,OU=People,DC=corp,DC=example,DC=com",
): Entry {
	const list = Object.entries({ objectGUID: guid, ...attributes }).map(([description, values]) => ({
		description,
		values: [values].flat().map((value: string | Buffer) => Buffer.from(value)),
	}));
	return makeDecoder()(encodeEntry(dn, list));
}

describe("an entry", () => {
	it("is known by its GUID in the usual text form", () => {
		expect(decode({}).anchor).toBe("40f5e9b7-6038-4729-9b5f-000102030405");
	});

	it("without a GUID cannot be read", () => {
		expect(() => decode({ objectGUID: [] })).toThrow('"CN=Ann,OU=People,DC=corp,DC=example,DC=com" shows no objectGUID');
		expect(() => makeDecoder()(Buffer.from("rubbish"))).toThrow(expect.objectContaining({ code: "ENTRY_UNREADABLE" }));
	});

	it("has its attributes in lower case, its values as they are, and none where there is none", () => {
		const { attributes } = decode({ displayName: "Ann Ö. 山", title: [], "proxyAddresses;range=0-*": ["a", "b"] });
		expect(attributes.get("displayname")).toEqual(["Ann Ö. 山"]);
		expect(attributes.get("proxyaddresses")).toEqual(["a", "b"]);
		expect(attributes.has("title")).toBe(false);
	});

	it("has its binary values in readable forms", () => {
		const sid = Buffer.from("010500000000000515000000ddeebbaa443322118877665501020000", "hex");
		const { attributes } = decode({ objectSid: sid, thumbnailPhoto: Buffer.from([0xff, 0xd8]) });
		expect(attributes.get("objectsid")).toEqual(["S-1-5-21-2864443101-287454020-1432778632-513"]);
		expect(attributes.get("thumbnailphoto")).toEqual(["/9g="]);
	});

	it.each(["userPKCS12", "photo", "logonHours", "mS-DS-ConsistencyGuid", "objectGUID", "msDS-AllowedToActOnBehalfOfOtherIdentity"])(
		"shows what is no text so that a filter finds it by its octets: %s",
		(name) => {
			const octets = name === "objectGUID" ? guid : Buffer.from("00ff2a8001fe0000ffffffffffffffff", "hex");
			const filter: Filter = { kind: "equal", attribute: name, value: octets };
			const { attributes } = decode({ [name]: octets });
			expect(matches(filter, (attribute) => attributes.get(attribute))).toBe(true);
		},
	);

	it.each([
		["512", "enabled"],
		["514", "disabled"],
		["66050", "disabled"],
		["66048", "enabled"],
		[[], "unknown"],
		["?", "unknown"],
	] as const)("with userAccountControl %s is %s", (value, standing) => {
		expect(decode({ userAccountControl: value }).standing).toBe(standing);
	});

	it.each([
		[[], undefined],
		["0", undefined],
		["9223372036854775807", undefined],
		["132223104000000000", Date.UTC(2020, 0, 1)],
		["132223104000010000", Date.UTC(2020, 0, 1) + 1],
		["-1", undefined],
	] as const)("with accountExpires %s ends at %s", (value, at) => {
		expect(decode({ accountExpires: value }).expiresAt).toBe(at);
	});

	it.each([
		["SMTP: first, whatever the order", ["smtp:b@x", "SMTP:a@x", "X500:/o=x", "sip:a@x", "smtp:c@x"], ["a@x"], ["b@x", "c@x"]],
		["a second primary counts as an alias", ["SMTP:a@x", "SMTP:b@x"], ["a@x"], ["b@x"]],
		["no primary", ["smtp:b@x"], undefined, ["b@x"]],
		["no mail address", ["X500:/o=x"], undefined, undefined],
	])("tells primary from other addresses: %s", (_, values, primary, others) => {
		const { attributes } = decode({ proxyAddresses: values });
		expect(attributes.get("primarysmtpaddress")).toEqual(primary);
		expect(attributes.get("othersmtpaddresses")).toEqual(others);
	});

	it.each([
		["CN=Ann,OU=People,DC=corp,DC=example,DC=com", "ann@corp.example.com"],
		["CN=Ann\\,DC=evil,OU=People,DC=corp,DC=com", "ann@corp.com"],
		["CN=Ann,O=acme", undefined],
	])("of %s has the implicit userPrincipalName %s", (dn, expected) => {
		expect(decode({ sAMAccountName: "ann" }, dn).attributes.get("implicituserprincipalname")?.[0]).toBe(expected);
	});
});

it("GUIDs go to text and back", () => {
	expect(guidOctets(guidText(guid))).toEqual(guid);
	expect(guidOctets(guidText(guid).toUpperCase())).toEqual(guid);
	expect(guidOctets("40f5e9b7")).toBeUndefined();
});

it("SIDs are read, and their last part", () => {
	const sid = Buffer.from("01020000000000052000000020020000", "hex");
	expect(sidText(sid)).toBe("S-1-5-32-544");
	expect(ridOf(sid)).toBe(544);
	expect(sidText(sid.subarray(0, 10))).toBeUndefined();
});

it("the largest FILETIME that is not never is a time", () => {
	expect(expiryMs("9223372036854775806")).toBeGreaterThan(Date.UTC(9999, 0, 1));
});
