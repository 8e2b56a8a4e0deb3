import type { Cursor } from "../../core/cursor.ts";
import type { Root } from "./root.ts";
import type { Changes } from "./strategy.ts";

/**
 * Where readings left off: a USN counts in one DC's database only, so there is a mark for each ever read. An older mark is kept
 * beside the newest: what another DC told us in between may have been older than what this one had told before (replication
 * takes its time), so a DC that is read again after another one starts a while back.
 */
export interface Marks {
	/** Raised when the meaning of what is stored changes. Version 1 had USNs alone, and is read as well. */
	readonly version: 2;
	/** The scope and attributes the marks hold for. */
	readonly shape: string;
	/** The invocation id of the DC read last. */
	readonly last: string;
	readonly dcs: Readonly<Record<string, DcMarks>>;
	/** Kept beside the USNs, so that a change of strategy goes on from what is there. */
	readonly dirSync: DirSyncMarks | undefined;
	/** Whether the last full reading could see deleted objects; undefined when it was not asked. */
	readonly seesDeleted: boolean | undefined;
}

/** DirSync's cookies: one of them serves at every domain controller of its naming context. */
export interface DirSyncMarks {
	/** `all`: by the right to replicate changes; `own`: no more than what this account may read. */
	readonly view: "all" | "own";
	/** Base64, by the key of the naming context's DN. */
	readonly cookies: Readonly<Record<string, string>>;
}

interface DcMarks {
	/** Newest first. `at`: Unix milliseconds. */
	readonly marks: readonly { readonly at: number; readonly usn: string }[];
	/** For a person: "dc1.corp.example.com". */
	readonly name: string;
}

/** Longer than replication between sites usually takes (180 min is the schedule's default, 15 min the usual setting). */
const OVERLAP_MS = 60 * 60_000;
/** Marks kept per DC, at least this far apart. */
const MOST_MARKS = 8;
const APART_MS = 10 * 60_000;
/** DCs kept; the one not read for longest goes. */
const MOST_DCS = 50;

export function parseMarks(cursor: Cursor | undefined): Marks | undefined {
	if (cursor === undefined) return undefined;
	try {
		const value: unknown = JSON.parse(cursor);
		return isMarks(value) ? { ...value, version: 2, dirSync: value.dirSync, seesDeleted: value.seesDeleted } : undefined;
	} catch {
		return undefined; // Written by something else: the caller makes a full reading, and says so.
	}
}

/** Host names of the domain controllers that have a mark, the one read last first. */
export function hostsOf(marks: Marks | undefined): readonly string[] {
	return Object.values(marks?.dcs ?? {}).map(({ name }) => name);
}

export type Start =
	| { readonly kind: "usn"; readonly since: bigint }
	| { readonly kind: "dirsync"; readonly from: DirSyncMarks }
	| { readonly kind: "full"; readonly because: string };

/** Where a delta from this DC may start, or why only a full reading will do. */
export function startOf(marks: Marks | undefined, shape: string, root: Root, server: string, changes: Changes): Start {
	if (marks === undefined) return full("the stored cursor is not one of this version");
	if (changes === "full") return full("the configuration wants full readings alone (changes: full)");
	if (marks.shape !== shape) return full("what is asked of the directory has changed (bases, filter or attributes)");
	if (root.invocationId === undefined || root.highestUsn === undefined) {
		return full(`${server} does not show its invocationId and highestCommittedUSN, so changes since the last reading cannot be asked for`);
	}
	const newest = marks.dcs[root.invocationId]?.marks[0];
	// Neither USNs nor cookies notice that a database is older than it was: what happens next is lost in silence (measured).
	if (newest !== undefined && root.highestUsn < BigInt(newest.usn)) {
		return full(
			`the highest USN of ${root.hostName ?? server} went back from ${newest.usn} to ${root.highestUsn}: it was restored from an old copy (invocationId ${root.invocationId})`,
		);
	}
	const { dirSync } = marks;
	const hasCookies = dirSync !== undefined && root.domains.every(({ key }) => dirSync.cookies[key] !== undefined);
	if (hasCookies && (changes === "dirsync" || changes === "auto")) return { kind: "dirsync", from: dirSync };
	return usnStart(marks, root, server);
}

/** Where a delta by USNs may start at a DC that shows its own. */
export function usnStart(marks: Marks, root: Root, server: string): Start {
	const dc = marks.dcs[root.invocationId ?? ""];
	const newest = dc?.marks[0];
	if (dc === undefined || newest === undefined) return full(unknownDc(marks, root, server));
	if (marks.last === root.invocationId) return { kind: "usn", since: BigInt(newest.usn) };
	const earlier = dc.marks.find(({ at }) => at <= newest.at - OVERLAP_MS) ?? dc.marks.at(-1) ?? newest;
	return { kind: "usn", since: BigInt(earlier.usn) };
}

