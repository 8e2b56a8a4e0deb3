import type { Anchor } from "../core/entry.ts";
import type { Connection } from "./database.ts";
import { makeRows } from "./rows.ts";
import type { PresenceKind } from "./stage.ts";

/** What one run found of groups, beside the people's stage and like it in temporary tables. */
const schema = `
CREATE TEMP TABLE staged_groups (
	id INTEGER PRIMARY KEY,
	anchor TEXT NOT NULL,
	anchor_key BLOB NOT NULL,
	dn_digest BLOB NOT NULL,
	digest BLOB NOT NULL,
	bytes BLOB NOT NULL,
	members_sum BLOB NOT NULL,
	primary_id TEXT,
	in_scope INTEGER NOT NULL,
	is_new INTEGER NOT NULL,
	presence TEXT NOT NULL,
	evidence TEXT,
	doubt TEXT
);
CREATE TEMP TABLE staged_members (group_id INTEGER NOT NULL, member_id INTEGER NOT NULL, added INTEGER NOT NULL, PRIMARY KEY (group_id, member_id)) WITHOUT ROWID;
CREATE TEMP TABLE staged_strangers (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, name TEXT NOT NULL);
`;

export interface StagedGroup {
	readonly id: number;
	readonly anchor: Anchor;
	readonly key: Uint8Array;
	readonly dnDigest: Uint8Array;
	readonly digest: Uint8Array;
	readonly bytes: Uint8Array;
	readonly membersSum: Uint8Array;
	readonly primaryId: string | undefined;
	readonly isInScope: boolean;
	readonly isNew: boolean;
}

/** A group of the snapshot as this run leaves it. */
export interface GroupInfo {
	readonly id: number;
	readonly anchor: Anchor;
	readonly in_scope: number;
	readonly primary_id: string | null;
	readonly presence: PresenceKind;
	/** Why what this run says of it, or the last one that looked at it, is not certain. */
	readonly doubt: string | null;
	/** Whether this run staged it, and whether with another scope, primary id, presence or doubt than before. */
	readonly is_staged: number;
	readonly is_turned: number;
}

/** A staged group beside what the targets have of it. */
export interface StagedGroupRow {
	readonly id: number;
	readonly anchor: Anchor;
	readonly bytes: Buffer;
	readonly in_scope: number;
	readonly presence: PresenceKind;
	readonly evidence: string | null;
	readonly doubt: string | null;
	readonly body: string | null;
}

