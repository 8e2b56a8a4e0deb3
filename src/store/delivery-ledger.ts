import type { DeliveryKind } from "../core/change.ts";
import type { Anchor } from "../core/entry.ts";
import type { Connection } from "./database.ts";

/** One open delivery, with what the target is to have and what it last got. Bodies are accounts as JSON. */
export interface PendingRow {
	readonly account_id: number;
	readonly anchor: Anchor;
	readonly kind: DeliveryKind;
	readonly step: number;
	readonly wanted: Buffer | null;
	readonly body: string | null;
	readonly applied: Buffer | null;
	readonly applied_body: string | null;
	readonly remote_id: string | null;
	readonly intent_at: number | null;
	readonly attempts: number;
	readonly run_id: number;
	readonly revision: number;
	readonly external_id: Anchor | null;
	readonly error: string | null;
}

/** Frees names before they are taken: ends, then renames, then the rest. */
export type Step = 0 | 1 | 2;

/** What the target has now, with whatever else is known of it. */
export interface Applied {
	readonly target: string;
	readonly account: number;
	/** Of `body`. */
	readonly digest: Buffer;
	/** The account as JSON; kept for as long as something else is wanted. */
	readonly body: string;
	readonly remoteId: string;
	readonly origin: "created" | "adopted";
}

/** What was tried. */
type Attempt = Pick<PendingRow, "account_id" | "revision" | "intent_at">;

/** How we came to an account that is there already. `before` is what it was, where that is not what we made it. */
export interface Match {
	readonly remoteId: string;
	/** Empty: it has none. */
	readonly externalId: Anchor;
	/** Of `body`; empty where that is not known. */
	readonly digest: Buffer;
	readonly body: string | undefined;
	readonly origin: "created" | "adopted";
	readonly before: string | undefined;
}

