import { dnKey } from "../../core/dn.ts";
import type { Anchor } from "../../core/entry.ts";
import type { Filter } from "../../core/filter.ts";
import { standpointOf } from "../ldap/place.ts";
import { extendedDns } from "../ldap/wire/encode.ts";
import type { RawGroup, ReadGroup } from "../source.ts";
import { type GroupEntry, readGroupEntry } from "./group-entry.ts";
import { groupFilter } from "./group-scope.ts";
import { guidText } from "./guid.ts";
import { FIRST_MEMBERS, gatherMembers, keyText } from "./member-ranges.ts";
import { byGuid, keyOf, type Visit, visitFew } from "./visit.ts";

/** GUIDs asked for in one search: with 1,500 members of 180 octets each they are 13 MB. */
export const GROUP_BATCH = 50;

/** A group whose key could be read. */
export type KeyedGroup = GroupEntry & { readonly key: Uint8Array };

/** Groups by GUID, wherever they are in the domains, with the first of their members or without any. Others are left out. */
export async function readGroups(visit: Visit, keys: readonly Uint8Array[], what: "whole" | "fields"): Promise<readonly KeyedGroup[]> {
	if (keys.length === 0) return [];
	const filter: Filter = { kind: "and", parts: [groupFilter, byKeys(keys)] };
	const attributes = what === "whole" ? [...visit.scope.attributes, FIRST_MEMBERS] : visit.scope.attributes;
	const found: KeyedGroup[] = [];
	for (const { dn } of visit.root.domains) {
		for (const raw of await visitFew(visit, { base: dn, scope: "sub", filter, attributes }, [extendedDns])) {
			const group = readGroupEntry(raw);
			if (group.key !== undefined) found.push({ ...group, key: group.key });
		}
	}
	return found;
}

/** Which of them are in scope: by where they are, and by the filter as the server sees it. Texts of keys. */
export async function inScopeOf(visit: Visit, groups: readonly KeyedGroup[]): Promise<ReadonlySet<string>> {
	const inside = groups.filter(({ dn }) => standpointOf(visit.scope, dnKey(dn)).kind === "inside");
	if (visit.scope.filter === undefined || inside.length === 0) return new Set(inside.map(({ key }) => keyText(key)));
	const filter: Filter = { kind: "and", parts: [visit.scope.wanted, byKeys(inside.map(({ key }) => key))] };
	const matching = new Set<string>();
	for (const { dn } of visit.root.domains) {
		for (const raw of await visitFew(visit, { base: dn, scope: "sub", filter, attributes: ["objectGUID"] })) {
			const key = keyOf(raw);
			if (key !== undefined) matching.add(keyText(key));
		}
	}
	return matching;
}

/** A group with all its members; undefined, and said where it matters, when they could not be read to the end. */
export async function completeGroup(visit: Visit, group: KeyedGroup, isInScope: boolean): Promise<ReadGroup | undefined> {
	const gathered = await gatherMembers(visit, group);
	if (gathered.kind === "whole") return { kind: "whole", group: rawGroup(group, isInScope), members: gathered.members };
	if (gathered.kind === "restless") {
		visit.unsealed.push(`the members of the group "${group.dn}" changed again and again while they were read`);
	}
	return undefined;
}

export function rawGroup({ key, raw }: KeyedGroup, isInScope: boolean): RawGroup {
	return { key, raw, isInScope };
}

export function byKeys(keys: readonly Uint8Array[]): Filter {
	return byGuid(keys.map((key) => guidText(key) as Anchor));
}

/** In pieces that a server takes in one filter. */
export function* batches<T>(all: readonly T[]): Generator<readonly T[], void> {
	for (let at = 0; at < all.length; at += GROUP_BATCH) yield all.slice(at, at + GROUP_BATCH);
}
