import type { Anchor } from "../../core/entry.ts";
import type { Filter } from "../../core/filter.ts";
import { resultFailure } from "../ldap/result.ts";
import type { Result } from "../ldap/wire/answer.ts";
import { askDirSync, dirSyncOid } from "../ldap/wire/dirsync.ts";
import { extendedDns, type SearchRequest, showDeleted } from "../ldap/wire/encode.ts";
import { describeSearch } from "../ldap/wire/session.ts";
import type { ReadRequest } from "../source.ts";
import { isTombstone } from "./deleted.ts";
import { type Marked, markAttributes, markedKinds, sortMark } from "./delta.ts";
import { readGroupEntry } from "./group-entry.ts";
import { guidAnchor } from "./guid.ts";
import type { DirSyncMarks } from "./marks.ts";
import { keyText } from "./member-ranges.ts";
import { type MemberChange, makeMemberList } from "./members.ts";
import { byGuid, type Visit, visitFew } from "./visit.ts";

/** Named beside what the scope needs: without them moves, renames and deletions are not told at all (measured on Samba). */
const always = ["name", "parentGUID", "isDeleted"];

/** What DirSync is asked about. */
export interface Told {
	readonly marked: Marked;
	readonly marks: DirSyncMarks;
}

/** A refusal of DirSync that is no fault of the connection: the right is missing, or a cookie is not taken. */
export interface Refused {
	readonly kind: "refused";
	readonly result: Result;
}

/** No object has this GUID. */
const nothing: Filter = { kind: "equal", attribute: "objectGUID", value: new Uint8Array(16) };

/** LDAP results by which a server says something of itself: another try or another server may do. */
const passing = new Set([3, 4, 10, 11, 51, 52]);
/** InsufficientAccessRights: without the right to replicate. */
export const NO_RIGHT = 50;

/**
 * Cookies from which changes can be asked for, without the directory that is there now. A search that finds nothing gets the very
 * cookie that one for everything gets: 1 to 2 ms instead of 1.1 to 1.5 s with 10,000 people (measured on Samba 4.17). Ask before
 * people are read, so that what changes meanwhile is told.
 */
export async function takeCookies(visit: Visit, view: DirSyncMarks["view"]): Promise<DirSyncMarks | Refused> {
	const cookies: Record<string, string> = {};
	for (const { dn, key } of visit.root.domains) {
		const request = { base: dn, scope: "sub", filter: nothing, attributes: always } as const;
		const told = await follow(visit, request, view, new Uint8Array(0), () => {});
		if ("kind" in told) return told;
		cookies[key] = Buffer.from(told).toString("base64");
	}
	return { view, cookies };
}

/**
 * What changed since these cookies. An entry comes with no more than what changed of it, and says whether an attribute was cleared
 * only by its presence: it is a mark, to be read again as a whole. Members of groups that the snapshot has are taken as told.
 */
export async function readDirSync(
	visit: Visit,
	from: DirSyncMarks,
	groups: { readonly attributes: readonly string[]; readonly known: ReadRequest["known"] } | undefined,
): Promise<Told | Refused> {
	const hits = new Map<string, Hit>();
	const cookies: Record<string, string> = {};
	const attributes = [
		...new Set([...always, ...visit.scope.attributes, ...(groups === undefined ? [] : [...groups.attributes, "member"])]),
	];
	const filter = markedKinds(groups !== undefined);
	for (const { dn, key } of visit.root.domains) {
		const request = { base: dn, scope: "sub", filter, attributes, controls: [extendedDns] } as const;
		const cookie = Buffer.from(from.cookies[key] ?? "", "base64");
		const told = await follow(visit, request, from.view, cookie, (raw) => addHit(visit, hits, raw, groups?.known));
		if ("kind" in told) return told;
		cookies[key] = Buffer.from(told).toString("base64");
	}
	return { marked: await sortHits(visit, [...hits.values()], groups?.known), marks: { view: from.view, cookies } };
}

