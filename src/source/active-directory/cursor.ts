import type { Cursor } from "../../core/cursor.ts";
import { type DirSyncMarks, type Mark, type Marks, printMarks } from "./marks.ts";
import type { Root } from "./root.ts";
import type { Changes } from "./strategy.ts";
import { common, isWithin, lesser, type Vector } from "./vector.ts";

/**
 * How far a DC goes back that is read after another one. What was arriving while it was read is in no vector yet; and where vectors
 * cannot be read, this is longer than replication between sites usually takes (15 min is the usual setting).
 */
const OVERLAP_MS = 60 * 60_000;
/** How long DCs are waited for that have not heard of everything: the default interval between sites. Beyond it the sender may be dead. */
const LAG_MS = 180 * 60_000;
/** Marks kept per DC, at least this far apart. */
const MOST_MARKS = 14;
const APART_MS = 10 * 60_000;
/** DCs kept; the one not read for longest goes. */
const MOST_DCS = 50;

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
	if (newest !== undefined && root.highestUsn < newest.usn) {
		return full(
			`the highest USN of ${root.hostName ?? server} went back from ${newest.usn} to ${root.highestUsn}: it was restored from an old copy (invocationId ${root.invocationId})`,
		);
	}
	const { dirSync } = marks;
	const hasCookies = dirSync !== undefined && root.domains.every(({ key }) => dirSync.cookies[key] !== undefined);
	if (hasCookies && (changes === "dirsync" || changes === "auto")) return { kind: "dirsync", from: dirSync };
	return usnStart(marks, root, server);
}

/**
 * Where a delta by USNs may start at a DC that shows its own. Another one may have been read in between, which knew less: what the
 * snapshot surely has (`holds`) is then less than what this one had told. Whatever is missing there was either written here, after
 * the USN that `holds` says, or arrived here from others after a mark by which no more had arrived than `holds` has.
 */
export function usnStart(marks: Marks, root: Root, server: string): Start {
	const { holds, last, isMixed } = marks;
	const id = root.invocationId ?? "";
	const dc = marks.dcs[id];
	const newest = dc?.marks[0];
	if (dc === undefined || newest === undefined) return full(unknownDc(marks, root, server));
	const isSame = last === id && !isMixed;
	if (holds === undefined || newest.vector === undefined) {
		return { kind: "usn", since: isSame ? newest.usn : before(dc.marks, newest).usn };
	}
	if (isSame && isWithin(newest.vector, holds)) return { kind: "usn", since: newest.usn };
	const held = dc.marks.find(({ vector }) => vector !== undefined && isWithin(vector, holds, id));
	// A read-only DC writes nothing of its own.
	const written = newest.vector.has(id) ? holds.get(id) : newest.usn;
	if (held === undefined || written === undefined) {
		const other = marks.dcs[last]?.name ?? last;
		return full(
			`${other}, which was read after ${dc.name}, had not heard of all that ${dc.name} knew, and what of it is missing cannot be told`,
		);
	}
	const { usn } = before(dc.marks, held);
	return { kind: "usn", since: lesser(usn, written) };
}

/** The mark a while before this one, or the oldest there is. */
function before(marks: readonly Mark[], mark: Mark): Mark {
	return marks.find(({ at }) => at <= mark.at - OVERLAP_MS) ?? marks.at(-1) ?? mark;
}

function full(because: string): Start {
	return { kind: "full", because };
}

/** Whether this DC was read before, under the name its database has now. */
export function isKnownDc(marks: Marks | undefined, root: Root): boolean {
	return marks?.dcs[root.invocationId ?? ""] !== undefined;
}

export interface View {
	/** Why a reading from this DC may be older than earlier ones; undefined when it cannot be, and when there were none. */
	readonly changed: string | undefined;
	/** Whether it is known to have all that earlier readings told. */
	readonly isCurrent: boolean;
}

/** `isAnew`: everything is read, or from a DC never read before. Otherwise only what is told by vectors counts. */
export function viewOf(marks: Marks | undefined, root: Root, server: string, isAnew: boolean, now: number): View {
	if (marks === undefined) return { changed: undefined, isCurrent: isAnew };
	const restored = isAnew ? restoredFrom(marks, root, server) : undefined;
	if (restored !== undefined) return { changed: restored, isCurrent: false };
	if (root.vector !== undefined) {
		const missed = missedBy(marks.told, root.vector);
		const waited = missed.find((origin) => now - (marks.missedSince.get(origin) ?? now) <= LAG_MS);
		return { changed: waited && lagOf(marks, waited, root.hostName ?? server), isCurrent: missed.length === 0 };
	}
	const changed = isAnew ? otherThanLast(marks, root, server) : undefined;
	return { changed, isCurrent: isAnew && changed === undefined };
}

const LATE = "and may not have everything yet";

