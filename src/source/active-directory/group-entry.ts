import { BerReader, BerWriter, tag } from "../../lib/ber.ts";
import { attributeName, firstValue } from "../ldap/wire/entry.ts";
import { isExtendedDn, plainDn } from "./members.ts";
import { keyOf } from "./visit.ts";

/** A group as it came: its members apart from all else. */
export interface GroupEntry {
	/** The octets of objectGUID, copied; undefined when it does not show them. */
	readonly key: Uint8Array | undefined;
	readonly dn: string;
	/** The entry without its members, its DNs in plain form: copied. */
	readonly raw: Uint8Array;
	/** Parts of `member`; none for a group that shows none. */
	readonly parts: readonly MemberPart[];
}

/** The values of `member` under one description. */
export interface MemberPart {
	readonly bytes: Uint8Array;
	/** Where the contents of the set of values begin and end. */
	readonly offset: number;
	readonly end: number;
	/** `member;range=FROM-TO`; undefined for plain `member`. No `to`: the last part there is. */
	readonly range: { readonly from: number; readonly to: number | undefined } | undefined;
}

/** Cuts an entry that came with extended DNs into the group itself and its members. Throws BerError. */
export function readGroupEntry(raw: Uint8Array): GroupEntry {
	const reader = new BerReader(raw);
	const dn = plainDn(reader.text());
	const writer = new BerWriter(1024).text(dn).open();
	const parts: MemberPart[] = [];
	const end = reader.enter(tag.sequence);
	while (reader.offset < end) {
		const stop = reader.enter(tag.sequence);
		const description = reader.text();
		const setEnd = reader.enter(tag.set);
		if (isMember(description)) parts.push({ bytes: raw, offset: reader.offset, end: setEnd, range: rangeOf(description) });
		else writeAttribute(writer, description, new BerReader(raw, reader.offset, setEnd));
		reader.offset = stop;
	}
	const key = keyOf(raw)?.slice();
	return { key, dn, raw: Uint8Array.prototype.slice.call(writer.close().finish()), parts };
}

function isMember(description: string): boolean {
	return /^member(?:;|$)/i.test(description);
}

function rangeOf(description: string): MemberPart["range"] {
	const found = /;range=(\d+)-(\d+|\*)$/i.exec(description);
	return found === null ? undefined : { from: Number(found[1]), to: found[2] === "*" ? undefined : Number(found[2]) };
}

function writeAttribute(writer: BerWriter, description: string, values: BerReader): void {
	writer.open().text(description).open(tag.set);
	while (!values.isAtEnd) {
		const value = values.octets();
		// managedBy and its like name the same object under the plain one.
		if (isExtendedDn(value)) writer.text(plainDn(Buffer.from(value.buffer, value.byteOffset, value.length).toString("utf8")));
		else writer.octets(value);
	}
	writer.close().close();
}

const SID = attributeName("objectSid");

/** The octets of its objectSid, as a view. */
export function sidOf(raw: Uint8Array): Uint8Array | undefined {
	return firstValue(raw, SID);
}
