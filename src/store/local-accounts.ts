import Database from "better-sqlite3";
import type { Connection } from "./database.ts";

export interface LocalRow {
	readonly id: number;
	readonly external_id: string;
	readonly body: string;
}

/** The rows of the embedded account store. User names are unique without case, as at any target. */
export function openLocalAccounts(db: Connection, target: string) {
	// SQLite takes the two fields out of the text: the account need not be parsed for it. (WHERE keeps ON from being a join's.)
	const put = db.prepare<[string, string, string]>(
		`INSERT INTO local_accounts (target, external_id, user_name, active, body)
		SELECT ?, ?, body ->> '$.userName', body ->> '$.active', body FROM (SELECT ? AS body) WHERE true
		ON CONFLICT (target, external_id) DO UPDATE SET user_name = excluded.user_name, active = excluded.active, body = excluded.body`,
	);
	const remove = db.prepare<[string, string]>("DELETE FROM local_accounts WHERE target = ? AND external_id = ?");
	const rename = db.prepare<[string, string, string, string, string]>(
		`UPDATE local_accounts SET external_id = ? WHERE target = ? AND external_id = ?
		AND NOT EXISTS (SELECT 1 FROM local_accounts o WHERE o.target = ? AND o.external_id = ?)`,
	);
	const leaveGroups = db.prepare<[string, string]>(
		"DELETE FROM local_members WHERE account_id = (SELECT id FROM local_accounts WHERE target = ? AND external_id = ?)",
	);
	const byExternalId = db.prepare<[string, string], LocalRow>(
		"SELECT id, external_id, body FROM local_accounts WHERE target = ? AND external_id = ?",
	);
	const byUserName = db.prepare<[string, string], LocalRow>(
		"SELECT id, external_id, body FROM local_accounts WHERE target = ? AND user_name = ?",
	);
	const page = db.prepare<[string, number, number], LocalRow>(
		"SELECT id, external_id, body FROM local_accounts WHERE target = ? AND id > ? ORDER BY id LIMIT ?",
	);

	return {
		/** Runs `work` in one transaction. */
		batch: <T>(work: () => T): T => db.transaction(work).immediate(),
		/** `body` is the account as JSON. False when its user name belongs to another account: nothing was written then. */
		put: (externalId: string, body: string): boolean => {
			try {
				put.run(target, externalId, body);
				return true;
			} catch (error) {
				if (error instanceof Database.SqliteError && error.code === "SQLITE_CONSTRAINT_UNIQUE") return false;
				throw error;
			}
		},
		rename: (externalId: string, to: string): void => {
			rename.run(to, target, externalId, target, to);
		},
		remove: (externalId: string): void => {
			leaveGroups.run(target, externalId);
			remove.run(target, externalId);
		},
		byExternalId: (externalId: string): LocalRow | undefined => byExternalId.get(target, externalId),
		byUserName: (userName: string): LocalRow | undefined => byUserName.get(target, userName),
		/** Rows after `id`, in order. */
		page: (id: number, limit: number): readonly LocalRow[] => page.all(target, id, limit),
	};
}