function full(because: string): Start {
	return { kind: "full", because };
}

/** Whether this DC was read before, under the name its database has now. */
export function isKnownDc(marks: Marks | undefined, root: Root): boolean {
	return marks?.dcs[root.invocationId ?? ""] !== undefined;
}

/** Why a reading from this DC may be older than the last reading; undefined when it cannot be, and when there was none. */
export function viewChange(marks: Marks | undefined, root: Root, server: string): string | undefined {
	if (marks === undefined) return undefined;
	const name = root.hostName ?? server;
	const late = "and may not have everything yet";
	// Without its invocationId, which may be hidden for good, a server is told by its name.
	const id = root.invocationId ?? idOfName(marks, name);
	const newest = id === undefined ? undefined : marks.dcs[id]?.marks[0];
	if (newest !== undefined && root.highestUsn !== undefined && root.highestUsn < BigInt(newest.usn)) {
		return `${name} was restored from an old copy (its highest USN went back from ${newest.usn} to ${root.highestUsn}), ${late}`;
	}
	if (id === marks.last) return undefined;
	if (newest === undefined && idOfName(marks, name) !== undefined) {
		return `${name} has a new invocationId: it was restored from an old copy or rebuilt, ${late}`;
	}
	return `${name} was read instead of ${marks.dcs[marks.last]?.name ?? marks.last}, ${late}`;
}

/** The cursor after a reading from this DC; undefined where a delta is not possible. */
export function nextCursor(
	marks: Marks | undefined,
	{ shape, dirSync, seesDeleted }: Pick<Marks, "shape" | "dirSync" | "seesDeleted">,
	root: Root,
	server: string,
	now: number,
): Cursor | undefined {
	if (root.invocationId === undefined || root.highestUsn === undefined) return undefined;
	const known = marks?.shape === shape ? marks.dcs : {};
	// After a rollback the old marks are of another history.
	const before = (known[root.invocationId]?.marks ?? []).filter(({ usn }) => BigInt(usn) <= (root.highestUsn as bigint));
	const newest = { at: now, usn: String(root.highestUsn) };
	// Each delta has a mark of its own; of the older ones those stay that are worth going back to.
	const kept = before.filter((mark, i) => (before[i + 1]?.at ?? Number.NEGATIVE_INFINITY) <= mark.at - APART_MS).slice(0, MOST_MARKS - 1);
	const dcs = { ...known, [root.invocationId]: { name: root.hostName ?? server, marks: [newest, ...kept] } };
	const latest = Object.entries(dcs).sort(([, one], [, other]) => (other.marks[0]?.at ?? 0) - (one.marks[0]?.at ?? 0));
	const recent = Object.fromEntries(latest.slice(0, MOST_DCS));
	const next: Marks = { version: 2, shape, last: root.invocationId, dcs: recent, dirSync, seesDeleted };
	return JSON.stringify(next) as Cursor;
}

function unknownDc(marks: Marks, root: Root, server: string): string {
	const name = root.hostName ?? server;
	const before = idOfName(marks, name);
	if (before !== undefined) {
		return `${name} has a new invocationId, ${root.invocationId} instead of ${before}: it was restored or rebuilt, and its USNs mean something else now`;
	}
	return `${name} (invocationId ${root.invocationId}) was never read before, and a USN counts on one domain controller only`;
}

function idOfName(marks: Marks, name: string): string | undefined {
	return Object.entries(marks.dcs).find(([, dc]) => dc.name === name)?.[0];
}

function isMarks(value: unknown): value is Omit<Marks, "version"> {
	if (typeof value !== "object" || value === null) return false;
	const { version, shape, last, dcs, dirSync, seesDeleted } = value as Partial<Record<keyof Marks, unknown>>;
	if ((version !== 1 && version !== 2) || typeof shape !== "string" || typeof last !== "string") return false;
	if (typeof dcs !== "object" || dcs === null) return false;
	if ((dirSync !== undefined && !isDirSync(dirSync)) || (seesDeleted !== undefined && typeof seesDeleted !== "boolean")) return false;
	return Object.values(dcs).every((dc: unknown) => {
		const { name, marks } = (dc ?? {}) as Partial<Record<keyof DcMarks, unknown>>;
		return typeof name === "string" && Array.isArray(marks) && marks.every(isMark);
	});
}

function isDirSync(value: unknown): value is DirSyncMarks {
	const { view, cookies } = (value ?? {}) as Partial<Record<keyof DirSyncMarks, unknown>>;
	if ((view !== "all" && view !== "own") || typeof cookies !== "object" || cookies === null) return false;
	return Object.values(cookies).every((cookie) => typeof cookie === "string");
}

function isMark(value: unknown): boolean {
	const { at, usn } = (value ?? {}) as { at?: unknown; usn?: unknown };
	return typeof at === "number" && typeof usn === "string" && /^\d{1,19}$/.test(usn);
}
