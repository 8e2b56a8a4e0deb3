import type { Cause, ChangeKind } from "../core/change.ts";
import type { Anchor } from "../core/entry.ts";
import type { HoldReason } from "../core/hold.ts";
import type { Connection } from "./database.ts";
import { makeRows } from "./rows.ts";

const schema = `
-- What was seen of a person for a target with a view of its own, noted while the entry was at hand.
CREATE TEMP TABLE prospects (
	id INTEGER NOT NULL,
	target_id INTEGER NOT NULL,
	truth INTEGER,             -- what its condition says; null: nothing for certain
	why TEXT NOT NULL,
	doubt TEXT,                -- why an end by what was seen may be none
	fields TEXT,               -- by the target's own mapping
	is_present INTEGER NOT NULL,
	ended TEXT,                -- by what the directory ends the account, whatever becomes of it
	has_regained INTEGER NOT NULL,
	PRIMARY KEY (id, target_id)
) WITHOUT ROWID;
-- What the target is to have of it, beside what it was to have.
CREATE TEMP TABLE target_wants (
	id INTEGER NOT NULL,
	target_id INTEGER NOT NULL,
	before TEXT,
	desired TEXT,
	was_outside INTEGER NOT NULL,
	is_outside INTEGER NOT NULL,
	follows TEXT NOT NULL,     -- kinds of change that follow from changes of the account itself, comma-joined
	PRIMARY KEY (id, target_id)
) WITHOUT ROWID;
-- The target's own changes: judged, shown, held.
CREATE TEMP TABLE target_changes (
	id INTEGER NOT NULL,
	target_id INTEGER NOT NULL,
	kind TEXT NOT NULL,
	why TEXT NOT NULL,
	cause TEXT,
	reason TEXT,
	because TEXT,
	passed INTEGER NOT NULL DEFAULT 0,
	PRIMARY KEY (id, target_id, kind)
) WITHOUT ROWID;
`;

export interface Prospect {
	readonly id: number;
	readonly target: number;
	readonly truth: boolean | undefined;
	readonly why: string;
	readonly doubt: string | undefined;
	readonly fields: string | undefined;
	readonly isPresent: boolean;
	readonly ended: Cause | undefined;
	readonly hasRegained: boolean;
}

/** A prospect beside the account, as it was and as it is wanted, and beside what the target was to have. */
export interface ProspectRow {
	readonly id: number;
	readonly target_id: number;
	readonly truth: number | null;
	readonly why: string;
	readonly doubt: string | null;
	readonly fields: string | null;
	readonly is_present: number;
	readonly ended: Cause | null;
	readonly has_regained: number;
	readonly is_new: number;
	readonly body: string | null;
	readonly old_cause: Cause | null;
	readonly old_because: string | null;
	readonly desired: string | null;
	readonly cause: Cause | null;
	readonly because: string | null;
	readonly shielded: number;
	readonly lost: string | null;
	/** Kinds of the account's own changes that go out, comma-joined. */
	readonly kinds: string | null;
	readonly delete_why: string | null;
	readonly delete_cause: Cause | null;
	/** Whether anything was wanted there; where `own_body` is null, what the account had. */
	readonly is_there: number;
	readonly own_body: string | null;
	readonly is_outside: number;
}

export interface TargetWant {
	readonly id: number;
	readonly target: number;
	readonly before: string | undefined;
	readonly desired: string | undefined;
	readonly wasOutside: boolean;
	readonly isOutside: boolean;
	readonly follows: readonly ChangeKind[];
}

/** One of a target's own changes, with both sides. */
export interface TargetChangeRow {
	readonly id: number;
	readonly target_id: number;
	readonly anchor: Anchor;
	readonly kind: ChangeKind;
	readonly why: string;
	readonly cause: Cause | null;
	readonly reason: HoldReason | null;
	readonly because: string | null;
	readonly passed: number;
	readonly before: string | null;
	readonly desired: string | null;
	/** Of the same account at this target: the kinds that go out, comma-joined. */
	readonly passed_kinds: string;
}

/** What is carried out at one target for one account. */
export interface TargetWantRow {
	readonly id: number;
	readonly target_id: number;
	readonly before: string | null;
	readonly desired: string | null;
	readonly was_outside: number;
	readonly is_outside: number;
	readonly follows: string;
	readonly own: string | null;
	/** Own changes that do not go out. */
	readonly held: number;
	/** The account's own text, as it is by now. */
	readonly body: string | null;
}

