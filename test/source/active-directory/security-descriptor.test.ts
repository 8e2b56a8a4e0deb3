import { expect, it } from "vitest";
import { mayList, mayReadProperty } from "../../../src/source/active-directory/security-descriptor.ts";

const everyone = Buffer.from("010100000000000100000000", "hex");
const stranger = Buffer.from("010100000000000500000012", "hex");
const sids = new Set(["S-1-1-0"]);

interface Ace {
	readonly type: number;
	readonly mask: number;
	readonly sid?: Buffer;
	readonly flags?: number;
	readonly guid?: true;
}

function ace({ type, mask, sid = everyone, flags = 0, guid }: Ace): Buffer {
	const isObject = [5, 6, 0xc].includes(type);
	const body = Buffer.concat([...(isObject ? [Buffer.from([guid ? 1 : 0, 0, 0, 0]), Buffer.alloc(guid ? 16 : 0, 7)] : []), sid]);
	const head = Buffer.alloc(8);
	head.writeUInt8(type, 0);
	head.writeUInt8(flags, 1);
	head.writeUInt16LE(8 + body.length, 2);
	head.writeUInt32LE(mask, 4);
	return Buffer.concat([head, body]);
}

function descriptor(...aces: readonly Ace[]): Buffer {
	const list = aces.map(ace);
	const head = Buffer.alloc(28);
	head.writeUInt8(1, 0);
	head.writeUInt16LE(0x8004, 2);
	head.writeUInt32LE(20, 16);
	head.writeUInt8(4, 20);
	head.writeUInt16LE(list.length, 24);
	return Buffer.concat([head, ...list]);
}

const LIST = 0x4;
it.each([
	["nobody is named", [], false],
	["the account is allowed", [{ type: 0, mask: 0x94 }], true],
	["somebody else is allowed", [{ type: 0, mask: LIST, sid: stranger }], false],
	["another right is allowed", [{ type: 0, mask: 0x10 }], false],
	[
		"it is denied before it is allowed",
		[
			{ type: 1, mask: LIST },
			{ type: 0, mask: LIST },
		],
		false,
	],
	[
		"it is allowed before it is denied",
		[
			{ type: 0, mask: LIST },
			{ type: 1, mask: LIST },
		],
		true,
	],
	["only children inherit it", [{ type: 0, mask: LIST, flags: 0xa }], false],
	["everything is allowed", [{ type: 0, mask: 0x1000_0000 }], true],
	["it is allowed for one kind of object", [{ type: 5, mask: LIST, guid: true }], false],
	["it is allowed by an entry for objects of any kind", [{ type: 5, mask: LIST }], true],
	[
		"it is denied under a condition",
		[
			{ type: 0xa, mask: LIST },
			{ type: 0, mask: LIST },
		],
		false,
	],
	["it is allowed under a condition", [{ type: 9, mask: LIST }], false],
] as const satisfies readonly (readonly [string, readonly Ace[], boolean])[])("when %s, listing is allowed: %s", (_, aces, expected) => {
	expect(mayList(descriptor(...aces), sids)).toBe(expected);
});

const READ = 0x10;
const sevens = "07070707-0707-0707-0707-070707070707";
it.each([
	["nobody is named", [], false],
	["the account is allowed", [{ type: 0, mask: READ }], true],
	["it is allowed for this property", [{ type: 5, mask: READ, guid: true }], true],
	[
		"it is denied for this property before it is allowed",
		[
			{ type: 6, mask: READ, guid: true },
			{ type: 0, mask: READ },
		],
		false,
	],
	["listing is allowed", [{ type: 0, mask: LIST }], false],
] as const satisfies readonly (readonly [string, readonly Ace[], boolean])[])("when %s, reading a property is: %s", (_, aces, expected) => {
	expect(mayReadProperty(descriptor(...aces), sids, [sevens])).toBe(expected);
});

it("what is said of another property does not count", () => {
	const denied = descriptor({ type: 6, mask: READ, guid: true }, { type: 0, mask: READ });
	expect(mayReadProperty(denied, sids, ["11111111-1111-1111-1111-111111111111"])).toBe(true);
	const allowed = descriptor({ type: 5, mask: READ, guid: true });
	expect(mayReadProperty(allowed, sids, ["11111111-1111-1111-1111-111111111111"])).toBe(false);
});

it("a descriptor without its access list, or cut, tells nothing", () => {
	const whole = descriptor({ type: 0, mask: LIST });
	const hidden = Buffer.from(whole);
	hidden.writeUInt16LE(0x8000, 2);
	expect(mayList(hidden, sids)).toBeUndefined();
	for (let length = 0; length < whole.length; length++) expect(mayList(whole.subarray(0, length), sids) ?? false).toBe(false);
});
