import type { Cursor } from "../../core/cursor.ts";
import type { Vector } from "./vector.ts";

/** Where readings left off: a USN counts in one DC's database only, so there are marks for each ever read. */
export interface Marks {
	/** The scope and attributes the marks hold for. */
	readonly shape: string;
	/** The invocation id of the DC read last. */
	readonly last: string;
	readonly dcs: Readonly<Record<string, DcMarks>>;
	/** What the snapshot surely has: no less than what the DC had that was read last and as a whole. Undefined when that could not be told. */
	readonly holds: Vector | undefined;
	/** The most that readings which told anything may have told, by origin. */
	readonly told: Vector;
	/** By origin, since when DCs are read that had not heard of all that was told of it. Unix milliseconds. */
	readonly missedSince: ReadonlyMap<string, number>;
	/** The last reading was another DC's and not whole: what it told counts, and may be older than what was told before. */
	readonly isMixed: boolean;
	/** Kept beside the USNs, so that a change of strategy goes on from what is there. */
	readonly dirSync: DirSyncMarks | undefined;
	/** Whether the last full reading could see deleted objects; undefined when it was not asked. */
	readonly seesDeleted: boolean | undefined;
}

export interface DcMarks {
	/** Newest first. */
	readonly marks: readonly Mark[];
	/** For a person: "dc1.corp.example.com". */
	readonly name: string;
}

/** Where one reading of one DC began. `at`: Unix milliseconds. */
export interface Mark {
	readonly at: number;
	readonly usn: bigint;
	readonly vector: Vector | undefined;
}

/** DirSync's cookies: one of them serves at every domain controller of its naming context. */
export interface DirSyncMarks {
	/** `all`: by the right to replicate changes; `own`: no more than what this account may read. */
	readonly view: "all" | "own";
	/** Base64, by the key of the naming context's DN. */
	readonly cookies: Readonly<Record<string, string>>;
}

/** Raised when the meaning of what is stored changes. Version 1 had USNs alone, and is read as well. */
const VERSION = 2;

export function printMarks({ dcs, holds, told, missedSince, isMixed, ...marks }: Marks): Cursor {
	// Ids of 36 letters stand once, and are told by their number.
	const origins = new Map<string, number>();
	const numberOf = (origin: string): number => {
		const known = origins.get(origin) ?? origins.size;
		origins.set(origin, known);
		return known;
	};
	const vector = (of: Vector | undefined) => of && Object.fromEntries([...of].map(([origin, usn]) => [numberOf(origin), String(usn)]));
	const stored = Object.entries(dcs).map(([id, dc]) => [
		id,
		{ name: dc.name, marks: dc.marks.map((mark) => ({ at: mark.at, usn: String(mark.usn), vector: vector(mark.vector) })) },
	]);
	const text = {
		version: VERSION,
		...marks,
		dcs: Object.fromEntries(stored) as unknown,
		holds: vector(holds),
		told: vector(told),
		missedSince: Object.fromEntries([...missedSince].map(([origin, at]) => [numberOf(origin), at])),
		isMixed: isMixed || undefined,
	};
	return JSON.stringify({ ...text, origins: [...origins.keys()] }) as Cursor;
}

/** Undefined for what was written by something else: the caller makes a full reading, and says so. */
export function parseMarks(cursor: Cursor | undefined): Marks | undefined {
	if (cursor === undefined) return undefined;
	try {
		const stored = JSON.parse(cursor) as Stored;
		if (stored.version !== 1 && stored.version !== VERSION) return undefined;
		return marksOf(stored);
	} catch {
		return undefined;
	}
}

/** As JSON has it: anything may be missing or of another type, and what throws is no cursor of ours. */
interface Stored {
	readonly version: unknown;
	readonly shape: unknown;
	readonly last: unknown;
	readonly dcs: Readonly<Record<string, { readonly name: unknown; readonly marks: readonly StoredMark[] }>>;
	readonly origins?: readonly unknown[];
	readonly holds?: StoredVector;
	readonly told?: StoredVector;
	readonly missedSince?: Readonly<Record<string, unknown>>;
	readonly isMixed?: unknown;
	readonly dirSync?: { readonly view: unknown; readonly cookies: Readonly<Record<string, unknown>> };
	readonly seesDeleted?: unknown;
}

interface StoredMark {
	readonly at: unknown;
	readonly usn: unknown;
	readonly vector?: StoredVector;
}

type StoredVector = Readonly<Record<string, unknown>>;

function marksOf(stored: Stored): Marks {
	const originAt = (number: string): string => text(stored.origins?.[Number(number)]);
	const vector = (of: StoredVector | undefined): Vector | undefined =>
		of === undefined ? undefined : new Map(Object.entries(of).map(([number, value]) => [originAt(number), usn(value)]));
	const dcs = Object.entries(stored.dcs).map(([id, dc]): [string, DcMarks] => {
		const marks = dc.marks.map((mark) => ({ at: time(mark.at), usn: usn(mark.usn), vector: vector(mark.vector) }));
		return [id, { name: text(dc.name), marks }];
	});
	// Before there was this, every reading may have told something.
	const newest = dcs.flatMap(([id, { marks }]): [string, bigint][] => (marks[0] === undefined ? [] : [[id, marks[0].usn]]));
	return {
		shape: text(stored.shape),
		last: text(stored.last),
		dcs: Object.fromEntries(dcs),
		holds: vector(stored.holds),
		told: vector(stored.told) ?? new Map(newest),
		missedSince: new Map(Object.entries(stored.missedSince ?? {}).map(([number, at]) => [originAt(number), time(at)])),
		isMixed: stored.isMixed === true,
		dirSync: stored.dirSync && dirSyncOf(stored.dirSync),
		seesDeleted: typeof stored.seesDeleted === "boolean" ? stored.seesDeleted : undefined,
	};
}

function dirSyncOf({ view, cookies }: NonNullable<Stored["dirSync"]>): DirSyncMarks {
	if (view !== "all" && view !== "own") throw new TypeError("no view");
	return { view, cookies: Object.fromEntries(Object.entries(cookies).map(([key, cookie]) => [key, text(cookie)])) };
}

function text(value: unknown): string {
	if (typeof value !== "string") throw new TypeError("no text");
	return value;
}

function time(value: unknown): number {
	if (typeof value !== "number") throw new TypeError("no time");
	return value;
}

function usn(value: unknown): bigint {
	if (!/^\d{1,19}$/.test(text(value))) throw new TypeError("no USN");
	return BigInt(text(value));
}
