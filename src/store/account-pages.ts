import type { Connection } from "./database.ts";
import type { AccountFilter, GroupFilter, Pages } from "./page-views.ts";
import { takeSlice } from "./slice.ts";
import { accountColumns, groupColumns, stateAtTarget } from "./view-columns.ts";
import { type AccountRow, type GroupRow, makeAccountView, makeGroupView } from "./view-rows.ts";

interface AccountKey {
	readonly id: number;
	readonly user_name: string;
	/** Whether it is one of those that were asked for: whoever is not is stepped over, and time is looked at meanwhile. */
	readonly is_asked: number;
}

interface AccountValues {
	readonly name: string;
	readonly id: number;
	/** Where the list begins: a place may be of another list. */
	readonly begin: string;
	readonly end: string | Buffer;
	readonly source: string | null;
	readonly active: number | null;
	readonly target: string | null;
	readonly state: string | null;
	readonly text: string | null;
}

/** Past every text that begins like one of ours: the last character there is. */
const LAST = "\u{10ffff}";
/** SQLite has every blob behind every text. */
const AFTER_ALL = Buffer.alloc(0);

/** So many accounts are read in a few milliseconds. */
const TOGETHER = 100;

/** The rare states are told without asking who is held. */
const isInState = `CASE @state WHEN 'released' THEN l.released_at IS NOT NULL WHEN 'failed' THEN l.released_at IS NULL AND l.error IS NOT NULL
	WHEN 'pending' THEN l.released_at IS NULL AND l.error IS NULL AND l.pending = 1 ELSE ${stateAtTarget} = @state END`;

/** Pages of accounts and groups. Which they are is found by their keys; only those asked for are read whole. */
export function openAccountPages(db: Connection): Pick<Pages, "accounts" | "groups" | "groupsByAnchor"> {
	// Not as a pair of values, which would be clearer: with a collation SQLite finds those by walking the whole index.
	const accountKeys = db.prepare<[AccountValues], AccountKey>(
		`SELECT a.id, a.user_name, ((@source IS NULL OR a.source_id = (SELECT s.id FROM sources s WHERE s.name = @source)) AND a.user_name COLLATE NOCASE >= @begin AND (@active IS NULL OR a.active = @active)
			AND (@text IS NULL OR instr(lower(a.user_name), @text) > 0 OR instr(lower(a.body ->> '$.displayName'), @text) > 0)
			AND (@target IS NULL AND @state IS NULL OR EXISTS (SELECT 1 FROM targets t CROSS JOIN ledger l ON l.target_id = t.id AND l.account_id = a.id
				WHERE (@target IS NULL OR t.name = @target) AND (@state IS NULL OR ${isInState})))) AS is_asked
		FROM accounts a INDEXED BY accounts_by_user_name
		WHERE a.user_name COLLATE NOCASE >= @name AND (a.user_name COLLATE NOCASE > @name OR a.id > @id) AND a.user_name COLLATE NOCASE < @end
		ORDER BY a.user_name COLLATE NOCASE, a.id`,
	);
	// All of a slice at once: 100 of 100,000 accounts take 4 ms; one by one, a statement of so many parts begun for each, 20 ms.
	const accountsOf = db.prepare<[string], AccountRow>(
		`SELECT ${accountColumns} FROM json_each(?) j CROSS JOIN accounts a ON a.id = j.value JOIN entries e ON e.id = a.id JOIN sources s ON s.id = a.source_id ORDER BY j.key`,
	);
	const groupKeys = db.prepare<[number], { id: number; source: string; name: string | null }>(
		`SELECT g.id, s.name AS source, g.body ->> '$.displayName' AS name FROM groups g JOIN sources s ON s.id = g.source_id WHERE g.id > ? AND g.body IS NOT NULL ORDER BY g.id`,
	);
	const group = db.prepare<[number], GroupRow>(`SELECT ${groupColumns} FROM groups g JOIN sources s ON s.id = g.source_id WHERE g.id = ?`);
	const byAnchor = db.prepare<[string], GroupRow>(
		`SELECT ${groupColumns} FROM sources s JOIN groups g ON g.source_id = s.id AND g.anchor = ? WHERE g.body IS NOT NULL ORDER BY g.id`,
	);

	return {
		accounts: (filter, after, limit) => {
			const { items: ids, reached } = takeSlice(accountKeys.iterate(valuesOf(filter, after)), Math.min(limit, TOGETHER), {
				placeOf: ({ user_name, id }) => [user_name, id],
				itemOf: ({ id, is_asked }) => (is_asked === 1 ? id : undefined),
				sizeOf: () => 0,
			});
			const items = ids.length === 0 ? [] : accountsOf.all(JSON.stringify(ids)).map(makeAccountView);
			return { items, size: items.reduce((sum, { groups }) => sum + 1000 + groups.length * 40, 0), reached };
		},
		groups: (filter, after, limit) =>
			takeSlice(groupKeys.iterate(after === undefined ? 0 : Number(after[0])), limit, {
				placeOf: ({ id }) => [id],
				itemOf: (key) => {
					const row = isAsked(key, filter) ? group.get(key.id) : undefined;
					return row && makeGroupView(row);
				},
				sizeOf: () => 500,
			}),
		groupsByAnchor: (anchor) => byAnchor.all(anchor).map(makeGroupView),
	};
}

function valuesOf(
	{ source, active, target, state, userName, text }: AccountFilter,
	after: readonly (string | number)[] | undefined,
): AccountValues {
	const [name, id] = after ?? [userName ?? "", 0];
	return {
		...{ name: String(name), id: Number(id), begin: userName ?? "", end: userName === undefined ? AFTER_ALL : `${userName}${LAST}` },
		...{
			source: source ?? null,
			active: active === undefined ? null : Number(active),
			target: target ?? null,
			state: state ?? null,
			text: text === undefined ? null : asciiLower(text),
		},
	};
}

function isAsked(key: { readonly source: string; readonly name: string | null }, { source, name }: GroupFilter): boolean {
	if (source !== undefined && key.source !== source) return false;
	if (name === undefined) return true;
	const [has, wanted] = [asciiLower(key.name ?? ""), asciiLower(name.text)];
	return name.kind === "whole" ? has === wanted : has.startsWith(wanted);
}

function asciiLower(text: string): string {
	return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
