import { closeSync, copyFileSync, existsSync, fsyncSync, linkSync, mkdirSync, openSync, realpathSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import Database from "better-sqlite3";
import { Failure } from "../core/errors.ts";
import { renameOver } from "../lib/rename-over.ts";
import { type ChainProof, proveChain } from "./chain.ts";
import { openChangeLog } from "./change-log.ts";
import { asFailure, openDatabase, refuseForeign, upgradeCopies } from "./database.ts";
import { decisionRow } from "./decision-row.ts";
import { openRestored } from "./restored.ts";

export interface Restored {
	/** Where the database that was there is now; undefined: there was none. */
	readonly kept: string | undefined;
	/** When the backup last heard of the directory: the start of its last run, Unix milliseconds. */
	readonly lastRunAt: number | undefined;
	readonly changes: number;
}

/**
 * Puts a backup in the place of a database, whole or not at all, and keeps what was there beside it. Call while holding the
 * database's lock. `now` is Unix milliseconds, `by` who does it: the log of what is restored says so. Throws NOT_FOUND, DATABASE_CORRUPT or DATABASE_NEWER for a backup that is no good; the
 * database is as it was then.
 */
export function restoreDatabase(backup: string, to: string, now: number, by: string): Restored {
	// SQLite follows links, and so do we: a link stays one.
	const file = existsSync(to) ? realpathSync(to) : to;
	refuseBackup(backup, file);
	const next = `${file}.restoring`;
	try {
		mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
		clear(next);
		// SQLite throws the log of a database away that it cannot read: it goes aside before one is opened.
		if (existsSync(`${file}-wal`)) copyFileSync(`${file}-wal`, `${next}-log`);
		const lastRun = lastRunOf(file);
		const found = prepare(backup, next, { at: now, by }, lastRun ?? 0);
		const kept = keep(file, now);
		if (kept !== undefined && lastRun === undefined && existsSync(`${next}-log`)) renameOver(`${next}-log`, `${kept}-wal`);
		// From here on there is one file or the other; a log beside it would be taken for the new one's.
		for (const end of ["-wal", "-shm"]) rmSync(`${file}${end}`, { force: true });
		renameOver(next, file);
		syncFolder(path.dirname(file));
		return { kept, ...found };
	} catch (error) {
		throw asFailure(file, error);
	} finally {
		clear(next);
	}
}

function refuseBackup(backup: string, file: string): void {
	if (!existsSync(backup))
		throw new Failure("NOT_FOUND", `there is no backup ${backup}`, { hint: "Name a file that `dirsyncd backup` made." });
	if (existsSync(file) && realpathSync(backup) === file)
		throw new Failure("USAGE", `${backup} is the database itself`, { hint: "Name a file that `dirsyncd backup` made." });
	if (existsSync(`${backup}-wal`) && statSync(`${backup}-wal`).size > 0)
		throw new Failure("USAGE", `${backup} is a database that was in use, and part of it is in ${backup}-wal`, {
			hint: "Make a backup of it by `dirsyncd backup`, and restore that.",
		});
	if (statSync(backup).size === 0) throw damaged(backup, "it is empty");
}

/** A copy of the backup that is proven, brought to this version's schema, marked as restored, and on the disk. */
function prepare(
	backup: string,
	next: string,
	{ at: now, by }: { readonly at: number; readonly by: string },
	lastRun: number,
): Omit<Restored, "kept"> {
	closeSync(openSync(next, "wx", 0o600));
	copyFileSync(backup, next);
	try {
		const copy = new Database(next, { readonly: true });
		try {
			refuseForeign(copy, backup);
			const problems = copy.prepare("PRAGMA integrity_check(3)").pluck().all() as string[];
			if (problems.join() !== "ok") throw damaged(backup, problems.join("; "));
			if (copy.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'migrations'").get() === undefined)
				throw damaged(backup, "it holds nothing");
		} finally {
			copy.close();
		}
		const db = openDatabase(next, { check: "small", now });
		try {
			const proof: ChainProof = proveChain(db);
			if (proof.kind === "broken") throw damaged(backup, `its change log is broken at row ${proof.broken.sequence}: ${proof.broken.what}`);
			const lastRunAt = db.prepare("SELECT max(started_at) FROM runs").pluck().get() as number | null;
			openRestored(db).mark(now, lastRun);
			const asOf = lastRunAt === null ? "before its first run" : `as of the run of ${new Date(lastRunAt).toISOString()}`;
			const decision = { kind: "restore", by, name: path.basename(backup), why: `put in the place of the database, ${asOf}` } as const;
			const append = openChangeLog(db).append;
			db.transaction(() => append()(decisionRow(decision, { at: now, run: 0, source: "" }))).immediate();
			db.pragma("journal_mode = DELETE");
			return { lastRunAt: lastRunAt ?? undefined, changes: proof.rows };
		} finally {
			db.close();
		}
	} catch (error) {
		throw aboutBackup(asFailure(backup, error), next, backup);
	} finally {
		if (existsSync(next)) syncFile(next);
	}
}

/** Whatever is wrong is wrong with the backup, whose copy it was found in. */
function aboutBackup(error: unknown, next: string, backup: string): unknown {
	if (!(error instanceof Failure)) return error;
	const { code, message, hint, cause } = error;
	return new Failure(code, message.replaceAll(next, backup), { cause, ...(hint !== undefined && { hint }) });
}

function damaged(backup: string, what: string): Failure {
	return new Failure("DATABASE_CORRUPT", `the backup ${backup} is damaged: ${what}`, {
		hint: "Nothing was changed. Restore another backup.",
	});
}

/** Brings the log of what is there into the file. Undefined: it cannot be read. */
function lastRunOf(file: string): number | undefined {
	if (!existsSync(file)) return undefined;
	try {
		const db = new Database(file, { fileMustExist: true });
		try {
			const last = db.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'runs'").pluck().get() as number | undefined;
			db.pragma("wal_checkpoint(TRUNCATE)");
			return last ?? 0;
		} finally {
			db.close();
		}
	} catch {
		return undefined; // It is replaced because it cannot be read; what can be kept of it is kept as it is.
	}
}

/** Keeps what was there under a name of its day, without a moment in which nothing is there. */
function keep(file: string, now: number): string | undefined {
	if (!existsSync(file)) return undefined;
	const day = new Date(now).toISOString().slice(0, 19).replaceAll(":", "");
	let kept = `${file}.before-restore-${day}Z`;
	for (let number = 2; existsSync(kept); number++) kept = `${file}.before-restore-${day}Z-${number}`;
	try {
		linkSync(file, kept);
	} catch {
		copyFileSync(file, kept); // A file system without links.
		syncFile(kept);
	}
	return kept;
}

function clear(next: string): void {
	for (const end of ["", "-wal", "-shm", "-journal", "-log"]) rmSync(`${next}${end}`, { force: true });
	for (const copy of upgradeCopies(next)) rmSync(copy, { force: true });
}

function syncFile(file: string): void {
	const handle = openSync(file, "r+");
	try {
		fsyncSync(handle);
	} finally {
		closeSync(handle);
	}
}

/** The rename itself is in the folder. Windows has no such thing as a folder that is opened. */
function syncFolder(folder: string): void {
	if (process.platform === "win32") return;
	const handle = openSync(folder, "r");
	try {
		fsyncSync(handle);
	} finally {
		closeSync(handle);
	}
}
