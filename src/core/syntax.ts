import type { Syntax } from "./attribute-syntax.ts";
import { dnKey } from "./dn.ts";

/**
 * A value as a directory or our snapshot holds it. What is no text is bytes, or what a decoded entry shows of them: a GUID or SID in
 * its usual form, all else in base64.
 */
export type Value = string | Uint8Array;

/** What Windows' sort keys take for two letters, or for another one with a mark that Unicode does not take apart. */
const spelled: Readonly<Record<string, string>> = {
	ß: "ss",
	ẞ: "ss",
	æ: "ae",
	Æ: "ae",
	œ: "oe",
	Œ: "oe",
	þ: "th",
	Þ: "th",
	ø: "o",
	Ø: "o",
};

/**
 * The form under which two values of a text attribute are equal for AD: no case, no accents, no difference between full and half
 * width, or Hiragana and Katakana (MS-ADTS §3.1.1.2.2.4.13 compares by sort keys with NORM_IGNORECASE, NORM_IGNORENONSPACE,
 * NORM_IGNOREWIDTH and NORM_IGNOREKANATYPE). "Meißner" is "Meissner" (Microsoft's KB 938447), "ø" is "o" (seen on Windows 2012 R2).
 */
export function foldText(value: string): string {
	if (isAscii(value)) return value.toLowerCase();
	return value
		.replace(/[\u3000\uff01-\uffee]/g, (wide) => wide.normalize("NFKC"))
		.normalize("NFD")
		.replace(/\p{Mn}/gu, "")
		.replace(/[ßẞæÆœŒþÞøØ]/g, (letter) => spelled[letter] as string)
		.replace(/[\u3041-\u3096]/g, (hiragana) => String.fromCharCode(hiragana.charCodeAt(0) + 0x60))
		.toLowerCase()
		.replaceAll("ς", "σ"); // toLowerCase gives a capital sigma either of two small ones, by where it stands.
}

function isAscii(value: string): boolean {
	for (let i = 0; i < value.length; i++) if (value.charCodeAt(i) > 0x7f) return false;
	return true;
}

/** A GUID's usual text, lower case, from its 16 bytes: the first three fields are little-endian (MS-DTYP §2.3.4.2). */
export function guidText(bytes: Uint8Array): string {
	const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
	const at = (octet: number): string => hex.slice(octet * 2, octet * 2 + 2);
	return `${at(3)}${at(2)}${at(1)}${at(0)}-${at(5)}${at(4)}-${at(7)}${at(6)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** The 16 bytes of a GUID written as text, with or without braces, or as 32 raw hex digits; undefined when it is neither. */
export function guidBytes(text: string): Uint8Array | undefined {
	if (/^[0-9a-f]{32}$/i.test(text)) return Buffer.from(text, "hex");
	const found = /^\{?([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})\}?$/i.exec(text);
	if (found === null) return undefined;
	const [, first = "", second = "", third = "", fourth = "", fifth = ""] = found;
	const swapped = (hex: string): Buffer => Buffer.from(hex, "hex").reverse();
	return Buffer.concat([swapped(first), swapped(second), swapped(third), Buffer.from(fourth + fifth, "hex")]);
}

/** A SID's text, "S-1-5-21-…", from its bytes (MS-DTYP §2.4.2.2). Bytes that are none give their hex. */
export function sidText(bytes: Uint8Array): string {
	const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
	if (view.length < 8 || view.length !== 8 + 4 * (view[1] as number)) return view.toString("hex");
	let text = `S-${view[0]}-${view.readUIntBE(2, 6)}`;
	for (let at = 8; at < view.length; at += 4) text += `-${view.readUInt32LE(at)}`;
	return text;
}

/** A SID's bytes from its text; undefined when it is none. */
export function sidBytes(text: string): Uint8Array | undefined {
	const parts = /^S-(\d{1,3})-(\d{1,15})((?:-\d{1,10}){0,15})$/i.exec(text);
	if (parts === null) return undefined;
	const authorities = (parts[3] as string).split("-").slice(1).map(Number);
	const bytes = Buffer.alloc(8 + 4 * authorities.length);
	bytes[0] = Number(parts[1]);
	bytes[1] = authorities.length;
	bytes.writeUIntBE(Number(parts[2]), 2, 6);
	for (const [index, authority] of authorities.entries()) {
		if (authority > 0xffff_ffff) return undefined;
		bytes.writeUInt32LE(authority, 8 + 4 * index);
	}
	return bytes;
}

/** Unix milliseconds of a GeneralizedTime, "20261101083000.0Z"; undefined when it is none (RFC 4517 §3.3.13). */
export function timeOf(text: string): number | undefined {
	const found = /^(\d{4})(\d{2})(\d{2})(\d{2})(?:(\d{2})(?:(\d{2}))?)?(?:[.,](\d+))?(?:Z|([+-])(\d{2})(\d{2})?)$/.exec(text);
	if (found === null) return undefined;
	const [, year, month, day, hour, minute = "0", second = "0", fraction = "0", sign, zoneHour = "0", zoneMinute = "0"] = found;
	const at = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
	const offset = (Number(zoneHour) * 60 + Number(zoneMinute)) * 60_000 * (sign === "-" ? -1 : 1);
	return at + Math.floor(Number(`0.${fraction}`) * 1000) - offset;
}

/** What is compared for equality: two values of one attribute are the same when their keys are. Undefined: not a value of this syntax. */
export function valueKey(value: Value, syntax: Syntax): string | bigint | number | undefined {
	switch (syntax) {
		case "integer":
			return integerOf(textOf(value));
		case "time":
			return timeOf(textOf(value));
		case "boolean":
			return /^(true|false)$/i.test(textOf(value)) ? textOf(value).toUpperCase() : undefined;
		case "dn":
		case "category":
			return dnKey(textOf(value));
		case "guid":
			return hexOf(typeof value === "string" ? bytesOf(value, syntax) : (guidOfText(value) ?? value));
		case "sid":
			return hexOf(typeof value === "string" ? bytesOf(value, syntax) : (sidOfText(value) ?? value));
		case "bytes":
			return hexOf(bytesOf(value, syntax));
		case "exact":
			return textOf(value);
		default:
			return foldText(textOf(value));
	}
}

export function textOf(value: Value): string {
	return typeof value === "string" ? value : Buffer.from(value.buffer, value.byteOffset, value.length).toString("utf8");
}

/** The bytes of a value that is no text, also of what a decoded entry shows of them. */
export function bytesOf(value: Value, syntax: Syntax): Uint8Array {
	if (typeof value !== "string") return value;
	const named = syntax === "guid" ? guidBytes(value) : syntax === "sid" ? sidBytes(value) : undefined;
	return named ?? Buffer.from(value, "base64");
}

export function integerOf(text: string): bigint | undefined {
	return /^[+-]?\d{1,20}$/.test(text) ? BigInt(text.startsWith("+") ? text.slice(1) : text) : undefined;
}

function hexOf({ buffer, byteOffset, length }: Uint8Array): string {
	return Buffer.from(buffer, byteOffset, length).toString("hex");
}

/** A filter's assertion comes as bytes even when a person wrote the textual GUID. Sixteen bytes are always taken as the GUID itself. */
function guidOfText(value: Uint8Array): Uint8Array | undefined {
	return value.length === 16 ? undefined : guidBytes(textOf(value));
}

function sidOfText(value: Uint8Array): Uint8Array | undefined {
	return value[0] === 0x53 || value[0] === 0x73 ? sidBytes(textOf(value)) : undefined;
}
