import { openAccountPages } from "./account-pages.ts";
import type { Connection } from "./database.ts";
import { openReadOnly } from "./database.ts";
import { openLogPages } from "./log-pages.ts";
import type { HeldPlanChange, Pages, PinView } from "./page-views.ts";
import { type Place, takeSlice } from "./slice.ts";
import { changeColumns, memberColumns, runColumns } from "./view-columns.ts";
import { type ChangeRow, type HeldViewRow, type MemberRow, makeChange, makeMember, makeRun, type RunRow } from "./view-rows.ts";
import type { LoggedChange, QuarantineView } from "./views.ts";

/** Opens a connection of its own. Throws what `openReadOnly` throws. */
export function openPages(file: string): Pages {
	const db = openReadOnly(file);
	return { ...openAccountPages(db), ...openLogPages(db), ...openLists(db), close: () => void db.close() };
}

function openLists(db: Connection): Pick<Pages, "members" | "runs" | "runChanges" | "planChanges" | "quarantine" | "pins"> {
	const members = db.prepare<[number, number], MemberRow>(
		`SELECT ${memberColumns} FROM memberships m JOIN accounts a ON a.id = m.account_id JOIN entries e ON e.id = m.account_id
		WHERE m.group_id = ? AND m.account_id > ? ORDER BY m.account_id`,
	);
	const runs = db.prepare<[number], RunRow>(
		`SELECT ${runColumns} FROM runs r JOIN sources s ON s.id = r.source_id WHERE r.id < ? ORDER BY r.id DESC`,
	);
	const runChanges = db.prepare<[number, number], ChangeRow>(
		`SELECT ${changeColumns} FROM changes INDEXED BY changes_by_run WHERE run_id = ? AND sequence > ? AND subject IN ('account', 'group') ORDER BY sequence`,
	);
	const planChanges = db.prepare<[string, string, number, number, string, string], HeldViewRow & HeldKey>(
		`SELECT h.plan, s.name AS source, h.since, h.subject, h.target, h.kind, h.because, coalesce(e.anchor, g.anchor) AS anchor, h.name, h.why, h.before, h.after,
			h.source_id, h.entry_id
		FROM held h INDEXED BY held_names JOIN sources s ON s.id = h.source_id LEFT JOIN entries e ON e.id = h.entry_id LEFT JOIN groups g ON g.id = h.entry_id
		WHERE h.plan = ? AND (h.name, h.source_id, h.entry_id, h.kind, h.target) > (?, ?, ?, ?, ?) ORDER BY h.name, h.source_id, h.entry_id, h.kind, h.target`,
	);
	const quarantine = db.prepare<[number, number], QuarantineView & { source_id: number; entry_id: number }>(
		`SELECT s.name AS source, e.anchor, q.name, q.reason, q.since, q.source_id, q.entry_id FROM quarantine q JOIN sources s ON s.id = q.source_id
		JOIN entries e ON e.id = q.entry_id WHERE (q.source_id, q.entry_id) > (?, ?) ORDER BY q.source_id, q.entry_id`,
	);
	const pins = db.prepare<[number, string], PinView & { entry_id: number }>(
		`SELECT s.name AS source, e.anchor, p.name, p.part, p.kept, p.run_id AS run, p.pinned_by AS by, p.pinned_at AS at, p.entry_id
		FROM pins p JOIN entries e ON e.id = p.entry_id JOIN sources s ON s.id = e.source_id WHERE (p.entry_id, p.part) > (?, ?) ORDER BY p.entry_id, p.part`,
	);

	return {
		members: ({ id }, after, limit) =>
			takeSlice(members.iterate(id, numberIn(after, 0)), limit, { placeOf: (row) => [row.id], itemOf: makeMember, sizeOf: () => 100 }),
		runs: (source, after, limit) =>
			takeSlice(runs.iterate(numberIn(after, Number.MAX_SAFE_INTEGER)), limit, {
				placeOf: ({ id }) => [id],
				itemOf: (row) => (source === undefined || row.source === source ? makeRun(row) : undefined),
				sizeOf: ({ unsealed }) => 500 + unsealed.length,
			}),
		runChanges: (run, after, limit) =>
			takeSlice(runChanges.iterate(run, numberIn(after, 0)), limit, {
				placeOf: ({ sequence }) => [sequence],
				itemOf: (row): LoggedChange => makeChange(row),
				sizeOf: (row) => sizeOfSides(row),
			}),
		planChanges: (plan, after, limit) => {
			const [name = "", source = 0, entry = 0, kind = "", target = ""] = after ?? [];
			return takeSlice(planChanges.iterate(plan, String(name), Number(source), Number(entry), String(kind), String(target)), limit, {
				placeOf: (row) => [row.name, row.source_id, row.entry_id, row.kind, row.target],
				itemOf: (row): HeldPlanChange => makeChange(row as HeldViewRow),
				sizeOf: (row) => sizeOfSides(row),
			});
		},
		quarantine: (source, after, limit) => {
			const [sourceId = 0, entry = 0] = after ?? [];
			return takeSlice(quarantine.iterate(Number(sourceId), Number(entry)), limit, {
				placeOf: ({ source_id, entry_id }) => [source_id, entry_id],
				itemOf: ({ source_id, entry_id, ...view }) => (source === undefined || view.source === source ? view : undefined),
				sizeOf: ({ reason, name }) => reason.length + name.length,
			});
		},
		pins: (after, limit) => {
			const [entry = 0, part = ""] = after ?? [];
			return takeSlice(pins.iterate(Number(entry), String(part)), limit, {
				placeOf: ({ entry_id, part: of }) => [entry_id, of],
				itemOf: ({ entry_id, ...pin }) => pin,
				sizeOf: ({ kept }) => kept.length,
			});
		},
	};
}

/** The number that a place of one key is; `start`: before the first row. */
function numberIn(after: Place | undefined, start: number): number {
	return after === undefined ? start : Number(after[0]);
}

function sizeOfSides({ before, after, why }: Pick<ChangeRow, "before" | "after" | "why">): number {
	return 300 + why.length + (before?.length ?? 0) + (after?.length ?? 0);
}

interface HeldKey {
	readonly source_id: number;
	readonly entry_id: number;
}
