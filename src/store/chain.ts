import { hash } from "node:crypto";
import type { Connection } from "./database.ts";

/** One row of the change log before it is chained. JSON sides as text. */
export interface LogRow {
	readonly at: number;
	/** 0: no run's, but a person's doing. */
	readonly run: number;
	readonly source: string;
	/** The target whose own doing it is; undefined: it is one of the account or group itself. */
	readonly target: string | undefined;
	readonly kind: string;
	readonly subject: string;
	readonly anchor: string;
	readonly name: string;
	readonly why: string;
	readonly before: string | undefined;
	readonly after: string | undefined;
	readonly result: string;
}

/** What a walk along the whole chain found. */
export type ChainProof =
	| {
			readonly kind: "whole";
			readonly rows: number;
			/** The newest row ever written: whoever keeps its digest elsewhere can tell later that nothing before it was replaced. */
			readonly last: { readonly sequence: number; readonly digest: string };
	  }
	| { readonly kind: "broken"; readonly broken: BrokenRow };

/** The first row that does not fit. */
export interface BrokenRow {
	readonly sequence: number;
	/** `altered` or put in the place of another; `missing` in the middle; cut off at the `start` or `end`; `added` where no row can be. */
	readonly fault: "altered" | "missing" | "start-missing" | "end-missing" | "added" | "record-missing";
	/** What is wrong, for a person. */
	readonly what: string;
	/** What the row says of itself, where it is there. It may not be true. */
	readonly row: (Pick<LogRow, "run" | "source" | "anchor" | "name"> & { readonly at: number | undefined }) | undefined;
}

/** SHA-256 of a row and of the digest of the row before it. */
export function chainedDigest(before: Buffer, sequence: number, row: LogRow): Buffer {
	const { at, run, source, target, kind, subject, anchor, name, why, result } = row;
	let text = `${before.toString("base64")} ${sequence} ${at} ${run}`;
	// Each with its length, so that no two rows can spell the same text.
	for (const part of [source, kind, subject, anchor, name, why, row.before, row.after, result])
		text += part === undefined ? " -" : ` ${part.length}:${part}`;
	// A tenth part only where there is one: rows from before there were targets in the log keep their digest.
	if (target !== undefined) text += ` ${target.length}:${target}`;
	return hash("sha256", text, "buffer");
}

interface StoredRow extends Omit<LogRow, "target" | "before" | "after"> {
	readonly sequence: number;
	readonly target: string | null;
	readonly before: string | null;
	readonly after: string | null;
	readonly digest: unknown;
}

interface Ends {
	readonly first_sequence: number;
	readonly digest_before: Buffer;
	readonly last_sequence: number;
	readonly last_digest: Buffer;
}

/** Walks the whole chain, up to the first row that does not fit. */
export function proveChain(db: Connection): ChainProof {
	const ends = db.prepare<[], Ends>("SELECT first_sequence, digest_before, last_sequence, last_digest FROM chain WHERE id = 1").get();
	if (ends === undefined) {
		const what = "the record of where the chain begins and ends is gone";
		return { kind: "broken", broken: { sequence: 1, fault: "record-missing", what, row: undefined } };
	}
	const rows = db
		.prepare<[], StoredRow>(
			"SELECT sequence, at, run_id AS run, source, target, kind, subject, anchor, name, why, before, after, result, digest FROM changes ORDER BY sequence",
		)
		.iterate();
	const broken = firstBroken(rows, ends);
	if (broken !== undefined) return { kind: "broken", broken };
	const last = { sequence: ends.last_sequence, digest: ends.last_digest.toString("hex") };
	return { kind: "whole", rows: ends.last_sequence - ends.first_sequence + 1, last };
}

function firstBroken(rows: Iterable<StoredRow>, ends: Ends): BrokenRow | undefined {
	let digest = ends.digest_before;
	let expected = ends.first_sequence;
	let suspect: StoredRow | undefined;
	for (const row of rows) {
		// Whether the row after it follows from a row that does not fit says how much was done to it.
		if (suspect !== undefined) return altered(suspect, fits(row, suspect.sequence + 1, suspect.digest));
		if (row.sequence < expected) return broken(row, row.sequence, "added", "it stands before the start of the chain");
		if (row.sequence > ends.last_sequence) {
			return broken(row, row.sequence, "added", `the chain ended with row ${ends.last_sequence}; it was put in by something else`);
		}
		if (row.sequence !== expected) return gap(row, expected, ends);
		if (!fits(row, expected, digest)) suspect = row;
		else digest = row.digest as Buffer;
		expected++;
	}
	if (suspect !== undefined) return altered(suspect, isSame(suspect.digest, ends.last_digest));
	if (expected <= ends.last_sequence) {
		const what = `${span(expected, ends.last_sequence)} cut off at the end of the log`;
		return { sequence: expected, fault: "end-missing", what, row: undefined };
	}
	if (!digest.equals(ends.last_digest)) {
		const what = "the last row is not the one that was written: it was replaced, or rows before it were, each with its hash";
		return { sequence: ends.last_sequence, fault: "altered", what, row: undefined };
	}
	return undefined;
}

function fits(row: StoredRow, sequence: number, before: unknown): boolean {
	if (row.sequence !== sequence || !Buffer.isBuffer(before)) return false;
	const { target, before: was, after } = row;
	return isSame(
		row.digest,
		chainedDigest(before, sequence, { ...row, target: target ?? undefined, before: was ?? undefined, after: after ?? undefined }),
	);
}

function isSame(digest: unknown, other: Buffer): boolean {
	return Buffer.isBuffer(digest) && digest.equals(other);
}

function altered(row: StoredRow, isFollowed: boolean): BrokenRow {
	const what = isFollowed
		? `it is not what was written after row ${row.sequence - 1}: it was altered, or the row before it was, together with its hash`
		: `neither it nor what comes after it follows from row ${row.sequence - 1}: it was replaced, or put in`;
	return broken(row, row.sequence, "altered", what);
}

function gap(row: StoredRow, expected: number, { first_sequence }: Ends): BrokenRow {
	const isStart = expected === first_sequence;
	const what = `${span(expected, row.sequence - 1)} ${isStart ? "cut off at the start of the log, and not by retention" : `missing before row ${row.sequence}`}`;
	return { sequence: expected, fault: isStart ? "start-missing" : "missing", what, row: undefined };
}

function span(from: number, to: number): string {
	return from === to ? `row ${from} is` : `rows ${from} to ${to} are`;
}

function broken(row: StoredRow, sequence: number, fault: BrokenRow["fault"], what: string): BrokenRow {
	const { run, source, anchor, name } = row;
	return { sequence, fault, what, row: { at: asInstant(row.at), run, source, anchor, name } };
}

/** Undefined for what is none: whoever alters a row may have put anything there. */
function asInstant(at: unknown): number | undefined {
	return typeof at === "number" && Math.abs(at) <= 8.64e15 ? at : undefined;
}
