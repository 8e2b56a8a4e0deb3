import type { Cause } from "../core/change.ts";
import type { Anchor } from "../core/entry.ts";
import type { PinRecord } from "../core/pin.ts";
import { spread } from "../lib/spread.ts";
import type { Connection } from "./database.ts";

/** All that one entry's own rows say of a person. */
export interface PersonRow {
	readonly id: number;
	readonly source: string;
	readonly anchor: Anchor;
	readonly bytes: Buffer | null;
	/** Undefined: there. */
	readonly gone: "out-of-scope" | "deleted" | null;
	readonly gone_evidence: string | null;
	readonly gone_doubt: string | null;
	readonly protected: number;
	/** The run that read the entry as it is known; null: one of a version that did not keep it, or one that is forgotten. */
	readonly read_run: number | null;
	readonly server: string | null;
	readonly read_at: number | null;
	readonly body: string | null;
	readonly cause: Cause | null;
	readonly because: string | null;
	readonly ended_at: number | null;
	readonly due_at: number | null;
	readonly quarantine: string | null;
	readonly quarantined_since: number | null;
}

/** One change of a person that waits for somebody to decide. */
export interface HeldOfPerson {
	readonly kind: string;
	/** Empty: everywhere. */
	readonly target: string;
	readonly why: string;
	readonly because: string;
	readonly plan: string;
	readonly since: number;
}

/** A change that somebody said no to, or took back: not planned again until something else is wanted. */
export interface RefusedOfPerson {
	readonly kind: string;
	readonly target: string;
	readonly rejected_by: string;
	readonly rejected_at: number;
}

/** What one target is to have of a person, and has. */
export interface LedgerOfPerson {
	readonly target: string;
	/** What is wanted there where it is not what the account has. */
	readonly body: string | null;
	readonly is_wanted: number;
	readonly is_applied: number;
	readonly is_same: number;
	readonly applied_body: string | null;
	readonly is_outside: number;
	readonly remote_id: string | null;
	readonly origin: string | null;
	readonly kind: string;
	readonly pending: number;
	readonly attempts: number;
	readonly next_at: number | null;
	readonly error: string | null;
	readonly released_at: number | null;
	readonly trouble: string | null;
	readonly retry_at: number | null;
}

export interface ChangeOfPerson {
	readonly at: number;
	readonly run: number;
	readonly kind: string;
	readonly target: string | null;
	readonly name: string;
	readonly why: string;
	readonly result: string;
}

/** The run that saw everybody last. */
export interface LastFull {
	readonly run: number;
	readonly at: number;
	readonly server: string | null;
	readonly sealed: number;
}

/** What `explain` reads of one person. Nothing here writes. */
export function openPeople(db: Connection) {
	const byClaim = db.prepare<[number, number]>("SELECT DISTINCT account_id FROM claims WHERE claim IN (?, ?)").pluck();
	const byAnchor = db.prepare<[string]>("SELECT id FROM entries WHERE anchor = ?").pluck();
	const byDn = db.prepare<[Uint8Array]>("SELECT id FROM entries WHERE dn_digest = ?").pluck();
	const everybody = db
		.prepare<[], [number, Buffer]>("SELECT e.id, b.bytes FROM entries e JOIN entry_bytes b ON b.id = e.id ORDER BY e.id")
		.raw();
	const person = db.prepare<[number], PersonRow>(
		`SELECT e.id, s.name AS source, e.anchor, b.bytes, e.gone, e.gone_evidence, e.gone_doubt, e.protected, e.read_run, r.server, coalesce(r.ended_at, r.started_at) AS read_at,
			a.body, a.cause, a.because, a.ended_at, a.due_at, q.reason AS quarantine, q.since AS quarantined_since
		FROM entries e JOIN sources s ON s.id = e.source_id LEFT JOIN entry_bytes b ON b.id = e.id LEFT JOIN runs r ON r.id = e.read_run
		LEFT JOIN accounts a ON a.id = e.id LEFT JOIN quarantine q ON q.source_id = e.source_id AND q.entry_id = e.id WHERE e.id = ?`,
	);
	const held = db.prepare<[number], HeldOfPerson>(
		"SELECT kind, target, why, because, plan, since FROM held WHERE entry_id = ? ORDER BY target, kind",
	);
	const refused = db.prepare<[number], RefusedOfPerson>(
		"SELECT kind, target, rejected_by, rejected_at FROM rejected WHERE entry_id = ? ORDER BY target, kind",
	);
	const pins = db.prepare<[number], PinRecord>(
		"SELECT part, kept, run_id AS run, pinned_by AS by, pinned_at AS at FROM pins WHERE entry_id = ? ORDER BY part",
	);
	const ledger = db.prepare<[number], LedgerOfPerson>(
		`SELECT t.name AS target, l.body, l.wanted IS NOT NULL AS is_wanted, l.applied IS NOT NULL AS is_applied, l.applied IS l.wanted AS is_same, l.applied_body, l.is_outside,
			l.remote_id, l.origin, l.kind, l.pending, l.attempts, l.next_at, l.error, l.released_at, t.trouble, t.retry_at
		FROM ledger l JOIN targets t ON t.id = l.target_id WHERE l.account_id = ? ORDER BY t.name`,
	);
	const changes = db.prepare<[string, string, number], ChangeOfPerson>(
		"SELECT at, run_id AS run, kind, target, name, why, result FROM changes WHERE anchor = ? AND source = ? AND subject = 'account' ORDER BY sequence DESC LIMIT ?",
	);
	const anchorOfName = db.prepare<[string], { anchor: Anchor; source: string }>(
		"SELECT DISTINCT anchor, source FROM changes WHERE subject = 'account' AND (name = ? COLLATE NOCASE) LIMIT 10",
	);
	const lastFull = db.prepare<[string], LastFull>(
		`SELECT r.id AS run, r.ended_at AS at, r.server, r.sealed FROM runs r JOIN sources s ON s.id = r.source_id
		WHERE s.name = ? AND r.mode = 'full' AND r.outcome NOT IN ('failed', 'running') AND r."trigger" NOT IN ('approve', 'revert') ORDER BY r.id DESC LIMIT 1`,
	);

	return {
		/** Ids by userName or e-mail address of an account, or by anchor. */
		byName: (name: string): readonly number[] => {
			const key = name.toLowerCase();
			const ids = [...byClaim.all(spread(`userName ${key}`), spread(`e-mail ${key}`)), ...byAnchor.all(key)];
			return [...new Set(ids as number[])];
		},
		byDn: (dnDigest: Uint8Array): readonly number[] => byDn.all(dnDigest) as number[],
		/** The bytes of every entry, of one page after the other: some hundred thousand take less than a second. */
		everybody: (): IterableIterator<[number, Buffer]> => everybody.iterate(),
		person: (id: number): PersonRow | undefined => person.get(id),
		held: (id: number): readonly HeldOfPerson[] => held.all(id),
		refused: (id: number): readonly RefusedOfPerson[] => refused.all(id),
		/** What is kept against the directory's word. */
		pins: (id: number): readonly PinRecord[] => pins.all(id),
		ledger: (id: number): readonly LedgerOfPerson[] => ledger.all(id),
		/** Newest first. */
		changes: (anchor: string, source: string, limit: number): readonly ChangeOfPerson[] => changes.all(anchor, source, limit),
		/** Who had a userName once, by the change log: it is walked. */
		onceNamed: (name: string) => anchorOfName.all(name),
		lastFull: (source: string): LastFull | undefined => lastFull.get(source),
	};
}

export type People = ReturnType<typeof openPeople>;
