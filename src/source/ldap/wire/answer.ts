import { BerReader, tag } from "../../../lib/ber.ts";
import { pagedResultsOid } from "./encode.ts";

/** An LDAPResult (RFC 4511 §4.1.9) with what matters of the controls beside it. */
export interface Result {
	readonly code: number;
	readonly matched: string;
	/** The server's diagnostic message. */
	readonly message: string;
	readonly referrals: readonly string[];
	/** The cookie of the paged-results control, copied; undefined when that control was not there. */
	readonly cookie: Uint8Array | undefined;
	/** The values of all controls that came with it, by OID, copied; empty for one without a value. */
	readonly controls: ReadonlyMap<string, Uint8Array>;
}

/** Operations that a server sends (RFC 4511 §4.2 to 4.13). */
export const answer = { bind: 0x61, entry: 0x64, done: 0x65, reference: 0x73, extended: 0x78, intermediate: 0x79 } as const;

/** Reads a result whose operation's contents start at `offset` and end at `end`; controls may follow up to `messageEnd`. */
export function decodeResult(bytes: Uint8Array, offset: number, end: number, messageEnd: number): Result {
	const reader = new BerReader(bytes, offset, end);
	const code = reader.integer(tag.enumerated);
	const matched = reader.text();
	const message = reader.text();
	const referrals = reader.peek() === 0xa3 ? decodeUrls(reader.inside(0xa3)) : [];
	const controls = readControls(new BerReader(bytes, end, messageEnd));
	return { code, matched, message, referrals, cookie: cookieIn(controls), controls };
}

/** The URLs of a SearchResultReference or of a result's referral. */
export function decodeUrls(reader: BerReader): readonly string[] {
	const urls: string[] = [];
	while (!reader.isAtEnd) urls.push(reader.text());
	return urls;
}

/** The values of all controls of a message, by OID, copied; `message` stands where they would begin. */
export function readControls(message: BerReader): ReadonlyMap<string, Uint8Array> {
	const found = new Map<string, Uint8Array>();
	if (message.peek() !== 0xa0) return found;
	const controls = message.inside(0xa0);
	while (!controls.isAtEnd) {
		const control = controls.inside(tag.sequence);
		const oid = control.text();
		if (control.peek() === tag.boolean) control.skip();
		found.set(oid, control.isAtEnd ? new Uint8Array(0) : control.octets().slice());
	}
	return found;
}

/** The value of a paged-results control: the server's guess at the total (Active Directory sends 0), then the cookie. */
function cookieIn(controls: ReadonlyMap<string, Uint8Array>): Uint8Array | undefined {
	const paged = controls.get(pagedResultsOid);
	if (paged === undefined || paged.length === 0) return undefined;
	const value = new BerReader(paged).inside(tag.sequence);
	value.skip();
	return value.octets();
}
