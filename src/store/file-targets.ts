import type { Connection } from "./database.ts";

export interface FileRow {
	/** Counts what was applied to the mirror. */
	readonly version: number;
	/** The version that the file holds; null: none. */
	readonly written: number | null;
	/** How it was written: a file in another form is not the one wanted. */
	readonly shape: string | null;
	/** What tells that the file is as it was left. */
	readonly stamp: string | null;
	/** Octets of a file of changes whose changes are in the mirror. */
	readonly length: number | null;
}

interface MirroredRow {
	readonly id: number;
	readonly external_id: string;
	readonly user_name: string;
	readonly body: string;
}

/** What a target that is a file knows of its file, and asks of its mirror, which is rows of the embedded account store's tables. */
export function openFileTargets(db: Connection, target: string) {
	db.prepare<[string]>("INSERT OR IGNORE INTO file_targets (target) VALUES (?)").run(target);
	const read = db.prepare<[string], FileRow>("SELECT version, written, shape, stamp, length FROM file_targets WHERE target = ?");
	const touch = db.prepare<[string]>("UPDATE file_targets SET version = version + 1 WHERE target = ?");
	const wrote = db.prepare<[number, string, string, string]>(
		"UPDATE file_targets SET written = ?, shape = ?, stamp = ?, length = NULL WHERE target = ?",
	);
	const reach = db.prepare<[number, string, string]>("UPDATE file_targets SET length = ?, shape = ?, written = NULL WHERE target = ?");
	const page = db.prepare<[string, string, number], MirroredRow>(
		"SELECT id, external_id, user_name, body FROM local_accounts WHERE target = ? AND user_name > ? ORDER BY user_name LIMIT ?",
	);
	const groupNames = db
		.prepare<[number]>(
			"SELECT g.body ->> '$.displayName' AS name FROM local_members m JOIN local_groups g ON g.id = m.group_id WHERE m.account_id = ? ORDER BY name",
		)
		.pluck();
	const userName = db.prepare<[string, string]>("SELECT user_name FROM local_accounts WHERE target = ? AND external_id = ?").pluck();
	const groupNamed = db
		.prepare<[string, string]>("SELECT external_id FROM local_groups WHERE target = ? AND body ->> '$.displayName' = ? COLLATE NOCASE")
		.pluck();
	const isMember = db
		.prepare<[number, string, string]>(
			"SELECT 1 FROM local_members WHERE group_id = ? AND account_id = (SELECT id FROM local_accounts WHERE target = ? AND external_id = ?)",
		)
		.pluck();
	const members = db.prepare<[number, number, number], { readonly id: number; readonly user_name: string }>(
		"SELECT a.id, a.user_name FROM local_members m JOIN local_accounts a ON a.id = m.account_id WHERE m.group_id = ? AND m.account_id > ? ORDER BY m.account_id LIMIT ?",
	);

	return {
		state: (): FileRow => read.get(target) as FileRow,
		/** Call before the mirror changes: a file that is written in vain is no harm. */
		touch: (): void => void touch.run(target),
		wrote: (version: number, shape: string, stamp: string): void => void wrote.run(version, shape, stamp, target),
		/** Call in the transaction in which the mirror takes the changes over. */
		reach: (length: number, shape: string): void => void reach.run(length, shape, target),
		/** Accounts after `userName`, in its order. */
		page: (after: string, limit: number): readonly MirroredRow[] => page.all(target, after, limit),
		/** Names of the groups that the account of this row is in, sorted. */
		groupNames: (row: number): readonly string[] => groupNames.all(row) as string[],
		userName: (externalId: string): string | undefined => userName.get(target, externalId) as string | undefined,
		/** Whose name it is among the groups, without case. */
		groupNamed: (name: string): string | undefined => groupNamed.get(target, name) as string | undefined,
		isMember: (group: number, externalId: string): boolean => isMember.get(group, target, externalId) !== undefined,
		/** User names of a group's members whose rows come after `row`. */
		members: (group: number, row: number, limit: number) => members.all(group, row, limit),
	};
}
