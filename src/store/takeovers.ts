import type { Cause } from "../core/change.ts";
import type { Anchor } from "../core/entry.ts";
import { Failure } from "../core/errors.ts";
import type { MatchField } from "../core/match.ts";
import { spread } from "../lib/spread.ts";
import type { Connection } from "./database.ts";

/** An account of another source whose match field has the same value. */
export interface MatchRow {
	readonly id: number;
	readonly source: string;
	readonly anchor: Anchor;
	readonly body: string;
	readonly active: number;
	readonly cause: Cause | null;
	readonly ended_at: number | null;
	/** out-of-scope or deleted; null while its person is there. */
	readonly gone: string | null;
}

export const takenSchema = "CREATE TEMP TABLE taken (id INTEGER PRIMARY KEY, taker INTEGER NOT NULL UNIQUE)";

/**
 * Accounts that pass from one source to another with their person. What is taken over is noted in a temporary table, and carried out
 * by `commit` before everything else: from then on the account has the id of the entry that took it.
 */
export function openTakeovers(db: Connection) {
	const columns = "a.id, s.name AS source, e.anchor, a.body, a.active, a.cause, a.ended_at, e.gone";
	const joins = "JOIN sources s ON s.id = a.source_id JOIN entries e ON e.id = a.id";
	const byClaim = db.prepare<[number, number], MatchRow>(
		`SELECT ${columns} FROM claims c JOIN accounts a ON a.id = c.account_id ${joins} WHERE c.claim = ? AND a.source_id <> ?`,
	);
	let byEmployee: ReturnType<typeof prepareByEmployee> | undefined;
	const take = db.prepare<[number, number]>("INSERT OR IGNORE INTO taken (id, taker) VALUES (?, ?)");
	const isThere = db
		.prepare<[number]>("SELECT t.name FROM targets t JOIN ledger l ON l.target_id = t.id AND l.account_id = ? LIMIT 1")
		.pluck();
	const isTaken = db.prepare<[number]>("SELECT taker FROM taken WHERE id = ?").pluck();
	const taken = db.prepare<[], { id: number; taker: number }>(
		"SELECT id, taker FROM taken WHERE EXISTS (SELECT 1 FROM planned p WHERE p.id = taker AND p.kind = 'update' AND p.passed = 1)",
	);
	const mine = db.prepare<[number], { active: number; source_id: number }>(
		"SELECT a.active, a.source_id FROM accounts a JOIN entries e ON e.id = a.id WHERE a.id = ? AND (a.active = 0 OR e.gone IS NOT NULL)",
	);
	const rekey = [
		"UPDATE accounts SET id = @taker, source_id = @source WHERE id = @id",
		"UPDATE claims SET account_id = @taker WHERE account_id = @id",
		// The remote account stays the same; that it names another entry now has to be told in any case.
		`UPDATE ledger SET account_id = @taker, external_id = coalesce(external_id, (SELECT anchor FROM entries WHERE id = @id)),
			pending = released_at IS NULL, revision = revision + 1, attempts = 0, next_at = NULL, error = NULL, run_id = @run WHERE account_id = @id`,
		// The groups of the old source have it no more.
		`INSERT INTO member_ledger (target_id, group_id, account_id, wanted) SELECT l.target_id, m.group_id, @taker, 0 FROM memberships m JOIN group_ledger l ON l.group_id = m.group_id
			WHERE m.account_id = @id AND EXISTS (SELECT 1 FROM ledger a WHERE a.target_id = l.target_id AND a.account_id = @taker) ON CONFLICT DO UPDATE SET wanted = 0`,
		// Nor those that it has left there already, as far as a target does not know yet.
		`INSERT INTO member_ledger (target_id, group_id, account_id, wanted) SELECT target_id, group_id, @taker, 0 FROM member_ledger
			WHERE account_id = @id AND wanted = 0 ON CONFLICT DO UPDATE SET wanted = 0`,
		"DELETE FROM member_ledger WHERE account_id = @id",
		"UPDATE group_ledger SET pending = 1, next_at = NULL WHERE group_id IN (SELECT group_id FROM memberships WHERE account_id = @id)",
		"UPDATE sources SET memberships = memberships - (SELECT count(*) FROM memberships WHERE account_id = @id) WHERE id = @from",
		"DELETE FROM memberships WHERE account_id = @id",
		"DELETE FROM held WHERE source_id = @from AND entry_id = @id",
		"DELETE FROM pins WHERE entry_id = @id",
		"UPDATE sources SET active_accounts = active_accounts - @active, inactive_accounts = inactive_accounts - (1 - @active) WHERE id = @from",
		"UPDATE sources SET active_accounts = active_accounts + @active, inactive_accounts = inactive_accounts + (1 - @active) WHERE id = @source",
	].map((sql) => db.prepare(sql));

	return {
		/** Accounts of other sources with this value; the caller compares it with what the account really says. */
		find: (sourceId: number, field: MatchField, value: string): readonly MatchRow[] => {
			if (field !== "employeeNumber") return byClaim.all(spread(`${field === "userName" ? "userName" : "e-mail"} ${value}`), sourceId);
			byEmployee ??= prepareByEmployee(db, columns, joins);
			return byEmployee.all(value, sourceId);
		},
		/** A target that still has an account of this entry, though it has none here. */
		leftAt: (taker: number): string | undefined => isThere.get(taker) as string | undefined,
		/** Notes that an entry takes over an account. False: another one of this run does already. */
		take: (id: number, taker: number): boolean => {
			take.run(id, taker);
			return isTaken.get(id) === taker;
		},
		/** Gives each account taken to its new entry. Throws PLAN_CHANGED when its old source has it active again since. */
		commit: (sourceId: number, run: number): void => {
			for (const { id, taker } of taken.all()) {
				const old = mine.get(id);
				if (old === undefined)
					throw new Failure("PLAN_CHANGED", "an account that was to be taken over from another source is active there again", {
						hint: "The next run plans it anew.",
					});
				for (const step of rekey) step.run({ id, taker, source: sourceId, from: old.source_id, active: old.active, run });
			}
		},
		clear: (): void => {
			db.exec("DELETE FROM taken");
		},
	};
}

/** Made when `match: employeeNumber` is first used: whoever does not use it need not keep an index. */
export function indexEmployees(db: Connection): void {
	db.exec(
		"CREATE INDEX IF NOT EXISTS accounts_by_employee ON accounts (lower(body ->> '$.employeeNumber')) WHERE body ->> '$.employeeNumber' IS NOT NULL",
	);
}

function prepareByEmployee(db: Connection, columns: string, joins: string) {
	return db.prepare<[string, number], MatchRow>(
		`SELECT ${columns} FROM accounts a ${joins} WHERE lower(a.body ->> '$.employeeNumber') = ? AND a.body ->> '$.employeeNumber' IS NOT NULL AND a.source_id <> ?`,
	);
}
