import type { Account } from "../core/account.ts";
import type { EntitlementKind } from "../core/entitlement-words.ts";
import type { Anchor } from "../core/entry.ts";
import type { CurrentAccount, HistoryRow } from "../core/history.ts";
import type { Origin } from "../core/move.ts";
import type { LogRow } from "./chain.ts";
import type { Connection } from "./database.ts";

/** One row of the change log as it stands there. */
export interface LoggedRow extends LogRow {
	readonly sequence: number;
	readonly digest: Buffer;
}

/** From `from` on, and before `to`, Unix milliseconds. */
export interface Span {
	readonly from: number | undefined;
	readonly to: number | undefined;
}

/** What `export` and `history` read of the change log. */
export interface LogReader {
	/** Rows in their order, as far as the log goes at the call. */
	logged(span: Span): IterableIterator<LoggedRow>;
	/** Of these, what a person decided, or had done: no change of an account or a group, but an unpinning. */
	decisions(span: Span): IterableIterator<LoggedRow>;
	/** When the oldest row that is kept was written; undefined: there is none. */
	logStart(): number | undefined;
	/** Accounts that have or had this userName, e-mail or anchor (without case), gone ones included. Walks the whole log, 3 s for a million rows. */
	formerAccounts(user: string): readonly Origin[];
	/** An account as it is now. */
	accountOf(account: Origin): CurrentAccount | undefined;
	/** Changes of one account itself that went out. */
	historyOf(account: Origin): readonly HistoryRow[];
	/** The same of all accounts, those that name this feature or policy, in the log's order. */
	historyWith(name: string): IterableIterator<HistoryRow>;
	/** Accounts that have this feature or policy now. */
	accountsWith(kind: EntitlementKind, name: string): IterableIterator<CurrentAccount>;
}

export interface LoggedSqlRow extends Omit<LogRow, "target" | "before" | "after"> {
	readonly sequence: number;
	readonly target: string | null;
	readonly before: string | null;
	readonly after: string | null;
	readonly digest: Buffer;
}

interface HistorySqlRow {
	readonly sequence: number;
	readonly at: number;
	readonly run: number;
	readonly source: string;
	readonly anchor: Anchor;
	readonly kind: string;
	readonly why: string;
	readonly before: string | null;
	readonly after: string | null;
}

interface AccountSqlRow {
	readonly id: number;
	readonly source: string;
	readonly anchor: Anchor;
	readonly body: string;
}

/** So many rows are read at a time. Between them nothing is kept open: a reader that is slow, a terminal, would keep the write-ahead log from being emptied. */
const PAGE = 500;

/** Of the account itself, and done: neither a target's own doing nor a delivery, and not rejected. */
const WENT_OUT =
	"subject = 'account' AND target IS NULL AND (result = 'committed' OR result GLOB 'approved by *' OR result GLOB 'reverted run *')";
/** What a person decided, or had done (store/decision-row, and what `forget` and `unpin` write). */
export const DECIDED = "(subject NOT IN ('account', 'group') OR kind = 'unpin')";
const HISTORY = "sequence, at, run_id AS run, source, anchor, kind, why, before, after";

