import fc from "fast-check";
import { expect, it } from "vitest";
import { BerWriter, tag } from "../../../src/lib/ber.ts";
import { attributeName, attributesIn, dnOf, encodeEntry, firstValue, hasRanges } from "../../../src/source/ldap/wire/entry.ts";
import { makeFrames } from "../../../src/source/ldap/wire/frames.ts";

function message(length: number): Buffer {
	return Buffer.from(new BerWriter().open(tag.sequence).octets(Buffer.alloc(length, length)).close().finish());
}

it("messages come out whole and in order however the stream is cut", () => {
	const lengths = fc.array(fc.nat(600), { maxLength: 12 });
	fc.assert(
		fc.property(lengths, fc.infiniteStream(fc.integer({ min: 1, max: 700 })), (given, cuts) => {
			const sent = given.map(message);
			const stream = Buffer.concat(sent);
			const came: Buffer[] = [];
			const feed = makeFrames((bytes, start, end) => came.push(Buffer.from(bytes.subarray(start, end))));
			for (let at = 0; at < stream.length; ) {
				const size = cuts.next().value as number;
				feed(Buffer.from(stream.subarray(at, at + size)));
				at += size;
			}
			expect(came).toEqual(sent);
		}),
	);
});

it("one huge message in small chunks takes time in proportion to its size", () => {
	const huge = message(20_000_00);
	let came = 0;
	let copied = 0;
	const feed = makeFrames((bytes) => {
		came++;
		copied += bytes.length;
	});
	for (let at = 0; at < huge.length; at += 1400) feed(huge.subarray(at, at + 1400));
	expect({ came, copied }).toEqual({ came: 1, copied: huge.length });
});

const entry = encodeEntry("CN=Zoë,OU=x", [
	{ description: "objectGUID", values: [Buffer.from("0123456789abcdef")] },
	{ description: "extensionAttribute1", values: [Buffer.from("x"), Buffer.from("y")] },
	{ description: "mail", values: [] },
]);

it("an entry is looked into without decoding it", () => {
	expect(dnOf(entry)).toBe("CN=Zoë,OU=x");
	expect(Buffer.from(firstValue(entry, attributeName("OBJECTguid")) ?? "").toString()).toBe("0123456789abcdef");
	expect(firstValue(entry, attributeName("mail"))).toBeUndefined();
	expect(firstValue(entry, attributeName("objectGUI"))).toBeUndefined();
	expect(attributesIn(entry).map(({ values }) => values.length)).toEqual([1, 2, 0]);
});

it.each([
	["member;range=0-1499", true],
	["member;Range=1500-*", true],
	["member", false],
	["extensionAttribute1", false],
	["userCertificate;binary", false],
])("%s is a part of its values: %s", (description, expected) => {
	expect(hasRanges(encodeEntry("CN=x", [{ description, values: [Buffer.from("x")] }]))).toBe(expected);
});

it("bytes that are cut are refused, not read past their end", () => {
	for (let length = 0; length < entry.length; length++) expect(() => hasRanges(entry.subarray(0, length))).toThrow();
});
