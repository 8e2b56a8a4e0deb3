import Database from "better-sqlite3";
import type { Account } from "../core/account.ts";
import type { HeldDetail, Matter, MatterDetail, MatterNotice } from "../core/matter.ts";
import type { AccountStep, Movements } from "../core/movements.ts";
import { asFailure, type Connection } from "./database.ts";

/** What is to be sent by a channel. */
export type NoticeBody =
	| { readonly kind: "matter"; readonly notice: MatterNotice }
	/** `from`, `to`: Unix milliseconds. */
	| { readonly kind: "report"; readonly from: number; readonly to: number; readonly movements: Movements };

export interface OpenNotice {
	readonly id: number;
	readonly channel: string;
	/** The same for all notices of one occurrence of a matter. */
	readonly matter: string;
	readonly body: NoticeBody;
	/** Tries that failed. */
	readonly attempts: number;
	/** The first notice of the same matter that this channel was told by; undefined: this is it. */
	readonly first: number | undefined;
}

/** Where the next report of a channel begins, and when it is due; Unix milliseconds. */
export interface ReportState {
	readonly schedule: string;
	readonly fromSequence: number;
	readonly fromAt: number;
	/** Undefined: the schedule never comes due. */
	readonly dueAt: number | undefined;
}

/** More than these, of what is held or set aside, nobody reads in a mail. */
const MOST_NAMED = 20;
const PAGE = 500;
/** So long after it was sent, a notice is kept for those that come after it in its thread. */
const KEEP_SENT_MS = 90 * 86_400_000;
/** What could not be sent for so long is no news any more. */
const KEEP_OPEN_MS = 7 * 86_400_000;

export type Notices = ReturnType<typeof openNotices>;

/**
 * What is to be told and what was, on a connection of its own that never waits for whoever writes: call what writes by `attempt`,
 * and again a little later where it says "busy".
 */
export function openNotices(file: string) {
	const db = connect(file);
	const statements = prepare(db);
	const { readings, clearMatters, putMatter, supersede, add, isKnown, wasTold, retire } = statements;

	const keep = (matters: readonly Matter[], notices: readonly MatterNotice[], channelsFor: (notice: MatterNotice) => readonly string[]) => {
		clearMatters.run();
		for (const matter of matters) putMatter.run(matter.key, JSON.stringify(matter));
		for (const notice of notices) {
			const name = nameOf(notice.matter);
			for (const channel of channelsFor(notice)) {
				// The newest says all that an unsent one would have said.
				supersede.run(channel, name);
				if (notice.state === "recovered" && wasTold.get(channel, name) === undefined) continue;
				add.run(channel, name, JSON.stringify({ kind: "matter", notice } satisfies NoticeBody), notice.at, notice.at);
			}
		}
	};

	return {
		...readings,
		/** The work in one transaction, or "busy" when somebody else is writing: then nothing of it is done. Throws DATABASE_…. */
		attempt: <T>(work: () => T): T | "busy" => {
			try {
				return db.transaction(work).immediate();
			} catch (error) {
				if (error instanceof Database.SqliteError && /^SQLITE_(?:BUSY|LOCKED)/.test(error.code)) return "busy";
				throw asFailure(file, error);
			}
		},
		/** Replaces the matters by these, and lays ready what is to be said of them, by those channels that want to hear it. */
		keep,
		/** Lays ready what is told already for those of the channels that were not there then. Of what was told so long ago nobody knows by whom. */
		catchUp: (notice: MatterNotice, channels: readonly string[]): void => {
			const { matter, at } = notice;
			if (matter.told === undefined || matter.told.at < at - KEEP_SENT_MS) return;
			for (const channel of channels) {
				if (isKnown.get(channel, nameOf(matter)) !== undefined) continue;
				add.run(channel, nameOf(matter), JSON.stringify({ kind: "matter", notice } satisfies NoticeBody), at, at);
			}
		},
		/** Lays a report ready, and says where the next one begins. */
		report: (channel: string, body: NoticeBody & { readonly kind: "report" }, next: ReportState): void => {
			add.run(channel, `report ${body.from}`, JSON.stringify(body), body.to, body.to);
			statements.putReport.run(channel, next.schedule, next.fromSequence, next.fromAt, next.dueAt ?? null);
		},
		/** Where the next report begins, without one. */
		setReport: (channel: string, next: ReportState): void => {
			statements.putReport.run(channel, next.schedule, next.fromSequence, next.fromAt, next.dueAt ?? null);
		},
		sent: (id: number, at: number): void => void statements.sent.run(at, id),
		/** It could not be sent, and is tried again at `dueAt`. */
		failed: (id: number, error: string, dueAt: number): void => void statements.failed.run(error, dueAt, id),
		/** Forgets what was sent long ago, what is too old to be sent, and what was for channels that are gone. */
		retire: (channels: readonly string[], now: number): void => {
			retire.run(now - KEEP_SENT_MS, now - KEEP_OPEN_MS, JSON.stringify(channels));
		},
		close: (): void => void db.close(),
	};
}

