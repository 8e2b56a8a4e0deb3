import type { Account } from "../core/account.ts";
import type { Cause, ChangeKind } from "../core/change.ts";
import { claimsOf } from "../core/claims.ts";
import type { Cursor } from "../core/cursor.ts";
import { outcomeOf, stepOf } from "../core/outcome.ts";
import { digest } from "../lib/digest.ts";
import { spread } from "../lib/spread.ts";
import type { Container } from "../source/source.ts";
import type { ChangeLog } from "./change-log.ts";
import type { Connection } from "./database.ts";
import { openEntitlementCounts } from "./entitlement-counts.ts";
import type { Ledger } from "./ledger.ts";
import { openRestored } from "./restored.ts";

/** What a run leaves behind besides its changes. */
export interface CommitRequest {
	readonly run: number;
	readonly source: string;
	readonly sourceId: number;
	/** Unix milliseconds. */
	readonly at: number;
	/** Undefined: this run did not read (an approval). */
	readonly reading:
		| {
				readonly mode: "full" | "delta";
				readonly sealed: boolean;
				/** Every page was read to its end: only then may the cursor move on. */
				readonly isWhole: boolean;
				readonly read: number;
				readonly cursor: Cursor | undefined;
				/** Instead of it, when not every page was, and where there is none. */
				readonly cursorIfPartial: Cursor | undefined;
				readonly identity: string;
				readonly scope: string;
				readonly attributes: string;
				readonly containers: readonly Container[];
		  }
		| undefined;
	readonly rules: string | undefined;
	/** Whether there are features or policies to be counted. */
	readonly hasRules: boolean;
	/** Added to the stored counts, by attribute. */
	readonly attributeCounts: ReadonlyMap<string, number>;
	/** Ids of the people under protection now, among those the snapshot has; undefined: not asked. */
	readonly shielded: ReadonlySet<number> | undefined;
	/** How the change log says it: "committed" or "approved by …". */
	readonly result: string;
}

interface ExistingRow {
	readonly id: number;
	readonly body: string;
	readonly desired: string | null;
	readonly kinds: string | null;
	readonly cause: Cause | null;
	readonly because: string | null;
	readonly ended_at: number | null;
	readonly due_at: number | null;
	readonly manager_dn_digest: Buffer | null;
	readonly reclaims: number;
	readonly old_cause: Cause | null;
	readonly old_because: string | null;
	readonly old_ended_at: number | null;
	readonly old_due_at: number | null;
	readonly old_manager: Buffer | null;
}

interface LoggedRow {
	readonly id: number;
	readonly kind: ChangeKind;
	readonly why: string;
	readonly anchor: string;
	readonly kinds: string | null;
	readonly desired: string | null;
	readonly user_name: string | null;
	readonly body: string | null;
}

const PAGE = 1000;

