import type { Cursor } from "../../src/core/cursor.ts";
import { dnKey, isBeneath } from "../../src/core/dn.ts";
import type { Anchor, Entry, RawEntry, Standing } from "../../src/core/entry.ts";
import { Failure } from "../../src/core/errors.ts";
import { groupKey } from "../../src/core/group-name.ts";
import type { ScopePlace } from "../../src/core/scope.ts";
import type {
	FoundPerson,
	GroupsReading,
	Members,
	RawGroup,
	ReadGroup,
	Reading,
	ReadRequest,
	ScopeGroup,
	Source,
	Whereabouts,
} from "../../src/source/source.ts";

/** A person of the fake directory. `where` is the container's DN. */
export interface FakePerson {
	anchor: string;
	cn: string;
	where: string;
	standing: Standing;
	expiresAt?: number;
	attributes: Record<string, string[]>;
	/** Moves with every change, as uSNChanged does. */
	usn: number;
}

/** A group. Members are anchors of people, groups, or nobody of ours. `primaryId` is what people may have as primarygroupid. */
export interface FakeGroup {
	anchor: string;
	cn: string;
	isInScope: boolean;
	members: string[];
	primaryId?: string;
	usn: number;
	/** Members as they were at each mark, for incremental answers. */
	history: Map<number, readonly string[]>;
}

