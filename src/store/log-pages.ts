import type { Connection } from "./database.ts";
import { DECIDED, type LoggedSqlRow, loggedRow } from "./log-reader.ts";
import type { LogFilter, LogPages } from "./page-views.ts";
import { takeSlice } from "./slice.ts";

interface Values {
	readonly after: number;
	readonly from: number | null;
	readonly to: number | null;
	readonly source: string | null;
	readonly target: string | null;
	readonly subject: string | null;
	readonly kind: string | null;
	readonly anchor?: string;
}

interface Key {
	readonly sequence: number;
	readonly is_asked: number;
}

/** Which rows they are is found without before and after of each; a log of a million rows is stepped through in slices. */
export function openLogPages(db: Connection): LogPages {
	const keys = (from: string, where: string, isDecision: boolean, order: LogFilter["order"]) =>
		db.prepare<[Values], Key>(
			`SELECT sequence, ((@from IS NULL OR at >= @from) AND (@to IS NULL OR at < @to) AND (@source IS NULL OR source = @source) AND (@target IS NULL OR target = @target)
				AND (@subject IS NULL OR subject = @subject) AND (@kind IS NULL OR kind = @kind)${isDecision ? ` AND ${DECIDED}` : ""}) AS is_asked
			FROM changes ${from} WHERE ${where} sequence ${order === "oldest" ? ">" : "<"} @after ORDER BY sequence ${order === "oldest" ? "ASC" : "DESC"}`,
		);
	const statements = (from: string, where: string) =>
		({
			oldest: [keys(from, where, false, "oldest"), keys(from, where, true, "oldest")],
			newest: [keys(from, where, false, "newest"), keys(from, where, true, "newest")],
		}) as const;
	const [all, ofOne] = [statements("", ""), statements("INDEXED BY changes_by_anchor", "anchor = @anchor AND")];
	const one = db.prepare<[number], LoggedSqlRow>(
		"SELECT sequence, at, run_id AS run, source, target, kind, subject, anchor, name, why, before, after, result, digest FROM changes WHERE sequence = ?",
	);

	return {
		log: ({ from, to, source, target, subject, kind, anchor, isDecision, order }, after, limit) => {
			const start = order === "oldest" ? 0 : Number.MAX_SAFE_INTEGER;
			const values: Values = {
				...{ after: after === undefined ? start : Number(after[0]), from: from ?? null, to: to ?? null, source: source ?? null },
				...{ target: target ?? null, subject: subject ?? null, kind: kind ?? null, ...(anchor !== undefined && { anchor }) },
			};
			const rows = (anchor === undefined ? all : ofOne)[order][isDecision ? 1 : 0].iterate(values);
			return takeSlice(rows, limit, {
				placeOf: ({ sequence }) => [sequence],
				itemOf: ({ sequence, is_asked }) => {
					const row = is_asked === 1 ? one.get(sequence) : undefined;
					return row && loggedRow(row);
				},
				sizeOf: (_row, { before, after: side, why }) => 300 + why.length + (before?.length ?? 0) + (side?.length ?? 0),
			});
		},
	};
}
