import { dnKey, isBeneath } from "../../core/dn.ts";
import type { Anchor } from "../../core/entry.ts";
import type { Filter } from "../../core/filter.ts";
import { type Reach, standpointOf } from "../ldap/place.ts";
import { attributesIn, dnOf, encodeEntry } from "../ldap/wire/entry.ts";
import { cutLinks } from "../ldap/wire/links.ts";
import { readPages } from "../ldap/wire/pages.ts";
import type { GroupsReading, ReadGroup, ReadRequest } from "../source.ts";
import { byAnchor } from "./anchor.ts";
import type { Marked } from "./delta.ts";
import { findEmpty } from "./empty.ts";
import type { GroupIndex } from "./group-index.ts";
import { makeLookup, type Sought } from "./lookup.ts";
import { memberKey, readMembers, uidsOf } from "./members.ts";
import { namingGroups } from "./naming.ts";
import type { Root } from "./roots.ts";
import { makeUids } from "./uids.ts";
import { batchesOf, both, pagesOptions, type Visit, visitFew } from "./visit.ts";

/** A page of groups may hold all their members at once: fewer of them than of people. */
const PAGE = 50;
/** Groups asked for with their members in one search. */
const WHOLE = 10;

/** What a group's entry is asked for, beside its members. */
const fields = ["objectClass", "cn", "displayName", "description", "mail", "gidNumber"];

export interface GroupsOptions {
	readonly request: ReadRequest;
	/** Undefined in a full reading. */
	readonly marked: Marked | undefined;
	/** Those that users.groups and rules name. */
	readonly roots: readonly Root[];
	readonly index: () => Promise<GroupIndex>;
}

/** The groups' side of a reading. `wasRead` is called when the last page has come. */
export function makeGroups(visit: Visit, options: GroupsOptions, wasRead: () => void): GroupsReading {
	const { anchors } = visit.scope;
	const sought = soughtGroups(visit);
	return {
		pages: pagesOf(visit, options, wasRead),
		lookup: makeLookup(visit, sought),
		doubtEmpty: async (groups) => {
			const empty = await findEmpty(visit, groups);
			const doubt = `the server does not find it by (!(member=*)): its ${visit.scope.members.join(", ")} may be hidden from this account`;
			return new Map(groups.filter((anchor) => !empty.has(anchor)).map((anchor) => [anchor, doubt]));
		},
	};

	function soughtGroups({ scope }: Visit): Sought {
		const reach: Reach = scope.groups ?? { bases: [], excluded: [] };
		return {
			anchor: anchors.groups,
			reach,
			filter: scope.groups?.filter ?? scope.groupClasses,
			kind: scope.groupClasses,
			attributes: [...fields, anchors.groups.attribute],
			otherKind: "not a group any more",
			unmatched: "no longer matches groups.filter",
			finish: async (raw) => encodeEntry(dnOf(raw), attributesIn(raw)),
		};
	}
}

