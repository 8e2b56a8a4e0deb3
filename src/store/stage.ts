import type { Account } from "../core/account.ts";
import type { Cause, ChangeKind } from "../core/change.ts";
import type { Anchor } from "../core/entry.ts";
import type { HoldReason } from "../core/hold.ts";
import type { Connection } from "./database.ts";
import { makeRows } from "./rows.ts";

/**
 * The stage: what one run has found and planned, in temporary tables of its own connection. They live in memory while small and
 * in an unnamed file when not, die with the connection, and are what keeps a plan of a million changes out of the heap.
 */
export const stageSchema = `
CREATE TEMP TABLE staged (
	id INTEGER PRIMARY KEY,
	anchor TEXT NOT NULL,
	anchor_key BLOB NOT NULL,
	digest BLOB,
	dn_digest BLOB,
	is_read INTEGER NOT NULL, -- 0: not read again, the snapshot's bytes are good
	is_new INTEGER NOT NULL,
	presence TEXT NOT NULL,   -- present, out-of-scope, deleted
	evidence TEXT,
	doubt TEXT
);
-- Apart, because the rest is walked several times.
CREATE TEMP TABLE staged_bytes (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
CREATE TEMP TABLE outcomes (
	id INTEGER PRIMARY KEY,
	desired TEXT,
	desired_digest BLOB,
	user_name TEXT,
	active INTEGER,
	cause TEXT,
	because TEXT,
	ended_at INTEGER,
	due_at INTEGER,
	quarantine TEXT,
	manager_dn_digest BLOB,
	primary_id TEXT,
	shielded INTEGER NOT NULL,
	reclaims INTEGER NOT NULL,  -- its claims are planned anew: those it had are free unless staged again
	is_untold INTEGER NOT NULL, -- what is not planned may not be wanted, or not be known to be
	lost TEXT                   -- attributes the entry had and has not any more, comma-joined
);
CREATE TEMP TABLE planned (
	id INTEGER NOT NULL,
	kind TEXT NOT NULL,
	why TEXT NOT NULL,
	cause TEXT,
	reason TEXT,
	because TEXT,
	passed INTEGER NOT NULL DEFAULT 0,
	PRIMARY KEY (id, kind)
) WITHOUT ROWID;
CREATE TEMP TABLE staged_claims (claim INTEGER NOT NULL, id INTEGER NOT NULL);
`;

export type PresenceKind = "present" | "out-of-scope" | "deleted";

export interface StagedEntry {
	readonly id: number;
	readonly anchor: Anchor;
	readonly key: Uint8Array;
	readonly digest: Uint8Array;
	readonly dnDigest: Uint8Array;
	readonly bytes: Uint8Array;
	readonly isNew: boolean;
}

/** One staged person beside what the snapshot and the accounts have. */
export interface StagedRow {
	readonly id: number;
	readonly anchor: Anchor;
	readonly bytes: Buffer | null;
	readonly old_bytes: Buffer | null;
	readonly is_new: number;
	readonly presence: PresenceKind;
	readonly evidence: string | null;
	readonly doubt: string | null;
	readonly gone: string | null;
	readonly gone_doubt: string | null;
	readonly protected: number | null;
	readonly body: string | null;
	readonly cause: Cause | null;
	readonly ended_at: number | null;
}

export interface MovedRow {
	readonly id: number;
	readonly anchor: Anchor;
	readonly dn_digest: Buffer | null;
	readonly old_dn_digest: Buffer | null;
}

export interface StagedOutcome {
	readonly id: number;
	readonly desired: Account | undefined;
	readonly desiredText: string | undefined;
	readonly desiredDigest: Buffer | undefined;
	readonly cause: Cause | undefined;
	readonly because: string | undefined;
	readonly endedAt: number | undefined;
	readonly dueAt: number | undefined;
	readonly quarantine: string | undefined;
	readonly managerDnDigest: Buffer | undefined;
	/** What names its primary group, where groups are read. */
	readonly primaryId: string | undefined;
	readonly isShielded: boolean;
	readonly reclaims: boolean;
	/** Whether something of it cannot be told, so that a change that is not planned may be wanted all the same. */
	readonly isUntold: boolean;
	readonly lost: string | undefined;
}

