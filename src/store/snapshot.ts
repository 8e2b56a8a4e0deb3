import type { Cursor } from "../core/cursor.ts";
import type { Anchor } from "../core/entry.ts";
import type { HoldReason } from "../core/hold.ts";
import type { Container } from "../source/source.ts";
import type { Connection } from "./database.ts";

/** What a source was at its last committed reading. `id` 0: it never had a run. */
export interface SourceState {
	readonly id: number;
	readonly cursor: Cursor | undefined;
	readonly identity: string | undefined;
	readonly scope: string | undefined;
	readonly attributes: string | undefined;
	/** Which groups were kept. */
	readonly groupScope: string | undefined;
	readonly rules: string | undefined;
	readonly lastFullAt: number | undefined;
	/** When a backup was restored, if the source was not read in full, and sealed, since. Unix milliseconds. */
	readonly restoredAt: number | undefined;
	readonly lastFullRead: number | undefined;
	/** Entries that were there; and those that were once. */
	readonly entries: number;
	readonly gone: number;
	readonly active: number;
	readonly inactive: number;
}

interface SourceRow {
	readonly id: number;
	readonly cursor: Cursor | null;
	readonly identity: string | null;
	readonly scope: string | null;
	readonly attributes: string | null;
	readonly group_scope: string | null;
	readonly rules: string | null;
	readonly last_full_at: number | null;
	readonly restored_at: number | null;
	readonly last_full_read: number | null;
	readonly entries: number;
	readonly gone_entries: number;
	readonly active_accounts: number;
	readonly inactive_accounts: number;
}

export interface KnownEntry {
	readonly id: number;
	readonly digest: Buffer;
	readonly gone: string | null;
}

export interface EntryBytes {
	readonly id: number;
	readonly anchor: Anchor;
	readonly bytes: Buffer;
}

