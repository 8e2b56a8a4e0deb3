import type { Mode, RunReport, Trigger } from "../sync/report.ts";
import type { Connection } from "./database.ts";

/** The history of runs. A row is there from the start of a run, so that one which was cut can be told. */
export function openRuns(db: Connection) {
	const sourceId = db
		.prepare<[string]>("INSERT INTO sources (name) VALUES (?) ON CONFLICT (name) DO UPDATE SET name = name RETURNING id")
		.pluck();
	const begin = db.prepare<[number, Mode, Trigger, number, number | null]>(
		"INSERT INTO runs (source_id, mode, \"trigger\", started_at, reverts, outcome) VALUES (?, ?, ?, ?, ?, 'running')",
	);
	const interrupt = db.prepare<[number]>(
		"UPDATE runs SET outcome = 'failed', ended_at = ?, error = 'the process ended before the run did; nothing of it was kept' WHERE outcome = 'running'",
	);
	const end = db.prepare(
		`UPDATE runs SET mode = ?, ended_at = ?, outcome = ?, sealed = ?, unsealed = ?, full_because = ?, server = ?, error = ?, entries_read = ?,
		created = ?, updated = ?, disabled = ?, enabled = ?, deleted = ?, entitlements = ?, held = ?, quarantined = ? WHERE id = ?`,
	);
	const lastGood = db
		.prepare<[string]>(
			"SELECT max(r.started_at) FROM runs r JOIN sources s ON s.id = r.source_id WHERE s.name = ? AND r.outcome IN ('succeeded', 'held', 'partial')",
		)
		.pluck();
	const prune = db.prepare<[number]>(
		"DELETE FROM runs WHERE started_at < ? AND id NOT IN (SELECT max(id) FROM runs WHERE outcome <> 'failed' GROUP BY source_id, mode UNION SELECT max(id) FROM runs GROUP BY source_id)",
	);

	return {
		/** Returns the run's id and its source's. `reverts`: the run that this one takes back. */
		begin: (
			source: string,
			mode: Mode,
			trigger: Trigger,
			at: number,
			reverts: number | undefined,
		): { readonly run: number; readonly sourceId: number } => {
			const id = sourceId.get(source) as number;
			return { run: Number(begin.run(id, mode, trigger, at, reverts ?? null).lastInsertRowid), sourceId: id };
		},
		/** Marks runs that a crash left open. Call only while holding the database's lock. */
		interruptOpen: (at: number): number => interrupt.run(at).changes,
		end: (report: Omit<RunReport, "deliveries" | "delivered" | "pending">, at: number): void => {
			const error =
				report.error === undefined
					? null
					: report.error.hint === undefined
						? report.error.message
						: `${report.error.message}. ${report.error.hint}`;
			end.run(
				report.mode,
				at,
				report.outcome,
				report.sealed ? 1 : 0,
				JSON.stringify(report.unsealed),
				report.fullBecause ?? null,
				report.server ?? null,
				error,
				report.read,
				report.created,
				report.updated,
				report.disabled,
				report.enabled,
				report.deleted,
				report.entitlements ?? 0,
				report.held,
				report.quarantined,
				report.run,
			);
		},
		/** When the run began that left a source as it is, Unix milliseconds; undefined: none did yet. */
		lastGoodAt: (source: string): number | undefined => (lastGood.get(source) as number | null) ?? undefined,
		/** Removes runs begun before `before` (Unix milliseconds), but never a source's newest, nor the newest good one of a mode. */
		prune: (before: number): number => prune.run(before).changes,
	};
}