/** What a run plans for targets with a view of their own, in temporary tables. Call what writes within a batch of the stage. */
export function openTargetPlan(db: Connection) {
	db.exec(schema);
	const prospects = makeRows(
		db,
		"INSERT INTO prospects (id, target_id, truth, why, doubt, fields, is_present, ended, has_regained) VALUES",
		"(?, ?, ?, ?, ?, ?, ?, ?, ?)",
	);
	const wants = makeRows(
		db,
		"INSERT INTO target_wants (id, target_id, before, desired, was_outside, is_outside, follows) VALUES",
		"(?, ?, ?, ?, ?, ?, ?)",
	);
	const changes = makeRows(
		db,
		"INSERT INTO target_changes (id, target_id, kind, why, cause, reason, because) VALUES",
		"(?, ?, ?, ?, ?, ?, ?)",
	);
	const waiting = [prospects, wants, changes];
	// Whoever is taken over brings along what the targets were to have, if that goes out.
	const page = db.prepare<[number, number, number], ProspectRow>(
		`SELECT v.id, v.target_id, v.truth, v.why, v.doubt, v.fields, v.is_present, v.ended, v.has_regained, s.is_new,
			a.body, a.cause AS old_cause, a.because AS old_because, o.desired, o.cause, o.because, o.shielded, o.lost,
			(SELECT group_concat(k.kind) FROM planned k WHERE k.id = v.id AND k.passed = 1) AS kinds, d.why AS delete_why, d.cause AS delete_cause,
			l.wanted IS NOT NULL AS is_there, l.body AS own_body, coalesce(l.is_outside, 0) AS is_outside
		FROM prospects v JOIN staged s ON s.id = v.id JOIN outcomes o ON o.id = v.id
		LEFT JOIN taken t ON t.taker = v.id AND EXISTS (SELECT 1 FROM planned u WHERE u.id = v.id AND u.kind = 'update' AND u.passed = 1)
		LEFT JOIN accounts a ON a.id = coalesce(t.id, v.id) LEFT JOIN ledger l ON l.target_id = v.target_id AND l.account_id = coalesce(t.id, v.id)
		LEFT JOIN planned d ON d.id = v.id AND d.kind = 'delete' AND d.passed = 1
		WHERE (v.id, v.target_id) > (?, ?) AND (v.truth = 1 OR l.wanted IS NOT NULL) ORDER BY v.id, v.target_id LIMIT ?`,
	);
	const changeRows = db.prepare<[number, number, string, number], TargetChangeRow>(
		`SELECT c.id, c.target_id, s.anchor, c.kind, c.why, c.cause, c.reason, c.because, c.passed, w.before, w.desired,
			w.follows || ',' || coalesce((SELECT group_concat(k.kind) FROM target_changes k WHERE k.id = c.id AND k.target_id = c.target_id AND k.passed = 1), '') AS passed_kinds
		FROM target_changes c JOIN target_wants w ON w.id = c.id AND w.target_id = c.target_id JOIN staged s ON s.id = c.id
		WHERE (c.id, c.target_id, c.kind) > (?, ?, ?) ORDER BY c.id, c.target_id, c.kind LIMIT ?`,
	);
	const wantRows = db.prepare<[number, number, number], TargetWantRow>(
		`SELECT w.id, w.target_id, w.before, w.desired, w.was_outside, w.is_outside, w.follows, a.body,
			(SELECT group_concat(k.kind) FROM target_changes k WHERE k.id = w.id AND k.target_id = w.target_id AND k.passed = 1) AS own,
			(SELECT count(*) FROM target_changes k WHERE k.id = w.id AND k.target_id = w.target_id AND k.passed = 0) AS held
		FROM target_wants w LEFT JOIN accounts a ON a.id = w.id WHERE (w.id, w.target_id) > (?, ?) ORDER BY w.id, w.target_id LIMIT ?`,
	);
	const rejected = db.prepare<
		[],
		{ id: number; target_id: number; kind: ChangeKind; cause: Cause | null; desired: string | null; outcome: Buffer }
	>(
		`SELECT c.id, c.target_id, c.kind, c.cause, w.desired, r.outcome FROM rejected r JOIN targets t ON t.name = r.target
		JOIN target_changes c ON c.id = r.entry_id AND c.target_id = t.id AND c.kind = r.kind JOIN target_wants w ON w.id = c.id AND w.target_id = c.target_id`,
	);
	const drop = db.prepare<[number, number, string]>("DELETE FROM target_changes WHERE id = ? AND target_id = ? AND kind = ?");
	const holdOf = db.prepare<[HoldReason, string, number]>("UPDATE target_changes SET reason = ?, because = ? WHERE id = ?");
	const holdKind = db.prepare<[HoldReason, string, number, string]>(
		"UPDATE target_changes SET reason = ?, because = ? WHERE target_id = ? AND kind = ? AND reason IS NULL AND passed = 0",
	);
	const release = db.prepare<[number, number, string]>(
		"UPDATE target_changes SET reason = NULL, because = NULL, passed = 1 WHERE id = ? AND target_id = ? AND kind = ?",
	);
	const pass = db.prepare("UPDATE target_changes SET passed = 1 WHERE reason IS NULL");
	const counts = db.prepare<[], { target_id: number; kind: ChangeKind; count: number }>(
		"SELECT target_id, kind, count(*) AS count FROM target_changes WHERE reason IS NULL AND passed = 0 GROUP BY target_id, kind",
	);
	const totals = db.prepare<[number], { count: number }>("SELECT count(*) AS count FROM target_changes WHERE passed = ?");
	const heldKinds = db.prepare<[], { target_id: number; kind: ChangeKind; because: string; count: number }>(
		"SELECT target_id, kind, because, count(*) AS count FROM target_changes WHERE passed = 0 GROUP BY target_id, kind, because ORDER BY target_id, kind, count DESC",
	);
	const population = db.prepare<[number, number], { total: number; active: number }>(
		`SELECT count(*) AS total, coalesce(sum(CASE WHEN l.body IS NULL THEN a.active ELSE l.body ->> '$.active' END), 0) AS active
		FROM ledger l JOIN entries e ON e.id = l.account_id AND e.source_id = ? LEFT JOIN accounts a ON a.id = l.account_id
		WHERE l.target_id = ? AND l.wanted IS NOT NULL`,
	);
	const scopeOf = db.prepare<[number, number]>("SELECT scope FROM target_scopes WHERE target_id = ? AND source_id = ?").pluck();
	const setScope = db.prepare<[number, number, string]>(
		"INSERT INTO target_scopes (target_id, source_id, scope) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET scope = excluded.scope",
	);

	return {
		prospect: (prospect: Prospect): void => {
			const { id, target, truth, why, doubt, fields, isPresent, ended, hasRegained } = prospect;
			const known = truth === undefined ? null : truth ? 1 : 0;
			prospects.add(id, target, known, why, doubt ?? null, fields ?? null, isPresent ? 1 : 0, ended ?? null, hasRegained ? 1 : 0);
		},
		/** Of whom a target is to have something, or had: in order of ids, then targets. */
		page: (afterId: number, afterTarget: number, limit: number): readonly ProspectRow[] => page.all(afterId, afterTarget, limit),
		want: ({ id, target, before, desired, wasOutside, isOutside, follows }: TargetWant): void => {
			wants.add(id, target, before ?? null, desired ?? null, wasOutside ? 1 : 0, isOutside ? 1 : 0, follows.join(","));
		},
		change: (
			{ id, target }: Pick<TargetWant, "id" | "target">,
			{ kind, why, cause }: { readonly kind: ChangeKind; readonly why: string; readonly cause: Cause | undefined },
			hold: { readonly reason: HoldReason; readonly because: string } | undefined,
		): void => {
			changes.add(id, target, kind, why, cause ?? null, hold?.reason ?? null, hold?.because ?? null);
		},
		flush: (): void => {
			for (const rows of waiting) rows.flush();
		},
		changes: (
			after: { readonly id: number; readonly target_id: number; readonly kind: string },
			limit: number,
		): readonly TargetChangeRow[] => changeRows.all(after.id, after.target_id, after.kind, limit),
		wants: (afterId: number, afterTarget: number, limit: number): readonly TargetWantRow[] => wantRows.all(afterId, afterTarget, limit),
		rejected: () => rejected.all(),
		drop: (id: number, target: number, kind: ChangeKind): void => void drop.run(id, target, kind),
		/** What an entry's lost attributes hold of it, at every target. */
		holdLoss: (id: number, reason: HoldReason, because: string): void => void holdOf.run(reason, because, id),
		holdKind: (target: number, kind: ChangeKind, reason: HoldReason, because: string): void =>
			void holdKind.run(reason, because, target, kind),
		release: (id: number, target: number, kind: ChangeKind): void => void release.run(id, target, kind),
		passRest: (): void => void pass.run(),
		/** Not held and not approved: what is judged by its number. */
		counts: () => counts.all(),
		passed: (): number => totals.get(1)?.count ?? 0,
		held: (): number => totals.get(0)?.count ?? 0,
		heldKinds: () => heldKinds.all(),
		/** What a target was to have of a source's people before the run. Walks them: ask only when there is something to judge. */
		population: (source: number, target: number): { readonly total: number; readonly active: number } =>
			population.get(source, target) ?? { total: 0, active: 0 },
		/** By what a source's people were last chosen for a target; undefined: everyone was. */
		scopeOf: (target: number, source: number): string | undefined => scopeOf.get(target, source) as string | undefined,
		setScope: (target: number, source: number, scope: string): void => void setScope.run(target, source, scope),
		clear: (): void => {
			for (const rows of waiting) rows.drop();
			db.exec("DELETE FROM prospects; DELETE FROM target_wants; DELETE FROM target_changes");
		},
	};
}

export type TargetPlan = ReturnType<typeof openTargetPlan>;