/** Carries a judged stage into the database. Every function is called inside the run's one transaction, in the order of `commit`. */
export function openCommit(db: Connection, ledger: Ledger, log: ChangeLog) {
	const entitled = openEntitlementCounts(db);
	const restored = openRestored(db);
	const addEntries = db.prepare<[number, number]>(
		`INSERT INTO entries (id, source_id, read_run, anchor, anchor_key, digest, dn_digest)
		SELECT id, ?, ?, anchor, anchor_key, digest, dn_digest FROM staged WHERE is_new = 1`,
	);
	// `+` keeps SQLite from walking all entries to look each up on the stage: the stage is what is small.
	const updateEntries = db.prepare<[number]>(
		`UPDATE entries SET digest = s.digest, dn_digest = s.dn_digest, read_run = ?, gone = NULL, gone_evidence = NULL, gone_doubt = NULL
		FROM staged s WHERE entries.id = +s.id AND s.is_new = 0 AND s.is_read = 1`,
	);
	const snapshotSteps = [
		db.prepare(
			`UPDATE entries SET gone = s.presence, gone_evidence = s.evidence, gone_doubt = s.doubt FROM staged s
			WHERE entries.id = +s.id AND s.presence <> 'present'`,
		),
		db.prepare(
			"INSERT OR REPLACE INTO entry_bytes (id, bytes) SELECT b.id, b.bytes FROM staged_bytes b JOIN staged s ON s.id = b.id WHERE s.is_read = 1",
		),
		db.prepare(
			"UPDATE entries SET protected = o.shielded FROM outcomes o WHERE entries.id = +o.id AND entries.gone IS NULL AND entries.protected <> o.shielded",
		),
	];
	const protectedIds = db.prepare<[number]>("SELECT id FROM entries WHERE source_id = ? AND protected = 1 AND gone IS NULL").pluck();
	const protect = db.prepare<[number, number]>("UPDATE entries SET protected = ? WHERE id = ?");

	const logged = db.prepare<[number, string, number], LoggedRow>(
		`SELECT p.id, p.kind, p.why, s.anchor, o.desired, o.user_name, a.body,
			CASE WHEN a.id IS NOT NULL THEN (SELECT group_concat(k.kind) FROM planned k WHERE k.id = p.id AND k.passed = 1) END AS kinds
		FROM planned p JOIN staged s ON s.id = p.id JOIN outcomes o ON o.id = p.id LEFT JOIN accounts a ON a.id = p.id
		WHERE p.passed = 1 AND (p.id, p.kind) > (?, ?) ORDER BY p.id, p.kind LIMIT ?`,
	);
	const existing = db.prepare<[number, number], ExistingRow>(
		`SELECT o.id, a.body, o.desired, (SELECT group_concat(k.kind) FROM planned k WHERE k.id = o.id AND k.passed = 1) AS kinds,
			o.cause, o.because, o.ended_at, o.due_at, o.manager_dn_digest, o.reclaims,
			a.cause AS old_cause, a.because AS old_because, a.ended_at AS old_ended_at, a.due_at AS old_due_at, a.manager_dn_digest AS old_manager
		FROM outcomes o JOIN accounts a ON a.id = o.id WHERE o.id > ? ORDER BY o.id LIMIT ?`,
	);
	const update = db.prepare(
		"UPDATE accounts SET user_name = ?, body = ?, active = ?, cause = ?, because = ?, ended_at = ?, due_at = ?, manager_dn_digest = ? WHERE id = ?",
	);
	const remove = db.prepare<[number]>("DELETE FROM accounts WHERE id = ?");
	const unclaim = db.prepare<[number, number]>("DELETE FROM claims WHERE claim = ? AND account_id = ?");
	const create = db.prepare<[number]>(
		`INSERT INTO accounts (id, source_id, user_name, body, active, cause, because, ended_at, due_at, manager_dn_digest)
		SELECT o.id, ?, o.user_name, o.desired, o.active, o.cause, o.because, o.ended_at, o.due_at, o.manager_dn_digest
		FROM planned p JOIN outcomes o ON o.id = p.id WHERE p.kind = 'create' AND p.passed = 1 ORDER BY o.id`,
	);
	const createdActive = db
		.prepare("SELECT count(*) FROM planned p JOIN outcomes o ON o.id = p.id WHERE p.kind = 'create' AND p.passed = 1 AND o.active = 1")
		.pluck();
	const claim = db.prepare("INSERT OR IGNORE INTO claims (claim, account_id) SELECT claim, id FROM staged_claims ORDER BY claim");
	const addCount = db.prepare<[number, string, number]>(
		"INSERT INTO attribute_counts (source_id, attribute, entries) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET entries = max(0, entries + excluded.entries)",
	);
	const stagedNew = db.prepare("SELECT count(*) FROM staged WHERE is_new = 1").pluck();
	const returned = db
		.prepare(
			"SELECT count(*) FROM staged s JOIN entries e ON e.id = s.id WHERE e.gone IS NOT NULL AND s.presence = 'present' AND s.is_read = 1",
		)
		.pluck();
	const left = db
		.prepare("SELECT count(*) FROM staged s JOIN entries e ON e.id = s.id WHERE e.gone IS NULL AND s.presence <> 'present'")
		.pluck();
	const setSource = db.prepare(
		`UPDATE sources SET rules = coalesce(?, rules), entries = entries + ?, gone_entries = gone_entries + ?,
		active_accounts = active_accounts + ?, inactive_accounts = inactive_accounts + ? WHERE id = ?`,
	);
	const setView = db.prepare<[string, string, number]>("UPDATE sources SET identity = ?, scope = ? WHERE id = ?");
	const setReading = db.prepare("UPDATE sources SET cursor = coalesce(?, cursor), attributes = ? WHERE id = ?");
	const setCursor = db.prepare<[Cursor, number]>("UPDATE sources SET cursor = ? WHERE id = ?");
	const setFull = db.prepare<[number, number, number, number]>(
		"UPDATE sources SET last_full_at = ?, last_full_sealed = ?, last_full_read = ? WHERE id = ?",
	);
	const clearContainers = db.prepare<[number]>("DELETE FROM containers WHERE source_id = ?");
	const ageContainer = db.prepare<[number, string]>("UPDATE containers SET is_current = 0 WHERE source_id = ? AND anchor = ?");
	const setContainer = db.prepare<[number, string, string]>(
		"INSERT OR REPLACE INTO containers (source_id, anchor, dn, is_current) VALUES (?, ?, ?, 1)",
	);

	/** The change log's rows, written while the accounts still are as before. */
	const writeLog = (request: CommitRequest): void => {
		log.appendMany((append) => {
			let [id, kind] = [0, ""];
			for (;;) {
				const rows = logged.all(id, kind, PAGE);
				for (const row of rows) {
					[id, kind] = [row.id, row.kind];
					// Nearly all rows of a first reading are creates, whose after is the text at hand.
					const { before, after } = row.kind === "create" ? { before: undefined, after: row.desired ?? undefined } : stepText(row);
					append({
						at: request.at,
						run: request.run,
						source: request.source,
						target: undefined,
						kind: row.kind,
						subject: "account",
						anchor: row.anchor,
						name: row.kind === "create" ? (row.user_name ?? "") : nameIn(after ?? before),
						why: row.why,
						before,
						after,
						result: request.result,
					});
				}
				if (rows.length < PAGE) return;
			}
		});
	};

	/** Accounts that were there before. Returns how active and inactive ones grew. */
	const writeExisting = (request: CommitRequest): { active: number; inactive: number } => {
		const grown = { active: 0, inactive: 0 };
		let id = 0;
		for (;;) {
			const rows = existing.all(id, PAGE);
			for (const row of rows) {
				id = row.id;
				writeOne(request, row, grown);
			}
			if (rows.length < PAGE) return grown;
		}
	};

	const writeOne = (request: CommitRequest, row: ExistingRow, grown: { active: number; inactive: number }): void => {
		const kinds = kindsOf(row.kinds);
		const before = JSON.parse(row.body) as Account;
		const desired = row.desired === null ? undefined : (JSON.parse(row.desired) as Account);
		const after = outcomeOf(before, desired, kinds);
		if (row.reclaims === 1) for (const value of claimsOf(before)) unclaim.run(spread(value), row.id);
		grown[before.active ? "active" : "inactive"]--;
		entitled.recount(before, after ?? {});
		if (after === undefined) {
			remove.run(row.id);
			ledger.want(row.id, undefined, row.body, "delete", 0, request.run);
			return;
		}
		grown[after.active ? "active" : "inactive"]++;
		// An account that stays disabled because its enabling is held keeps why and since when it is.
		const isEnableHeld = !after.active && desired?.active === true;
		const cause = after.active ? null : isEnableHeld ? row.old_cause : row.cause;
		const because = after.active ? null : isEnableHeld ? row.old_because : row.because;
		const endedAt = after.active ? null : isEnableHeld ? row.old_ended_at : row.ended_at;
		const body = after === before ? row.body : JSON.stringify(after);
		const isSame =
			body === row.body &&
			cause === row.old_cause &&
			because === row.old_because &&
			endedAt === row.old_ended_at &&
			row.due_at === row.old_due_at;
		if (!isSame || !sameBytes(row.manager_dn_digest, row.old_manager)) {
			update.run(after.userName, body, after.active ? 1 : 0, cause, because, endedAt, row.due_at, row.manager_dn_digest, row.id);
		}
		if (body === row.body) return;
		const kind = kinds.has("disable") ? "disable" : kinds.has("enable") ? "enable" : "update";
		ledger.want(row.id, digest(body), row.body, kind, row.reclaims === 1 ? 1 : kind === "disable" ? 0 : 2, request.run);
	};

	return {
		/** Snapshot, accounts, claims, ledger's wanted side, change log and cursor. */
		commit: (request: CommitRequest): void => {
			writeLog(request);
			const gone = (left.get() as number) - (returned.get() as number);
			const entries = (stagedNew.get() as number) - gone;
			addEntries.run(request.sourceId, request.run);
			updateEntries.run(request.run);
			for (const step of snapshotSteps) step.run();
			if (request.shielded !== undefined) {
				const were = new Set(protectedIds.all(request.sourceId) as number[]);
				for (const id of request.shielded) if (!were.has(id)) protect.run(1, id);
			}
			const grown = writeExisting(request);
			const active = createdActive.get() as number;
			const made = create.run(request.sourceId).changes;
			if (request.hasRules) entitled.countCreated();
			entitled.forgetNone();
			ledger.wantCreated(request.run);
			claim.run();
			for (const [attribute, count] of request.attributeCounts) if (count !== 0) addCount.run(request.sourceId, attribute, count);
			setSource.run(request.rules ?? null, entries, gone, grown.active + active, grown.inactive + made - active, request.sourceId);
			const { reading } = request;
			if (reading === undefined) return;
			// The view moves on with a sealed reading only: until then, what it shows less is our doing.
			if (reading.sealed) setView.run(reading.identity, reading.scope, request.sourceId);
			if (reading.isWhole) setReading.run(reading.cursor ?? reading.cursorIfPartial ?? null, reading.attributes, request.sourceId);
			else if (reading.cursorIfPartial !== undefined) setCursor.run(reading.cursorIfPartial, request.sourceId);
			if (reading.mode === "full") {
				setFull.run(request.at, reading.sealed ? 1 : 0, reading.read, request.sourceId);
				clearContainers.run(request.sourceId);
				if (reading.sealed) restored.reopen(request.sourceId);
			}
			for (const { anchor, dn } of reading.containers) {
				ageContainer.run(request.sourceId, anchor);
				setContainer.run(request.sourceId, anchor, dn);
			}
		},
	};

	function stepText(row: LoggedRow): { readonly before: string | undefined; readonly after: string | undefined } {
		const before = row.body === null ? undefined : (JSON.parse(row.body) as Account);
		const desired = row.desired === null ? undefined : (JSON.parse(row.desired) as Account);
		const step = stepOf(row.kind, before, desired, kindsOf(row.kinds));
		return { before: step.before && JSON.stringify(step.before), after: step.after && JSON.stringify(step.after) };
	}
}

function kindsOf(joined: string | null): ReadonlySet<ChangeKind> {
	return new Set((joined?.split(",") ?? []) as ChangeKind[]);
}

/** userName is the first field of an account's JSON. */
function nameIn(body: string | undefined): string {
	return body === undefined ? "" : ((JSON.parse(body) as Account).userName ?? "");
}

function sameBytes(a: Buffer | null, b: Buffer | null): boolean {
	return a === null || b === null ? a === b : a.equals(b);
}
