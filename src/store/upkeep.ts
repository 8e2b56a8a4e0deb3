import { existsSync, rmSync } from "node:fs";
import Database from "better-sqlite3";
import { Failure } from "../core/errors.ts";
import { renameOver } from "../lib/rename-over.ts";
import { type ChainProof, proveChain } from "./chain.ts";
import { openChangeLog } from "./change-log.ts";
import { asFailure, type Connection, copyDatabase, openReadOnly, openToCopy } from "./database.ts";
import { openRuns } from "./runs.ts";

/** Copies the database as it is at one instant, while others go on writing. Throws when `to` exists: a backup is never overwritten. */
export function backUp(file: string, to: string): void {
	if (!existsSync(file))
		throw new Failure("NOT_FOUND", `there is no database ${file} yet`, { hint: "Check `database` in the configuration." });
	if (existsSync(to))
		throw new Failure("USAGE", `${to} exists already`, { hint: "Name a file that is not there: a backup is never overwritten." });
	// Whole or not at all, also when this process is killed: the name appears with the last step.
	const partial = `${to}.partial`;
	try {
		const db = openToCopy(file);
		try {
			copyDatabase(db, partial);
		} finally {
			db.close();
		}
		check(partial);
		renameOver(partial, to);
	} catch (error) {
		rmSync(partial, { force: true });
		throw asFailure(to, error);
	}
}

function check(file: string): void {
	const copy = new Database(file, { readonly: true });
	try {
		const problems = copy.prepare("PRAGMA integrity_check(3)").pluck().all() as string[];
		if (problems.join() !== "ok")
			throw new Failure("DATABASE_CORRUPT", `the copy is damaged: ${problems.join("; ")}`, { hint: "Check the disk, and try again." });
	} finally {
		copy.close();
	}
}

/** The whole file, then the change log's chain. Throws DATABASE_CORRUPT when the file itself is damaged. */
export function verifyDatabase(file: string): ChainProof {
	const db = openReadOnly(file);
	try {
		const problems = db.prepare("PRAGMA integrity_check(3)").pluck().all() as string[];
		if (problems.join() !== "ok") {
			throw new Failure("DATABASE_CORRUPT", `the database ${file} is damaged: ${problems.join("; ")}`, {
				hint: "Restore the last backup.",
			});
		}
		return proveChain(db);
	} catch (error) {
		throw asFailure(file, error);
	} finally {
		db.close();
	}
}

/** What retention removes. Instants in Unix milliseconds: what is older goes. */
export interface Retention {
	readonly runsBefore: number;
	readonly changesBefore: number;
}

export function openUpkeep(db: Connection) {
	const runs = openRuns(db);
	const log = openChangeLog(db);
	const goneEntries = db
		.prepare(
			`SELECT id FROM entries WHERE gone IS NOT NULL AND NOT EXISTS (SELECT 1 FROM accounts a WHERE a.id = entries.id)
			AND NOT EXISTS (SELECT 1 FROM ledger l WHERE l.account_id = entries.id) AND NOT EXISTS (SELECT 1 FROM held h WHERE h.entry_id = entries.id)
			AND NOT EXISTS (SELECT 1 FROM quarantine q WHERE q.entry_id = entries.id)`,
		)
		.pluck();
	const forget = [
		"DELETE FROM entry_bytes WHERE id = ?",
		"DELETE FROM rejected WHERE entry_id = ?",
		"DELETE FROM pins WHERE entry_id = ?",
		"DELETE FROM planned_anew WHERE entry_id = ?",
		"DELETE FROM primary_members WHERE member_id = ?",
		"DELETE FROM members WHERE member_id = ?",
		"DELETE FROM entries WHERE id = ?",
	].map((sql) => db.prepare<[number]>(sql));
	const goneGroups = [
		// A group that is gone, at no target any more and in no other one; and strangers that no group has as a member any more.
		`DELETE FROM groups WHERE gone IS NOT NULL AND body IS NULL AND NOT EXISTS (SELECT 1 FROM group_ledger l WHERE l.group_id = groups.id)
			AND NOT EXISTS (SELECT 1 FROM members m WHERE m.member_id = groups.id) AND NOT EXISTS (SELECT 1 FROM held h WHERE h.entry_id = groups.id)`,
		"DELETE FROM strangers WHERE NOT EXISTS (SELECT 1 FROM members m WHERE m.member_id = strangers.id)",
	].map((sql) => db.prepare(sql));
	const uncount = db.prepare(
		"UPDATE sources SET gone_entries = (SELECT count(*) FROM entries e WHERE e.source_id = sources.id AND e.gone IS NOT NULL)",
	);

	return {
		/** Forgets old runs and changes, and entries that are gone and have no account left anywhere. */
		retain: ({ runsBefore, changesBefore }: Retention): { readonly runs: number; readonly changes: number; readonly entries: number } =>
			db
				.transaction(() => {
					const entries = goneEntries.all() as number[];
					for (const id of entries) for (const statement of forget) statement.run(id);
					if (entries.length > 0) uncount.run();
					for (const statement of goneGroups) statement.run();
					return { runs: runs.prune(runsBefore), changes: log.prune(changesBefore), entries: entries.length };
				})
				.immediate(),
		/** Brings the write-ahead log into the file and empties it. */
		checkpoint: (): void => {
			db.pragma("wal_checkpoint(TRUNCATE)");
		},
	};
}
