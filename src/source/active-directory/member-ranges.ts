import { dnKey } from "../../core/dn.ts";
import type { Filter } from "../../core/filter.ts";
import { equal } from "../../core/filter-text.ts";
import { BerReader } from "../../lib/ber.ts";
import { digest } from "../../lib/digest.ts";
import { domainScope, extendedDns } from "../ldap/wire/encode.ts";
import { dnOf } from "../ldap/wire/entry.ts";
import { probe } from "../ldap/wire/session.ts";
import type { Members } from "../source.ts";
import { type GroupEntry, type MemberPart, readGroupEntry } from "./group-entry.ts";
import { guidText } from "./guid.ts";
import { type MemberList, makeMemberList } from "./members.ts";
import { anything } from "./root.ts";
import { keyOf, type Visit, visitFew } from "./visit.ts";

/**
 * What is asked for at first. Windows hands out no more than 1,500 members at once by default (MaxValRange), Samba hands out all
 * of them unless it is asked for a range: so a page of groups stays small whatever is in them.
 */
export const FIRST_MEMBERS = "member;range=0-1499";
/** How often a group is read again that changes while it is read. */
const MOST_TRIES = 5;

/** What became of a group whose members were read to the end. */
export type Gathered =
	| { readonly kind: "whole"; readonly members: Members }
	/** It was deleted in the middle of it, or is not visible any more. */
	| { readonly kind: "gone" }
	/** It changed again and again while it was read. */
	| { readonly kind: "restless" };

/**
 * Follows the ranges of a group's members to the last (MS-ADTS §3.1.1.3.1.3.3). The list is cut anew at each question, so that a
 * value inserted or taken out in between moves all behind it: one would come twice, or never. Each part is asked for from the last
 * value of the one before; where that is not its first one now, everything is read again. (The group's uSNChanged says less: it
 * does not move when a member is deleted.) What came or went without such a shift is of after this reading began, and seen by the
 * next delta.
 */
export async function gatherMembers(visit: Visit, group: GroupEntry): Promise<Gathered> {
	let parts: readonly MemberPart[] | undefined = group.parts;
	for (let attempt = 0; attempt < MOST_TRIES; attempt++) {
		parts ??= (await askPart(visit, group, FIRST_MEMBERS))?.parts;
		if (parts === undefined) return { kind: "gone" };
		const found = await followParts(visit, group, parts);
		if (found === "gone") return { kind: "gone" };
		if (found !== "torn") return { kind: "whole", members: await nameAll(visit, found) };
		parts = undefined;
	}
	return { kind: "restless" };
}

async function followParts(visit: Visit, group: GroupEntry, first: readonly MemberPart[]): Promise<MemberList | "torn" | "gone"> {
	const list = makeMemberList();
	// Beside a range some servers send the plain name too, with nothing in it.
	let part = first.find(({ range }) => range !== undefined) ?? first[0];
	if (part === undefined) return list;
	list.add(part.bytes, part.offset, part.end);
	let isSplit = false;
	while (part.range?.to !== undefined) {
		isSplit = true;
		const last: number = part.range.to;
		const next = await askPart(visit, group, `member;range=${last}-*`);
		if (next === undefined) return "gone";
		const after = next.parts.find(({ range }) => range?.from === last);
		if (after === undefined) return "torn"; // It has become shorter than that.
		const seam = list.count - 1;
		const head = makeMemberList();
		head.add(after.bytes, after.offset, after.end);
		if (head.count === 0 || !isSameMember(list, seam, head)) return "torn";
		// A server that hands out one at a time gets no further by asking for the last one again.
		if (after.range?.to === last) return "torn";
		const rest = new BerReader(after.bytes, after.offset, after.end);
		rest.skip();
		list.add(after.bytes, rest.offset, after.end);
		part = after;
	}
	return isSplit && hasDoubles(list) ? "torn" : list;
}

function isSameMember(list: MemberList, seam: number, head: MemberList): boolean {
	if (head.nameless.includes(0) || list.nameless.includes(seam)) return dnKey(head.nameOf(0)) === dnKey(list.nameOf(seam));
	return Buffer.compare(head.keyAt(0), list.keyAt(seam)) === 0;
}

function hasDoubles(list: MemberList): boolean {
	const seen = new Set<string>();
	for (let i = 0; i < list.count; i++) seen.add(keyText(list.keyAt(i)));
	return list.nameless.length === 0 && seen.size < list.count;
}

/** 16 octets as a short text, for sets of them. */
export function keyText(key: Uint8Array): string {
	return Buffer.from(key.buffer, key.byteOffset, key.length).toString("latin1");
}

async function askPart(visit: Visit, { key, dn }: GroupEntry, attribute: string): Promise<GroupEntry | undefined> {
	// By its GUID, since it may be renamed in the middle of it.
	const base = key === undefined ? dn : `<GUID=${guidText(key)}>`;
	const { entries } = await probe(visit.session, { base, filter: anything, attributes: [attribute], controls: [domainScope, extendedDns] });
	return entries[0] === undefined ? undefined : readGroupEntry(entries[0]);
}

/** DNs asked about in one search. */
const BATCH = 50;

/** Asks by name for the GUIDs of members that came without: a server that does not know extended DNs. */
export async function nameAll(visit: Visit, list: MemberList): Promise<Members> {
	for (let at = 0; at < list.nameless.length; at += BATCH) {
		const batch = new Map(list.nameless.slice(at, at + BATCH).map((index) => [dnKey(list.nameOf(index)), index]));
		const filter: Filter = { kind: "or", parts: [...batch.values()].map((index) => equal("distinguishedName", list.nameOf(index))) };
		for (const { dn } of visit.root.domains) {
			for (const raw of await visitFew(visit, { base: dn, scope: "sub", filter, attributes: ["objectGUID"] })) {
				const name = dnKey(dnOf(raw));
				const index = batch.get(name);
				const key = keyOf(raw);
				if (index === undefined || key === undefined) continue;
				list.setKey(index, key);
				batch.delete(name);
			}
		}
		// Of another domain, or hidden: nobody we know, under a key that stays the same.
		for (const [name, index] of batch) list.setKey(index, digest(name));
	}
	return list.finish();
}