export function openGroupStage(db: Connection) {
	db.exec(schema);
	const put = db.prepare(
		`INSERT INTO staged_groups (id, anchor, anchor_key, dn_digest, digest, bytes, members_sum, primary_id, in_scope, is_new, presence)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'present') ON CONFLICT (id) DO UPDATE SET anchor = excluded.anchor, dn_digest = excluded.dn_digest, digest = excluded.digest,
		bytes = excluded.bytes, members_sum = excluded.members_sum, primary_id = excluded.primary_id, in_scope = excluded.in_scope, presence = 'present', evidence = NULL, doubt = NULL`,
	);
	const known = db.prepare<[number]>(
		`INSERT INTO staged_groups SELECT id, anchor, anchor_key, dn_digest, digest, bytes, members_sum, primary_id, in_scope, 0, coalesce(gone, 'present'), gone_evidence, gone_doubt
		FROM groups WHERE id = ? ON CONFLICT (id) DO NOTHING`,
	);
	const gone = db.prepare<[PresenceKind, string, string | null, number]>(
		`INSERT INTO staged_groups SELECT id, anchor, anchor_key, dn_digest, digest, bytes, members_sum, primary_id, in_scope, 0, ?, ?, ?
		FROM groups WHERE id = ? ON CONFLICT (id) DO UPDATE SET presence = excluded.presence, evidence = excluded.evidence, doubt = excluded.doubt`,
	);
	const doubt = db.prepare<[string | null, number]>("UPDATE staged_groups SET doubt = ? WHERE id = ?");
	const idByAnchor = db.prepare<[string]>("SELECT id FROM staged_groups WHERE anchor = ?").pluck();
	const idByDn = db.prepare<[Uint8Array]>("SELECT id FROM staged_groups WHERE dn_digest = ? AND presence = 'present'").pluck();
	const bytes = db
		.prepare<[number, number]>("SELECT coalesce((SELECT bytes FROM staged_groups WHERE id = ?), (SELECT bytes FROM groups WHERE id = ?))")
		.pluck();
	const has = db.prepare<[number]>("SELECT 1 FROM staged_groups WHERE id = ?").pluck();
	const any = db.prepare("SELECT 1 FROM staged_groups LIMIT 1").pluck();
	const members = makeRows(
		db,
		"INSERT INTO staged_members (group_id, member_id, added) VALUES",
		"(?, ?, ?)",
		"ON CONFLICT DO UPDATE SET added = excluded.added",
	);
	const unmember = db.prepare<[number]>("DELETE FROM staged_members WHERE group_id = ?");
	const stranger = db.prepare<[number, Uint8Array, string]>("INSERT INTO staged_strangers (id, key, name) VALUES (?, ?, ?)");
	const strangerId = db.prepare<[Uint8Array]>("SELECT id FROM staged_strangers WHERE key = ?").pluck();
	const info = db.prepare<[number], GroupInfo>(
		`SELECT g.id, g.anchor, coalesce(s.in_scope, g.in_scope) AS in_scope, coalesce(s.primary_id, g.primary_id) AS primary_id, coalesce(s.presence, g.gone, 'present') AS presence,
			iif(s.id IS NULL, g.gone_doubt, s.doubt) AS doubt, s.id IS NOT NULL AS is_staged, s.id IS NOT NULL AND (s.in_scope <> g.in_scope OR s.primary_id IS NOT g.primary_id OR s.presence <> coalesce(g.gone, 'present') OR (s.doubt IS NULL) <> (g.gone_doubt IS NULL)) AS is_turned
		FROM groups g LEFT JOIN staged_groups s ON s.id = g.id WHERE g.source_id = ?
		UNION ALL SELECT id, anchor, in_scope, primary_id, presence, doubt, 1, 1 FROM staged_groups WHERE is_new = 1`,
	);
	const staged = db.prepare<[], StagedGroupRow>(
		`SELECT s.id, s.anchor, s.bytes, s.in_scope, s.presence, s.evidence, s.doubt, g.body FROM staged_groups s LEFT JOIN groups g ON g.id = s.id ORDER BY s.id`,
	);
	const nested = db.prepare<[number, number], { parent: number; child: number }>(
		`SELECT m.group_id AS parent, m.member_id AS child FROM groups g CROSS JOIN members m ON m.member_id = g.id
		WHERE g.source_id = ? AND NOT EXISTS (SELECT 1 FROM staged_members x WHERE x.group_id = m.group_id AND x.member_id = m.member_id)
		UNION ALL
		SELECT x.group_id, x.member_id FROM (SELECT id FROM groups WHERE source_id = ? UNION SELECT id FROM staged_groups) g
		CROSS JOIN staged_members x ON x.member_id = g.id WHERE x.added = 1`,
	);
	const changedNesting = db.prepare<[number], { parent: number; child: number }>(
		`SELECT x.group_id AS parent, x.member_id AS child FROM (SELECT id FROM groups WHERE source_id = ? UNION SELECT id FROM staged_groups) g
		CROSS JOIN staged_members x ON x.member_id = g.id`,
	);
	const groupsOf = db
		.prepare<[number, number]>(
			`SELECT m.group_id FROM members m WHERE m.member_id = ? AND NOT EXISTS (SELECT 1 FROM staged_members x WHERE x.group_id = m.group_id AND x.member_id = m.member_id)
			UNION ALL SELECT group_id FROM staged_members WHERE member_id = ? AND added = 1`,
		)
		.pluck();
	const groupsOfKnown = db.prepare<[number]>("SELECT group_id FROM members WHERE member_id = ?").pluck();
	/** Whether anybody came or went in this run: a full evaluation asks for everybody's groups, most often with nothing staged. */
	let hasMembers = false;
	/** Those that are, and those that were until this run. */
	const membersOf = db
		.prepare<[number, number]>(
			"SELECT member_id FROM members WHERE group_id = ? UNION SELECT member_id FROM staged_members WHERE group_id = ?",
		)
		.pluck();
	const emptied = db.prepare<[number], { id: number; anchor: Anchor; is_remembered: number }>(
		`SELECT s.id, s.anchor, 0 AS is_remembered FROM staged_groups s WHERE s.presence = 'present' AND s.is_new = 0 AND EXISTS (SELECT 1 FROM staged_members x WHERE x.group_id = s.id AND x.added = 0)
		AND NOT EXISTS (SELECT 1 FROM staged_members x WHERE x.group_id = s.id AND x.added = 1)
		AND (SELECT count(*) FROM members m WHERE m.group_id = s.id) = (SELECT count(*) FROM staged_members x WHERE x.group_id = s.id)
		UNION ALL SELECT g.id, g.anchor, 1 FROM groups g WHERE g.source_id = ? AND g.gone IS NULL AND g.gone_doubt IS NOT NULL
			AND NOT EXISTS (SELECT 1 FROM staged_members x WHERE x.group_id = g.id)`,
	);
	const many = db.prepare("SELECT 1 FROM staged_members LIMIT 1 OFFSET 100").pluck();
	const strangersOfGroups = db.prepare<[number], { id: number; stranger: number }>(
		`SELECT s.id, x.id AS stranger FROM staged_groups s JOIN strangers x ON x.source_id = ? AND x.key = s.dn_digest WHERE s.presence = 'present' AND x.id <> s.id
		UNION SELECT s.id, x.id FROM staged_groups s JOIN staged_strangers x ON x.key = s.dn_digest WHERE s.presence = 'present' AND x.id <> s.id`,
	);
	const renamed = db
		.prepare("SELECT s.id FROM staged_groups s JOIN groups g ON g.id = s.id WHERE s.presence = 'present' AND s.dn_digest <> g.dn_digest")
		.pluck();
	const forgetSum = db.prepare<[number]>("UPDATE staged_groups SET members_sum = x'' WHERE id = ?");
	const changedMembers = db.prepare("SELECT DISTINCT member_id FROM staged_members").pluck();

	return {
		/** Call what writes here within a batch of the stage. */
		put: (group: StagedGroup): void => {
			const { id, anchor, key, dnDigest, digest, bytes, membersSum, primaryId, isInScope, isNew } = group;
			put.run(id, anchor, key, dnDigest, digest, bytes, membersSum, primaryId ?? null, isInScope ? 1 : 0, isNew ? 1 : 0);
		},
		/** Stages a group of the snapshot as the snapshot has it. */
		known: (id: number): void => void known.run(id),
		gone: (id: number, presence: "out-of-scope" | "deleted", evidence: string, because: string | undefined): void => {
			gone.run(presence, evidence, because ?? null, id);
		},
		/** Of a staged group. */
		doubt: (id: number, because: string): void => void doubt.run(because, id),
		/** Stages a group of the snapshot of which nothing is doubted any more. */
		believe: (id: number): void => {
			known.run(id);
			doubt.run(null, id);
		},
		idByAnchor: (anchor: Anchor): number | undefined => idByAnchor.get(anchor) as number | undefined,
		idByDn: (dnDigest: Uint8Array): number | undefined => idByDn.get(dnDigest) as number | undefined,
		bytes: (id: number): Buffer | undefined => (bytes.get(id, id) as Buffer | null | undefined) ?? undefined,
		has: (id: number): boolean => has.get(id) !== undefined,
		isEmpty: (): boolean => any.get() === undefined,
		/** A membership that came or went. */
		member: (group: number, member: number, added: boolean): void => {
			hasMembers = true;
			members.add(group, member, added ? 1 : 0);
		},
		/** Forgets what this run said of a group's members so far. */
		forgetMembers: (group: number): void => {
			members.flush();
			unmember.run(group);
		},
		/** Groups that this run read where other groups know a stranger. */
		strangersByDn: (sourceId: number) => strangersOfGroups.all(sourceId),
		/** Groups of the snapshot that have another DN now. */
		renamed: (): readonly number[] => renamed.all() as number[],
		/** Has a staged group's members compared one by one when it is read the next time, whatever their sum. */
		forgetSum: (id: number): void => void forgetSum.run(id),
		flush: (): void => members.flush(),
		drop: (): void => members.drop(),
		stranger: (id: number, key: Uint8Array, name: string): void => void stranger.run(id, key, name),
		strangerId: (key: Uint8Array): number | undefined => strangerId.get(key) as number | undefined,
		/** Before members are asked for by their own id, once all are staged. */
		indexMembers: (): void => {
			// A small stage is walked faster: after a change of schema every statement is prepared anew.
			if (many.get() === undefined) return;
			db.exec("CREATE INDEX IF NOT EXISTS temp.staged_members_by_member ON staged_members (member_id)");
		},
		info: (sourceId: number): readonly GroupInfo[] => info.all(sourceId),
		staged: (): readonly StagedGroupRow[] => staged.all(),
		nested: (sourceId: number) => nested.iterate(sourceId, sourceId),
		/** Nestings that came or went. */
		changedNesting: (sourceId: number) => changedNesting.all(sourceId),
		groupsOf: (member: number): readonly number[] => (hasMembers ? groupsOf.all(member, member) : groupsOfKnown.all(member)) as number[],
		membersOf: (group: number): readonly number[] => membersOf.all(group, group) as number[],
		/** Groups that had members and show none, in this run or since it was doubted in an earlier one. */
		emptied: (sourceId: number) => emptied.all(sourceId),
		changedMembers: (): readonly number[] => changedMembers.all() as number[],
		clear: (): void => {
			hasMembers = false;
			db.exec(
				"DROP INDEX IF EXISTS temp.staged_members_by_member; DELETE FROM staged_groups; DELETE FROM staged_members; DELETE FROM staged_strangers",
			);
		},
	};
}
