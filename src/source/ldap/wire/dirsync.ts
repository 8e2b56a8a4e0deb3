import { BerReader, BerWriter, tag } from "../../../lib/ber.ts";
import type { Result } from "./answer.ts";
import type { Control, SearchRequest } from "./encode.ts";
import type { Session } from "./session.ts";

/** What changed in a naming context since a cookie (MS-ADTS §3.1.1.3.4.1.3). */
export const dirSyncOid = "1.2.840.113556.1.4.841";

/** Tell only what this account may read: works without the right to replicate changes. */
const OBJECT_SECURITY = 0x1;
/** Of linked attributes only the values that came or went: `member;range=1-1` and `member;range=0-0`. */
const INCREMENTAL_VALUES = 0x8000_0000;
/** Octets of attributes in one answer; the most that Windows allows. Samba tells everything at once whatever is asked. */
const MOST_OCTETS = 1_048_576;

export interface DirSyncRound {
	readonly result: Result;
	/** Undefined when it was refused, or the control did not come back. */
	readonly next: { readonly isMore: boolean; readonly cookie: Uint8Array } | undefined;
}

/**
 * One round of changes since `cookie` (empty: since ever), each handed to `entry` as it comes: a view of the receive buffer. The
 * search is to be from the root of a naming context, and cannot be paged. A refusal is a result: it says what the account may do,
 * or that a cookie is not taken any more.
 */
export function askDirSync(
	session: Session,
	request: SearchRequest,
	{ view, cookie }: { readonly view: "all" | "own"; readonly cookie: Uint8Array },
	entry: (raw: Uint8Array) => void,
): Promise<DirSyncRound> {
	const flags = view === "own" ? INCREMENTAL_VALUES | OBJECT_SECURITY : INCREMENTAL_VALUES;
	const controls = [...(request.controls ?? []), dirSync(flags, cookie)];
	return new Promise((resolve, reject) => {
		session.start(
			{ ...request, controls },
			{
				entry,
				reference: () => {}, // To other naming contexts, which have cookies of their own.
				done: (result) => resolve({ result, next: readNext(result) }),
				failed: reject,
			},
		);
	});
}

/** Critical: a server that does not know it must not answer with the whole directory. */
function dirSync(flags: number, cookie: Uint8Array): Control {
	const value = new BerWriter(cookie.length + 32).open();
	// The flags are an INTEGER of 32 bits with its sign, and the highest one makes it negative.
	value.integer(flags | 0).integer(MOST_OCTETS);
	return { oid: dirSyncOid, isCritical: true, value: value.octets(cookie).close().finish() };
}

function readNext({ code, controls }: Result): DirSyncRound["next"] {
	const control = controls.get(dirSyncOid);
	if (code !== 0 || control === undefined) return undefined;
	const value = new BerReader(control).inside(tag.sequence);
	const isMore = value.integer() !== 0;
	value.skip(); // Unused.
	return { isMore, cookie: value.octets().slice() };
}