export function openLogReader(db: Connection): LogReader {
	const newest = db.prepare<[]>("SELECT coalesce(max(sequence), 0) FROM changes").pluck();
	const oldest = db.prepare<[]>("SELECT at FROM changes ORDER BY sequence LIMIT 1").pluck();
	const between = (which: string) =>
		db.prepare<[number, number, number, number, number], LoggedSqlRow>(
			`SELECT sequence, at, run_id AS run, source, target, kind, subject, anchor, name, why, before, after, result, digest
			FROM changes WHERE sequence > ? AND sequence <= ? AND at >= ? AND at < ? AND ${which} ORDER BY sequence LIMIT ?`,
		);
	const [everything, decided] = [between("true"), between(DECIDED)];
	const ofAccount = db.prepare<[string, string], HistorySqlRow>(
		`SELECT ${HISTORY} FROM changes WHERE anchor = ? AND source = ? AND ${WENT_OUT} ORDER BY sequence`,
	);
	const naming = db.prepare<[number, number, string, string, number], HistorySqlRow>(
		`SELECT ${HISTORY} FROM changes WHERE sequence > ? AND sequence <= ? AND ${WENT_OUT} AND (instr(before, ?) > 0 OR instr(after, ?) > 0) ORDER BY sequence LIMIT ?`,
	);
	const accountBody = db
		.prepare<[string, string]>(
			"SELECT a.body FROM accounts a JOIN entries e ON e.id = a.id JOIN sources s ON s.id = a.source_id WHERE e.anchor = ? AND s.name = ?",
		)
		.pluck();
	const having = db.prepare<[number, string, number], AccountSqlRow>(
		`SELECT a.id, s.name AS source, e.anchor, a.body FROM accounts a JOIN entries e ON e.id = a.id JOIN sources s ON s.id = a.source_id
		WHERE a.id > ? AND instr(a.body, ?) > 0 ORDER BY a.id LIMIT ?`,
	);

	function* rowsOf(statement: ReturnType<typeof between>, { from, to }: Span): Generator<LoggedRow> {
		const last = newest.get() as number;
		const [least, most] = [from ?? Number.MIN_SAFE_INTEGER, to ?? Number.MAX_SAFE_INTEGER];
		const page = (after: number) => statement.all(after, last, least, most, PAGE);
		for (const row of paged(page, ({ sequence }) => sequence)) yield loggedRow(row);
	}

	return {
		logged: (span) => rowsOf(everything, span),
		decisions: (span) => rowsOf(decided, span),
		logStart: () => oldest.get() as number | undefined,
		formerAccounts: (user) => formerAccounts(db, user.toLowerCase()),
		accountOf: ({ source, anchor }) => {
			const body = accountBody.get(anchor, source) as string | undefined;
			return body === undefined ? undefined : { source, anchor, account: JSON.parse(body) as Account };
		},
		historyOf: ({ source, anchor }) => ofAccount.all(anchor, source).map(asHistory),
		*historyWith(name) {
			const last = newest.get() as number;
			// As the JSON of an account has it, whether it is in a list or is a key.
			const needle = JSON.stringify(name);
			for (const row of paged(
				(after) => naming.all(after, last, needle, needle, PAGE),
				({ sequence }) => sequence,
			))
				yield asHistory(row);
		},
		*accountsWith(kind, name) {
			const needle = JSON.stringify(name);
			for (const { source, anchor, body } of paged(
				(after) => having.all(after, needle, PAGE),
				({ id }) => id,
			)) {
				const account = JSON.parse(body) as Account;
				if (kind === "feature" ? account.features?.includes(name) : Object.hasOwn(account.policies ?? {}, name))
					yield { source, anchor, account };
			}
		},
	};
}

export function loggedRow({ target, before, after, ...row }: LoggedSqlRow): LoggedRow {
	return { ...row, target: target ?? undefined, before: before ?? undefined, after: after ?? undefined };
}

function* paged<Row>(page: (after: number) => readonly Row[], keyOf: (row: Row) => number): Generator<Row> {
	let after = Number.MIN_SAFE_INTEGER;
	for (;;) {
		const rows = page(after);
		yield* rows;
		const last = rows.at(-1);
		if (last === undefined || rows.length < PAGE) return;
		after = keyOf(last);
	}
}

function formerAccounts(db: Connection, user: string): readonly Origin[] {
	// SQLite's lower() knows ASCII alone.
	db.function("folded", { deterministic: true }, (text) => (typeof text === "string" ? text.toLowerCase() : null));
	const needle = JSON.stringify(user);
	const rows = db
		.prepare<[string, string, string], Origin & { before: string | null; after: string | null }>(
			`SELECT source, anchor, before, after FROM changes WHERE ${WENT_OUT} AND (folded(anchor) = ? OR instr(folded(before), ?) > 0 OR instr(folded(after), ?) > 0)`,
		)
		.iterate(user, needle, needle);
	const found = new Map<string, Origin>();
	for (const { source, anchor, before, after } of rows) {
		const isTheirs =
			anchor.toLowerCase() === user || [before, after].some((body) => body !== null && isNamed(JSON.parse(body) as Account, user));
		if (isTheirs) found.set(`${source} ${anchor}`, { source, anchor });
	}
	return [...found.values()];
}

function isNamed({ userName, emails }: Account, user: string): boolean {
	return userName.toLowerCase() === user || (emails ?? []).some(({ value }) => value.toLowerCase() === user);
}

function asHistory({ sequence, at, run, source, anchor, kind, why, before, after }: HistorySqlRow): HistoryRow {
	return { sequence, at, run, source, anchor, kind, why, before: side(before), after: side(after) };
}

function side(body: string | null): Account | undefined {
	return body === null ? undefined : (JSON.parse(body) as Account);
}
