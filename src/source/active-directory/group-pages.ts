import type { Filter } from "../../core/filter.ts";
import { makeExclusion } from "../ldap/place.ts";
import { domainScope, extendedDns } from "../ldap/wire/encode.ts";
import { readPages } from "../ldap/wire/pages.ts";
import type { Members, ReadGroup } from "../source.ts";
import { readGroupEntry } from "./group-entry.ts";
import { batches, completeGroup, GROUP_BATCH, readGroups } from "./group-read.ts";
import { groupFilter } from "./group-scope.ts";
import { FIRST_MEMBERS, keyText } from "./member-ranges.ts";
import type { NamedGroup } from "./named-groups.ts";
import { keyOf, pagesOptions, type Visit, visitPages } from "./visit.ts";

/** What is counted while groups are read. */
export interface GroupTally {
	/** Groups that show no objectGUID. */
	nameless: number;
	isComplete: boolean;
}

/**
 * Every group in scope, then those that users.groups and rules name, then what is nested in any of these. `visit` is that of the groups'
 * scope.
 */
export async function* fullGroups(
	visit: Visit,
	named: readonly NamedGroup[],
	tally: GroupTally,
): AsyncGenerator<readonly ReadGroup[], void> {
	const follow = makeFollower(await readGroupKeys(visit));
	for (const { dn } of visit.scope.bases) {
		for await (const page of scopedGroups(visit, dn, tally, follow)) yield page;
	}
	for (const { key } of named) follow.want(key);
	for (let keys = follow.next(); keys.length > 0; keys = follow.next()) {
		for (const batch of batches(keys)) yield await follow.whole(visit, batch);
	}
	tally.isComplete = true;
}

async function* scopedGroups(visit: Visit, base: string, tally: GroupTally, follow: Follower): AsyncGenerator<readonly ReadGroup[], void> {
	const isExcluded = makeExclusion(visit.scope);
	const attributes = [...visit.scope.attributes, FIRST_MEMBERS];
	const request = { base, scope: "sub", filter: visit.scope.wanted, attributes, controls: [domainScope, extendedDns] } as const;
	for await (const raws of readPages(visit.session, request, { ...pagesOptions(visit), pageSize: GROUP_BATCH })) {
		const page: ReadGroup[] = [];
		for (const raw of raws) {
			const entry = readGroupEntry(raw);
			const { key, dn } = entry;
			if (isExcluded(dn)) continue;
			if (key === undefined) {
				if (++tally.nameless === 1) visit.unsealed.push(`the group "${dn}" shows no objectGUID: the right to read it may be missing`);
				continue;
			}
			// A group that moves between two pages comes twice.
			if (!follow.take(key)) continue;
			const group = await completeGroup(visit, { ...entry, key }, true);
			if (group?.kind === "whole") {
				follow.note(group.members);
				page.push(group);
			}
		}
		if (page.length > 0) yield page;
	}
}

/** Keeps count of which groups were read, and which are still to be: nested in one that was. */
export interface Follower {
	/** Whether this one was not read before; it is now. */
	take(key: Uint8Array): boolean;
	want(key: Uint8Array): void;
	/** Looks for groups among the members of one that was read. */
	note(members: Members): void;
	/** What is wanted by now. */
	next(): readonly Uint8Array[];
	/** Reads groups that are not in scope. */
	whole(visit: Visit, keys: readonly Uint8Array[]): Promise<readonly ReadGroup[]>;
}

/** `groups`: the keys of all groups there are, by which those among members are told. */
function makeFollower(groups: ReadonlySet<string>): Follower {
	const taken = new Set<string>();
	const wanted = new Map<string, Uint8Array>();
	const follower: Follower = {
		take: (key) => {
			const text = keyText(key);
			return !taken.has(text) && taken.add(text) !== undefined;
		},
		want: (key) => void wanted.set(keyText(key), key.slice()),
		note: ({ count, keys }) => {
			for (let i = 0; i < count; i++) {
				const key = keys.subarray(i * 16, i * 16 + 16);
				if (groups.has(keyText(key))) follower.want(key);
			}
		},
		next: () => {
			const open = [...wanted.values()].filter(follower.take);
			wanted.clear();
			return open;
		},
		whole: async (visit, keys) => {
			const page: ReadGroup[] = [];
			for (const entry of await readGroups(visit, keys, "whole")) {
				const group = await completeGroup(visit, entry, false);
				if (group?.kind !== "whole") continue;
				follower.note(group.members);
				page.push(group);
			}
			return page;
		},
	};
	return follower;
}

/** The keys of every group of the domains, as texts: 10 MB for 100,000 of them. */
export async function readGroupKeys(visit: Visit, filter: Filter = groupFilter): Promise<ReadonlySet<string>> {
	const keys = new Set<string>();
	for (const { dn } of visit.root.domains) {
		for await (const page of visitPages(visit, dn, filter, ["objectGUID"])) {
			for (const raw of page) {
				const key = keyOf(raw);
				if (key !== undefined) keys.add(keyText(key));
			}
		}
	}
	return keys;
}
