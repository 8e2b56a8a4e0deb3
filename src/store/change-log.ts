import { Failure } from "../core/errors.ts";
import { chainedDigest, type LogRow } from "./chain.ts";
import type { Connection } from "./database.ts";
import { makeRows } from "./rows.ts";

const columns = "sequence, at, run_id, source, target, kind, subject, anchor, name, why, before, after, result, digest";

/** The append-only change log. Each row's digest covers the row and the digest before it (design, invariant 7). */
export function openChangeLog(db: Connection) {
	const rows = makeRows(db, `INSERT INTO changes (${columns}) VALUES`, "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	const last = db.prepare<[], { sequence: number; digest: Buffer }>(
		"SELECT last_sequence AS sequence, last_digest AS digest FROM chain WHERE id = 1",
	);
	const newestOld = db.prepare<[number], { sequence: number; digest: Buffer }>(
		"SELECT sequence, digest FROM changes WHERE sequence < (SELECT coalesce(min(sequence), 9007199254740991) FROM changes WHERE at >= ?) ORDER BY sequence DESC LIMIT 1",
	);
	const prune = db.prepare<[number]>("DELETE FROM changes WHERE sequence <= ?");
	const rebase = db.prepare<[number, Buffer]>("UPDATE chain SET first_sequence = ?, digest_before = ? WHERE id = 1");
	const extend = db.prepare<[number, Buffer]>("UPDATE chain SET last_sequence = ?, last_digest = ? WHERE id = 1");

	/** Goes on from where the chain is known to end, and not from the last row there is: rows that somebody cut off stay missing. */
	const begin = () => {
		const end = last.get();
		if (end === undefined) throw new Failure("DATABASE_CORRUPT", "the change log has lost the record of its chain");
		let { sequence, digest } = end;
		return {
			add: (row: LogRow): void => {
				sequence++;
				digest = chainedDigest(digest, sequence, row);
				const { at, run, source, target, kind, subject, anchor, name, why, before, after, result } = row;
				const sides = [before ?? null, after ?? null];
				rows.add(sequence, at, run, source, target ?? null, kind, subject, anchor, name, why, ...sides, result, digest);
			},
			flush: (): void => {
				rows.flush();
				extend.run(sequence, digest);
			},
		};
	};

	return {
		/** Starts appending; call within a transaction, and only one at a time. */
		append: (): ((row: LogRow) => void) => {
			const { add, flush } = begin();
			return (row) => {
				add(row);
				flush();
			};
		},
		/** The same for many: all of them are written when `work` returns. */
		appendMany: (work: (append: (row: LogRow) => void) => void): void => {
			try {
				const { add, flush } = begin();
				work(add);
				flush();
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
