import { dnKey } from "../../core/dn.ts";
import { digest, digestLength } from "../../lib/digest.ts";
import type { Cut } from "../ldap/wire/links.ts";
import type { Members } from "../source.ts";

/** What groups call their members by uid (RFC 2307). */
export const BY_UID = "memberuid";

/** The key of a member as the snapshot has it: see MemberKeys, `dn`. */
export function memberKey(dn: string): Buffer {
	return digest(dnKey(dn));
}

/**
 * A group's members as keys. `dnOfUid` gives the DN of whoever has a uid (lower case); who has none is a member under that name
 * alone. `saw` is told the normal form of each member's DN, and its key.
 */
export function readMembers(
	raw: Uint8Array,
	links: Cut["links"],
	dnOfUid: (uid: string) => string | undefined,
	saw: (key: string, octets: Buffer) => void,
): Members {
	const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.length);
	const most = links.reduce((sum, { spans }) => sum + spans.length / 2, 0);
	const keys = Buffer.allocUnsafe(most * digestLength);
	/** Which link and which value of it each key came from. */
	const from = new Uint32Array(most * 2);
	// The same member may be named in two attributes; within one, the server sees to it that it is not.
	const seen = links.length > 1 ? new Set<string>() : undefined;
	let count = 0;
	const textAt = (link: number, value: number): string => {
		const spans = links[link]?.spans as readonly number[];
		return bytes.toString("utf8", spans[value * 2], spans[value * 2 + 1]);
	};
	for (const [link, { name, spans }] of links.entries()) {
		for (let value = 0; value < spans.length / 2; value++) {
			const text = textAt(link, value);
			const dn = name === BY_UID ? dnOfUid(text.toLowerCase()) : withoutUid(text);
			if (dn === "" || text === "") continue; // groupOfNames wants a member; some administrators give it an empty one.
			const key = dn === undefined ? `uid=${text.toLowerCase()}` : dnKey(dn);
			if (seen?.has(key) === true) continue;
			seen?.add(key);
			const octets = digest(key);
			octets.copy(keys, count * digestLength);
			from[count * 2] = link;
			from[count * 2 + 1] = value;
			count++;
			if (dn !== undefined) saw(key, octets);
		}
	}
	return {
		count,
		keys: keys.subarray(0, count * digestLength),
		nameOf: (index) => {
			const link = from[index * 2] as number;
			const text = textAt(link, from[index * 2 + 1] as number);
			return links[link]?.name === BY_UID ? (dnOfUid(text.toLowerCase()) ?? text) : withoutUid(text);
		},
	};
}

/** The uids among a group's members, lower case. */
export function uidsOf(raw: Uint8Array, links: Cut["links"]): readonly string[] {
	const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.length);
	const uids: string[] = [];
	for (const { name, spans } of links) {
		if (name !== BY_UID) continue;
		for (let at = 0; at < spans.length; at += 2) uids.push(bytes.toString("utf8", spans[at], spans[at + 1]).toLowerCase());
	}
	return uids;
}

/** uniqueMember may say which of several that had the name is meant: "cn=Ann,dc=corp#'0101'B" (RFC 4517 §3.3.21). */
function withoutUid(text: string): string {
	return text.endsWith("'B") ? text.replace(/#'[01]*'B$/, "") : text;
}
