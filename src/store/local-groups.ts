import type { Connection } from "./database.ts";

export interface LocalGroupRow {
	readonly id: number;
	readonly external_id: string;
	readonly body: string;
}

/** The groups of the embedded account store. Members are accounts of the same store; with an account its memberships go. */
export function openLocalGroups(db: Connection, target: string) {
	const put = db
		.prepare<[string, string, string]>(
			"INSERT INTO local_groups (target, external_id, body) VALUES (?, ?, ?) ON CONFLICT (target, external_id) DO UPDATE SET body = excluded.body RETURNING id",
		)
		.pluck();
	const idOf = db.prepare<[string, string]>("SELECT id FROM local_groups WHERE target = ? AND external_id = ?").pluck();
	const bodyOf = db.prepare<[string, string]>("SELECT body FROM local_groups WHERE target = ? AND external_id = ?").pluck();
	const remove = db.prepare<[number]>("DELETE FROM local_groups WHERE id = ?");
	const removeMembers = db.prepare<[number]>("DELETE FROM local_members WHERE group_id = ?");
	const addMember = db.prepare<[number, string, string]>(
		"INSERT OR IGNORE INTO local_members (group_id, account_id) SELECT ?, id FROM local_accounts WHERE target = ? AND external_id = ?",
	);
	const removeMember = db.prepare<[number, string, string]>(
		"DELETE FROM local_members WHERE group_id = ? AND account_id = (SELECT id FROM local_accounts WHERE target = ? AND external_id = ?)",
	);
	const page = db.prepare<[string, number, number], LocalGroupRow>(
		"SELECT id, external_id, body FROM local_groups WHERE target = ? AND id > ? ORDER BY id LIMIT ?",
	);
	const members = db
		.prepare<[number]>(
			"SELECT a.external_id FROM local_members m JOIN local_accounts a ON a.id = m.account_id WHERE m.group_id = ? ORDER BY a.external_id",
		)
		.pluck();

	return {
		batch: <T>(work: () => T): T => db.transaction(work).immediate(),
		/** Writes a group's fields; returns its number. */
		put: (externalId: string, body: string): number => put.get(target, externalId, body) as number,
		idOf: (externalId: string): number | undefined => idOf.get(target, externalId) as number | undefined,
		bodyOf: (externalId: string): string | undefined => bodyOf.get(target, externalId) as string | undefined,
		remove: (id: number): void => {
			removeMembers.run(id);
			remove.run(id);
		},
		addMember: (id: number, accountExternalId: string): void => void addMember.run(id, target, accountExternalId),
		removeMember: (id: number, accountExternalId: string): void => void removeMember.run(id, target, accountExternalId),
		page: (after: number, limit: number): readonly LocalGroupRow[] => page.all(target, after, limit),
		members: (id: number): readonly string[] => members.all(id) as string[],
	};
}