/** Round after round, as long as there is more. Returns the last cookie. */
async function follow(
	visit: Visit,
	request: SearchRequest,
	view: DirSyncMarks["view"],
	from: Uint8Array,
	entry: (raw: Uint8Array) => void,
): Promise<Uint8Array | Refused> {
	for (let cookie = from; ; ) {
		const { result, next } = await askDirSync(visit.session, request, { view, cookie }, entry);
		if (passing.has(result.code)) throw resultFailure(`asking for changes (DirSync), ${describeSearch(request)}`, result);
		if (next === undefined) return { kind: "refused", result };
		// A server that gives the same cookie and says that there is more would go on for ever.
		if (!next.isMore || Buffer.compare(next.cookie, cookie) === 0) return next.cookie;
		cookie = next.cookie;
	}
}

interface Hit {
	readonly key: Uint8Array;
	readonly anchor: Anchor;
	readonly dn: string;
	readonly isDeleted: boolean;
	readonly members: MemberChange | undefined;
}

function addHit(visit: Visit, hits: Map<string, Hit>, raw: Uint8Array, known: ReadRequest["known"] | undefined): void {
	const { key, dn, parts } = readGroupEntry(raw);
	if (key === undefined) {
		visit.unsealed.push(`"${dn}" changed, but shows no objectGUID: the right to read it may be missing`);
		return;
	}
	const text = keyText(key);
	const before = hits.get(text);
	const isKnownGroup = known?.(key) === "group";
	// Told of twice: what came and went in between cannot be put in order, so it is read again.
	const members = isKnownGroup && before === undefined ? memberChange(raw, parts) : undefined;
	hits.set(text, { key, anchor: guidAnchor(key), dn, isDeleted: isTombstone(raw), members });
}

/** `member;range=1-1` holds those that came, `member;range=0-0` those that went (MS-ADTS §3.1.1.3.4.1.3). */
function memberChange(raw: Uint8Array, parts: ReturnType<typeof readGroupEntry>["parts"]): MemberChange | undefined {
	// Bytes of its own: the receive buffer would be kept for the sake of one member.
	const own = parts.length === 0 ? [] : readGroupEntry(raw.slice()).parts;
	const [added, removed] = [makeMemberList(), makeMemberList()];
	for (const { bytes, offset, end, range } of own) {
		if (range?.from === 1 && range.to === 1) added.add(bytes, offset, end);
		else if (range?.from === 0 && range.to === 0) removed.add(bytes, offset, end);
		else return undefined; // Links of before Windows 2003 come as a whole.
	}
	return { added, removed };
}

/** Anchors asked for in one search. */
const BATCH = 50;

/** What the hits are: their class is told only when it changed, so each is looked at under this account's own rights. */
async function sortHits(visit: Visit, hits: readonly Hit[], known: ReadRequest["known"] | undefined): Promise<Marked> {
	const marked: Marked = { containers: [], people: [], groups: [] };
	const controls = visit.root.controls.has(showDeleted.oid) ? [showDeleted] : [];
	for (let at = 0; at < hits.length; at += BATCH) {
		const batch = new Map(hits.slice(at, at + BATCH).map((hit) => [hit.anchor as string, hit]));
		const filter = byGuid([...batch.values()].map(({ anchor }) => anchor));
		for (const { dn } of visit.root.domains) {
			for (const raw of await visitFew(visit, { base: dn, scope: "sub", filter, attributes: markAttributes }, controls)) {
				const { key } = readGroupEntry(raw);
				const hit = key === undefined ? undefined : batch.get(guidAnchor(key));
				if (hit === undefined) continue;
				batch.delete(hit.anchor);
				sortMark(visit, marked, raw, hit.members);
			}
		}
		// Told by the right to replicate, and not to be seen otherwise: a tombstone, or hidden from this account.
		for (const { key, anchor, dn, isDeleted, members } of batch.values()) {
			if (isDeleted) visit.deleted.add(anchor);
			if (known?.(key) === "group") marked.groups.push({ key, dn, isDeleted, members });
			else marked.people.push({ anchor, dn, key });
		}
	}
	return marked;
}

/** Whether the server says that it can. */
export function offersDirSync({ root }: Visit): boolean {
	return root.controls.has(dirSyncOid);
}
