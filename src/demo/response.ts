import { BerWriter, tag } from "../lib/ber.ts";
import type { Refusal } from "./result.ts";

/** Tags of the answers that end an operation (RFC 4511 §4). */
export const answerTag = {
	bind: 0x61,
	search: 0x65,
	modify: 0x67,
	add: 0x69,
	delete: 0x6b,
	rename: 0x6d,
	compare: 0x6f,
	extended: 0x78,
} as const;

export interface ResponseControl {
	readonly oid: string;
	readonly value: Uint8Array;
}

/** What an extended operation answers with besides. */
export interface Extended {
	readonly oid?: string;
	readonly value?: string;
}

/** How an operation ended: well, or with a refusal. */
export type Ending = Refusal;

export const wellDone: Ending = { code: 0, text: "", matchedDn: "", referral: [] };

/** An LDAPMessage that ends an operation. AD closes its diagnostic texts with a NUL octet, and so do we. */
export function writeResult(
	id: number,
	answer: number,
	end: Ending,
	controls: readonly ResponseControl[] = [],
	extended: Extended = {},
): Buffer {
	const writer = new BerWriter(128).open().integer(id).open(answer);
	writer
		.integer(end.code, tag.enumerated)
		.text(end.matchedDn)
		.text(end.text === "" ? "" : `${end.text}\0`);
	if (end.referral.length > 0) {
		writer.open(0xa3);
		for (const url of end.referral) writer.text(url);
		writer.close();
	}
	if (extended.oid !== undefined) writer.text(extended.oid, 0x8a);
	if (extended.value !== undefined) writer.text(extended.value, 0x8b);
	writer.close();
	if (controls.length > 0) {
		writer.open(0xa0);
		for (const control of controls) writer.open().text(control.oid).octets(control.value).close();
		writer.close();
	}
	return writer.close().finish();
}

/** A SearchResultReference: another naming context lies below the base (RFC 4511 §4.5.3). */
export function writeReference(id: number, url: string): Buffer {
	return new BerWriter(128).open().integer(id).open(0x73).text(url).close().close().finish();
}

/** Writes a SearchResultEntry behind what `writer` holds; `attributes` is the encoded PartialAttributeList. */
export function writeEntry(writer: BerWriter, id: number, dn: string, attributes: Uint8Array): void {
	writer.open().integer(id).open(0x64).text(dn).raw(attributes).close().close();
}

/** The value of a paged-results control (RFC 2696). */
export function pagedValue(size: number, cookie: Uint8Array): Buffer {
	return new BerWriter(64).open().integer(size).octets(cookie).close().finish();
}