/** An in-memory source behind the port, for tests of what comes after reading. Its scope is `base`; the rest of the world is outside. */
export function makeFakeSource(base = "OU=People,DC=corp,DC=example,DC=test", name = "fake") {
	const people = new Map<string, FakePerson>();
	const tombstones = new Set<string>();
	let usn = 1;
	const faults = {
		/** Break the reading after so many entries; so many readings, if it is said. */
		cuts: Number.POSITIVE_INFINITY,
		cutAfter: undefined as number | undefined,
		unsealed: [] as string[],
		/** Entries nobody can see, though they are there. */
		hidden: new Set<string>(),
		/** What `lookup` says of those that are nowhere to be seen. */
		doubt: undefined as string | undefined,
		unreadable: new Set<string>(),
		/** An attribute hidden in one container. */
		unreadableIn: undefined as { attribute: string; where: string } | undefined,
		protectedDns: [] as string[],
		unresolved: [] as string[],
		/** Groups show no members. */
		membersHidden: false,
		/** These groups, by anchor, show none. */
		membersHiddenOf: new Set<string>(),
		/** What the source says when it read another server. */
		serverChanged: undefined as string | undefined,
		/** A delta as well is known to know all that was told before. */
		isCurrent: false,
		cursorIfPartial: undefined as Cursor | undefined,
	};
	const settings = {
		identity: "fake",
		scope: base,
		/** Beneath it people are in scope; change the scope's text with it. */
		base,
		attributes: ["cn", "mail", "manager", "upn"],
		/** Whether groups are read, and by which words they are in scope. */
		groups: undefined as string | undefined,
		/** DNs of what people live beneath. */
		containers: [] as string[],
		/** Names of the groups that make the scope, or their anchors. */
		scopeGroups: undefined as string[] | undefined,
		/** DNs of the groups that rules name. */
		ruleGroups: [] as readonly string[],
		/** A delta asks of every group whether it is known, since one that came into sight may not have changed: not for the bench. */
		asksForGroups: true,
		/** Members that came or went are told alone, as DirSync does. */
		isIncremental: false,
		canFailOver: false,
	};
	const groups = new Map<string, FakeGroup>();
	const groupTombstones = new Map<string, number>();
	const dnOf = (person: FakePerson) => `CN=${person.cn},${person.where}`;
	const inScope = (person: FakePerson) => isBeneath(dnKey(dnOf(person)), dnKey(settings.base));
	const raw = (person: FakePerson): RawEntry => ({
		key: Buffer.from(person.anchor.replaceAll("-", "").padEnd(32, "0").slice(0, 32), "hex"),
		raw: Buffer.from(
			JSON.stringify([
				person.anchor,
				dnOf(person),
				Object.entries(person.attributes).filter(
					([name, values]) =>
						values.length > 0 &&
						!faults.unreadable.has(name) &&
						!(faults.unreadableIn?.attribute === name && faults.unreadableIn.where === person.where),
				),
				faults.unreadable.has("useraccountcontrol") ? "unknown" : person.standing,
				person.expiresAt ?? null,
			]),
		),
	});

	const isCalled = (person: FakePerson, user: string): boolean =>
		[person.anchor, person.cn, dnOf(person), ...Object.values(person.attributes).flat()].includes(user);
	const placeAt = (dn: string): ScopePlace =>
		isBeneath(dnKey(dn), dnKey(settings.base))
			? { kind: "in-scope" }
			: { kind: "elsewhere", where: `in ${dn.slice(dn.indexOf(",") + 1)}, beneath none of the bases` };

	const keyOf = (anchor: string): Buffer => Buffer.from(anchor.replaceAll("-", ""), "hex");
	const members = (anchors: readonly string[]): Members => ({
		count: anchors.length,
		keys: Buffer.concat(anchors.map(keyOf)),
		nameOf: (index) => `CN=${anchors[index]},OU=Elsewhere`,
	});
	const groupDn = (group: FakeGroup): string => `CN=${group.cn},OU=Groups`;
	const ruleGroups = (pins: ReadRequest["pins"]): readonly ScopeGroup[] => namedGroups(settings.ruleGroups, pins);
	const namedGroups = (names: readonly string[], pins: ReadRequest["pins"]): readonly ScopeGroup[] =>
		names.flatMap((name) => {
			const key = groupKey(name);
			const keysOf = (group: FakeGroup) => [groupDn(group), group.anchor, group.cn].map(groupKey);
			const found = groups.get(pins.get(key) ?? "") ?? [...groups.values()].find((group) => keysOf(group).includes(key));
			return found === undefined ? [] : [{ nameKey: key, anchor: found.anchor as Anchor }];
		});
	const rawGroup = (group: FakeGroup): RawGroup => ({
		key: keyOf(group.anchor),
		raw: Buffer.from(
			JSON.stringify([
				group.anchor,
				groupDn(group),
				[["cn", [group.cn]], ...(group.primaryId === undefined ? [] : [["primaryid", [group.primaryId]]])],
				"unknown",
				null,
			]),
		),
		isInScope: group.isInScope,
	});
	const isSeen = (group: FakeGroup, pins: ReadRequest["pins"]): boolean =>
		group.isInScope ||
		namedGroups([...(settings.scopeGroups ?? []), ...settings.ruleGroups], pins).some(({ anchor }) => anchor === group.anchor) ||
		[...groups.values()].some((other) => other.members.includes(group.anchor));
	function readGroups(request: ReadRequest): GroupsReading {
		const since = request.mode === "delta" ? Number(request.cursor) : 0;
		const isHidden = (anchor: string): boolean => faults.membersHidden || faults.membersHiddenOf.has(anchor);
		const read = (group: FakeGroup): ReadGroup => {
			const before = [...group.history].filter(([at]) => at <= since).at(-1)?.[1];
			if (!settings.isIncremental || request.mode === "full" || before === undefined || request.known(keyOf(group.anchor)) !== "group")
				return { kind: "whole", group: rawGroup(group), members: members(isHidden(group.anchor) ? [] : group.members) };
			return {
				kind: "changed",
				group: rawGroup(group),
				added: members(group.members.filter((one) => !before.includes(one))),
				removed: members(before.filter((one) => !group.members.includes(one))),
			};
		};
		return {
			pages: (async function* () {
				const isNews = (group: FakeGroup): boolean =>
					group.usn > since || (settings.asksForGroups && request.known(keyOf(group.anchor)) !== "group");
				const seen = [...groups.values()].filter((group) => isSeen(group, request.pins) && isNews(group));
				for (let at = 0; at < seen.length; at += 2) yield seen.slice(at, at + 2).map(read);
				if (request.mode === "delta")
					yield [...groupTombstones].filter(([, at]) => at > since).map(([anchor]): ReadGroup => ({ kind: "deleted", key: keyOf(anchor) }));
			})(),
			lookup: async (wanted) =>
				new Map(
					wanted.map(({ anchor }): [Anchor, Whereabouts] => {
						const group = groups.get(anchor);
						if (group !== undefined) return [anchor, { kind: "out-of-scope", dn: groupDn(group), where: "elsewhere", doubt: undefined }];
						return [anchor, { kind: "unseen", doubt: faults.doubt }];
					}),
				),
			doubtEmpty: async (anchors) => new Map(anchors.filter(isHidden).map((anchor) => [anchor, "its members cannot be read"])),
		};
	}

	async function open(request: ReadRequest): Promise<Reading> {
		const since = request.mode === "delta" ? Number(request.cursor) : 0;
		const cursor = String(usn) as Cursor;
		const visible = () => [...people.values()].filter((person) => !faults.hidden.has(person.anchor));
		let read = 0;
		return {
			mode: request.mode,
			fullBecause: undefined,
			server: "fake://directory",
			pages: (async function* () {
				const entries = visible().filter((person) => person.usn > since && inScope(person));
				for (let at = 0; at < entries.length; at += 3) {
					if (faults.cutAfter !== undefined && at >= faults.cutAfter && faults.cuts-- > 0)
						throw new Failure("SOURCE_BROKE", "the connection closed in the middle of a page");
					const page = entries.slice(at, at + 3).map(raw);
					read += page.length;
					yield page;
				}
				if (faults.cutAfter !== undefined && faults.cuts-- > 0)
					throw new Failure("SOURCE_BROKE", "the connection closed in the middle of a page");
			})(),
			groups: settings.groups === undefined ? undefined : readGroups(request),
			end: () => ({
				read,
				unsealed: faults.unsealed,
				cursor,
				cursorIfPartial: faults.cursorIfPartial,
				viewChanged: faults.serverChanged,
				isCurrent: faults.serverChanged === undefined && (request.mode === "full" || faults.isCurrent),
				warnings: [],
				containers: settings.containers.map((dn) => ({ anchor: dn as Anchor, dn })),
				outside: visible()
					.filter((person) => request.mode === "delta" && person.usn > since && !inScope(person))
					.map((person) => ({ anchor: person.anchor as Anchor, dn: dnOf(person), key: raw(person).key })),
				protection: {
					people: new Set(faults.protectedDns.map(dnKey)),
					containers: [],
					primaryGroups: new Set(),
					unresolved: faults.unresolved,
				},
				scopeGroups: settings.scopeGroups && namedGroups(settings.scopeGroups, request.pins),
				ruleGroups: ruleGroups(request.pins),
				strategy: "counting",
			}),
			lookup: async (wanted) => {
				const found = new Map<Anchor, Whereabouts>();
				for (const { anchor } of wanted) {
					const person = people.get(anchor);
					if (person === undefined && tombstones.has(anchor)) found.set(anchor, { kind: "deleted" });
					else if (person === undefined || faults.hidden.has(anchor)) found.set(anchor, { kind: "unseen", doubt: faults.doubt });
					else if (inScope(person)) found.set(anchor, { kind: "in-scope", entry: raw(person) });
					else
						found.set(anchor, { kind: "out-of-scope", dn: dnOf(person), where: `now in ${person.where.split(",")[0]}`, doubt: undefined });
				}
				return found;
			},
			reportsOf: async (managers) =>
				new Map(
					managers.map((anchor) => [
						anchor,
						visible()
							.filter((person) => person.attributes["manager"]?.[0] === (people.has(anchor) ? dnOf(people.get(anchor) as FakePerson) : ""))
							.map(dnOf),
					]),
				),
			isReadable: async (attribute) =>
				!faults.unreadable.has(attribute) && visible().some((person) => (person.attributes[attribute]?.length ?? 0) > 0),
			close: async () => {},
		};
	}

	const source: Source = {
		name,
		get identity() {
			return settings.identity;
		},
		get scope() {
			return settings.scope;
		},
		get attributes() {
			return settings.attributes;
		},
		get canFailOver() {
			return settings.canFailOver;
		},
		get groupScope() {
			return settings.groups;
		},
		get memberKeys() {
			return settings.groups === undefined ? undefined : ("anchor" as const);
		},
		primary: { member: "primarygroupid", group: "primaryid" },
		watch: undefined,
		read: (request) => open(request),
		find: async (user) => ({
			server: "fake://directory",
			people: [...people.values()]
				.filter((person) => !faults.hidden.has(person.anchor) && isCalled(person, user))
				.map(
					(person): FoundPerson => ({
						anchor: person.anchor as Anchor,
						dn: dnOf(person),
						raw: raw(person).raw,
						place: placeAt(dnOf(person)),
					}),
				),
		}),
		placeOf: ({ dn }) => placeAt(dn),
		anchor: (key) => {
			const hex = Buffer.from(key).toString("hex");
			return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}` as Anchor;
		},
		dn: (bytes) => (JSON.parse(Buffer.from(bytes).toString()) as string[])[1] as string,
		decode: (bytes) => {
			const [anchor, dn, attributes, standing, expiresAt] = JSON.parse(Buffer.from(bytes).toString()) as [
				string,
				string,
				[string, string[]][],
				Standing,
				number | null,
			];
			const entry: Entry = { anchor: anchor as Anchor, dn, attributes: new Map(attributes), standing, expiresAt: expiresAt ?? undefined };
			return entry;
		},
	};

	/** Links follow a rename, as AD's do: those who name the person get the new DN without a mark of their own. */
	const relink = (before: string, after: string | undefined): void => {
		for (const person of people.values()) {
			if (person.attributes["manager"]?.[0] === before) person.attributes["manager"] = after === undefined ? [] : [after];
		}
	};

	return {
		source,
		faults,
		settings,
		people,
		dnOf,
		anchorOf: (number: number): string => `${number.toString(16).padStart(8, "0")}-0000-4000-8000-000000000000`,
		put: (person: Omit<FakePerson, "usn">): void => {
			const before = people.get(person.anchor);
			const old = before && dnOf(before);
			people.set(person.anchor, { ...person, usn: ++usn });
			const now = dnOf(people.get(person.anchor) as FakePerson);
			if (old !== undefined && old !== now) relink(old, now);
		},
		groups,
		putGroup: (group: Omit<FakeGroup, "usn" | "history">): void => {
			const history = groups.get(group.anchor)?.history ?? new Map();
			usn++;
			history.set(usn, group.members);
			groups.set(group.anchor, { ...group, usn, history });
		},
		removeGroup: (anchor: string): void => {
			groups.delete(anchor);
			groupTombstones.set(anchor, ++usn);
			for (const group of groups.values()) group.members = group.members.filter((member) => member !== anchor);
		},
		remove: (anchor: string, tombstone = false): void => {
			const person = people.get(anchor);
			if (person === undefined) return;
			people.delete(anchor);
			usn++;
			// No mark of the group's moves with it.
			for (const group of groups.values()) group.members = group.members.filter((member) => member !== anchor);
			if (tombstone) tombstones.add(anchor);
			relink(dnOf(person), undefined);
		},
	};
}

export type FakeSource = ReturnType<typeof makeFakeSource>;
