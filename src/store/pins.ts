import type { Account } from "../core/account.ts";
import type { ChangeKind } from "../core/change.ts";
import type { Anchor } from "../core/entry.ts";
import type { Keep, Pin, PinnedPart } from "../core/pin.ts";
import type { Connection } from "./database.ts";

const schema = `
-- What a revert wants of whom, before it is known what the directory says of that.
CREATE TEMP TABLE keeps (entry_id INTEGER NOT NULL, part TEXT NOT NULL, kept TEXT NOT NULL, body TEXT, name TEXT NOT NULL, PRIMARY KEY (entry_id, part)) WITHOUT ROWID;
CREATE TEMP TABLE staged_pins (entry_id INTEGER NOT NULL, part TEXT NOT NULL, ignored TEXT NOT NULL, kept TEXT NOT NULL, body TEXT, run_id INTEGER NOT NULL, is_new INTEGER NOT NULL, PRIMARY KEY (entry_id, part)) WITHOUT ROWID;
CREATE TEMP TABLE seen_anew (id INTEGER PRIMARY KEY);
`;

interface PinRow {
	readonly part: PinnedPart;
	readonly ignored: string;
	readonly kept: string;
	readonly body: string | null;
	readonly run_id: number;
}

/** Somebody of whom something is pinned. */
export interface PinnedEntry {
	readonly id: number;
	readonly sourceId: number;
	readonly source: string;
	readonly anchor: Anchor;
	readonly name: string;
}

/** What was let go. */
export interface Unpinned {
	/** Of whom something was pinned. */
	readonly accounts: number;
	/** How much: fields, features, policies and states. */
	readonly pins: number;
}

