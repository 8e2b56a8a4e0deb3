import { spread } from "../lib/spread.ts";
import type { Connection } from "./database.ts";

/** What was forgotten of a target. */
export interface Forgotten {
	readonly accounts: number;
	readonly groups: number;
}

/** Takes back what is known of a target. Nothing at the target itself changes by it. Call within a transaction. */
export function openForget(db: Connection) {
	const names = db.prepare("SELECT name FROM targets ORDER BY name").pluck();
	const targetId = db.prepare<[string]>("SELECT id FROM targets WHERE name = ?").pluck();
	const accounts = db.prepare<[number]>("DELETE FROM ledger WHERE target_id = ?");
	const groups = db.prepare<[number]>("DELETE FROM group_ledger WHERE target_id = ?");
	const members = db.prepare<[number]>("DELETE FROM member_ledger WHERE target_id = ?");
	const scopes = db.prepare<[number]>("DELETE FROM target_scopes WHERE target_id = ?");
	const target = db.prepare<[number]>("DELETE FROM targets WHERE id = ?");
	// What stood in this database for it, and what was to be decided of it.
	const mirrors = [
		"DELETE FROM local_members WHERE group_id IN (SELECT id FROM local_groups WHERE target = ?)",
		"DELETE FROM local_groups WHERE target = ?",
		"DELETE FROM local_accounts WHERE target = ?",
		"DELETE FROM file_targets WHERE target = ?",
		"DELETE FROM held WHERE target = ?",
		"DELETE FROM rejected WHERE target = ?",
	].map((sql) => db.prepare<[string]>(sql));
	const find = db
		.prepare<[number, number, string]>(
			"SELECT id FROM accounts WHERE id IN (SELECT account_id FROM claims WHERE claim IN (?, ?) UNION SELECT id FROM entries WHERE anchor = ?)",
		)
		.pluck();
	// Whoever has its externalId there is it: see `lost` in the ledger of deliveries.
	const rematch = db.prepare<[number, number, number]>(
		`UPDATE ledger SET remote_id = NULL, applied = NULL, applied_body = NULL, found = NULL, released_at = NULL,
			intent_at = iif(remote_id IS NULL, intent_at, ?), attempts = 0, next_at = NULL, error = NULL, revision = revision + 1, pending = 1 WHERE target_id = ? AND account_id = ?`,
	);
	const idOf = (name: string): number => (targetId.get(name) as number | undefined) ?? 0;

	return {
		/** Every target that something is known of. */
		targets: (): readonly string[] => names.all() as string[],
		/** All of it. */
		target: (name: string): Forgotten => {
			const id = idOf(name);
			const forgotten = { accounts: accounts.run(id).changes, groups: groups.run(id).changes };
			members.run(id);
			scopes.run(id);
			for (const mirror of mirrors) mirror.run(name);
			target.run(id);
			return forgotten;
		},
		/** Ids of the accounts that a userName, e-mail address or anchor names. */
		find: (user: string): readonly number[] => {
			const key = user.toLowerCase();
			return find.all(spread(`userName ${key}`), spread(`e-mail ${key}`), key) as number[];
		},
		/** One account: it is matched anew. False: nothing is known of it there. `at` is Unix milliseconds. */
		account: (name: string, account: number, at: number): boolean => rematch.run(at, idOf(name), account).changes === 1,
	};
}
