import { guidBytes, sidBytes } from "../core/syntax.ts";

/** Everybody who is bound. */
export const AUTHENTICATED_USERS = "S-1-5-11";

/** schemaIDGUID of `member` (MS-ADA2), the one attribute whose being hidden a descriptor tells of. */
const MEMBER = "bf9679c0-0de6-11d0-a285-00aa003049e2";
const READ_PROPERTY = 0x10;
const READ_CONTROL = 0x2_0000;

/**
 * A self-relative security descriptor (MS-DTYP §2.4.6) with the access list that goes with what an account may see: everybody
 * reads properties, but not those that are hidden. It says nothing of listing, which these rights keep apart.
 */
export function descriptorFor(hidden: ReadonlySet<string>): Uint8Array {
	const sid = sidBytes(AUTHENTICATED_USERS) ?? new Uint8Array(0);
	const entries = [
		...(hidden.has("member") ? [entry(0x06, READ_PROPERTY, guidBytes(MEMBER), sid)] : []),
		entry(0x00, READ_PROPERTY | READ_CONTROL, undefined, sid),
	];
	const list = Buffer.concat([Buffer.alloc(8), ...entries]);
	list[0] = 4; // The revision that may hold entries for single properties.
	list.writeUInt16LE(list.length, 2);
	list.writeUInt16LE(entries.length, 4);
	const head = Buffer.alloc(20);
	head[0] = 1;
	head.writeUInt16LE(0x8004, 2); // Self-relative, with an access list.
	head.writeUInt32LE(head.length, 16);
	return Buffer.concat([head, list]);
}

/** One access control entry (MS-DTYP §2.4.4.2 and §2.4.4.5); of a single property when its GUID is given. */
function entry(type: number, mask: number, property: Uint8Array | undefined, sid: Uint8Array): Buffer {
	const head = Buffer.alloc(property === undefined ? 8 : 12);
	head[0] = type;
	head.writeUInt32LE(mask, 4);
	if (property !== undefined) head.writeUInt32LE(1, 8);
	const whole = Buffer.concat([head, property ?? Buffer.alloc(0), sid]);
	whole.writeUInt16LE(whole.length, 2);
	return whole;
}