/** What tells one occurrence of a matter from the one before. */
function nameOf({ key, since }: Matter): string {
	return `${key} ${since}`;
}

function connect(file: string): Connection {
	const db = new Database(file, { fileMustExist: true, timeout: 0 });
	db.pragma("synchronous = NORMAL");
	// Copying the log back into the database takes seconds after a large commit, and this is the thread that answers /health.
	db.pragma("wal_autocheckpoint = 0");
	return db;
}

function prepare(db: Connection) {
	const matters = db.prepare<[]>("SELECT body FROM matters ORDER BY key").pluck();
	const due = db.prepare<
		[string, number, number, number],
		{ id: number; channel: string; matter: string; body: string; attempts: number; first: number | null }
	>(
		`SELECT n.id, n.channel, n.matter, n.body, n.attempts,
			(SELECT min(s.id) FROM notices s WHERE s.channel = n.channel AND s.matter = n.matter AND s.sent_at IS NOT NULL) AS first
		FROM notices n WHERE n.channel = ? AND n.sent_at IS NULL AND (n.due_at <= ? OR n.due_at > ?) ORDER BY n.id LIMIT ?`,
	);
	const report = db.prepare<[string], { schedule: string; from_sequence: number; from_at: number; due_at: number | null }>(
		"SELECT schedule, from_sequence, from_at, due_at FROM reports WHERE channel = ?",
	);
	const pending = db.prepare<[], { channel: string; count: number }>(
		"SELECT channel, count(*) AS count FROM notices WHERE sent_at IS NULL GROUP BY channel",
	);
	const newest = db.prepare<[]>("SELECT coalesce(max(sequence), 0) FROM changes").pluck();
	const steps = db.prepare<
		[number, number, number],
		{
			sequence: number;
			source: string;
			anchor: AccountStep["anchor"];
			why: string;
			before: string | null;
			after: string | null;
			counts: number;
		}
	>(
		`SELECT sequence, source, anchor, why, before, after,
			(subject = 'account' AND target IS NULL AND (result = 'committed' OR result GLOB 'approved by *' OR result GLOB 'reverted run *')) AS counts
		FROM changes WHERE sequence > ? AND sequence <= ? ORDER BY sequence LIMIT ?`,
	);
	const kinds = db.prepare<[string], HeldDetail["kinds"][number] & { readonly plan: string; readonly since: number }>(
		`SELECT plan, iif(subject = 'group', 'group ' || kind, kind) AS kind, target, because, count(*) AS count, min(since) AS since
		FROM held WHERE source_id = (SELECT id FROM sources WHERE name = ?) GROUP BY 1, 2, 3, 4 ORDER BY count DESC, kind`,
	);
	const names = db.prepare<[string, number], HeldDetail["first"][number]>(
		"SELECT name, iif(subject = 'group', 'group ' || kind, kind) AS kind, why FROM held WHERE plan = ? ORDER BY name LIMIT ?",
	);
	const aside = db.prepare<[string, number], { name: string; reason: string }>(
		"SELECT q.name, q.reason FROM quarantine q JOIN sources s ON s.id = q.source_id WHERE s.name = ? ORDER BY q.since DESC, q.name LIMIT ?",
	);
	const unsealed = db
		.prepare<[string]>(
			`SELECT r.unsealed FROM runs r JOIN sources s ON s.id = r.source_id
			WHERE s.name = ? AND r.mode = 'full' AND r.outcome NOT IN ('failed', 'running') AND r."trigger" NOT IN ('approve', 'revert') ORDER BY r.id DESC LIMIT 1`,
		)
		.pluck();

	return {
		readings: {
			matters: (): readonly Matter[] => (matters.all() as string[]).map((body) => JSON.parse(body) as Matter),
			/** What is due to be sent by a channel, oldest first: what is put off until `latest` waits, and later than that nothing is but by a clock that was set back since. */
			due: (channel: string, now: number, latest: number, limit: number): readonly OpenNotice[] =>
				due
					.all(channel, now, latest, limit)
					.map(({ first, body, ...row }) => ({ ...row, first: first ?? undefined, body: JSON.parse(body) as NoticeBody })),
			/** What is not sent yet, by channel; of one that has none there is no count. */
			pending: (): ReadonlyMap<string, number> => new Map(pending.all().map(({ channel, count }) => [channel, count])),
			reportOf: (channel: string): ReportState | undefined => {
				const row = report.get(channel);
				if (row === undefined) return undefined;
				return { schedule: row.schedule, fromSequence: row.from_sequence, fromAt: row.from_at, dueAt: row.due_at ?? undefined };
			},
			newestSequence: (): number => newest.get() as number,
			/** Changes of accounts that went out, after one sequence and up to another; a page at a time, with nothing open in between. */
			*steps(after: number, upTo: number): Generator<readonly AccountStep[]> {
				for (let from = after; ; ) {
					const page = steps.all(from, upTo, PAGE);
					yield page.filter(({ counts }) => counts === 1).map(asStep);
					const last = page.at(-1);
					if (last === undefined || page.length < PAGE) return;
					from = last.sequence;
				}
			},
			/** What is held of a source, and since when. */
			heldOf: (source: string): { readonly detail: HeldDetail; readonly since: number } | undefined => {
				const rows = kinds.all(source);
				const [most] = rows;
				if (most === undefined) return undefined;
				const { plan } = most;
				const counts = rows.map(({ kind, target, because, count }) => ({ kind, target, because, count }));
				const count = counts.reduce((sum, each) => sum + each.count, 0);
				const detail: HeldDetail = { kind: "held", plan, count, kinds: counts.slice(0, MOST_NAMED), first: names.all(plan, MOST_NAMED) };
				return { detail, since: Math.min(...rows.map(({ since }) => since)) };
			},
			/** Who was set aside last. */
			asideOf: (source: string): (MatterDetail & { kind: "quarantine" })["first"] => aside.all(source, MOST_NAMED),
			/** Why the last full reading is not sealed. */
			unsealedOf: (source: string): readonly string[] => JSON.parse((unsealed.get(source) as string | undefined) ?? "[]") as string[],
		},
		clearMatters: db.prepare("DELETE FROM matters"),
		putMatter: db.prepare<[string, string]>("INSERT INTO matters (key, body) VALUES (?, ?)"),
		supersede: db.prepare<[string, string]>("DELETE FROM notices WHERE channel = ? AND matter = ? AND sent_at IS NULL"),
		isKnown: db.prepare<[string, string]>("SELECT 1 FROM notices WHERE channel = ? AND matter = ? LIMIT 1"),
		wasTold: db.prepare<[string, string]>("SELECT 1 FROM notices WHERE channel = ? AND matter = ? AND sent_at IS NOT NULL LIMIT 1"),
		add: db.prepare<[string, string, string, number, number]>(
			"INSERT INTO notices (channel, matter, body, at, due_at) VALUES (?, ?, ?, ?, ?)",
		),
		putReport: db.prepare(
			`INSERT INTO reports (channel, schedule, from_sequence, from_at, due_at) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET schedule = excluded.schedule, from_sequence = excluded.from_sequence, from_at = excluded.from_at, due_at = excluded.due_at`,
		),
		// What was said is not kept: it names people.
		sent: db.prepare<[number, number]>("UPDATE notices SET sent_at = ?, body = '', error = NULL WHERE id = ?"),
		failed: db.prepare<[string, number, number]>("UPDATE notices SET attempts = attempts + 1, error = ?, due_at = ? WHERE id = ?"),
		retire: db.prepare<[number, number, string]>(
			"DELETE FROM notices WHERE sent_at < ? OR (sent_at IS NULL AND (at < ? OR channel NOT IN (SELECT value FROM json_each(?))))",
		),
	};
}

function asStep({ source, anchor, why, before, after }: StepRow): AccountStep {
	return { source, anchor, why, before: side(before), after: side(after) };
}

interface StepRow extends Pick<AccountStep, "source" | "anchor" | "why"> {
	readonly before: string | null;
	readonly after: string | null;
}

function side(body: string | null): Account | undefined {
	return body === null ? undefined : (JSON.parse(body) as Account);
}
