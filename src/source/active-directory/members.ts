import { BerReader, tag } from "../../lib/ber.ts";
import type { Members } from "../source.ts";

/** Members that came and members that went. */
export interface MemberChange {
	readonly added: MemberList;
	readonly removed: MemberList;
}

/** Members that are being gathered: values as views of the bytes they came in, nothing decoded but their keys. */
export interface MemberList {
	readonly count: number;
	/** The key of each, 16 octets; all zero where none is known yet. */
	keyAt(index: number): Uint8Array;
	setKey(index: number, key: Uint8Array): void;
	nameOf(index: number): string;
	/** Places of values that do not tell a GUID. */
	readonly nameless: readonly number[];
	/** Takes the values of a set: from `offset`, just past its header, to `end`. */
	add(bytes: Uint8Array, offset: number, end: number): void;
	finish(): Members;
}

const KEY_OCTETS = 16;

/** An empty list. A member costs 16 octets of key and 8 of place, beside the bytes that came. */
export function makeMemberList(): MemberList {
	const parts: { readonly bytes: Uint8Array; readonly from: number; readonly spans: Uint32Array }[] = [];
	const nameless: number[] = [];
	let keys = new Uint8Array(0);
	let count = 0;
	const keyAt = (index: number): Uint8Array => keys.subarray(index * KEY_OCTETS, (index + 1) * KEY_OCTETS);
	const nameOf = (index: number): string => {
		const part = parts.findLast(({ from }) => from <= index);
		if (part === undefined) return "";
		const at = (index - part.from) * 2;
		return plainDn(textAt(part.bytes, part.spans[at] as number, part.spans[at + 1] as number));
	};
	return {
		get count() {
			return count;
		},
		keyAt,
		setKey: (index, key) => keys.set(key, index * KEY_OCTETS),
		nameOf,
		nameless,
		add: (bytes, offset, end) => {
			const spans = spansOf(bytes, offset, end);
			const more = spans.length / 2;
			parts.push({ bytes, from: count, spans });
			if (keys.length < (count + more) * KEY_OCTETS) {
				const grown = new Uint8Array(Math.max(keys.length * 2, (count + more) * KEY_OCTETS));
				grown.set(keys);
				keys = grown;
			}
			for (let i = 0; i < more; i++) {
				const isKnown = readKey(bytes, spans[i * 2] as number, spans[i * 2 + 1] as number, keys, (count + i) * KEY_OCTETS);
				if (!isKnown) nameless.push(count + i);
			}
			count += more;
		},
		finish: () => ({ count, keys: keys.subarray(0, count * KEY_OCTETS), nameOf }),
	};
}

export const nobody: Members = { count: 0, keys: new Uint8Array(0), nameOf: () => "" };

const EXTENDED = ["<GUID=", "<SID=", "<WKGUID="].map((text) => Buffer.from(text, "latin1"));

/** Whether these octets are a DN as the extended-DN control writes it. A GUID or a SID may begin with "<" as well. */
export function isExtendedDn(value: Uint8Array): boolean {
	return EXTENDED.some((head) => head.equals(value.subarray(0, head.length)));
}

/** A DN without the GUID and SID that the extended-DN control puts before it. */
export function plainDn(text: string): string {
	return text.startsWith("<") ? text.replace(/^(?:<(?:GUID|SID|WKGUID)=[^>]*>;)+/i, "") : text;
}

function spansOf(bytes: Uint8Array, offset: number, end: number): Uint32Array {
	const spans: number[] = [];
	const reader = new BerReader(bytes, offset, end);
	while (!reader.isAtEnd) {
		const stop = reader.enter(tag.octetString);
		spans.push(reader.offset, stop);
		reader.offset = stop;
	}
	return Uint32Array.from(spans);
}

/** Where the octets of a GUID stand in its text, two digits each: its first three fields are little-endian (MS-DTYP §2.3.4). */
const dashed = [6, 4, 2, 0, 11, 9, 16, 14, 19, 21, 24, 26, 28, 30, 32, 34];
const PREFIX = Buffer.from("<GUID=", "latin1");

/** Reads the GUID at the head of an extended DN: `<GUID=…>` as text or as 32 digits. Written out: ten million of them may come. */
function readKey(bytes: Uint8Array, offset: number, end: number, into: Uint8Array, at: number): boolean {
	const start = offset + PREFIX.length;
	if (end < start + 33) return false;
	for (let i = 0; i < PREFIX.length; i++) {
		if (((bytes[offset + i] as number) | 0x20) !== ((PREFIX[i] as number) | 0x20)) return false;
	}
	const isDashed = bytes[start + 36] === 0x3e;
	if (!isDashed && bytes[start + 32] !== 0x3e) return false;
	for (let i = 0; i < KEY_OCTETS; i++) {
		const digit = start + (isDashed ? (dashed[i] as number) : i * 2);
		const octet = (hexDigit(bytes[digit] as number) << 4) | hexDigit(bytes[digit + 1] as number);
		if (octet < 0) return false;
		into[at + i] = octet;
	}
	return true;
}

function hexDigit(code: number): number {
	if (code >= 0x30 && code <= 0x39) return code - 0x30;
	const letter = code | 0x20;
	return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

function textAt(bytes: Uint8Array, from: number, to: number): string {
	return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString("utf8");
}