/** The read side of the snapshot, for one run. Nothing here writes. */
export function openSnapshot(db: Connection) {
	const state = db.prepare<[string], SourceRow>(
		`SELECT id, cursor, identity, scope, attributes, group_scope, rules, last_full_at, restored_at, last_full_read, entries, gone_entries, active_accounts, inactive_accounts
		FROM sources WHERE name = ?`,
	);
	const present = db
		.prepare<[number], [number, Buffer, Buffer]>("SELECT id, anchor_key, digest FROM entries WHERE source_id = ? AND gone IS NULL")
		.raw();
	const byAnchor = db.prepare<[number, string], KnownEntry>("SELECT id, digest, gone FROM entries WHERE source_id = ? AND anchor = ?");
	const byDn = db.prepare<[number, Uint8Array], { id: number; anchor: Anchor }>(
		"SELECT id, anchor FROM entries WHERE source_id = ? AND dn_digest = ? AND (gone IS NULL OR gone_doubt IS NOT NULL)",
	);
	const names = db.prepare("SELECT name FROM sources ORDER BY name").pluck();
	const protectedIds = db.prepare<[number]>("SELECT id FROM entries WHERE source_id = ? AND protected = 1").pluck();
	const dnDigest = db.prepare<[number]>("SELECT dn_digest FROM entries WHERE id = ?").pluck();
	const bytes = db.prepare<[number], EntryBytes>(
		"SELECT e.id, e.anchor, b.bytes FROM entries e JOIN entry_bytes b ON b.id = e.id WHERE e.id = ?",
	);
	const idsOf = (sql: string) => db.prepare(sql).pluck();
	// The plus keeps an index on the source from being taken: each page would sort all of its ids anew.
	const all = idsOf("SELECT id FROM entries WHERE +source_id = ? AND id > ? ORDER BY id LIMIT ?");
	const presentIds = idsOf("SELECT id FROM entries WHERE +source_id = ? AND id > ? AND gone IS NULL ORDER BY id LIMIT ?");
	const presentPage = db.prepare<[number, number, number], { id: number; bytes: Buffer }>(
		"SELECT e.id, b.bytes FROM entries e JOIN entry_bytes b ON b.id = e.id WHERE +e.source_id = ? AND e.id > ? AND e.gone IS NULL ORDER BY e.id LIMIT ?",
	);
	const due = db.prepare<[number, number], { id: number; gone: string | null }>(
		"SELECT a.id, e.gone FROM accounts a JOIN entries e ON e.id = a.id WHERE a.due_at <= ? AND a.source_id = ?",
	);
	const heldIds = idsOf("SELECT DISTINCT entry_id FROM held WHERE source_id = ?");
	const quarantinedIds = idsOf("SELECT entry_id FROM quarantine WHERE source_id = ?");
	const reports = idsOf("SELECT id FROM accounts WHERE manager_dn_digest = ? AND source_id = ?");
	const held = db.prepare<
		[number],
		{ entry_id: number; kind: string; target: string; reason: HoldReason; because: string; gone: string | null }
	>(
		"SELECT h.entry_id, h.kind, h.target, h.reason, h.because, e.gone FROM held h JOIN entries e ON e.id = h.entry_id WHERE h.source_id = ?",
	);
	const heldGroups = db.prepare<[number], { entry_id: number; kind: string; reason: HoldReason; because: string }>(
		"SELECT entry_id, kind, reason, because FROM held WHERE source_id = ? AND subject = 'group'",
	);
	const containers = db.prepare<[number], Container>("SELECT anchor, dn FROM containers WHERE source_id = ? ORDER BY is_current");
	const container = db.prepare<[number, string], { dn: string }>(
		"SELECT dn FROM containers WHERE source_id = ? AND anchor = ? AND is_current = 1",
	);
	const counts = db.prepare<[number], { attribute: string; entries: number }>(
		"SELECT attribute, entries FROM attribute_counts WHERE source_id = ?",
	);

	return {
		source: (name: string): SourceState => {
			const row = state.get(name);
			if (row === undefined) {
				const none = undefined;
				return {
					id: 0,
					cursor: none,
					identity: none,
					scope: none,
					attributes: none,
					groupScope: none,
					rules: none,
					lastFullAt: none,
					restoredAt: none,
					lastFullRead: none,
					entries: 0,
					gone: 0,
					active: 0,
					inactive: 0,
				};
			}
			return {
				id: row.id,
				cursor: row.cursor ?? undefined,
				identity: row.identity ?? undefined,
				scope: row.scope ?? undefined,
				attributes: row.attributes ?? undefined,
				groupScope: row.group_scope ?? undefined,
				rules: row.rules ?? undefined,
				lastFullAt: row.last_full_at ?? undefined,
				restoredAt: row.restored_at ?? undefined,
				lastFullRead: row.last_full_read ?? undefined,
				entries: row.entries,
				gone: row.gone_entries,
				active: row.active_accounts,
				inactive: row.inactive_accounts,
			};
		},
		/** Every source that ever had a run. */
		sourceNames: (): readonly string[] => names.all() as string[],
		/** People whom the last reading found under protection. */
		protectedIds: (sourceId: number): readonly number[] => protectedIds.all(sourceId) as number[],
		/** Every entry that was there at the last commit: [id, anchor key, digest]. */
		present: (sourceId: number): IterableIterator<[number, Buffer, Buffer]> => present.iterate(sourceId),
		byAnchor: (sourceId: number, anchor: Anchor): KnownEntry | undefined => byAnchor.get(sourceId, anchor),
		byDn: (sourceId: number, dnDigest: Uint8Array): { readonly id: number; readonly anchor: Anchor } | undefined =>
			byDn.get(sourceId, dnDigest),
		dnDigest: (id: number): Buffer | undefined => dnDigest.get(id) as Buffer | undefined,
		bytes: (id: number): EntryBytes | undefined => bytes.get(id),
		/** Ids after `after`, in order; of those that are there, or of all ever known. */
		presentIds: (sourceId: number, after: number, limit: number): readonly number[] => presentIds.all(sourceId, after, limit) as number[],
		/** The same with their entries. */
		presentPage: (sourceId: number, after: number, limit: number) => presentPage.all(sourceId, after, limit),
		allIds: (sourceId: number, after: number, limit: number): readonly number[] => all.all(sourceId, after, limit) as number[],
		/** Accounts whose time has come at `at` (Unix milliseconds). */
		due: (sourceId: number, at: number): readonly { readonly id: number; readonly gone: string | null }[] => due.all(at, sourceId),
		heldIds: (sourceId: number): readonly number[] => heldIds.all(sourceId) as number[],
		quarantinedIds: (sourceId: number): readonly number[] => quarantinedIds.all(sourceId) as number[],
		/** Accounts whose entry names this DN as its manager, as far as the snapshot knows. */
		reportsOf: (sourceId: number, managerDnDigest: Uint8Array): readonly number[] => reports.all(managerDnDigest, sourceId) as number[],
		held: (sourceId: number) => held.all(sourceId),
		heldGroups: (sourceId: number) => heldGroups.all(sourceId),
		/** Every name that a container had since the last full reading; a current one comes after the old ones. */
		containerNames: (sourceId: number): readonly Container[] => containers.all(sourceId),
		containerDn: (sourceId: number, anchor: Anchor): string | undefined => container.get(sourceId, anchor)?.dn,
		attributeCounts: (sourceId: number): ReadonlyMap<string, number> =>
			new Map(counts.all(sourceId).map(({ attribute, entries }) => [attribute, entries])),
	};
}
