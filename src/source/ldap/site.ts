import { Failure } from "../../core/errors.ts";
import type { Filter } from "../../core/filter.ts";
import { attributeName, firstValue } from "./wire/entry.ts";
import { type Session, search } from "./wire/session.ts";

/** NETLOGON_NT_VERSION_5 and 5EX, little-endian: the answer that names sites (MS-ADTS 6.3.1.1). */
const NT_VERSION = Uint8Array.of(6, 0, 0, 0);
/** LOGON_SAM_LOGON_RESPONSE_EX, …PAUSE_RESPONSE_EX and …USER_UNKNOWN_EX (MS-ADTS 6.3.1.3). */
const FIRST_OPCODE = 23;
const LAST_OPCODE = 25;
/** Opcode, padding, flags and the domain's GUID stand before the names. */
const NAMES_AT = 24;
/** Names before the client's site: forest, domain, host, NetBIOS domain, NetBIOS host, user, the server's site (MS-ADTS 6.3.1.9). */
const NAMES_BEFORE = 7;

/**
 * The site of Active Directory that this machine is in by its address, as a domain controller sees it: the LDAP ping of MS-ADTS
 * 6.3.3, over the connection at hand. Undefined when the server does not say, or no site has this machine's subnet.
 */
export async function ownSite(session: Session, domain: string): Promise<string | undefined> {
	const filter: Filter = {
		kind: "and",
		parts: [
			{ kind: "equal", attribute: "DnsDomain", value: Buffer.from(domain) },
			{ kind: "equal", attribute: "NtVer", value: NT_VERSION },
		],
	};
	try {
		const [raw] = await search(session, { base: "", scope: "base", filter, attributes: ["netlogon"] });
		const answer = raw === undefined ? undefined : firstValue(raw, attributeName("netlogon"));
		return answer === undefined ? undefined : clientSite(answer);
	} catch (cause) {
		// It is only for the order of servers: whoever needs the connection next will hear what is wrong with it.
		if (cause instanceof Failure) return undefined;
		throw cause;
	}
}

/** ClientSiteName of a NETLOGON_SAM_LOGON_RESPONSE_EX; undefined when it is empty, or when these bytes are something else. */
export function clientSite(bytes: Uint8Array): string | undefined {
	const opcode = (bytes[0] ?? 0) + (bytes[1] ?? 0) * 256;
	if (opcode < FIRST_OPCODE || opcode > LAST_OPCODE) return undefined;
	let at: number | undefined = NAMES_AT;
	for (let number = 0; number < NAMES_BEFORE && at !== undefined; number++) at = readName(bytes, at)?.next;
	const site = at === undefined ? undefined : readName(bytes, at)?.name;
	return site === "" ? undefined : site;
}

/** A name of labels, compressed by pointers as in a DNS message (RFC 1035 §4.1.4). Undefined when it runs out of the bytes. */
function readName(bytes: Uint8Array, start: number): { readonly name: string; readonly next: number } | undefined {
	const labels: string[] = [];
	let at = start;
	let next: number | undefined;
	for (;;) {
		const length = bytes[at];
		if (length === undefined) return undefined;
		if (length === 0) return { name: labels.join("."), next: next ?? at + 1 };
		if (length >= 0xc0) {
			const target = (length - 0xc0) * 256 + (bytes[at + 1] ?? 0);
			if (target >= at) return undefined; // Backwards only, or it might go round for ever.
			next ??= at + 2;
			at = target;
			continue;
		}
		if (at + 1 + length > bytes.length) return undefined;
		labels.push(Buffer.from(bytes.subarray(at + 1, at + 1 + length)).toString("utf8"));
		at += 1 + length;
	}
}
