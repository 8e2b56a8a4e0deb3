import type { Connection } from "./database.ts";

/** Targets within the database itself are as it says, whenever it was copied: not those whose mirror stands for a file elsewhere. */
const ELSEWHERE =
	"SELECT t.id FROM targets t WHERE t.name NOT IN (SELECT l.target FROM local_accounts l) OR t.name IN (SELECT f.target FROM file_targets f WHERE f.shape IS NOT NULL)";

const ofSource = "IN (SELECT id FROM entries WHERE source_id = @source)";
const groupsOfSource = "IN (SELECT id FROM groups WHERE source_id = @source)";

/**
 * A database that was put in the place of a newer one does not know what was read and delivered since. What it says that a target has
 * is no more than a guess: everything there counts as sent and never answered (`intent_at`), so that it is compared before it is
 * changed and looked for before it is made. Nothing that was open goes out before a full reading was sealed: until then it is what
 * the directory said once.
 */
export function openRestored(db: Connection) {
	const marks = [
		"UPDATE sources SET restored_at = @at",
		`UPDATE targets SET restored_at = @at, trouble = NULL, trouble_hint = NULL, trouble_since = NULL, failures = 0, retry_at = NULL WHERE id IN (${ELSEWHERE})`,
		"UPDATE ledger SET pending = 0",
		"UPDATE group_ledger SET pending = 0",
		// The revision is part of a change's name: runs get numbers again that other runs had.
		`UPDATE ledger SET intent_at = @at, revision = @at, attempts = 0, next_at = NULL, error = NULL, found = NULL,
			kind = iif(kind = 'create' AND applied IS NOT NULL, 'update', kind) WHERE target_id IN (${ELSEWHERE})`,
		`UPDATE group_ledger SET intent_at = @at, revision = @at, attempts = 0, next_at = NULL, error = NULL WHERE target_id IN (${ELSEWHERE})`,
		"UPDATE file_targets SET written = NULL WHERE length IS NULL",
		"UPDATE sqlite_sequence SET seq = max(seq, @lastRun) WHERE name = 'runs'",
	].map((sql) => db.prepare(sql));
	const find = db.prepare<[number]>("SELECT restored_at FROM sources WHERE id = ?").pluck();
	// Who must not be there any more is not known either: of a group, every member is said again.
	const reopening = [
		`UPDATE ledger SET pending = 1 WHERE pending = 0 AND released_at IS NULL AND (intent_at IS NOT NULL OR applied IS NOT wanted) AND account_id ${ofSource}`,
		`INSERT INTO member_ledger (target_id, group_id, account_id, wanted) SELECT l.target_id, m.group_id, m.account_id, 1
			FROM group_ledger l JOIN memberships m ON m.group_id = l.group_id
			WHERE l.intent_at IS NOT NULL AND l.wanted IS NOT NULL AND l.group_id ${groupsOfSource} ON CONFLICT DO NOTHING`,
		`UPDATE group_ledger SET pending = 1 WHERE pending = 0 AND (intent_at IS NOT NULL OR applied IS NOT wanted
			OR EXISTS (SELECT 1 FROM member_ledger m WHERE m.target_id = group_ledger.target_id AND m.group_id = group_ledger.group_id))
			AND group_id ${groupsOfSource}`,
		"UPDATE sources SET restored_at = NULL WHERE id = @source",
	].map((sql) => db.prepare(sql));

	return {
		/** `at` is Unix milliseconds. `lastRun`: the highest number that a run of the database before it had, as far as it can be told. */
		mark: (at: number, lastRun: number): void => {
			db.transaction(() => {
				for (const step of marks) step.run(step.source.includes("@lastRun") ? { lastRun } : step.source.includes("@at") ? { at } : {});
			}).immediate();
		},
		/** A full reading of this source was sealed. Call inside the run's transaction, before its groups are committed. */
		reopen: (source: number): void => {
			if (((find.get(source) as number | null | undefined) ?? null) === null) return;
			for (const step of reopening) step.run({ source });
		},
	};
}
