import type { GroupChangeKind } from "../core/change.ts";
import type { Anchor } from "../core/entry.ts";
import type { Group } from "../core/group.ts";
import type { HoldReason } from "../core/hold.ts";
import type { Connection } from "./database.ts";
import { makeRows } from "./rows.ts";

const schema = `
CREATE TEMP TABLE touched (id INTEGER PRIMARY KEY);
CREATE TEMP TABLE staged_memberships (group_id INTEGER NOT NULL, account_id INTEGER NOT NULL, added INTEGER NOT NULL, PRIMARY KEY (group_id, account_id)) WITHOUT ROWID;
CREATE TEMP TABLE planned_groups (
	id INTEGER NOT NULL,
	kind TEXT NOT NULL,
	why TEXT NOT NULL,
	desired TEXT,
	effect TEXT NOT NULL,  -- what the plan's name is made of
	reason TEXT,
	because TEXT,
	passed INTEGER NOT NULL DEFAULT 0,
	PRIMARY KEY (id, kind)
) WITHOUT ROWID;
`;

/** An account whose memberships are planned: as it will be after this run. */
export interface TouchedRow {
	readonly id: number;
	readonly exists_after: number;
	/** An end of it is held: its memberships stay as they are. */
	readonly is_frozen: number;
	readonly is_deleted: number;
	readonly primary_id: string | null;
}

export interface PlannedGroup {
	readonly id: number;
	readonly anchor: Anchor;
	readonly kind: GroupChangeKind;
	readonly why: string;
	readonly effect: string;
	readonly reason: HoldReason | null;
	readonly because: string | null;
	readonly passed: number;
	readonly body: string | null;
	readonly desired: string | null;
}