async function* pagesOf(visit: Visit, options: GroupsOptions, wasRead: () => void): AsyncGenerator<readonly ReadGroup[], void> {
	const { scope } = visit;
	const { marked, roots, index, request } = options;
	const emitted = new Set<Anchor>();
	/** Groups within groups that have not been read yet, by anchor. */
	const open = new Set<Anchor>();
	const read = makeReader(visit, emitted);
	// A container that moved changed the DNs of members without a trace in the groups.
	const isFull = marked === undefined || marked.containers.length > 0;

	if (isFull) {
		const known = await index();
		for (const base of scope.groups?.bases ?? []) {
			const asked = {
				base: base.dn,
				scope: "sub",
				filter: scope.groups?.filter ?? scope.groupClasses,
				attributes: read.attributes,
			} as const;
			for await (const raws of readPages(visit.session, asked, { ...pagesOptions(visit), pageSize: Math.min(PAGE, visit.pageSize) })) {
				const page = await read.groups(raws.filter(isWithin), () => true, follow(known));
				if (page.length > 0) yield page;
			}
		}
		for (const { anchor } of roots) open.add(anchor);
		for (const { anchor } of marked?.groups ?? []) open.add(anchor);
		// Those that went out of scope with their container say so by no change of their own.
		const moved = (marked?.containers ?? []).map(({ dn }) => dnKey(dn));
		for (const [key, anchor] of known) if (moved.some((container) => isBeneath(key, container))) open.add(anchor);
		yield* followed(known);
	} else {
		const named = await namingGroups(visit, marked);
		const changed = new Set(marked.groups.map(({ anchor }) => anchor));
		const own = new Set(roots.map(({ anchor }) => anchor));
		const unknown = new Map<string, Buffer>();
		const saw = (key: string, octets: Buffer): void => {
			if (request.known(octets) === undefined) unknown.set(key, octets);
		};
		// One that became the only one of its name may not have changed itself.
		const fresh = roots.filter(({ dn }) => request.known(memberKey(dn)) !== "group").map(({ anchor }) => anchor);
		for (const batch of batchesOf([...new Set([...changed, ...named, ...fresh])], WHOLE)) {
			const raws = await find(batch, scope.groupClasses);
			const inScope = await inScopeOf(batch);
			const page = await read.groups(
				raws.filter((raw) => {
					const anchor = anchorOf(raw);
					const isKnown = request.known(memberKey(dnOf(raw))) === "group";
					return anchor !== undefined && (inScope.has(anchor) || changed.has(anchor) || own.has(anchor) || isKnown);
				}),
				(anchor) => inScope.has(anchor),
				saw,
			);
			if (page.length > 0) yield page;
		}
		yield* nested(unknown);
	}
	const gone = marked === undefined ? [] : await deletedOf(marked);
	if (gone.length > 0) yield gone;
	wasRead();

	function isWithin(raw: Uint8Array): boolean {
		return scope.groups !== undefined && standpointOf(scope.groups, dnKey(dnOf(raw))).kind === "inside";
	}

	function anchorOf(raw: Uint8Array): Anchor | undefined {
		const key = scope.anchors.groups.keyOf(raw);
		return key === undefined ? undefined : scope.anchors.anchorOf(key);
	}

	function follow(known: GroupIndex): (key: string) => void {
		return (key) => {
			const anchor = known.get(key);
			if (anchor !== undefined && !emitted.has(anchor)) open.add(anchor);
		};
	}

	/** Those within those already read, level by level, each once: they may contain each other in circles. */
	async function* followed(known: GroupIndex): AsyncGenerator<readonly ReadGroup[], void> {
		while (open.size > 0) {
			const batch = [...open].filter((anchor) => !emitted.has(anchor)).slice(0, WHOLE);
			for (const anchor of [...open]) if (emitted.has(anchor) || batch.includes(anchor)) open.delete(anchor);
			if (batch.length === 0) continue;
			const inScope = isFull ? new Set<Anchor>() : await inScopeOf(batch);
			const page = await read.groups(await find(batch, scope.groupClasses), (anchor) => inScope.has(anchor), follow(known));
			if (page.length > 0) yield page;
		}
	}

	/** Members that the snapshot does not know may be groups. */
	async function* nested(unknown: ReadonlyMap<string, Buffer>): AsyncGenerator<readonly ReadGroup[], void> {
		if (unknown.size === 0) return;
		const people = new Set((marked?.people ?? []).map(({ dn }) => dnKey(dn)));
		const keys = [...unknown.keys()].filter((key) => !people.has(key));
		if (keys.length === 0) return;
		const known = await index();
		for (const key of keys) follow(known)(key);
		yield* followed(known);
	}

	async function find(anchors: readonly Anchor[], filter: Filter): Promise<readonly Uint8Array[]> {
		const ids = byAnchor(scope.anchors.groups, anchors);
		const raws: Uint8Array[] = [];
		for (const { dn } of visit.root.contexts) raws.push(...(await visitFew(visit, dn, both(filter, ids), read.attributes)));
		return raws;
	}

	async function inScopeOf(anchors: readonly Anchor[]): Promise<ReadonlySet<Anchor>> {
		const found = new Set<Anchor>();
		if (scope.groups === undefined) return found;
		const filter = both(scope.groups.filter, byAnchor(scope.anchors.groups, anchors));
		for (const { dn } of scope.groups.bases) {
			for (const raw of await visitFew(visit, dn, filter, [scope.anchors.groups.attribute])) {
				const anchor = anchorOf(raw);
				if (anchor !== undefined && isWithin(raw)) found.add(anchor);
			}
		}
		return found;
	}

	/** Named by the server as gone, and found nowhere any more. People are among them: nobody knows what they were. */
	async function deletedOf({ gone }: Marked): Promise<readonly ReadGroup[]> {
		const there = new Set<Anchor>();
		const { people, groups } = scope.anchors;
		for (const batch of batchesOf(gone)) {
			const wanted = batch.map(({ anchor }) => anchor);
			for (const { dn } of visit.root.contexts) {
				for (const raw of await visitFew(visit, dn, byAnchor(groups, wanted), [groups.attribute, people.attribute])) {
					const anchor = anchorOf(raw);
					if (anchor !== undefined) there.add(anchor);
				}
			}
		}
		return gone.filter(({ anchor }) => !there.has(anchor)).map(({ key }) => ({ kind: "deleted", key }));
	}
}

/** Turns the bytes of groups into what the port wants, with uids resolved. */
function makeReader(visit: Visit, emitted: Set<Anchor>) {
	const { anchors, members } = visit.scope;
	const links = new Set(members.map((name) => name.toLowerCase()));
	const uids = makeUids(visit);
	return {
		attributes: [...fields, anchors.groups.attribute, ...members],
		groups: async (
			raws: readonly Uint8Array[],
			isInScope: (anchor: Anchor) => boolean,
			saw: (key: string, octets: Buffer) => void,
		): Promise<readonly ReadGroup[]> => {
			const page: ReadGroup[] = [];
			for (const raw of raws) {
				const key = anchors.groups.keyOf(raw);
				if (key === undefined) {
					visit.unsealed.push(`the group "${dnOf(raw)}" shows no ${anchors.groups.attribute}: it cannot be followed`);
					continue;
				}
				const anchor = anchors.anchorOf(key);
				if (emitted.has(anchor)) continue;
				emitted.add(anchor);
				const cut = cutLinks(raw, links);
				await uids.learn(uidsOf(raw, cut.links));
				const group = { key, raw: cut.rest, isInScope: isInScope(anchor) };
				page.push({ kind: "whole", group, members: readMembers(raw, cut.links, uids.dnOf, saw) });
			}
			return page;
		},
	};
}
