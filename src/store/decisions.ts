import type { Cause, Change, ChangeKind, GroupChangeKind } from "../core/change.ts";
import type { Anchor } from "../core/entry.ts";
import type { HoldReason } from "../core/hold.ts";
import type { Connection } from "./database.ts";

export interface HeldRow {
	readonly source_id: number;
	readonly source: string;
	readonly entry_id: number;
	readonly anchor: Anchor;
	readonly subject: "account" | "group";
	readonly effect: string | null;
	readonly kind: ChangeKind | GroupChangeKind;
	/** The target whose own doing it is; empty: none. */
	readonly target: string;
	readonly why: string;
	readonly cause: Cause | null;
	readonly name: string;
	readonly reason: HoldReason;
	readonly because: string;
	readonly before: string | null;
	readonly after: string | null;
	readonly plan: string;
	readonly since: number;
}

/** As much of what waits as tells whether it is the same still. */
export type WaitingRow = Pick<HeldRow, "cause" | "after" | "effect">;

/** A held change about to be stored. */
export interface HeldChange {
	readonly id: number;
	readonly change: Change & { readonly cause: Cause | undefined; readonly effect: string };
	readonly reason: HoldReason;
	readonly because: string;
}

/** What waits for a person, what a person said no to, and what is set aside. */
export function openDecisions(db: Connection) {
	db.exec(
		"CREATE TEMP TABLE still_rejected (entry_id INTEGER NOT NULL, kind TEXT NOT NULL, target TEXT NOT NULL, PRIMARY KEY (entry_id, kind, target)) WITHOUT ROWID",
	);
	const sinces = db.prepare<[number], { entry_id: number; kind: string; target: string; since: number }>(
		"SELECT entry_id, kind, target, since FROM held WHERE source_id = ?",
	);
	const clearHeld = db.prepare<[number]>("DELETE FROM held WHERE source_id = ?");
	const hold = db.prepare(
		"INSERT INTO held (source_id, entry_id, subject, target, effect, kind, why, cause, name, reason, because, before, after, plan, since) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	);
	const held = db.prepare<[string], HeldRow>(
		`SELECT h.source_id, s.name AS source, h.entry_id, coalesce(e.anchor, g.anchor) AS anchor, h.subject, h.target, h.effect, h.kind, h.why, h.cause, h.name, h.reason, h.because, h.before, h.after, h.plan, h.since
		FROM held h JOIN sources s ON s.id = h.source_id LEFT JOIN entries e ON e.id = h.entry_id LEFT JOIN groups g ON g.id = h.entry_id WHERE h.plan = ? ORDER BY h.kind, h.name, h.entry_id`,
	);
	const reject = db.prepare(
		"INSERT INTO rejected (entry_id, kind, target, outcome, rejected_by, rejected_at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET outcome = excluded.outcome, rejected_by = excluded.rejected_by, rejected_at = excluded.rejected_at",
	);
	// A rejection stands until the change it refused is not planned any more: the person came back, or something else is wanted. What
	// is not planned because it cannot be told is no such thing.
	const forgetRejected = db.prepare(
		`DELETE FROM rejected WHERE EXISTS (SELECT 1 FROM outcomes o WHERE o.id = rejected.entry_id AND o.is_untold = 0 AND o.quarantine IS NULL)
		AND NOT EXISTS (SELECT 1 FROM prospects p JOIN targets t ON t.id = p.target_id WHERE p.id = rejected.entry_id AND t.name = rejected.target AND p.truth IS NULL)
		AND NOT EXISTS (SELECT 1 FROM still_rejected r WHERE r.entry_id = rejected.entry_id AND r.kind = rejected.kind AND r.target = rejected.target)`,
	);
	const setAside = db.prepare<[number, number]>(
		`INSERT INTO quarantine (source_id, entry_id, name, reason, since)
		SELECT ?, o.id, coalesce(a.user_name, o.user_name, s.anchor), o.quarantine, ? FROM outcomes o JOIN staged s ON s.id = o.id LEFT JOIN accounts a ON a.id = o.id
		WHERE o.quarantine IS NOT NULL
		ON CONFLICT DO UPDATE SET name = excluded.name, reason = excluded.reason`,
	);
	const release = db.prepare<[number]>(
		"DELETE FROM quarantine WHERE source_id = ? AND EXISTS (SELECT 1 FROM outcomes o WHERE o.id = quarantine.entry_id AND o.quarantine IS NULL)",
	);
	const countQuarantined = db.prepare<[number]>("SELECT count(*) FROM quarantine WHERE source_id = ?").pluck();
	const plannedQuarantine = db
		.prepare<[number]>(
			`SELECT (SELECT count(*) FROM outcomes WHERE quarantine IS NOT NULL)
			+ (SELECT count(*) FROM quarantine q WHERE q.source_id = ? AND NOT EXISTS (SELECT 1 FROM outcomes o WHERE o.id = q.entry_id))`,
		)
		.pluck();
	const waiting = db.prepare<[number, number, string, string], WaitingRow>(
		"SELECT cause, after, effect FROM held WHERE source_id = ? AND entry_id = ? AND kind = ? AND target = ?",
	);
	const newlyAside = `FROM outcomes o JOIN staged s ON s.id = o.id LEFT JOIN accounts a ON a.id = o.id
		WHERE o.quarantine IS NOT NULL AND NOT EXISTS (SELECT 1 FROM quarantine q WHERE q.entry_id = o.id)`;
	const countAside = db.prepare(`SELECT count(*) ${newlyAside}`).pluck();
	const setAsideNow = db.prepare<[number], { name: string; reason: string }>(
		`SELECT coalesce(a.user_name, o.user_name, s.anchor) AS name, o.quarantine AS reason ${newlyAside} ORDER BY o.id LIMIT ?`,
	);
	const keepRejected = db.prepare<[number, string, string]>(
		"INSERT OR IGNORE INTO still_rejected (entry_id, kind, target) VALUES (?, ?, ?)",
	);

	const keepAllRejected = db.prepare<[number]>(
		"INSERT OR IGNORE INTO still_rejected SELECT entry_id, kind, target FROM rejected WHERE entry_id = ?",
	);

	return {
		/** Replaces what is held of a source. Call inside the run's transaction. */
		replaceHeld: (sourceId: number, changes: Iterable<HeldChange>, plan: string, at: number): void => {
			const since = new Map(sinces.all(sourceId).map((row) => [`${row.entry_id} ${row.kind} ${row.target}`, row.since]));
			clearHeld.run(sourceId);
			for (const { id, change, reason, because } of changes) {
				const { subject, effect, kind, why, cause, name, before, after } = change;
				const target = change.subject === "account" ? (change.target ?? "") : "";
				hold.run(
					sourceId,
					id,
					subject,
					target,
					effect,
					kind,
					why,
					cause ?? null,
					name,
					reason,
					because,
					text(before),
					text(after),
					plan,
					since.get(`${id} ${kind} ${target}`) ?? at,
				);
			}
		},
		/** The changes that wait under this plan's name. */
		held: (plan: string): readonly HeldRow[] => held.all(plan),
		reject: (entryId: number, kind: ChangeKind | GroupChangeKind, target: string, outcome: Buffer, by: string, at: number): void => {
			reject.run(entryId, kind, target, outcome, by, at);
		},
		clearHeld: (sourceId: number): void => {
			clearHeld.run(sourceId);
		},
		/** A rejection that this run met again, and keeps. */
		keepRejected: (entryId: number, kind: ChangeKind, target: string): void => {
			keepRejected.run(entryId, kind, target);
		},
		/** All rejections of one entry: this run does not ask what else is planned of it. */
		keepAllRejected: (entryId: number): void => void keepAllRejected.run(entryId),
		/** Brings quarantine and rejections in line with the stage. Call inside the run's transaction, before accounts are written. */
		commit: (sourceId: number, at: number): void => {
			forgetRejected.run();
			setAside.run(sourceId, at);
			release.run(sourceId);
		},
		countQuarantined: (sourceId: number): number => countQuarantined.get(sourceId) as number,
		/** How many there will be once the stage is committed. */
		countPlannedQuarantine: (sourceId: number): number => plannedQuarantine.get(sourceId) as number,
		/** What waits of one entry, or group, under this kind already; `target` empty: everywhere. */
		waiting: (sourceId: number, id: number, kind: string, target: string): WaitingRow | undefined =>
			waiting.get(sourceId, id, kind, target),
		/** How many the stage sets aside who were not until now, and the first of them. */
		newQuarantine: (limit: number) => ({ count: countAside.get() as number, first: setAsideNow.all(limit) }),
		clear: (): void => {
			db.exec("DELETE FROM still_rejected");
		},
	};
}

function text(side: Change["before"]): string | null {
	return side === undefined ? null : JSON.stringify(side);
}