/** What is kept of accounts against the directory's word, and who is to be planned anew. What writes, within a batch or a transaction. */
export function openPins(db: Connection) {
	db.exec(schema);
	const any = db.prepare<[]>("SELECT 1 FROM pins LIMIT 1");
	const of = db.prepare<[number], PinRow>("SELECT part, ignored, kept, body, run_id FROM pins WHERE entry_id = ? ORDER BY part");
	const keep = db.prepare<[number, string, string, string | null, string]>(
		"INSERT OR REPLACE INTO keeps (entry_id, part, kept, body, name) VALUES (?, ?, ?, ?, ?)",
	);
	const keeps = db.prepare<[number], Omit<PinRow, "ignored" | "run_id">>(
		"SELECT part, kept, body FROM keeps WHERE entry_id = ? ORDER BY part",
	);
	const stand = db.prepare<[number, string, string, string, string | null, number, number]>(
		"INSERT OR REPLACE INTO staged_pins (entry_id, part, ignored, kept, body, run_id, is_new) VALUES (?, ?, ?, ?, ?, ?, ?)",
	);
	// What did not stand in this run is gone. A pin that did stays as it is, with who set it and when.
	const steps = [
		db.prepare(
			`DELETE FROM pins WHERE EXISTS (SELECT 1 FROM outcomes o WHERE o.id = pins.entry_id) AND NOT EXISTS
			(SELECT 1 FROM staged_pins s WHERE s.entry_id = pins.entry_id AND s.part = pins.part AND s.ignored = pins.ignored AND s.kept = pins.kept AND s.run_id = pins.run_id)`,
		),
		db.prepare("DELETE FROM planned_anew WHERE id IN (SELECT id FROM seen_anew)"),
	];
	// An old one that was let go while this run was going on does not come back.
	const add = db.prepare<[string, number]>(
		`INSERT OR IGNORE INTO pins (entry_id, part, ignored, kept, body, name, run_id, pinned_by, pinned_at)
		SELECT s.entry_id, s.part, s.ignored, s.kept, s.body, k.name, s.run_id, ?, ? FROM staged_pins s
		JOIN (SELECT entry_id, max(name) AS name FROM keeps GROUP BY entry_id) k ON k.entry_id = s.entry_id WHERE s.is_new = 1`,
	);
	const dropParts = db.prepare<[number, string]>("DELETE FROM pins WHERE entry_id = ? AND part GLOB ?");
	const dropFields = db.prepare<[number]>(
		"DELETE FROM pins WHERE entry_id = ? AND part <> 'state' AND part NOT GLOB 'feature *' AND part NOT GLOB 'policy *'",
	);
	const anew = db.prepare<[number], { id: number; entry_id: number }>("SELECT id, entry_id FROM planned_anew WHERE source_id = ?");
	const see = db.prepare<[number]>("INSERT OR IGNORE INTO seen_anew (id) VALUES (?)");
	const planAnew = db.prepare<[number, number]>("INSERT INTO planned_anew (source_id, entry_id) VALUES (?, ?)");
	const find = db.prepare<[string, string, string], PinnedEntry>(
		`SELECT DISTINCT e.id, e.source_id AS sourceId, s.name AS source, e.anchor, p.name FROM pins p JOIN entries e ON e.id = p.entry_id JOIN sources s ON s.id = e.source_id
		LEFT JOIN accounts a ON a.id = e.id WHERE p.name = ? COLLATE NOCASE OR e.anchor = ? OR a.user_name = ? COLLATE NOCASE`,
	);
	const drop = db.prepare<[number]>("DELETE FROM pins WHERE entry_id = ?");

	return {
		/** Whether anything is pinned at all: else nobody need be asked about. */
		isEmpty: (): boolean => any.get() === undefined,
		of: (entry: number): readonly Pin[] =>
			of.all(entry).map(({ run_id, ...row }) => ({ ...asKeep(row), ignored: row.ignored, run: run_id })),
		/** What a revert wants of an entry; `name` is for a person. */
		keep: (entry: number, { part, kept, body }: Keep, name: string): void =>
			void keep.run(entry, part, kept, body === undefined ? null : JSON.stringify(body), name),
		keeps: (entry: number): readonly Keep[] => keeps.all(entry).map(asKeep),
		/** A pin that stands in this run, old or new. */
		stand: (entry: number, { part, ignored, kept, body, run }: Pin, isNew: boolean): void =>
			void stand.run(entry, part, ignored, kept, body === undefined ? null : JSON.stringify(body), run, isNew ? 1 : 0),
		/** Inside the run's transaction. `by` and `at` are of the pins that are new. */
		commit: (by: string, at: number): void => {
			for (const step of steps) step.run();
			add.run(by, at);
		},
		/** Lets go of what makes a change of this kind, which a person does not want. Returns whether there was anything. */
		refuse: (entry: number, kind: ChangeKind): boolean => {
			if (kind === "update") return dropFields.run(entry).changes > 0;
			if (kind === "entitlement") return dropParts.run(entry, "feature *").changes + dropParts.run(entry, "policy *").changes > 0;
			return dropParts.run(entry, "state").changes > 0;
		},
		/** Of whom something is pinned, by userName or anchor. */
		find: (user: string): readonly PinnedEntry[] => find.all(user, user.toLowerCase(), user),
		/** Lets go of all that is pinned of an entry, and has the next run plan it anew. Returns how much there was. */
		drop: ({ id, sourceId }: PinnedEntry): number => {
			planAnew.run(sourceId, id);
			return drop.run(id).changes;
		},
		/** Who is to be planned anew. Forgotten when this run is committed. */
		anew: (source: number): readonly number[] => {
			const rows = anew.all(source);
			for (const { id } of rows) see.run(id);
			return rows.map(({ entry_id }) => entry_id);
		},
		clear: (): void => {
			db.exec("DELETE FROM keeps; DELETE FROM staged_pins; DELETE FROM seen_anew");
		},
	};
}

function asKeep({ part, kept, body }: Omit<PinRow, "ignored" | "run_id">): Keep {
	return { part, kept, body: body === null ? undefined : (JSON.parse(body) as Account) };
}