/** What a run plans for groups and memberships, in temporary tables. */
export function openGroupPlan(db: Connection) {
	db.exec(schema);
	const touch = db.prepare<[number]>("INSERT OR IGNORE INTO touched (id) VALUES (?)");
	const touchStaged = db.prepare("INSERT OR IGNORE INTO touched SELECT id FROM outcomes");
	const touched = db.prepare<[number, number], TouchedRow>(
		`SELECT t.id,
			CASE WHEN EXISTS (SELECT 1 FROM planned p WHERE p.id = t.id AND p.kind = 'delete' AND p.passed = 1) THEN 0 WHEN a.id IS NOT NULL OR EXISTS (SELECT 1 FROM taken k WHERE k.taker = t.id) THEN 1
				ELSE EXISTS (SELECT 1 FROM planned p WHERE p.id = t.id AND p.kind = 'create' AND p.passed = 1) END AS exists_after,
			EXISTS (SELECT 1 FROM planned p WHERE p.id = t.id AND p.kind IN ('disable', 'delete') AND p.passed = 0) AS is_frozen,
			coalesce(s.presence, e.gone, 'present') = 'deleted' AS is_deleted,
			coalesce(o.primary_id, m.primary_id) AS primary_id
		FROM touched t LEFT JOIN accounts a ON a.id = t.id LEFT JOIN staged s ON s.id = t.id LEFT JOIN entries e ON e.id = t.id
		LEFT JOIN outcomes o ON o.id = t.id LEFT JOIN primary_members m ON m.member_id = t.id
		WHERE t.id > ? ORDER BY t.id LIMIT ?`,
	);
	const primaryPeople = db
		.prepare<[number, string]>("SELECT member_id FROM primary_members WHERE source_id = ? AND primary_id = ?")
		.pluck();
	const memberships = db.prepare<[number]>("SELECT group_id FROM memberships WHERE account_id = ?").pluck();
	const membership = makeRows(db, "INSERT INTO staged_memberships (group_id, account_id, added) VALUES", "(?, ?, ?)");
	const counts = db.prepare<[], { id: number; added: number; removed: number }>(
		"SELECT group_id AS id, sum(added) AS added, sum(1 - added) AS removed FROM staged_memberships GROUP BY group_id",
	);
	const count = db.prepare<[number, number]>("SELECT count(*) FROM staged_memberships WHERE group_id = ? AND added = ?").pluck();
	const named = db.prepare<[number, number, number], { anchor: Anchor; name: string }>(
		`SELECT coalesce(e.anchor, s.anchor) AS anchor, coalesce(o.user_name, a.user_name, '') AS name FROM staged_memberships m
		LEFT JOIN entries e ON e.id = m.account_id LEFT JOIN staged s ON s.id = m.account_id LEFT JOIN outcomes o ON o.id = m.account_id LEFT JOIN accounts a ON a.id = m.account_id
		WHERE m.group_id = ? AND m.added = ? ORDER BY m.account_id LIMIT ?`,
	);
	const anchors = db
		.prepare<[number, number]>(
			`SELECT coalesce(e.anchor, s.anchor) FROM staged_memberships m LEFT JOIN entries e ON e.id = m.account_id LEFT JOIN staged s ON s.id = m.account_id
			WHERE m.group_id = ? AND m.added = ?`,
		)
		.pluck();
	const total = db.prepare<[number]>("SELECT memberships FROM sources WHERE id = ?").pluck();
	const groupCount = db.prepare<[number]>("SELECT count(*) FROM groups WHERE source_id = ? AND body IS NOT NULL").pluck();
	const plan = db.prepare<[number, GroupChangeKind, string, string | null, string]>(
		"INSERT INTO planned_groups (id, kind, why, desired, effect) VALUES (?, ?, ?, ?, ?)",
	);
	const planUpdate = db.prepare<[number, string, string | null, string]>(
		`INSERT INTO planned_groups (id, kind, why, desired, effect) VALUES (?, 'update', ?, ?, ?)
		ON CONFLICT DO UPDATE SET why = why || '; ' || excluded.why, effect = effect || excluded.effect`,
	);
	const hold = db.prepare<[HoldReason, string, number, string]>(
		"UPDATE planned_groups SET reason = ?, because = ? WHERE id = ? AND kind = ?",
	);
	const holdKind = db.prepare<[HoldReason, string, string]>(
		"UPDATE planned_groups SET reason = ?, because = ? WHERE kind = ? AND reason IS NULL AND passed = 0",
	);
	const release = db.prepare<[number, string]>(
		"UPDATE planned_groups SET reason = NULL, because = NULL, passed = 1 WHERE id = ? AND kind = ?",
	);
	const pass = db.prepare("UPDATE planned_groups SET passed = 1 WHERE reason IS NULL");
	const drop = db.prepare<[number, string]>("DELETE FROM planned_groups WHERE id = ? AND kind = ?");
	const dropMembers = db.prepare<[number]>("DELETE FROM staged_memberships WHERE group_id = ? AND added = 0");
	const unheld = db.prepare<[string]>("SELECT count(*) FROM planned_groups WHERE kind = ? AND reason IS NULL AND passed = 0").pluck();
	const unheldRemovals = db
		.prepare(
			"SELECT count(*) FROM planned_groups p JOIN staged_memberships m ON m.group_id = p.id AND m.added = 0 WHERE p.kind = 'remove' AND p.reason IS NULL AND p.passed = 0",
		)
		.pluck();
	const rows = db.prepare<[], PlannedGroup>(
		`SELECT p.id, coalesce(g.anchor, s.anchor) AS anchor, p.kind, p.why, p.effect, p.reason, p.because, p.passed, g.body, p.desired
		FROM planned_groups p LEFT JOIN groups g ON g.id = p.id LEFT JOIN staged_groups s ON s.id = p.id ORDER BY p.id, p.kind`,
	);
	const heldKinds = db.prepare<[], { kind: GroupChangeKind; because: string; count: number }>(
		"SELECT kind, because, count(*) AS count FROM planned_groups WHERE passed = 0 GROUP BY kind, because ORDER BY kind, count DESC",
	);
	const totals = db.prepare<[], { kind: GroupChangeKind; passed: number; count: number }>(
		"SELECT kind, passed, count(*) AS count FROM planned_groups GROUP BY kind, passed",
	);
	const memberTotals = db.prepare<[], { added: number; removed: number }>(
		`SELECT coalesce(sum(m.added), 0) AS added, coalesce(sum(1 - m.added), 0) AS removed FROM staged_memberships m
		WHERE m.added = 1 OR EXISTS (SELECT 1 FROM planned_groups p WHERE p.id = m.group_id AND p.kind = 'remove' AND p.passed = 1)`,
	);
	const updated = db.prepare("SELECT count(DISTINCT id) FROM planned_groups WHERE passed = 1 AND kind IN ('update', 'remove')").pluck();
	const rejected = db.prepare<[], { id: number; kind: GroupChangeKind; effect: string; outcome: Buffer }>(
		"SELECT p.id, p.kind, p.effect, r.outcome FROM rejected r JOIN planned_groups p ON p.id = r.entry_id AND p.kind = r.kind",
	);

	return {
		/** Names an account whose memberships are to be planned; what is no account is passed over. */
		touch: (id: number): void => void touch.run(id),
		/** Everyone whom this run plans. */
		touchStaged: (): void => void touchStaged.run(),
		touched: (after: number, limit: number): readonly TouchedRow[] => touched.all(after, limit),
		/** People who name a primary group, as of the last commit. */
		primaryPeople: (sourceId: number, primaryId: string): readonly number[] => primaryPeople.all(sourceId, primaryId) as number[],
		memberships: (account: number): readonly number[] => memberships.all(account) as number[],
		membership: (group: number, account: number, added: boolean): void => membership.add(group, account, added ? 1 : 0),
		flush: (): void => membership.flush(),
		/** How many memberships of each group come and go. */
		counts: () => counts.all(),
		count: (group: number, added: boolean): number => count.get(group, added ? 1 : 0) as number,
		/** Some of those accounts, for a person. */
		named: (group: number, added: boolean, limit: number) => named.all(group, added ? 1 : 0, limit),
		anchors: (group: number, added: boolean) => anchors.iterate(group, added ? 1 : 0) as IterableIterator<string>,
		/** Memberships, and groups at the targets, at the last commit. */
		population: (sourceId: number): { readonly memberships: number; readonly groups: number } => ({
			memberships: (total.get(sourceId) as number | undefined) ?? 0,
			groups: groupCount.get(sourceId) as number,
		}),
		plan: (id: number, kind: GroupChangeKind, why: string, desired: Group | undefined, effect: string): void => {
			plan.run(id, kind, why, desired === undefined ? null : JSON.stringify(desired), effect);
		},
		/** Members that come are part of the group's update, if there is one. */
		planUpdate: (id: number, why: string, desired: string | null, effect: string): void => void planUpdate.run(id, why, desired, effect),
		hold: (id: number, kind: GroupChangeKind, reason: HoldReason, because: string): void => void hold.run(reason, because, id, kind),
		holdKind: (kind: GroupChangeKind, reason: HoldReason, because: string): void => void holdKind.run(reason, because, kind),
		release: (id: number, kind: GroupChangeKind): void => void release.run(id, kind),
		passRest: (): void => void pass.run(),
		/** Takes a change out of the plan, and the memberships that it would end. */
		drop: (id: number, kind: GroupChangeKind): void => {
			drop.run(id, kind);
			if (kind === "remove") dropMembers.run(id);
		},
		/** Not held and not approved: what is judged by its number. */
		unheld: (kind: GroupChangeKind): number => unheld.get(kind) as number,
		unheldRemovals: (): number => unheldRemovals.get() as number,
		rows: (): readonly PlannedGroup[] => rows.all(),
		heldKinds: () => heldKinds.all(),
		totals: () => totals.all(),
		/** Groups of which fields or members change. */
		updated: (): number => updated.get() as number,
		memberTotals: () => memberTotals.get() as { readonly added: number; readonly removed: number },
		rejected: () => rejected.all(),
		clear: (): void => {
			db.exec("DELETE FROM touched; DELETE FROM staged_memberships; DELETE FROM planned_groups");
		},
	};
}
