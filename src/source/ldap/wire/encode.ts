import type { Filter } from "../../../core/filter.ts";
import { BerWriter, tag } from "../../../lib/ber.ts";

export interface Control {
	readonly oid: string;
	readonly isCritical: boolean;
	readonly value: Uint8Array | undefined;
}

export interface SearchRequest {
	readonly base: string;
	readonly scope: "base" | "one" | "sub";
	readonly filter: Filter;
	readonly attributes: readonly string[];
	readonly controls?: readonly Control[];
	/** For a probe that wants a few examples: the server's "size limit exceeded" then counts as success. Never for a reading. */
	readonly atMost?: number;
}

/** Answers of this server alone: no referrals to the other naming contexts (MS-ADTS 3.1.1.3.4.1.4). */
export const domainScope: Control = { oid: "1.2.840.113556.1.4.1339", isCritical: false, value: undefined };

/** Tombstones and deleted objects too (MS-ADTS 3.1.1.3.4.1.14). */
export const showDeleted: Control = { oid: "1.2.840.113556.1.4.417", isCritical: false, value: undefined };

/** DNs with the GUID and SID of what they name, as `<GUID=…>;<SID=…>;CN=…` (MS-ADTS §3.1.1.3.4.1.5): 1 asks for the text form. */
export const extendedDns: Control = {
	oid: "1.2.840.113556.1.4.529",
	isCritical: false,
	value: new BerWriter(16).open().integer(1).close().finish(),
};

export const pagedResultsOid = "1.2.840.113556.1.4.319";

/** Simple paged results (RFC 2696). Critical: a server that cannot page must say so instead of cutting the answer short. */
export function pagedResults(size: number, cookie: Uint8Array): Control {
	const value = new BerWriter(cookie.length + 16).open().integer(size).octets(cookie).close().finish();
	return { oid: pagedResultsOid, isCritical: true, value };
}

const scopes = { base: 0, one: 1, sub: 2 } as const;

/**
 * A search request message (RFC 4511 §4.5.1). Aliases are not followed, and no time limit is asked of the server: a server that
 * stops early is to say so by its own limit, and the deadline is ours (ldapts asks for 10 s unless told otherwise).
 */
export function encodeSearch(id: number, request: SearchRequest): Buffer {
	const writer = new BerWriter(512).open().integer(id).open(0x63);
	writer.text(request.base).integer(scopes[request.scope], tag.enumerated).integer(0, tag.enumerated);
	writer
		.integer(request.atMost ?? 0)
		.integer(0)
		.boolean(false);
	writeFilter(writer, request.filter);
	writer.open();
	for (const attribute of request.attributes) writer.text(attribute);
	writer.close().close();
	if (request.controls !== undefined && request.controls.length > 0) {
		writer.open(0xa0);
		for (const control of request.controls) writeControl(writer, control);
		writer.close();
	}
	return writer.close().finish();
}

export function encodeAbandon(id: number, abandoned: number): Buffer {
	return new BerWriter(32).open().integer(id).integer(abandoned, 0x50).close().finish();
}

export function encodeUnbind(id: number): Buffer {
	return new BerWriter(32).open().integer(id).octets(new Uint8Array(0), 0x42).close().finish();
}

function writeControl(writer: BerWriter, { oid, isCritical, value }: Control): void {
	writer.open().text(oid);
	if (isCritical) writer.boolean(true); // Left out when false: that is its default.
	if (value !== undefined) writer.octets(value);
	writer.close();
}

const comparisons = { equal: 0xa3, greaterOrEqual: 0xa5, lessOrEqual: 0xa6, approx: 0xa8 } as const;

export function writeFilter(writer: BerWriter, filter: Filter): void {
	switch (filter.kind) {
		case "and":
		case "or":
			writer.open(filter.kind === "and" ? 0xa0 : 0xa1);
			for (const part of filter.parts) writeFilter(writer, part);
			writer.close();
			return;
		case "not":
			writer.open(0xa2);
			writeFilter(writer, filter.part);
			writer.close();
			return;
		case "present":
			writer.text(filter.attribute, 0x87);
			return;
		case "substrings":
			writer.open(0xa4).text(filter.attribute).open();
			if (filter.initial !== undefined) writer.octets(filter.initial, 0x80);
			for (const part of filter.any) writer.octets(part, 0x81);
			if (filter.final !== undefined) writer.octets(filter.final, 0x82);
			writer.close().close();
			return;
		case "extensible":
			writer.open(0xa9);
			if (filter.rule !== undefined) writer.text(filter.rule, 0x81);
			if (filter.attribute !== undefined) writer.text(filter.attribute, 0x82);
			writer.octets(filter.value, 0x83);
			if (filter.dnAttributes) writer.boolean(true, 0x84);
			writer.close();
			return;
		default:
			writer.open(comparisons[filter.kind]).text(filter.attribute).octets(filter.value).close();
	}
}