/** A planned change with both sides, as `plan` shows it and `commit` carries it out. */
export interface PlannedRow {
	readonly id: number;
	readonly anchor: Anchor;
	readonly kind: ChangeKind;
	readonly why: string;
	readonly cause: Cause | null;
	readonly reason: HoldReason | null;
	readonly because: string | null;
	readonly passed: number;
	/** Of the same account: the kinds that go out, comma-joined. */
	readonly passed_kinds: string | null;
	readonly desired: string | null;
	readonly body: string | null;
}

/** Opens the stage on a connection. `nextId` hands out entry ids that nobody else gets. */
export function openStage(db: Connection, nextId: () => number) {
	db.exec(stageSchema);
	const entries = makeRows(
		db,
		"INSERT INTO staged (id, anchor, anchor_key, digest, dn_digest, is_read, is_new, presence) VALUES",
		"(?, ?, ?, ?, ?, 1, ?, 'present')",
		`ON CONFLICT (id) DO UPDATE SET digest = excluded.digest, dn_digest = excluded.dn_digest, is_read = 1, presence = 'present', evidence = NULL, doubt = NULL`,
	);
	const bytes = makeRows(db, "INSERT OR REPLACE INTO staged_bytes (id, bytes) VALUES", "(?, ?)");
	const stagedId = db.prepare<[string], { id: number }>("SELECT id FROM staged WHERE anchor = ?");
	const known = db.prepare<[number]>(
		`INSERT INTO staged (id, anchor, anchor_key, is_read, is_new, presence, evidence, doubt)
		SELECT id, anchor, anchor_key, 0, 0, coalesce(gone, 'present'), gone_evidence, gone_doubt FROM entries WHERE id = ? ON CONFLICT (id) DO NOTHING`,
	);
	const gone = db.prepare<[PresenceKind, string, string | null, number]>(
		`INSERT INTO staged (id, anchor, anchor_key, is_read, is_new, presence, evidence, doubt)
		SELECT id, anchor, anchor_key, 0, 0, ?, ?, ? FROM entries WHERE id = ?
		ON CONFLICT (id) DO UPDATE SET presence = excluded.presence, evidence = excluded.evidence, doubt = excluded.doubt, is_read = 0`,
	);
	const page = db.prepare<[number, number], StagedRow>(
		`SELECT s.id, s.anchor, n.bytes, b.bytes AS old_bytes, s.is_new, s.presence, s.evidence, s.doubt, e.gone, e.gone_doubt, e.protected, a.body, a.cause, a.ended_at
		FROM staged s LEFT JOIN staged_bytes n ON n.id = s.id AND s.is_read = 1 LEFT JOIN entries e ON e.id = s.id LEFT JOIN entry_bytes b ON b.id = s.id LEFT JOIN accounts a ON a.id = s.id
		WHERE s.id > ? ORDER BY s.id LIMIT ?`,
	);
	const outcomes = makeRows(
		db,
		"INSERT INTO outcomes (id, desired, desired_digest, user_name, active, cause, because, ended_at, due_at, quarantine, manager_dn_digest, primary_id, shielded, reclaims, is_untold, lost) VALUES",
		"(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	);
	const planned = makeRows(db, "INSERT INTO planned (id, kind, why, cause, reason, because) VALUES", "(?, ?, ?, ?, ?, ?)");
	const claimed = makeRows(db, "INSERT INTO staged_claims (claim, id) VALUES", "(?, ?)");
	const waiting = [entries, bytes, outcomes, planned, claimed];
	const stagedByDn = db.prepare<[Uint8Array], { anchor: Anchor }>("SELECT anchor FROM staged WHERE dn_digest = ? AND presence = 'present'");
	const plannedPage = db.prepare<[number, string, number], PlannedRow>(
		`SELECT p.id, s.anchor, p.kind, p.why, p.cause, p.reason, p.because, p.passed, o.desired, a.body,
			CASE WHEN a.id IS NOT NULL THEN (SELECT group_concat(k.kind) FROM planned k WHERE k.id = p.id AND k.passed = 1) END AS passed_kinds
		FROM planned p JOIN staged s ON s.id = p.id JOIN outcomes o ON o.id = p.id LEFT JOIN taken t ON t.taker = p.id LEFT JOIN accounts a ON a.id = coalesce(t.id, p.id)
		WHERE (p.id, p.kind) > (?, ?) ORDER BY p.id, p.kind LIMIT ?`,
	);

	const newBytes = db.prepare<[number], { bytes: Buffer }>("SELECT bytes FROM staged_bytes WHERE id = ?");
	const isDoubted = db.prepare<[number]>("SELECT 1 FROM staged WHERE id = ? AND presence <> 'present' AND doubt IS NOT NULL");
	const has = db.prepare<[number]>("SELECT 1 FROM staged WHERE id = ? AND (is_read = 1 OR presence <> 'present')");
	const moved = db.prepare<[number, number], MovedRow>(
		`SELECT s.id, s.anchor, s.dn_digest, e.dn_digest AS old_dn_digest FROM staged s LEFT JOIN entries e ON e.id = s.id
		WHERE s.id > ? AND ((s.presence = 'present' AND s.is_read = 1 AND (e.id IS NULL OR e.gone IS NOT NULL OR e.dn_digest <> s.dn_digest))
			OR (s.presence <> 'present' AND s.doubt IS NULL AND e.gone IS NULL)) ORDER BY s.id LIMIT ?`,
	);
	const newKeys = db.prepare<[], { id: number; key: Buffer }>("SELECT id, anchor_key AS key FROM staged WHERE is_new = 1");
	const keysByDn = db.prepare<[], { id: number; key: Buffer }>(
		"SELECT id, dn_digest AS key FROM staged WHERE presence = 'present' AND is_read = 1",
	);
	const strangersByDn = db.prepare<[number], { id: number; stranger: number }>(
		`SELECT s.id, x.id AS stranger FROM staged s JOIN strangers x ON x.source_id = ? AND x.key = s.dn_digest
		WHERE s.presence = 'present' AND s.is_read = 1 AND x.id <> s.id`,
	);
	const idByDn = db.prepare<[Uint8Array]>("SELECT id FROM staged WHERE dn_digest = ? AND presence = 'present' AND is_read = 1").pluck();
	const many = db.prepare<[], 1>("SELECT 1 FROM staged LIMIT 1 OFFSET 100");
	let hasAnchorIndex = false;

	const clear = (): void => {
		hasAnchorIndex = false;
		db.exec(
			"DROP INDEX IF EXISTS temp.staged_by_anchor; DROP INDEX IF EXISTS temp.staged_by_dn; DELETE FROM staged; DELETE FROM staged_bytes; DELETE FROM outcomes; DELETE FROM planned; DELETE FROM staged_claims",
		);
	};

	return {
		clear,
		/** A new entry id. Two runs at the same time never get the same one. */
		allocate: nextId,
		/** Runs `work` in one transaction on the stage: much faster, and nothing else is written meanwhile. */
		batch: <T>(work: () => T): T => {
			try {
				return db.transaction(() => {
					const done = work();
					for (const rows of waiting) rows.flush();
					return done;
				})();
			} catch (error) {
				for (const rows of waiting) rows.drop();
				throw error;
			}
		},
		/** Within a batch, as all that follows here and writes. */
		entry: (staged: StagedEntry): void => {
			entries.add(staged.id, staged.anchor, staged.key, staged.digest, staged.dnDigest, staged.isNew ? 1 : 0);
			bytes.add(staged.id, staged.bytes);
		},
		/** The id under which an anchor was staged in this run. */
		idOf: (anchor: Anchor): number | undefined => {
			// Made when first asked for: a first reading of everyone never asks.
			if (!hasAnchorIndex) db.exec("CREATE INDEX temp.staged_by_anchor ON staged (anchor)");
			hasAnchorIndex = true;
			entries.flush();
			return stagedId.get(anchor)?.id;
		},
		/** New entries of this run by their anchors' octets, and all that it read by the digests of their DNs. */
		newKeys: () => newKeys.iterate(),
		keysByDn: () => keysByDn.iterate(),
		/** Entries that this run read where groups know a stranger. */
		strangersByDn: (sourceId: number) => strangersByDn.all(sourceId),
		idByDn: (dnDigest: Uint8Array): number | undefined => {
			entries.flush();
			return idByDn.get(dnDigest) as number | undefined;
		},
		/** Stages an entry of the snapshot that was not read again, as the snapshot has it. */
		known: (id: number): void => {
			entries.flush();
			known.run(id);
		},
		gone: (id: number, presence: "out-of-scope" | "deleted", evidence: string, doubt: string | undefined): void => {
			entries.flush();
			gone.run(presence, evidence, doubt ?? null, id);
		},
		count: (): number => db.prepare("SELECT count(*) FROM staged").pluck().get() as number,
		indexDns: (): void => {
			// A small stage is walked faster: after a change of schema every statement is prepared anew, some ms in each delta.
			if (many.get() !== undefined) db.exec("CREATE INDEX IF NOT EXISTS temp.staged_by_dn ON staged (dn_digest)");
		},
		/** The bytes that this run read of an entry, if it did. */
		bytes: (id: number): Buffer | undefined => {
			entries.flush();
			return newBytes.get(id)?.bytes;
		},
		/** Whether the entry is gone from sight in this run, and that is doubted: for others it is there still. */
		isDoubted: (id: number): boolean => isDoubted.get(id) !== undefined,
		/** Whether this run read the entry anew, or found it gone. */
		has: (id: number): boolean => {
			entries.flush();
			return has.get(id) !== undefined;
		},
		/** Staged entries that came, left or changed their DN: what names them by DN must be looked at again. */
		moved: (after: number, limit: number): readonly MovedRow[] => moved.all(after, limit),
		page: (after: number, limit: number): readonly StagedRow[] => page.all(after, limit),
		anchorByDn: (dnDigest: Uint8Array): Anchor | undefined => {
			entries.flush();
			return stagedByDn.get(dnDigest)?.anchor;
		},
		outcome: (outcome: StagedOutcome): void => {
			const { desired } = outcome;
			outcomes.add(
				outcome.id,
				outcome.desiredText ?? null,
				outcome.desiredDigest ?? null,
				desired?.userName ?? null,
				desired === undefined ? null : desired.active ? 1 : 0,
				outcome.cause ?? null,
				outcome.because ?? null,
				outcome.endedAt ?? null,
				outcome.dueAt ?? null,
				outcome.quarantine ?? null,
				outcome.managerDnDigest ?? null,
				outcome.primaryId ?? null,
				outcome.isShielded ? 1 : 0,
				outcome.reclaims ? 1 : 0,
				outcome.isUntold ? 1 : 0,
				outcome.lost ?? null,
			);
		},
		planned: (
			id: number,
			kind: ChangeKind,
			why: string,
			cause: Cause | undefined,
			reason: HoldReason | undefined,
			because: string | undefined,
		): void => {
			planned.add(id, kind, why, cause ?? null, reason ?? null, because ?? null);
		},
		claims: (claims: readonly number[], id: number): void => {
			for (const claim of claims) claimed.add(claim, id);
		},
		plannedPage: (afterId: number, afterKind: string, limit: number): readonly PlannedRow[] => plannedPage.all(afterId, afterKind, limit),
	};
}