function restoredFrom(marks: Marks, root: Root, server: string): string | undefined {
	const name = root.hostName ?? server;
	const id = idOf(marks, root, server);
	const newest = id === undefined ? undefined : marks.dcs[id]?.marks[0];
	if (newest !== undefined && root.highestUsn !== undefined && root.highestUsn < newest.usn) {
		return `${name} was restored from an old copy (its highest USN went back from ${newest.usn} to ${root.highestUsn}), ${LATE}`;
	}
	return newest === undefined && idOfName(marks, name) !== undefined
		? `${name} has a new invocationId: it was restored from an old copy or rebuilt, ${LATE}`
		: undefined;
}

/** Without its invocationId, which may be hidden for good, a server is told by its name. */
function idOf(marks: Marks, root: Root, server: string): string | undefined {
	return root.invocationId ?? idOfName(marks, root.hostName ?? server);
}

function otherThanLast(marks: Marks, root: Root, server: string): string | undefined {
	if (idOf(marks, root, server) === marks.last) return undefined;
	return `${root.hostName ?? server} was read instead of ${marks.dcs[marks.last]?.name ?? marks.last}, ${LATE}`;
}

function lagOf(marks: Marks, origin: string, name: string): string {
	return `${name} has not heard yet of all that was written on ${marks.dcs[origin]?.name ?? `the domain controller ${origin}`}`;
}

/** Of whose writes something was told that is not in this vector. */
function missedBy(told: Vector, vector: Vector): readonly string[] {
	return [...told].flatMap(([origin, usn]) => (usn > (vector.get(origin) ?? 0n) ? [origin] : []));
}

export interface Told extends Pick<Marks, "shape" | "dirSync" | "seesDeleted"> {
	/** What it had at the end, if it told of any change: it may have told all of that. */
	readonly seen: Vector | undefined;
}

/** The cursor after a whole reading from this DC; undefined where a delta is not possible. */
export function nextCursor(marks: Marks | undefined, told: Told, root: Root, server: string, now: number): Cursor | undefined {
	if (root.invocationId === undefined || root.highestUsn === undefined) return undefined;
	const { shape, dirSync, seesDeleted } = told;
	const known = marks?.shape === shape ? marks.dcs : {};
	// After a rollback the old marks are of another history.
	const before = (known[root.invocationId]?.marks ?? []).filter(({ usn }) => usn <= (root.highestUsn as bigint));
	const newest = { at: now, usn: root.highestUsn, vector: root.vector };
	// Each delta has a mark of its own; of the older ones those stay that are worth going back to.
	const kept = before.filter((mark, i) => (before[i + 1]?.at ?? Number.NEGATIVE_INFINITY) <= mark.at - APART_MS).slice(0, MOST_MARKS - 1);
	const dcs = { ...known, [root.invocationId]: { name: root.hostName ?? server, marks: [newest, ...kept] } };
	const latest = Object.entries(dcs).sort(([, one], [, other]) => (other.marks[0]?.at ?? 0) - (one.marks[0]?.at ?? 0));
	return printMarks({
		shape,
		last: root.invocationId,
		dcs: Object.fromEntries(latest.slice(0, MOST_DCS)),
		holds: root.vector,
		...toldAfter(marks, told.seen, root, now),
		isMixed: false,
		dirSync,
		seesDeleted,
	});
}

/**
 * The cursor after a reading that was not whole; undefined where nothing changes. The marks stay, but the snapshot has now some of what
 * this DC told: where it is another one than the last, that may be older.
 */
export function mixedCursor(marks: Marks | undefined, told: Told, root: Root, now: number): Cursor | undefined {
	if (marks === undefined) return undefined;
	const after = { ...marks, ...toldAfter(marks, told.seen, root, now) };
	// Some of what it told is of another shape than the marks: they are followed by a full reading, whatever the shape will be.
	if (marks.shape !== told.shape) return printMarks({ ...after, shape: "" });
	if (root.invocationId === marks.last) return printMarks(after);
	const { holds } = marks;
	const { vector } = root;
	const isOlder = holds === undefined || vector === undefined || !isWithin(holds, vector);
	return printMarks({
		...after,
		holds: holds && vector && common(holds, vector),
		isMixed: true,
		// A cookie of before does not tell again what was told before it.
		dirSync: isOlder ? undefined : marks.dirSync,
	});
}

function toldAfter(marks: Marks | undefined, seen: Vector | undefined, root: Root, now: number): Pick<Marks, "told" | "missedSince"> {
	const told = new Map(marks?.told);
	const { invocationId: id, highestUsn: own, vector } = root;
	// What it told before a rollback it does not know any more.
	if (id !== undefined && own !== undefined && own < (told.get(id) ?? 0n)) told.set(id, own);
	const before = marks?.missedSince ?? new Map<string, number>();
	const missedSince =
		vector === undefined ? new Map(before) : new Map(missedBy(told, vector).map((origin) => [origin, before.get(origin) ?? now]));
	for (const [origin, usn] of seen ?? []) {
		if (usn <= (told.get(origin) ?? -1n)) continue;
		told.set(origin, usn);
		missedSince.delete(origin);
	}
	return { told, missedSince };
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
