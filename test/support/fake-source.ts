import type { Cursor } from "../../src/core/cursor.ts";
import { dnKey, isBeneath } from "../../src/core/dn.ts";
import type { Anchor, Entry, RawEntry, Standing } from "../../src/core/entry.ts";
import { Failure } from "../../src/core/errors.ts";
import type { Reading, ReadRequest, Source, Whereabouts } from "../../src/source/source.ts";

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

/** An in-memory source behind the port, for tests of what comes after reading. Its scope is `base`; the rest of the world is outside. */
export function makeFakeSource(base = "OU=People,DC=corp,DC=example,DC=test") {
	const people = new Map<string, FakePerson>();
	const tombstones = new Set<string>();
	let usn = 1;
	const faults = {
		/** Break the reading after so many entries. */
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
		/** What the source says when it read another server. */
		serverChanged: undefined as string | undefined,
	};
	const settings = { identity: "fake", scope: base, attributes: ["cn", "mail", "manager", "upn"] };
	const dnOf = (person: FakePerson) => `CN=${person.cn},${person.where}`;
	const inScope = (person: FakePerson) => isBeneath(dnKey(dnOf(person)), dnKey(base));
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
				const entries = visible().filter((person) => inScope(person) && person.usn > since);
				for (let at = 0; at < entries.length; at += 3) {
					if (faults.cutAfter !== undefined && at >= faults.cutAfter)
						throw new Failure("SOURCE_BROKE", "the connection closed in the middle of a page");
					const page = entries.slice(at, at + 3).map(raw);
					read += page.length;
					yield page;
				}
				if (faults.cutAfter !== undefined) throw new Failure("SOURCE_BROKE", "the connection closed in the middle of a page");
			})(),
			groups: undefined,
			end: () => ({
				read,
				unsealed: faults.unsealed,
				cursor,
				viewChanged: faults.serverChanged,
				warnings: [],
				containers: [],
				outside: visible()
					.filter((person) => !inScope(person) && person.usn > since && request.mode === "delta")
					.map((person) => ({ anchor: person.anchor as Anchor, dn: dnOf(person), key: raw(person).key })),
				protection: {
					people: new Set(faults.protectedDns.map(dnKey)),
					containers: [],
					primaryGroups: new Set(),
					unresolved: faults.unresolved,
				},
				scopeGroups: undefined,
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
		name: "fake",
		get identity() {
			return settings.identity;
		},
		get scope() {
			return settings.scope;
		},
		get attributes() {
			return settings.attributes;
		},
		memberKeys: undefined,
		primary: undefined,
		watch: undefined,
		read: (request) => open(request),
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
		remove: (anchor: string, tombstone = false): void => {
			const person = people.get(anchor);
			if (person === undefined) return;
			people.delete(anchor);
			usn++;
			if (tombstone) tombstones.add(anchor);
			relink(dnOf(person), undefined);
		},
	};
}

export type FakeSource = ReturnType<typeof makeFakeSource>;
