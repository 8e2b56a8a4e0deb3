import { dnKey } from "../../src/core/dn.ts";
import type { Anchor, Entry } from "../../src/core/entry.ts";
import type { ActiveDirectoryOptions, GroupOptions } from "../../src/source/active-directory/options.ts";
import type { Members, Reading, ReadingEnd, ReadRequest, Source } from "../../src/source/source.ts";
import { type Directory, person } from "./directory.ts";
import { placesOf } from "./population.ts";
import { anchorOf, sourceOn } from "./reader.ts";

/** Members of one group, as a snapshot would keep them: DN keys by the hex of the member's key. */
export type MemberNames = ReadonlyMap<string, string>;

export interface GroupRead {
	readonly kind: "whole" | "changed";
	readonly entry: Entry;
	readonly isInScope: boolean;
	/** All of them, or those that came. */
	readonly members: MemberNames;
	readonly removed: MemberNames;
}

export interface GroupsRead {
	readonly mode: "full" | "delta";
	readonly fullBecause: string | undefined;
	readonly people: ReadonlySet<Anchor>;
	readonly groups: ReadonlyMap<Anchor, GroupRead>;
	/** How often each group came. */
	readonly times: ReadonlyMap<Anchor, number>;
	readonly deleted: readonly Anchor[];
	readonly end: ReadingEnd;
}

/** A source that keeps the groups beneath the contract's own container. */
export function groupSource(directory: Directory, groups: Partial<GroupOptions> = {}, more: Partial<ActiveDirectoryOptions> = {}): Source {
	const { people, groups: base } = placesOf(directory);
	const kept: GroupOptions = { bases: [base], filter: undefined, exclude: [], kinds: [], ...groups };
	return sourceOn(directory, { bases: [people], groups: kept, ...more });
}

/** Reads people and groups, and closes the reading. */
export async function readWithGroups(
	source: Source,
	request: ReadRequest,
	then?: (reading: Reading) => Promise<void>,
): Promise<GroupsRead> {
	const reading = await source.read(request, new AbortController().signal);
	try {
		const people = new Set<Anchor>();
		for await (const page of reading.pages) for (const { key } of page) people.add(source.anchor(key));
		const groups = new Map<Anchor, GroupRead>();
		const times = new Map<Anchor, number>();
		const deleted: Anchor[] = [];
		for await (const page of reading.groups?.pages ?? []) {
			for (const group of page) {
				if (group.kind === "deleted") {
					deleted.push(source.anchor(group.key));
					continue;
				}
				const anchor = source.anchor(group.group.key);
				times.set(anchor, (times.get(anchor) ?? 0) + 1);
				groups.set(anchor, {
					kind: group.kind,
					entry: source.decode(group.group.raw),
					isInScope: group.group.isInScope,
					members: namesOf(group.kind === "whole" ? group.members : group.added),
					removed: group.kind === "whole" ? new Map() : namesOf(group.removed),
				});
			}
		}
		const result = { mode: reading.mode, fullBecause: reading.fullBecause, people, groups, times, deleted, end: reading.end() };
		await then?.(reading);
		return result;
	} finally {
		await reading.close();
	}
}

function namesOf(members: Members): MemberNames {
	const names = new Map<string, string>();
	for (let i = 0; i < members.count; i++) {
		const key = Buffer.from(members.keys.subarray(i * 16, i * 16 + 16)).toString("hex");
		if (names.has(key)) throw new Error(`${members.nameOf(i)} came twice`);
		names.set(key, dnKey(members.nameOf(i)));
	}
	return names;
}

/** What a snapshot after these readings knows: groups read, and all of their members. */
export function knowing(...readings: readonly GroupsRead[]): ReadRequest["known"] {
	const groups = new Set<string>();
	const others = new Set<string>();
	for (const { groups: read } of readings) {
		for (const { entry, members } of read.values()) {
			groups.add(entry.anchor);
			for (const key of members.keys()) others.add(key);
		}
	}
	return (key) => {
		const hex = Buffer.from(key).toString("hex");
		if (groups.has(anchorOfHex(hex))) return "group";
		return others.has(hex) ? "other" : undefined;
	};
}

function anchorOfHex(hex: string): string {
	const at = (from: number, to: number): string => (hex.slice(from, to).match(/../g) ?? []).reverse().join("");
	return `${at(0, 8)}-${at(8, 12)}-${at(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

export function groupDn(directory: Directory, name: string, ou = placesOf(directory).groups): string {
	return person(name, ou);
}

/** A group by its cn; throws when it was not read. */
export function groupNamed({ groups }: GroupsRead, name: string): GroupRead {
	const found = [...groups.values()].find(({ entry }) => entry.attributes.get("cn")?.[0] === name);
	if (found === undefined) throw new Error(`the group ${name} was not read`);
	return found;
}

/** cn of all groups read that are in scope, or of those that are not; sorted. */
export function groupNames({ groups }: GroupsRead, isInScope = true): string[] {
	const chosen = [...groups.values()].filter((group) => group.isInScope === isInScope);
	return chosen.map(({ entry }) => entry.attributes.get("cn")?.[0] ?? "?").sort();
}

export function memberDns({ members }: GroupRead): string[] {
	return [...members.values()].sort();
}

const SECURITY = "-2147483646";

export function addGroup(directory: Directory, at: string, members: readonly string[] = [], groupType = SECURITY): Promise<void> {
	return directory.add(at, {
		objectClass: "group",
		sAMAccountName: at.slice(3, at.search(/(?<!\\),/)).toLowerCase(),
		groupType,
		...(members.length > 0 && { member: members }),
	});
}

/** The anchor of an object, asked for independently. */
export async function anchorOfDn(directory: Directory, dn: string): Promise<Anchor> {
	const [found] = await directory.search(dn, "(objectClass=*)", ["objectGUID"]);
	if (found === undefined) throw new Error(`no ${dn}`);
	return anchorOf(found);
}
