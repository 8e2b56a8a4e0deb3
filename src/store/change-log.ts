import { hash } from "node:crypto";
import { Failure } from "../core/errors.ts";
import type { Connection } from "./database.ts";
import { makeRows } from "./rows.ts";

/** One row of the change log before it is chained. JSON sides as text. */
export interface LogRow {
	readonly at: number;
	readonly run: number;
	readonly source: string;
	readonly kind: string;
	readonly subject: string;
	readonly anchor: string;
	readonly name: string;
	readonly why: string;
	readonly before: string | undefined;
	readonly after: string | undefined;
	readonly result: string;
}

interface StoredRow {
	readonly sequence: number;
	readonly at: number;
	readonly run_id: number;
	readonly source: string;
	readonly kind: string;
	readonly subject: string;
	readonly anchor: string;
	readonly name: string;
	readonly why: string;
	readonly before: string | null;
	readonly after: string | null;
	readonly result: string;
	readonly digest: Buffer;
}

const columns = "sequence, at, run_id, source, kind, subject, anchor, name, why, before, after, result, digest";

/** The append-only change log. Each row's digest covers the row and the digest before it (design, invariant 7). */
export function openChangeLog(db: Connection) {
	const rows = makeRows(db, `INSERT INTO changes (${columns}) VALUES`, "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	const last = db.prepare<[], { sequence: number; digest: Buffer }>("SELECT sequence, digest FROM changes ORDER BY sequence DESC LIMIT 1");
	const base = db.prepare<[], { first_sequence: number; digest_before: Buffer }>(
		"SELECT first_sequence, digest_before FROM chain WHERE id = 1",
	);
	const newestOld = db.prepare<[number], { sequence: number; digest: Buffer }>(
		"SELECT sequence, digest FROM changes WHERE sequence < (SELECT coalesce(min(sequence), 9007199254740991) FROM changes WHERE at >= ?) ORDER BY sequence DESC LIMIT 1",
	);
	const prune = db.prepare<[number]>("DELETE FROM changes WHERE sequence <= ?");
	const rebase = db.prepare<[number, Buffer]>("UPDATE chain SET first_sequence = ?, digest_before = ? WHERE id = 1");

	const end = (): { sequence: number; digest: Buffer } => {
		const row = last.get();
		if (row !== undefined) return row;
		const start = base.get();
		if (start === undefined) throw new Failure("DATABASE_CORRUPT", "the change log has lost the start of its chain");
		return { sequence: start.first_sequence - 1, digest: start.digest_before };
	};

	const begin = (): ((row: LogRow) => void) => {
		let { sequence, digest } = end();
		return (row) => {
			sequence++;
			digest = chain(digest, sequence, row);
			const { at, run, source, kind, subject, anchor, name, why, before, after, result } = row;
			rows.add(sequence, at, run, source, kind, subject, anchor, name, why, before ?? null, after ?? null, result, digest);
		};
	};

	return {
		/** Starts appending; call within a transaction, and only one at a time. */
		append: (): ((row: LogRow) => void) => {
			const add = begin();
			return (row) => {
				add(row);
				rows.flush();
			};
		},
		/** The same for many: all of them are written when `work` returns. */
		appendMany: (work: (append: (row: LogRow) => void) => void): void => {
			try {
				work(begin());
				rows.flush();
			} finally {
				rows.drop();
			}
		},
		/** Removes rows older than `before` (Unix milliseconds); the chain then starts at the first that stays. Call within a transaction. */
		prune: (before: number): number => {
			const newest = newestOld.get(before);
			if (newest === undefined) return 0;
			rebase.run(newest.sequence + 1, newest.digest);
			return prune.run(newest.sequence).changes;
		},
	};
}

export type ChangeLog = ReturnType<typeof openChangeLog>;

/** Walks the whole chain; returns how many rows it has. Throws DATABASE_CORRUPT naming the first row that does not fit. */
export function verifyChain(db: Connection): number {
	const base = db
		.prepare<[], { first_sequence: number; digest_before: Buffer }>("SELECT first_sequence, digest_before FROM chain WHERE id = 1")
		.get();
	if (base === undefined) return 0;
	let digest = base.digest_before;
	let expected = base.first_sequence;
	for (const row of db.prepare<[], StoredRow>(`SELECT ${columns} FROM changes ORDER BY sequence`).iterate()) {
		const missing = row.sequence !== expected;
		const should = chain(digest, row.sequence, {
			...row,
			run: row.run_id,
			before: row.before ?? undefined,
			after: row.after ?? undefined,
		});
		if (missing || !row.digest.equals(should)) {
			throw new Failure(
				"DATABASE_CORRUPT",
				`the change log is broken at row ${expected}: ${missing ? "it is missing" : "it is not what was written"}`,
				{
					hint: "Someone or something changed the database outside dirsyncd. Compare with a backup.",
				},
			);
		}
		digest = row.digest;
		expected++;
	}
	return expected - base.first_sequence;
}

function chain(before: Buffer, sequence: number, row: LogRow): Buffer {
	const { at, run, source, kind, subject, anchor, name, why, result } = row;
	let text = `${before.toString("base64")} ${sequence} ${at} ${run}`;
	// Each with its length, so that no two rows can spell the same text.
	for (const part of [source, kind, subject, anchor, name, why, row.before, row.after, result])
		text += part === undefined ? " -" : ` ${part.length}:${part}`;
	return hash("sha256", text, "buffer");
}
