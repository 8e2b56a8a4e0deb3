import { textsOf } from "../ldap/wire/entry.ts";
import { containerClasses } from "./containers.ts";
import { keyOf } from "./visit.ts";

/** What a notice must show so that it can be told from noise. */
export const noticeAttributes = ["objectGUID", "objectClass", "uSNChanged"];

/** Objects whose change may be one of ours: people, whoever may be a member, and what they live beneath. Also as tombstones. */
const classesOfNote = new Set(
	["user", "group", "contact", "foreignSecurityPrincipal", ...containerClasses].map((name) => name.toLowerCase()),
);

/** Objects whose last change is remembered; past it, one that is told again is taken for news. A few MB. */
const MOST_REMEMBERED = 50_000;

/**
 * Whether a notice can be news to a delta, given the USN up to which all is known. Active Directory sends one for each write:
 * also for a machine's password, and for logon times, which are written at every logon without moving uSNChanged.
 */
export function makeSifter(highestUsn: bigint | undefined): (raw: Uint8Array) => boolean {
	const told = new Map<string, bigint>();
	return (raw) => {
		const classes = textsOf(raw, "objectClass").map((name) => name.toLowerCase());
		if (classes.includes("computer")) return false;
		if (classes.length > 0 && !classes.some((name) => classesOfNote.has(name))) return false;
		const key = keyOf(raw);
		const [text] = textsOf(raw, "uSNChanged");
		// Hidden: better a delta that finds nothing.
		if (key === undefined || text === undefined || !/^\d{1,19}$/.test(text)) return true;
		const id = Buffer.from(key).toString("latin1");
		const usn = BigInt(text);
		const known = told.get(id) ?? highestUsn;
		if (known !== undefined && usn <= known) return false;
		if (told.size >= MOST_REMEMBERED) told.clear();
		told.set(id, usn);
		return true;
	};
}
