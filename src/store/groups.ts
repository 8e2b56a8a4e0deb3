import type { Anchor } from "../core/entry.ts";
import type { ScopeGroup } from "../source/source.ts";
import type { Connection } from "./database.ts";

export interface KnownGroup {
	readonly id: number;
	readonly anchor: Anchor;
	readonly digest: Buffer;
	readonly members_sum: Buffer;
	readonly in_scope: number;
	readonly gone: string | null;
	readonly gone_doubt: string | null;
}

/** A group that a rule names. `isMissing`: the last reading did not find it; then it is what was known under its name before. */
export interface PinnedGroup extends ScopeGroup {
	readonly isMissing?: true;
}

/** The groups' side of the snapshot, for one run. Nothing here writes. */
export function openGroups(db: Connection) {
	const columns = "id, anchor, digest, members_sum, in_scope, gone, gone_doubt";
	const byAnchor = db.prepare<[number, string], KnownGroup>(`SELECT ${columns} FROM groups WHERE source_id = ? AND anchor = ?`);
	const byId = db.prepare<[number], KnownGroup>(`SELECT ${columns} FROM groups WHERE id = ?`);
	const kept = db.prepare<[number]>("SELECT id FROM groups WHERE source_id = ? AND body IS NOT NULL").pluck();
	const count = db.prepare<[number]>("SELECT count(*) FROM groups WHERE source_id = ?").pluck();
	const present = db.prepare<[number], { id: number; anchor: Anchor; bytes: Buffer }>(
		"SELECT id, anchor, bytes FROM groups WHERE source_id = ? AND (gone IS NULL OR gone_doubt IS NOT NULL)",
	);
	const members = db.prepare<[number]>("SELECT member_id FROM members WHERE group_id = ?").pluck();
	const groupsOf = db.prepare<[number]>("SELECT group_id FROM members WHERE member_id = ?").pluck();
	const isMember = db.prepare<[number, number]>("SELECT 1 FROM members WHERE group_id = ? AND member_id = ?").pluck();
	const stranger = db.prepare<[number, Uint8Array]>("SELECT id FROM strangers WHERE source_id = ? AND key = ?").pluck();
	const hasStrangers = db.prepare<[number]>("SELECT 1 FROM strangers WHERE source_id = ? LIMIT 1").pluck();
	const entryByAnchor = db.prepare<[number, string]>("SELECT id FROM entries WHERE source_id = ? AND anchor = ?").pluck();
	const entryByDn = db
		.prepare<[number, Uint8Array]>("SELECT id FROM entries WHERE source_id = ? AND dn_digest = ? AND gone IS NULL")
		.pluck();
	const groupByDn = db
		.prepare<[number, Uint8Array]>("SELECT id FROM groups WHERE source_id = ? AND dn_digest = ? AND gone IS NULL")
		.pluck();
	const scope = db.prepare<[number]>("SELECT scope_groups FROM sources WHERE id = ?").pluck();
	const named = db.prepare<[number]>("SELECT rule_groups FROM sources WHERE id = ?").pluck();
	const heldMembers = db.prepare<[number]>("SELECT account_id FROM held_members WHERE source_id = ?").pluck();
	const keys = {
		anchor: db.prepare<[number, number, number], { id: number; key: Buffer }>(
			`SELECT id, anchor_key AS key FROM entries WHERE source_id = ? UNION ALL SELECT id, anchor_key FROM groups WHERE source_id = ?
			UNION ALL SELECT id, key FROM strangers WHERE source_id = ?`,
		),
		dn: db.prepare<[number, number, number], { id: number; key: Buffer }>(
			`SELECT id, dn_digest AS key FROM entries WHERE source_id = ? AND gone IS NULL UNION ALL SELECT id, dn_digest FROM groups WHERE source_id = ? AND gone IS NULL
			UNION ALL SELECT id, key FROM strangers WHERE source_id = ?`,
		),
	} as const;

	return {
		byAnchor: (sourceId: number, anchor: Anchor): KnownGroup | undefined => byAnchor.get(sourceId, anchor),
		byId: (id: number): KnownGroup | undefined => byId.get(id),
		/** Those that the targets have, or are to have. */
		kept: (sourceId: number): readonly number[] => kept.all(sourceId) as number[],
		count: (sourceId: number): number => count.get(sourceId) as number,
		/** Those that are there, or of which it is doubted that they are not. */
		present: (sourceId: number) => present.all(sourceId),
		/** The same one by one: nothing may be written meanwhile. */
		walk: (sourceId: number) => present.iterate(sourceId),
		/** Direct members, as ids of people, groups or strangers. */
		members: (group: number): readonly number[] => members.all(group) as number[],
		isMember: (group: number, member: number): boolean => isMember.get(group, member) !== undefined,
		/** The groups that have this one, or this person or stranger, as a direct member. */
		groupsOf: (member: number): readonly number[] => groupsOf.all(member) as number[],
		stranger: (sourceId: number, key: Uint8Array): number | undefined => stranger.get(sourceId, key) as number | undefined,
		hasStrangers: (sourceId: number): boolean => hasStrangers.get(sourceId) !== undefined,
		/** The id of the person or group with this anchor, whether it is there still or not. */
		idByAnchor: (sourceId: number, anchor: Anchor): number | undefined =>
			(entryByAnchor.get(sourceId, anchor) ?? byAnchor.get(sourceId, anchor)?.id) as number | undefined,
		idByDn: (sourceId: number, dnDigest: Uint8Array): number | undefined =>
			(entryByDn.get(sourceId, dnDigest) ?? groupByDn.get(sourceId, dnDigest)) as number | undefined,
		/** Every key that a member can have, with its id. */
		keys: (sourceId: number, by: "anchor" | "dn") => keys[by].iterate(sourceId, sourceId, sourceId),
		/** The groups of `users.groups` at the last reading; undefined when there were none to be in. */
		scope: (sourceId: number): readonly ScopeGroup[] | undefined => {
			const text = scope.get(sourceId) as string | null | undefined;
			return text == null ? undefined : parseGroups(text);
		},
		/** The groups that rules name, as the last reading found them. */
		named: (sourceId: number): readonly PinnedGroup[] => {
			const text = named.get(sourceId) as string | null | undefined;
			return text == null ? [] : parseGroups(text);
		},
		/** Accounts of which a membership is held that should end. */
		heldMembers: (sourceId: number): readonly number[] => heldMembers.all(sourceId) as number[],
	};
}

/** Older versions left `dnKey`, when a DN was the only name that a group could have here: the key of a DN is the same still. */
interface StoredGroup {
	readonly nameKey?: string;
	readonly dnKey?: string;
	readonly anchor: Anchor;
	readonly isMissing?: true;
}

function parseGroups(text: string): readonly PinnedGroup[] {
	return (JSON.parse(text) as StoredGroup[]).flatMap(({ nameKey, dnKey, ...rest }) => {
		const key = nameKey ?? dnKey;
		return key === undefined ? [] : [{ nameKey: key, ...rest }];
	});
}
