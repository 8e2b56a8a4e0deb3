import type { ChangeKind } from "../core/change.ts";
import type { Anchor } from "../core/entry.ts";
import type { Connection } from "./database.ts";
import type { Step } from "./delivery-ledger.ts";

/** An account of ours that is to be as we left it: nothing of it is open. Bodies are accounts as JSON. */
export interface LeftRow {
	readonly account_id: number;
	readonly anchor: Anchor;
	readonly remote_id: string;
	readonly body: string;
	readonly run_id: number;
	readonly revision: number;
	/** Digest of what the last reading back found instead; empty: nothing. */
	readonly found: Buffer | null;
}

/** The ledger beside what a target was found to have. */
export function openReadBack(db: Connection) {
	db.exec(
		"CREATE TEMP TABLE IF NOT EXISTS found_accounts (remote_id TEXT PRIMARY KEY, body TEXT NOT NULL, untold TEXT NOT NULL) WITHOUT ROWID",
	);
	const targetId = db.prepare<[string]>("SELECT id FROM targets WHERE name = ?").pluck();
	const add = db.prepare<[string, string, string]>("INSERT OR IGNORE INTO found_accounts (remote_id, body, untold) VALUES (?, ?, ?)");
	const page = db.prepare<[number, number, number], LeftRow & { readonly found_body: string | null; readonly untold: string | null }>(
		`SELECT l.account_id, e.anchor, l.remote_id, coalesce(l.applied_body, l.body, a.body) AS body, l.run_id, l.revision, l.found, f.body AS found_body, f.untold
		FROM ledger l JOIN entries e ON e.id = l.account_id LEFT JOIN accounts a ON a.id = l.account_id LEFT JOIN found_accounts f ON f.remote_id = l.remote_id
		WHERE l.target_id = ? AND l.account_id > ? AND l.remote_id IS NOT NULL AND l.pending = 0 AND l.released_at IS NULL AND l.applied IS NOT NULL
		AND coalesce(l.applied_body, l.body, a.body) IS NOT NULL
		ORDER BY l.account_id LIMIT ?`,
	);
	const others = db
		.prepare<[number]>(
			// One walk over the ledger, since it may have no index by remote id.
			"SELECT count(*) FROM found_accounts WHERE remote_id NOT IN (SELECT l.remote_id FROM ledger l WHERE l.target_id = ? AND l.remote_id IS NOT NULL)",
		)
		.pluck();
	// Only where nothing came in between: then what was found is older than what is there.
	const same = "target_id = @target AND account_id = @account AND revision = @revision AND pending = 0";
	const note = db.prepare(`UPDATE ledger SET found = @found WHERE ${same}`);
	const repair = db.prepare(
		`UPDATE ledger SET applied = @digest, applied_body = @body, found = @digest, kind = @kind, step = @step, revision = revision + 1, pending = 1,
			attempts = 0, next_at = NULL, error = NULL WHERE ${same}`,
	);
	const release = db.prepare(`UPDATE ledger SET released_at = @at, found = @found, error = @error WHERE ${same}`);
	const idOf = (target: string): number => (targetId.get(target) as number | undefined) ?? 0;

	return {
		/** Keeps what was found, in a temporary table: a target may have more accounts than memory. */
		add: (accounts: readonly { readonly remoteId: string; readonly body: string; readonly untold: string }[]): void => {
			db.transaction(() => {
				for (const { remoteId, body, untold } of accounts) add.run(remoteId, body, untold);
			})();
		},
		/** Accounts of ours of which nothing is open, after `account`; `found_body` is what the target has, if it was listed. */
		page: (target: string, account: number, limit: number) => page.all(idOf(target), account, limit),
		/** How many of those found are not ours. */
		others: (target: string): number => others.get(idOf(target)) as number,
		/** Remembers what was found (undefined: as we left it). All three are false when the account changed in the meantime. */
		note: (target: string, { account_id, revision }: LeftRow, found: Buffer | undefined): boolean =>
			note.run({ target: idOf(target), account: account_id, revision, found: found ?? null }).changes === 1,
		/** Opens a delivery from what was found to what is wanted. */
		repair: (
			target: string,
			{ account_id, revision }: LeftRow,
			found: { digest: Buffer; body: string; kind: ChangeKind; step: Step },
		): boolean => repair.run({ target: idOf(target), account: account_id, revision, ...found }).changes === 1,
		/** Leaves the account alone from now on; `error` says why. */
		release: (target: string, { account_id, revision }: LeftRow, found: Buffer, error: string, at: number): boolean =>
			release.run({ target: idOf(target), account: account_id, revision, found, error, at }).changes === 1,
		clear: (): void => {
			db.exec("DELETE FROM found_accounts");
		},
	};
}
