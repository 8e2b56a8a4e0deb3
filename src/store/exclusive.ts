import { closeSync, openSync } from "node:fs";
import Database from "better-sqlite3";
import { asFailure } from "./database.ts";

/**
 * Holds an exclusive SQLite lock on a file of its own until `release`, or returns undefined when another process has it. The
 * kernel frees it when the process ends, however it ends; the file stays, empty.
 */
export function holdExclusively(file: string): { release(): void } | undefined {
	try {
		closeSync(openSync(file, "a", 0o600));
		const db = new Database(file, { timeout: 0 });
		try {
			// Nothing is ever written: a journal on disk would only be one more file that a kill -9 leaves behind.
			db.pragma("journal_mode = MEMORY");
			db.exec("BEGIN EXCLUSIVE");
		} catch (error) {
			db.close();
			if (error instanceof Database.SqliteError && error.code.startsWith("SQLITE_BUSY")) return undefined;
			throw error;
		}
		return { release: () => db.close() };
	} catch (error) {
		throw asFailure(file, error);
	}
}