/** The side of the ledger that deliveries work on. `idOf` gives the number of a target that was named. */
export function openDeliveryLedger(db: Connection, idOf: (target: string) => number) {
	const select = (which: string, order: string) =>
		db.prepare<[number, number, number, number], PendingRow>(
			`SELECT l.account_id, e.anchor, l.kind, l.step, l.wanted, coalesce(l.body, a.body) AS body, l.applied, l.applied_body, l.remote_id, l.intent_at, l.attempts, l.run_id, l.revision, l.external_id, l.error
			FROM ledger l INDEXED BY ledger_pending JOIN entries e ON e.id = l.account_id LEFT JOIN accounts a ON a.id = l.account_id
			WHERE l.pending = 1 AND l.target_id = ? AND l.step = ? AND ${which} ORDER BY ${order} LIMIT ?`,
		);
	const due = "(l.next_at IS NULL OR l.next_at <= ?)";
	const fresh = select(`(l.attempts > 0) = 0 AND ${due}`, "l.account_id");
	// Who has waited longest, so that nobody keeps another one back for ever.
	const again = select(`(l.attempts > 0) = 1 AND ${due}`, "l.next_at, l.account_id");
	const waiting = select("(l.attempts > 0) = 1 AND l.next_at > ?", "l.account_id");
	const owner = db
		.prepare<[number, Anchor, number]>(
			"SELECT 1 FROM ledger l WHERE l.target_id = ? AND l.account_id IN (SELECT id FROM entries WHERE anchor = ?) AND l.account_id <> ?",
		)
		.pluck();
	const endDue = db
		.prepare<[number, number]>(
			`SELECT 1 FROM ledger l INDEXED BY ledger_pending WHERE l.pending = 1 AND l.target_id = ? AND l.step = 0 AND (l.attempts > 0) = 0 AND (l.next_at IS NULL OR l.next_at <= ?) LIMIT 1`,
		)
		.pluck();
	const intend = db.prepare<[number, number, number, number]>(
		"UPDATE ledger SET intent_at = ? WHERE target_id = ? AND account_id = ? AND revision = ?",
	);
	const isCurrent = db
		.prepare<[number, number, number]>("SELECT 1 FROM ledger WHERE target_id = ? AND account_id = ? AND revision = ?")
		.pluck();
	const match = db.prepare(
		`UPDATE ledger SET remote_id = @remoteId, external_id = @externalId, origin = @origin, before_image = coalesce(before_image, @before),
			applied = @digest, applied_body = @body, intent_at = NULL WHERE target_id = @target AND account_id = @account`,
	);
	const applied = db.prepare(
		`UPDATE ledger SET applied = @digest, applied_body = CASE WHEN wanted IS @digest THEN NULL ELSE @body END, remote_id = @remoteId, origin = coalesce(origin, @origin),
			external_id = NULL, intent_at = NULL, attempts = 0, next_at = NULL, error = NULL, pending = wanted IS NOT @digest WHERE target_id = @target AND account_id = @account`,
	);
	const appliedAsWanted = db.prepare<[string, string, number, number, Buffer]>(
		`UPDATE ledger SET applied = wanted, applied_body = NULL, remote_id = ?, origin = coalesce(origin, ?),
			external_id = NULL, intent_at = NULL, attempts = 0, next_at = NULL, error = NULL, pending = 0 WHERE target_id = ? AND account_id = ? AND wanted = ?`,
	);
	const rest = db.prepare<[number, number, Buffer]>("UPDATE ledger SET pending = 0 WHERE target_id = ? AND account_id = ? AND wanted = ?");
	const removed = db.prepare<[number, number]>("DELETE FROM ledger WHERE target_id = ? AND account_id = ? AND wanted IS NULL");
	// Only if nothing else is wanted since: the answer was to something that nobody wants any more.
	const failed = db.prepare<[number, string, number, number, number, number]>(
		"UPDATE ledger SET attempts = attempts + 1, next_at = ?, error = ?, intent_at = iif(?, NULL, intent_at) WHERE target_id = ? AND account_id = ? AND revision = ?",
	);
	// It stays ours: whoever has its externalId there is it, under another id.
	const lost = db.prepare<[number, number | null, number, number]>(
		`UPDATE ledger SET remote_id = NULL, applied = NULL, applied_body = NULL, found = NULL, intent_at = ?,
			revision = revision + 1, attempts = attempts + 1, next_at = ?, error = NULL, pending = 1 WHERE target_id = ? AND account_id = ?`,
	);
	const holder = db
		.prepare<[number, string, number]>(
			"SELECT e.anchor FROM ledger l JOIN entries e ON e.id = l.account_id WHERE l.target_id = ? AND l.remote_id = ? AND l.account_id <> ?",
		)
		.pluck();
	const managerId = db
		.prepare<[Anchor, number, number]>(
			`SELECT m.remote_id FROM entries me JOIN entries x ON x.source_id = me.source_id AND x.anchor = ? JOIN ledger m ON m.account_id = x.id
			WHERE me.id = ? AND m.target_id = ?`,
		)
		.pluck();
	// Who names this one as manager.
	const reports = "account_id IN (SELECT a.id FROM accounts a WHERE a.manager_dn_digest = (SELECT dn_digest FROM entries WHERE id = ?))";
	const wakeReports = db.prepare<[number, number]>(
		`UPDATE ledger SET pending = 1, revision = revision + 1 WHERE target_id = ? AND ${reports} AND remote_id IS NOT NULL AND applied IS NOT wanted AND released_at IS NULL`,
	);
	const outdateReports = db.prepare<[number, number]>(
		`UPDATE ledger SET applied = x'', applied_body = NULL WHERE target_id = ? AND ${reports} AND remote_id IS NOT NULL AND applied IS NOT NULL`,
	);
	const isManager = db
		.prepare<[number]>("SELECT 1 FROM accounts a WHERE a.manager_dn_digest = (SELECT dn_digest FROM entries WHERE id = ?) LIMIT 1")
		.pluck();
	const countPending = db
		.prepare<[number]>("SELECT count(*) FROM ledger INDEXED BY ledger_pending WHERE pending = 1 AND target_id = ?")
		.pluck();
	const isDue = db
		.prepare<[number]>("SELECT 1 FROM ledger INDEXED BY ledger_pending WHERE pending = 1 AND target_id = ? AND next_at IS NULL LIMIT 1")
		.pluck();
	const nextDue = db
		.prepare<[number]>("SELECT min(next_at) FROM ledger INDEXED BY ledger_pending WHERE pending = 1 AND target_id = ?")
		.pluck();

	return {
		/** Open and due, of those that were not tried yet, or of those that were. */
		pending: (target: string, which: "fresh" | "again", step: Step, now: number, limit: number): readonly PendingRow[] =>
			(which === "fresh" ? fresh : again).all(idOf(target), step, now, limit),
		/** Renames that were tried and are not due yet. */
		waitingRenames: (target: string, now: number, limit: number): readonly PendingRow[] => waiting.all(idOf(target), 1, now, limit),
		/** Whether an end that was not tried yet is due: nothing goes before it. */
		isEndDue: (target: string, now: number): boolean => endDue.get(idOf(target), now) !== undefined,
		/**
		 * Something is about to be sent, and may arrive whatever is heard of it. False: something else is wanted since, or it is another
		 * one's account now. `at` is Unix milliseconds.
		 */
		intend: (target: string, { account_id, revision }: Attempt, at: number): boolean =>
			intend.run(at, idOf(target), account_id, revision).changes === 1,
		/** Whether nothing else is wanted since. */
		isCurrent: (target: string, { account_id, revision }: Attempt): boolean =>
			isCurrent.get(idOf(target), account_id, revision) !== undefined,
		/** The account is there already, and ours from now on. */
		match: (target: string, account: number, { remoteId, externalId, digest, body, origin, before }: Match): void => {
			const id = idOf(target);
			match.run({ target: id, account, remoteId, externalId, digest, body: body ?? null, origin, before: before ?? null });
		},
		applied: ({ target, account, digest, body, remoteId, origin }: Applied): void => {
			const id = idOf(target);
			// Nearly always it is what is wanted still.
			if (appliedAsWanted.run(remoteId, origin, id, account, digest).changes === 1) return;
			applied.run({ target: id, account, digest, body, remoteId, origin });
		},
		/** Nothing more can be done for what is wanted now (the digest) until somebody else is there. */
		rest: (target: string, account: number, wanted: Buffer): void => void rest.run(idOf(target), account, wanted),
		removed: (target: string, account: number): void => {
			removed.run(idOf(target), account);
		},
		/** Not applied. Whether something arrived that was sent before, it does not say. Not tried again before `nextAt` (Unix milliseconds). */
		refused: (target: string, { account_id, revision, intent_at }: Attempt, error: string, nextAt: number): void => {
			failed.run(nextAt, error, intent_at === null ? 1 : 0, idOf(target), account_id, revision);
		},
		/** Not known to be applied; not tried again before `nextAt` (Unix milliseconds). */
		postponed: (target: string, { account_id, revision }: Attempt, error: string, nextAt: number): void => {
			failed.run(nextAt, error, 0, idOf(target), account_id, revision);
		},
		/** There is nothing under its remote id any more: it is looked for and made again, not before `nextAt`. Both are Unix milliseconds. */
		lost: (target: string, account: number, at: number, nextAt: number | undefined): void => {
			lost.run(at, nextAt ?? null, idOf(target), account);
		},
		/** Whose account a remote id is in this ledger, other than this one's. Wants `indexRemotes`. */
		holder: (target: string, remoteId: string, account: number): Anchor | undefined =>
			holder.get(idOf(target), remoteId, account) as Anchor | undefined,
		/** Whether an anchor is another account's in this ledger. */
		isOwned: (target: string, anchor: Anchor, account: number): boolean => owner.get(idOf(target), anchor, account) !== undefined,
		/** The remote id of the manager (an anchor of the same source) of an account. */
		managerId: (target: string, account: number, manager: Anchor): string | undefined =>
			(managerId.get(manager, account, idOf(target)) as string | null | undefined) ?? undefined,
		/** An account has its first remote id: whoever was sent without this manager is open again. */
		wakeReports: (target: string, account: number): void => {
			if (isManager.get(account) !== undefined) wakeReports.run(idOf(target), account);
		},
		/** Its remote id is good no more: what the target has of those who name it as manager is not known, and waits for the next one. */
		outdateReports: (target: string, account: number): void => {
			if (isManager.get(account) !== undefined) outdateReports.run(idOf(target), account);
		},
		countPending: (target: string): number => countPending.get(idOf(target)) as number,
		/** When the next open delivery may be tried: Unix milliseconds, 0 for now, undefined when nothing is open. */
		nextDue: (target: string): number | undefined => {
			const id = idOf(target);
			return isDue.get(id) === undefined ? ((nextDue.get(id) as number | null) ?? undefined) : 0;
		},
	};
}

/**
 * Finds accounts by remote id. Made when there is a target whose accounts have ids of their own: whoever has none is spared an index
 * as large as the ledger.
 */
export function indexRemotes(db: Connection): void {
	db.exec("CREATE INDEX IF NOT EXISTS ledger_by_remote ON ledger (target_id, remote_id) WHERE remote_id IS NOT NULL");
}
