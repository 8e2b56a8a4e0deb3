import { statSync } from "node:fs";
import Database from "better-sqlite3";
import { Failure } from "../core/errors.ts";
import { asFailure } from "./database.ts";

/** Tries whether a database can be written, without ever waiting for whoever writes it now. */
export interface Probe {
	/** Undefined when it can; a lock that another connection holds means that it can. */
	try(): Failure | undefined;
	close(): void;
}

/** A probe on a connection of its own. The database has to be there. */
export function openProbe(file: string): Probe {
	let db: Database.Database | undefined;
	let count = 0;
	const inode = statSync(file).ino;
	const write = (): void => {
		if (statSync(file).ino !== inode) throw moved(file);
		db ??= connect(file);
		const open = db;
		count = (count + 1) % 0x7fff_ffff;
		// A real commit of one page: a full disk does not show before that. user_version is used by nothing else here.
		open.transaction(() => open.pragma(`user_version = ${count}`)).immediate();
	};
	return {
		try: () => {
			try {
				write();
				return undefined;
			} catch (error) {
				if (error instanceof Database.SqliteError && error.code.startsWith("SQLITE_BUSY")) return undefined;
				db?.close();
				db = undefined;
				const failure = asFailure(file, error);
				if (failure instanceof Failure) return failure;
				return new Failure("DATABASE_UNWRITABLE", `the database ${file} cannot be written: ${String(failure)}`, { cause: error });
			}
		},
		close: () => db?.close(),
	};
}

function connect(file: string): Database.Database {
	const db = new Database(file, { fileMustExist: true, timeout: 0 });
	db.pragma("synchronous = NORMAL");
	// Copying the log back into the database takes seconds after a large commit, and this may be the thread that answers /health.
	db.pragma("wal_autocheckpoint = 0");
	return db;
}

function moved(file: string): Failure {
	return new Failure("DATABASE_UNWRITABLE", `the database ${file} was replaced by another file while it is in use`, {
		hint: "Put the old file back, or restart dirsyncd to use the new one.",
	});
}
