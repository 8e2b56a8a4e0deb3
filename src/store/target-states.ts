import type { Connection } from "./database.ts";

/** Why a target takes nothing at all. */
export interface TargetTrouble {
	readonly because: string;
	readonly hint: string | undefined;
	/** Unix milliseconds, both. */
	readonly since: number;
	readonly retryAt: number;
	/** Tries that failed, one after the other. */
	readonly failures: number;
}

/** What the last reading back of a target found. */
export interface ReadBackCounts {
	/** Accounts of ours that are there as we left them. */
	readonly same: number;
	readonly changed: number;
	readonly missing: number;
	/** Accounts that are not ours; undefined: nobody knows. */
	readonly others: number | undefined;
}

/** How each target does as a whole. */
export function openTargetStates(db: Connection) {
	const read = db.prepare<
		[string],
		{ trouble: string | null; trouble_hint: string | null; trouble_since: number; retry_at: number; failures: number }
	>("SELECT trouble, trouble_hint, trouble_since, retry_at, failures FROM targets WHERE name = ?");
	const fail = db.prepare<[string, string | null, number, number, string]>(
		`UPDATE targets SET trouble = ?, trouble_hint = ?, trouble_since = iif(trouble IS NULL, ?, trouble_since), retry_at = ?, failures = failures + 1
		WHERE name = ?`,
	);
	const recover = db.prepare<[string]>(
		"UPDATE targets SET trouble = NULL, trouble_hint = NULL, trouble_since = NULL, retry_at = NULL, failures = 0 WHERE name = ? AND trouble IS NOT NULL",
	);
	const readBack = db.prepare<[number, string, string]>("UPDATE targets SET read_back_at = ?, read_back = ? WHERE name = ?");

	return {
		trouble: (target: string): TargetTrouble | undefined => {
			const row = read.get(target);
			if (row === undefined || row.trouble === null) return undefined;
			const { trouble, trouble_hint, trouble_since, retry_at, failures } = row;
			return { because: trouble, hint: trouble_hint ?? undefined, since: trouble_since, retryAt: retry_at, failures };
		},
		/** It takes nothing, and is tried again at `retryAt`. Both in Unix milliseconds. */
		failed: (target: string, because: string, hint: string | undefined, at: number, retryAt: number): void => {
			fail.run(because, hint ?? null, at, retryAt, target);
		},
		/** Whether it was in trouble until now. */
		recovered: (target: string): boolean => recover.run(target).changes === 1,
		wasReadBack: (target: string, at: number, counts: ReadBackCounts): void => {
			readBack.run(at, JSON.stringify(counts), target);
		},
	};
}
