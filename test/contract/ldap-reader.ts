import type { Cursor } from "../../src/core/cursor.ts";
import { dnKey } from "../../src/core/dn.ts";
import type { Anchor, Entry } from "../../src/core/entry.ts";
import { digest } from "../../src/lib/digest.ts";
import { makeGenericLdap } from "../../src/source/generic-ldap/generic-ldap.ts";
import { type GenericLdapOptions, genericLdapDefaults } from "../../src/source/generic-ldap/options.ts";
import type { Reading, ReadingEnd, ReadRequest, Source } from "../../src/source/source.ts";

const nothing = { anchor: undefined, people: undefined, disabled: undefined, groupClasses: undefined, members: undefined };

/** A source of type ldap, as the default mapping wants it. */
export function ldapSource(
	{ url, reader, baseDn }: { readonly url: string; readonly reader: GenericLdapOptions["bind"]; readonly baseDn: string },
	{
		overrides,
		users,
		...options
	}: Partial<Omit<GenericLdapOptions, "overrides" | "users">> & {
		readonly overrides?: Partial<GenericLdapOptions["overrides"]>;
		readonly users?: Partial<GenericLdapOptions["users"]>;
	} = {},
): Source {
	return makeGenericLdap({
		name: "corp",
		urls: [url],
		bind: reader,
		discovery: undefined,
		tls: { ca: undefined, startTls: false, servername: undefined, cert: undefined, key: undefined },
		insecure: true,
		bases: [baseDn],
		users: { filter: undefined, exclude: [], groups: [], ...users },
		groups: undefined,
		protect: [],
		attributes: ["displayName", "givenName", "sn", "title", "manager", "telephoneNumber", "employeeNumber"],
		preset: "openldap",
		overrides: { ...nothing, ...overrides },
		changes: "auto",
		...genericLdapDefaults,
		pausesMs: [],
		clock: Date.now,
		random: () => 0.5,
		observe: { request: () => {}, certificate: () => {} },
		...options,
	});
}

/** A group as it was read. */
export interface Group {
	readonly name: string;
	readonly isInScope: boolean;
	/** What its members are called, sorted. */
	readonly members: readonly string[];
	readonly entry: Entry;
}

export interface LdapRead {
	readonly mode: "full" | "delta";
	readonly fullBecause: string | undefined;
	readonly people: ReadonlyMap<Anchor, Entry>;
	/** In the order they came, doubles included. */
	readonly anchors: readonly Anchor[];
	readonly pageLengths: readonly number[];
	readonly groups: readonly Group[];
	readonly deletedGroups: readonly Anchor[];
	/** What a snapshot of all this, and of what was before, says of members. */
	readonly known: ReadonlyMap<string, "group" | "other">;
	readonly end: ReadingEnd;
}

/** Reads everything, or what has changed since an earlier reading, and closes the reading. */
export async function readLdap(
	source: Source,
	since?: Pick<LdapRead, "end" | "known">,
	then?: (reading: Reading, read: LdapRead) => Promise<void>,
	pins: ReadRequest["pins"] = new Map(),
): Promise<LdapRead> {
	const known = new Map(since?.known ?? []);
	const asked = { pins, known: (key: Uint8Array) => known.get(Buffer.from(key).toString("hex")) };
	const cursor = since?.end.cursor as Cursor;
	const request: ReadRequest = since === undefined ? { ...asked, mode: "full", cursor: undefined } : { ...asked, mode: "delta", cursor };
	const reading = await source.read(request, new AbortController().signal);
	try {
		const people = new Map<Anchor, Entry>();
		const anchors: Anchor[] = [];
		const pageLengths: number[] = [];
		const fresh = new Map<string, "group" | "other">();
		const keyOf = (dn: string): string => digest(dnKey(dn)).toString("hex");
		for await (const page of reading.pages) {
			pageLengths.push(page.length);
			for (const { key, raw } of page) {
				const entry = source.decode(raw);
				if (entry.anchor !== source.anchor(key)) throw new Error(`key and bytes of ${entry.dn} name two anchors`);
				if (entry.dn !== source.dn(raw)) throw new Error(`dn and decode read two DNs of ${entry.dn}`);
				anchors.push(entry.anchor);
				people.set(entry.anchor, entry);
				fresh.set(keyOf(entry.dn), "other");
			}
		}
		const groups: Group[] = [];
		const deletedGroups: Anchor[] = [];
		for await (const page of reading.groups?.pages ?? []) {
			for (const one of page) {
				if (one.kind === "deleted") deletedGroups.push(source.anchor(one.key));
				if (one.kind !== "whole") continue;
				const entry = source.decode(one.group.raw);
				const names = Array.from({ length: one.members.count }, (_, index) => one.members.nameOf(index));
				for (const [index, name] of names.entries()) {
					const key = Buffer.from(one.members.keys.subarray(index * 16, index * 16 + 16)).toString("hex");
					if (key !== keyOf(name) && key !== digest(`uid=${name.toLowerCase()}`).toString("hex")) throw new Error(`no key of ${name}`);
					if (!fresh.has(key)) fresh.set(key, "other");
				}
				groups.push({ name: entry.attributes.get("cn")?.[0] ?? "", isInScope: one.group.isInScope, members: names.sort(), entry });
				fresh.set(keyOf(entry.dn), "group");
			}
		}
		for (const [key, kind] of fresh) known.set(key, kind);
		const result = {
			mode: reading.mode,
			fullBecause: reading.fullBecause,
			people,
			anchors,
			pageLengths,
			groups,
			deletedGroups,
			known,
			end: reading.end(),
		};
		await then?.(reading, result);
		return result;
	} finally {
		await reading.close();
	}
}

/** uids, sorted. */
export function uidsOf({ people }: LdapRead): string[] {
	return [...people.values()].map((entry) => entry.attributes.get("uid")?.[0] ?? "?").sort();
}

export function byUid({ people }: LdapRead, uid: string): Entry {
	const found = [...people.values()].find((entry) => entry.attributes.get("uid")?.[0] === uid);
	if (found === undefined) throw new Error(`${uid} was not read`);
	return found;
}
