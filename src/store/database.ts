import { closeSync, existsSync, mkdirSync, openSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { Failure } from "../core/errors.ts";
import { digest } from "../lib/digest.ts";
import { renameOver } from "../lib/rename-over.ts";
import { migrations } from "./migrations.ts";

export type Connection = Database.Database;

/** "dirs" in ASCII: tells our files from any other SQLite database (`PRAGMA application_id`). */
const APPLICATION_ID = 0x64697273;

/** Past this size, short commands leave the full check to the daemon's start and to `verify`: it reads the whole file. */
const ALWAYS_CHECKED_BYTES = 256 * 1024 * 1024;

export interface OpenOptions {
	/** always: whatever the size (the daemon, `verify`); small: up to 256 MiB (short commands). */
	readonly check: "always" | "small";
	/** Unix milliseconds, recorded with migrations. */
	readonly now: number;
}

/**
 * Opens the database for writing: made if it is missing, checked, migrated. Throws Failure DATABASE_CORRUPT, DATABASE_NEWER or
 * DATABASE_UNWRITABLE, and leaves the file as it was in each of these cases.
 */
export function openDatabase(file: string, options: OpenOptions): Connection {
	return guarded(file, () => {
		if (!existsSync(file)) {
			mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
			// Made by us and not by SQLite, so that nobody else can read people's data from the first byte on.
			closeSync(openSync(file, "a", 0o600));
		}
		const db = new Database(file);
		try {
			db.pragma("busy_timeout = 10000");
			// Entries are about 1.6 kB: four to a page of 8 KiB, where two would not fill one of 4 KiB. Only a new file takes it.
			db.pragma("page_size = 8192");
			refuseForeign(db, file);
			checkIntegrity(db, file, options.check === "always" || sizeOf(file) <= ALWAYS_CHECKED_BYTES);
			db.pragma("journal_mode = WAL");
			tune(db);
			keepOld(db, file);
			migrate(db, file, options.now);
			return db;
		} catch (error) {
			db.close();
			throw error;
		}
	});
}

/** A further connection to a database that `openDatabase` has opened before. */
export function openSibling(file: string): Connection {
	return guarded(file, () => {
		const db = new Database(file, { fileMustExist: true });
		db.pragma("busy_timeout = 10000");
		tune(db);
		return db;
	});
}

/** A connection that cannot write. A missing file, or an older schema, is an empty database in memory: nothing has happened yet. */
export function openReadOnly(file: string): Connection {
	return guarded(file, () => {
		if (!existsSync(file) || statSync(file).size === 0) return openEmpty();
		const db = new Database(file, { readonly: true, fileMustExist: true });
		try {
			db.pragma("busy_timeout = 10000");
			refuseForeign(db, file);
			const version = schemaVersion(db);
			refuseNewer(version, file);
			if (version === 0) {
				db.close();
				return openEmpty();
			}
			if (version < newestVersion()) {
				throw new Failure("DATABASE_UNWRITABLE", `the database ${file} has the schema of an older version (${version})`, {
					hint: "Start the daemon or run `dirsyncd sync` once: that migrates it.",
				});
			}
			tune(db);
			return db;
		} catch (error) {
			db.close();
			throw error;
		}
	});
}

/** A connection to what is there, whatever its schema, for a copy of it: a backup may be wanted most before an upgrade. */
export function openToCopy(file: string): Connection {
	return guarded(file, () => {
		const db = new Database(file, { readonly: true, fileMustExist: true });
		try {
			db.pragma("busy_timeout = 10000");
			refuseForeign(db, file);
			// Nothing yet: what a first start makes of it.
			if (schemaVersion(db) > 0) {
				tune(db);
				return db;
			}
		} catch (error) {
			db.close();
			throw error;
		}
		db.close();
		return openEmpty();
	});
}

/** A migrated database that holds nothing and lives in memory. */
export function openEmpty(): Connection {
	const db = new Database(":memory:");
	migrate(db, ":memory:", 0);
	return db;
}

function tune(db: Connection): void {
	// The stage moves into a file when it outgrows its memory: beside the database, the one folder that is known to be writable.
	process.env["SQLITE_TMPDIR"] ??= dirname(db.name);
	// In WAL mode NORMAL survives any crash of the process; a power cut can lose the last commits whole, and since cursor, snapshot
	// and ledger go together, the next run does them again.
	db.pragma("synchronous = NORMAL");
	db.pragma("foreign_keys = OFF");
	db.pragma("cache_size = -16384");
	db.pragma("temp.cache_size = -8192");
	// The stage is thrown away after a crash: it needs to undo a statement, not to survive.
	db.pragma("temp.journal_mode = MEMORY");
	// Bringing the log into the file every 4 MiB, the default, doubles the time of a first delivery.
	db.pragma("wal_autocheckpoint = 16384");
	// A commit of 100,000 accounts writes some hundred MB of log: give the space back afterwards.
	db.pragma("journal_size_limit = 67108864");
}

/** Before an upgrade: a copy of the database as the older version wrote it, one of each version, whole or not at all. */
function keepOld(db: Connection, file: string): void {
	const version = schemaVersion(db);
	if (version === 0 || version >= newestVersion()) return;
	const copy = upgradeCopy(file, version);
	const partial = `${copy}.partial`;
	try {
		copyDatabase(db, partial);
		renameOver(partial, copy);
	} catch (error) {
		rmSync(partial, { force: true });
		throw error;
	}
}

/** Copies a database as it is at one instant into a file that only its owner may read, in the place of what is there. */
export function copyDatabase(db: Connection, to: string): void {
	rmSync(to, { force: true });
	// SQLite fills a file that is empty, and leaves its mode; a worker has no umask of its own to set.
	closeSync(openSync(to, "wx", 0o600));
	db.prepare("VACUUM INTO ?").run(to);
}

function upgradeCopy(file: string, version: number): string {
	return `${file}.schema-${version}`;
}

/** Where copies of before an upgrade are, whether there are any or not. */
export function upgradeCopies(file: string): readonly string[] {
	return migrations.map(({ version }) => upgradeCopy(file, version));
}

/** Throws DATABASE_CORRUPT for the file of another program. */
export function refuseForeign(db: Connection, file: string): void {
	const id = db.pragma("application_id", { simple: true });
	const tables = db.prepare("SELECT count(*) FROM sqlite_schema").pluck().get() as number;
	if (id !== APPLICATION_ID && tables > 0) {
		throw new Failure("DATABASE_CORRUPT", `${file} is an SQLite database of another program`, { hint: "Name another file as `database`." });
	}
}

function checkIntegrity(db: Connection, file: string, whole: boolean): void {
	if (!whole) return;
	const problems = db.prepare("PRAGMA quick_check(3)").pluck().all() as string[];
	if (problems.length !== 1 || problems[0] !== "ok") throw corrupt(file, problems.join("; "));
}

function schemaVersion(db: Connection): number {
	const has = db.prepare("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'migrations'").pluck().get() as number;
	return has === 0 ? 0 : (db.prepare("SELECT coalesce(max(version), 0) FROM migrations").pluck().get() as number);
}

function newestVersion(): number {
	return migrations.at(-1)?.version ?? 0;
}

function refuseNewer(version: number, file: string): void {
	if (version <= newestVersion()) return;
	throw new Failure(
		"DATABASE_NEWER",
		`the database ${file} has schema ${version}; this version of dirsyncd knows up to ${newestVersion()}`,
		{
			hint: "Run the newer dirsyncd that wrote it, or restore the backup made before the upgrade.",
		},
	);
}

function migrate(db: Connection, file: string, now: number): void {
	refuseNewer(schemaVersion(db), file);
	db.transaction(() => {
		db.exec(
			"CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, digest BLOB NOT NULL, at INTEGER NOT NULL)",
		);
		const taken = db.prepare<[number], { digest: Buffer }>("SELECT digest FROM migrations WHERE version = ?");
		const record = db.prepare("INSERT INTO migrations (version, name, digest, at) VALUES (?, ?, ?, ?)");
		for (const step of migrations) {
			const before = taken.get(step.version);
			if (before === undefined) {
				db.exec(step.sql);
				record.run(step.version, step.name, digest(step.sql), now);
			} else if (!before.digest.equals(digest(step.sql))) {
				throw new Failure("DATABASE_NEWER", `the database ${file} took another migration ${step.version} than this version knows`, {
					hint: "It was written by a build that was never released. Use that build, or start with a new database.",
				});
			}
		}
		db.pragma(`application_id = ${APPLICATION_ID}`);
	}).immediate();
}

function sizeOf(file: string): number {
	return existsSync(file) ? statSync(file).size : 0;
}

function corrupt(file: string, what: string, cause?: unknown): Failure {
	return new Failure("DATABASE_CORRUPT", `the database ${file} is damaged: ${what}`, {
		...(cause !== undefined && { cause }),
		hint: "It was left as it is. Restore the last backup (`dirsyncd backup` makes them), or move it aside: a new one then matches the accounts again.",
	});
}

/** Turns SQLite's own errors into Failures; others pass as they are. */
export function asFailure(file: string, error: unknown): unknown {
	if (!(error instanceof Database.SqliteError)) {
		// Whatever the operating system refuses: no folder, no permission, no space, a file where a folder should be.
		if ((error as NodeJS.ErrnoException | undefined)?.syscall !== undefined) {
			return new Failure("DATABASE_UNWRITABLE", `the database ${file} cannot be opened: ${(error as Error).message}`, {
				cause: error,
				hint: "Check that its folder exists and that the service's account may write there.",
			});
		}
		return error;
	}
	const { code } = error;
	if (code.startsWith("SQLITE_CORRUPT") || code === "SQLITE_NOTADB") return corrupt(file, error.message, error);
	if (code.startsWith("SQLITE_BUSY") || code.startsWith("SQLITE_LOCKED")) {
		return new Failure("DATABASE_LOCKED", `the database ${file} is being written by another process`, {
			cause: error,
			hint: "Try again in a moment.",
		});
	}
	if (/^SQLITE_(READONLY|CANTOPEN|FULL|IOERR|PERM|AUTH)/.test(code)) {
		return new Failure("DATABASE_UNWRITABLE", `the database ${file} cannot be used: ${error.message} (${code})`, {
			cause: error,
			hint: "Check free disk space, the file's owner and its permissions.",
		});
	}
	return error;
}

function guarded<T>(file: string, work: () => T): T {
	try {
		return work();
	} catch (error) {
		throw asFailure(file, error);
	}
}
