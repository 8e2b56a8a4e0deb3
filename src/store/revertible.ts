import type { Account } from "../core/account.ts";
import type { ChangeKind } from "../core/change.ts";
import type { Anchor } from "../core/entry.ts";
import type { AccountNow } from "../core/revert.ts";
import type { Connection } from "./database.ts";

/** One change that a run made, as the change log has it. */
export interface RevertibleRow {
	readonly sequence: number;
	readonly at: number;
	readonly subject: "account" | "group";
	/** The target whose own doing it was; null: none. */
	readonly target: string | null;
	readonly kind: ChangeKind;
	readonly anchor: Anchor;
	readonly name: string;
	readonly why: string;
	readonly before: string | null;
	readonly after: string | null;
}

/** As it is carried out: neither rejected nor a delivery. */
const WENT_OUT = "(result = 'committed' OR result GLOB 'approved by *' OR result GLOB 'reverted run *')";

/** What the undoing of a run is worked out from. Nothing here writes. */
export function openRevertible(db: Connection) {
	const source = db.prepare<[number]>("SELECT s.name FROM runs r JOIN sources s ON s.id = r.source_id WHERE r.id = ?").pluck();
	const page = db.prepare<[number, string, number, number], RevertibleRow>(
		`SELECT sequence, at, subject, target, kind, anchor, name, why, before, after FROM changes
		WHERE run_id = ? AND source = ? AND subject IN ('account', 'group') AND ${WENT_OUT} AND sequence > ? ORDER BY sequence LIMIT ?`,
	);
	const account = db.prepare<[number], { body: string; ended_at: number | null }>("SELECT body, ended_at FROM accounts WHERE id = ?");
	const later = db
		.prepare<[string, string, number]>(
			`SELECT run_id FROM changes WHERE anchor = ? AND source = ? AND sequence > ? AND subject = 'account' AND target IS NULL
			AND kind IN ('create', 'delete', 'disable', 'enable') AND ${WENT_OUT} ORDER BY sequence DESC LIMIT 1`,
		)
		.pluck();
	const isHeld = db.prepare<[number]>("SELECT 1 FROM held WHERE entry_id = ? LIMIT 1");

	return {
		/** The source of a run; undefined: there is no such run, or it is forgotten. */
		sourceOf: (run: number): string | undefined => source.get(run) as string | undefined,
		/** What it did, in order: an account's changes are next to each other. */
		page: (run: number, of: string, after: number, limit: number): readonly RevertibleRow[] => page.all(run, of, after, limit),
		/** An account as it is now. `last`: the run's last change of it. */
		now: (id: number, of: string, { anchor, sequence }: Pick<RevertibleRow, "anchor" | "sequence">): AccountNow => {
			const row = account.get(id);
			return {
				account: row && (JSON.parse(row.body) as Account),
				endedAt: row?.ended_at ?? undefined,
				changedBy: later.get(anchor, of, sequence) as number | undefined,
				isHeld: isHeld.get(id) !== undefined,
			};
		},
	};
}
