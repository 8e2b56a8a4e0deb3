import { expect, it } from "vitest";
import { BerWriter, tag } from "../../../src/lib/ber.ts";
import { readGroupEntry } from "../../../src/source/active-directory/group-entry.ts";
import { attributeName, firstValue } from "../../../src/source/ldap/wire/entry.ts";

function entryWith(attributes: Readonly<Record<string, Uint8Array>>): Uint8Array {
	const writer = new BerWriter(256).text("<GUID=00000000-0000-0000-0000-000000000001>;CN=Staff,DC=example").open();
	for (const [name, value] of Object.entries(attributes)) {
		writer.open().text(name).open(tag.set).octets(value).close().close();
	}
	return Uint8Array.from(writer.close().finish());
}

it("leaves a GUID and a SID alone that happen to begin with the octet of '<'", () => {
	const guid = Uint8Array.from([0x3c, 0xff, 0xc3, 0x28, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
	const { key, raw, dn } = readGroupEntry(entryWith({ objectGUID: guid, note: Buffer.from("<GUIDE>") }));
	expect(dn).toBe("CN=Staff,DC=example");
	expect(key).toEqual(guid);
	expect(Uint8Array.from(firstValue(raw, attributeName("objectGUID")) as Uint8Array)).toEqual(guid);
	expect(Buffer.from(firstValue(raw, attributeName("note")) as Uint8Array).toString()).toBe("<GUIDE>");
});

it("writes a DN that names another object in its plain form", () => {
	const { raw } = readGroupEntry(entryWith({ managedBy: Buffer.from("<GUID=00000000-0000-0000-0000-000000000002>;<SID=0105>;CN=Ada") }));
	expect(Buffer.from(firstValue(raw, attributeName("managedBy")) as Uint8Array).toString()).toBe("CN=Ada");
});
