import type { Cursor } from "../../src/core/cursor.ts";
import type { Anchor, Entry } from "../../src/core/entry.ts";
import { makeActiveDirectory } from "../../src/source/active-directory/active-directory.ts";
import { type ActiveDirectoryOptions, activeDirectoryDefaults } from "../../src/source/active-directory/options.ts";
import type { Reading, ReadingEnd, Source } from "../../src/source/source.ts";
import { guidText, type Record } from "../support/ldif.ts";
import { deltaRequest, fullRequest } from "../support/requests.ts";
import type { Directory } from "./directory.ts";

/** What the default mapping asks for. */
const attributes = [
	"displayName",
	"cn",
	"givenName",
	"sn",
	"title",
	"department",
	"telephoneNumber",
	"mobile",
	"manager",
	"employeeNumber",
	"employeeID",
];

/** A source on the directory's whole base, unless told otherwise. */
export function sourceOn(directory: Directory, options: Partial<ActiveDirectoryOptions> = {}): Source {
	return makeActiveDirectory({
		name: "corp",
		...directory.connection,
		discovery: undefined,
		bases: [directory.baseDn],
		users: { filter: undefined, exclude: [], groups: [] },
		groups: undefined,
		protect: [],
		attributes,
		...activeDirectoryDefaults,
		pausesMs: [],
		clock: Date.now,
		random: () => 0.5,
		observe: { request: () => {}, certificate: () => {} },
		...options,
	});
}

export interface Read {
	readonly mode: "full" | "delta";
	readonly fullBecause: string | undefined;
	readonly entries: ReadonlyMap<Anchor, Entry>;
	/** In the order they came, doubles included. */
	readonly anchors: readonly Anchor[];
	readonly pageLengths: readonly number[];
	readonly end: ReadingEnd;
}

/** Reads everything, or what has changed since `cursor`, and closes the reading. */
export async function read(source: Source, cursor?: Cursor, then?: (reading: Reading, read: Read) => Promise<void>): Promise<Read> {
	const signal = new AbortController().signal;
	const reading = await source.read(cursor === undefined ? fullRequest() : deltaRequest(cursor), signal);
	try {
		const entries = new Map<Anchor, Entry>();
		const anchors: Anchor[] = [];
		const pageLengths: number[] = [];
		for await (const page of reading.pages) {
			pageLengths.push(page.length);
			for (const { key, raw } of page) {
				const entry = source.decode(raw);
				if (entry.anchor !== source.anchor(key)) throw new Error(`key and bytes of ${entry.dn} name two anchors`);
				if (entry.dn !== source.dn(raw)) throw new Error(`dn and decode read two DNs of ${entry.dn}`);
				anchors.push(entry.anchor);
				entries.set(entry.anchor, entry);
			}
		}
		const result = { mode: reading.mode, fullBecause: reading.fullBecause, entries, anchors, pageLengths, end: reading.end() };
		await then?.(reading, result);
		return result;
	} finally {
		await reading.close();
	}
}

/** sAMAccountNames, sorted. */
export function logonsOf({ entries }: Read): string[] {
	return [...entries.values()].map((entry) => entry.attributes.get("samaccountname")?.[0] ?? "?").sort();
}

export function byLogon({ entries }: Read, logon: string): Entry {
	const found = [...entries.values()].find((entry) => entry.attributes.get("samaccountname")?.[0] === logon);
	if (found === undefined) throw new Error(`${logon} was not read`);
	return found;
}

/** The anchor as an independent reader sees it. */
export function anchorOf(record: Record): Anchor {
	return guidText(record.attributes.get("objectguid")?.[0] as Buffer) as Anchor;
}

/** One entry's anchor, asked for independently. */
export async function anchorAt(directory: Directory, logon: string): Promise<Anchor> {
	const [found] = await directory.search(directory.baseDn, `(sAMAccountName=${logon})`, ["objectGUID"]);
	if (found === undefined) throw new Error(`no ${logon} in the directory`);
	return anchorOf(found);
}

/** What a reading that must break threw, closing it. */
export async function failureOf(work: Promise<unknown>): Promise<unknown> {
	try {
		await work;
	} catch (failure) {
		return failure;
	}
	throw new Error("it should have failed");
}
