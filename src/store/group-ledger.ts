import type { Anchor } from "../core/entry.ts";
import type { Connection } from "./database.ts";
import { afterRestore, type LedgerTarget } from "./ledger.ts";

/** One group that a target does not have as it is wanted. Bodies are groups as JSON. */
export interface PendingGroupRow {
	readonly group_id: number;
	readonly anchor: Anchor;
	readonly wanted: Buffer | null;
	readonly body: string | null;
	readonly applied: Buffer | null;
	readonly applied_body: string | null;
	readonly remote_id: string | null;
	readonly intent_at: number | null;
	readonly attempts: number;
	readonly run_id: number;
	readonly revision: number;
	readonly error: string | null;
}

/** A membership that a target does not have as it is wanted; only of accounts that are there. */
export interface PendingMember {
	readonly account_id: number;
	readonly anchor: Anchor;
	readonly remote_id: string;
	readonly wanted: number;
}

/** What was tried. */
type Attempt = Pick<PendingGroupRow, "group_id" | "revision" | "intent_at">;

/** How we came to a group that is there already. */
export interface GroupMatch {
	readonly remoteId: string;
	/** Of `body`; empty where that is not known. */
	readonly digest: Buffer;
	readonly body: string | undefined;
	readonly origin: "created" | "adopted";
	readonly before: string | undefined;
}

/** Accounts that come to a target with a view, or leave it, in this run. */
const schema =
	"CREATE TEMP TABLE passages (target_id INTEGER NOT NULL, account_id INTEGER NOT NULL, comes INTEGER NOT NULL, PRIMARY KEY (target_id, account_id)) WITHOUT ROWID";

/** The ledger of groups and memberships: what is wanted and applied per target, of memberships only what differs. */
export function openGroupLedger(db: Connection) {
	db.exec(schema);
	const want = db.prepare(
		`INSERT INTO group_ledger (target_id, group_id, wanted, run_id, pending, intent_at, revision)
		SELECT t.id, @group, @wanted, @run, 1, ${afterRestore} FROM targets t WHERE t.id = @target
		ON CONFLICT DO UPDATE SET
			applied_body = CASE WHEN applied IS excluded.wanted THEN NULL WHEN applied IS wanted AND wanted IS NOT NULL THEN @oldBody ELSE applied_body END,
			wanted = excluded.wanted, run_id = excluded.run_id, revision = revision + 1, pending = 1, attempts = 0, next_at = NULL, error = NULL`,
	);
	const passedRemoval = "EXISTS (SELECT 1 FROM planned_groups p WHERE p.id = x.group_id AND p.kind = 'remove' AND p.passed = 1)";
	/** Which memberships a target is to have: all, or those of the accounts that are to be there. A group with open ones is open itself. */
	const wanting = (only: string) => ({
		members: db.prepare(
			`INSERT INTO member_ledger (target_id, group_id, account_id, wanted) SELECT @target, x.group_id, x.account_id, x.added FROM staged_memberships x
			WHERE (x.added = 1 OR ${passedRemoval}) ${only} ON CONFLICT DO UPDATE SET wanted = excluded.wanted, next_at = NULL`,
		),
		wake: db.prepare(
			`UPDATE group_ledger SET pending = 1, run_id = @run, revision = revision + 1, attempts = 0, next_at = NULL, error = NULL WHERE target_id = @target
			AND group_id IN (SELECT x.group_id FROM staged_memberships x WHERE (x.added = 1 OR ${passedRemoval}) ${only})`,
		),
	});
	const isToBeThere =
		"EXISTS (SELECT 1 FROM ledger a WHERE a.target_id = @target AND a.account_id = x.account_id AND a.wanted IS NOT NULL)";
	const wantingAll = wanting("");
	const wantingThere = wanting(`AND ${isToBeThere}`);
	const pass = db.prepare<[number, number, number]>("INSERT OR REPLACE INTO passages (target_id, account_id, comes) VALUES (?, ?, ?)");
	/** Who left a target is in no group there; who comes is to be in all of its groups. */
	const passageSteps = [
		"DELETE FROM member_ledger WHERE target_id = @target AND account_id IN (SELECT p.account_id FROM passages p WHERE p.target_id = @target)",
		`INSERT INTO member_ledger (target_id, group_id, account_id, wanted) SELECT @target, m.group_id, m.account_id, 1 FROM passages p
			JOIN memberships m ON m.account_id = p.account_id JOIN group_ledger l ON l.target_id = @target AND l.group_id = m.group_id AND l.wanted IS NOT NULL
			WHERE p.target_id = @target AND p.comes = 1`,
		`UPDATE group_ledger SET pending = 1, revision = revision + 1, attempts = 0, next_at = NULL, error = NULL WHERE target_id = @target
			AND group_id IN (SELECT m.group_id FROM passages p JOIN memberships m ON m.account_id = p.account_id WHERE p.target_id = @target AND p.comes = 1)`,
	].map((sql) => db.prepare(sql));
	const goneSteps = [
		"DELETE FROM member_ledger WHERE group_id IN (SELECT id FROM planned_groups WHERE kind = 'delete' AND passed = 1)",
		"DELETE FROM member_ledger WHERE account_id IN (SELECT id FROM planned WHERE kind = 'delete' AND passed = 1)",
	].map((sql) => db.prepare(sql));
	const fillGroups = db.prepare<[number, number]>(
		`INSERT INTO group_ledger (target_id, group_id, wanted, run_id, pending, intent_at, revision)
		SELECT t.id, g.id, x'', 0, 1, ${afterRestore} FROM targets t, groups g WHERE t.id = ? AND g.body IS NOT NULL AND NOT EXISTS (SELECT 1 FROM group_ledger l WHERE l.target_id = ? AND l.group_id = g.id)`,
	);
	const fillMembers = db.prepare<[number, number, number]>(
		`INSERT OR IGNORE INTO member_ledger (target_id, group_id, account_id, wanted) SELECT ?, m.group_id, m.account_id, 1 FROM memberships m
		WHERE m.group_id IN (SELECT l.group_id FROM group_ledger l WHERE l.target_id = ? AND l.wanted = x'')
		AND EXISTS (SELECT 1 FROM ledger a WHERE a.target_id = ? AND a.account_id = m.account_id)`,
	);
	const filled = db.prepare<[number], { group_id: number; body: string }>(
		"SELECT l.group_id, g.body FROM group_ledger l JOIN groups g ON g.id = l.group_id WHERE l.target_id = ? AND l.wanted = x''",
	);
	const setWanted = db.prepare<[Buffer, number, number]>("UPDATE group_ledger SET wanted = ? WHERE target_id = ? AND group_id = ?");
	const due = db
		.prepare<[number, number]>(
			`SELECT group_id FROM group_ledger INDEXED BY group_ledger_pending WHERE pending = 1 AND target_id = ? AND (next_at IS NULL OR next_at <= ?)
			ORDER BY attempts > 0, next_at, group_id`,
		)
		.pluck();
	const pending = db.prepare<[number, number], PendingGroupRow>(
		`SELECT l.group_id, g.anchor, l.wanted, g.body, l.applied, l.applied_body, l.remote_id, l.intent_at, l.attempts, l.run_id, l.revision, l.error
		FROM group_ledger l JOIN groups g ON g.id = l.group_id WHERE l.pending = 1 AND l.target_id = ? AND l.group_id = ?`,
	);
	// An account that is not there yet cannot be a member.
	const isThere = "JOIN ledger a ON a.target_id = m.target_id AND a.account_id = m.account_id AND a.remote_id IS NOT NULL";
	const members = db.prepare<[number, number, number, number], PendingMember>(
		`SELECT m.account_id, e.anchor, a.remote_id, m.wanted FROM member_ledger m ${isThere}
		JOIN entries e ON e.id = m.account_id WHERE m.target_id = ? AND m.group_id = ? AND (m.next_at IS NULL OR m.next_at <= ?) ORDER BY m.account_id LIMIT ?`,
	);
	const refuseMember = db.prepare<[number, number, number, number]>(
		"UPDATE member_ledger SET next_at = ? WHERE target_id = ? AND group_id = ? AND account_id = ?",
	);
	const memberDue = db
		.prepare<[number, number]>(`SELECT min(m.next_at) FROM member_ledger m ${isThere} WHERE m.target_id = ? AND m.group_id = ?`)
		.pluck();
	const settle = db.prepare<[number, number, number, number]>(
		"DELETE FROM member_ledger WHERE target_id = ? AND group_id = ? AND account_id = ? AND wanted = ?",
	);
	const intend = db.prepare<[number, number, number, number]>(
		"UPDATE group_ledger SET intent_at = ? WHERE target_id = ? AND group_id = ? AND revision = ?",
	);
	const match = db.prepare(
		`UPDATE group_ledger SET remote_id = @remoteId, origin = @origin, before_image = coalesce(before_image, @before), applied = @digest, applied_body = @body, intent_at = NULL
		WHERE target_id = @target AND group_id = @group`,
	);
	const applied = db.prepare(
		`UPDATE group_ledger SET applied = @digest, applied_body = CASE WHEN wanted IS @digest THEN NULL ELSE @body END, remote_id = @remoteId, origin = coalesce(origin, 'created'),
			intent_at = NULL, attempts = 0, next_at = NULL, error = NULL,
			pending = wanted IS NOT @digest OR EXISTS (SELECT 1 FROM member_ledger m ${isThere} WHERE m.target_id = @target AND m.group_id = @group)
		WHERE target_id = @target AND group_id = @group`,
	);
	const rest = db.prepare<[number, number]>(
		"UPDATE group_ledger SET pending = 0, next_at = NULL, error = NULL WHERE target_id = ? AND group_id = ? AND applied IS wanted",
	);
	// One that was refused itself keeps its wait.
	const wakeWaiting = db.prepare<[number, number]>(
		`UPDATE group_ledger SET pending = 1, next_at = NULL WHERE target_id = ? AND (pending = 0 OR (next_at IS NOT NULL AND applied IS wanted))
			AND group_id IN (SELECT m.group_id FROM member_ledger m ${isThere} WHERE m.target_id = ? AND m.next_at IS NULL)`,
	);
	const wakeResting = db.prepare<[number, number]>(
		`UPDATE group_ledger SET pending = 1, next_at = NULL WHERE target_id = ? AND pending = 0
			AND group_id IN (SELECT m.group_id FROM member_ledger m ${isThere} WHERE m.target_id = ?)`,
	);
	const lost = db.prepare<[number, number | null, number, number]>(
		`UPDATE group_ledger SET remote_id = NULL, applied = NULL, applied_body = NULL, intent_at = ?,
			revision = revision + 1, attempts = attempts + 1, next_at = ?, error = NULL, pending = 1 WHERE target_id = ? AND group_id = ?`,
	);
	const reopenGroup = db.prepare<[number, number]>(
		"INSERT INTO member_ledger (target_id, group_id, account_id, wanted) SELECT ?, group_id, account_id, 1 FROM memberships WHERE group_id = ? ON CONFLICT DO UPDATE SET wanted = 1, next_at = NULL",
	);
	const reopenMembers = [
		db.prepare<[number, number]>(
			`INSERT INTO member_ledger (target_id, group_id, account_id, wanted) SELECT l.target_id, m.group_id, m.account_id, 1
			FROM memberships m JOIN group_ledger l ON l.group_id = m.group_id AND l.target_id = ? WHERE m.account_id = ? ON CONFLICT DO UPDATE SET wanted = 1, next_at = NULL`,
		),
		db.prepare<[number, number]>(
			"UPDATE group_ledger SET pending = 1 WHERE target_id = ? AND group_id IN (SELECT group_id FROM memberships WHERE account_id = ?)",
		),
	];
	const holder = db
		.prepare<[number, string, number]>(
			"SELECT g.anchor FROM group_ledger l JOIN groups g ON g.id = l.group_id WHERE l.target_id = ? AND l.remote_id = ? AND l.group_id <> ?",
		)
		.pluck();
	const removed = db.prepare<[number, number]>("DELETE FROM group_ledger WHERE target_id = ? AND group_id = ? AND wanted IS NULL");
	// Only if nothing else is wanted since (see the ledger of accounts).
	const failed = db.prepare<[number, string, number, number, number, number]>(
		"UPDATE group_ledger SET attempts = attempts + 1, next_at = ?, error = ?, intent_at = iif(?, NULL, intent_at) WHERE target_id = ? AND group_id = ? AND revision = ?",
	);
	const countPending = db
		.prepare<[number]>("SELECT count(*) FROM group_ledger INDEXED BY group_ledger_pending WHERE pending = 1 AND target_id = ?")
		.pluck();
	const nextDue = db
		.prepare<[number]>(
			"SELECT min(coalesce(next_at, 0)) FROM group_ledger INDEXED BY group_ledger_pending WHERE pending = 1 AND target_id = ?",
		)
		.pluck();
	let targets: readonly LedgerTarget[] = [];
	/** Also those that are not in the configuration any more (see the ledger of accounts). */
	let everyTarget: readonly Pick<LedgerTarget, "id" | "hasView">[] = [];
	const keeping = db.prepare<[], { id: number; has_view: number }>(
		"SELECT id, has_view FROM targets WHERE id IN (SELECT target_id FROM group_ledger)",
	);
	const idOf = (target: string): number => {
		const found = targets.find(({ name }) => name === target);
		if (found === undefined) throw new Error(`target ${target} was not named to the ledger of groups`);
		return found.id;
	};

	return {
		/** Names the targets that keep groups, by their ids in the ledger. One that has none yet gets all of them wanted. */
		setTargets: (to: readonly LedgerTarget[], digestOf: (body: string) => Buffer): void => {
			targets = to;
			const others = keeping.all().filter(({ id }) => !to.some((target) => target.id === id));
			everyTarget = [...to, ...others.map(({ id, has_view }) => ({ id, hasView: has_view === 1 }))];
			for (const { id } of targets) {
				if (fillGroups.run(id, id).changes === 0) continue;
				fillMembers.run(id, id, id);
				for (const { group_id, body } of filled.all(id)) setWanted.run(digestOf(body), id, group_id);
			}
		},
		/** A group's new state for every target; `wanted` undefined: to be deleted. Inside the run's transaction. */
		want: (group: number, wanted: Buffer | undefined, oldBody: string | null, run: number): void => {
			for (const { id } of everyTarget) want.run({ target: id, group, wanted: wanted ?? null, oldBody, run });
		},
		/** The stage's memberships that go out, for every target; of what is deleted nothing stays open. */
		wantMembers: (run: number): void => {
			for (const { id: target, hasView } of everyTarget) {
				const { members, wake } = hasView ? wantingThere : wantingAll;
				members.run({ target });
				wake.run({ target, run });
			}
			for (const step of goneSteps) step.run();
		},
		/** Notes that an account comes to a target, or leaves it. */
		pass: (target: number, account: number, way: "comes" | "leaves"): void => void pass.run(target, account, way === "comes" ? 1 : 0),
		/** Opens the memberships of who comes, forgets those of who leaves. Inside the run's transaction, before `wantMembers`. */
		followPassages: (): void => {
			for (const { id: target, hasView } of targets) if (hasView) for (const step of passageSteps) step.run({ target });
			db.exec("DELETE FROM passages");
		},
		/** Open and due: those that were not tried yet, then those that have waited longest. */
		due: (target: string, now: number): readonly number[] => due.all(idOf(target), now) as number[],
		/** Undefined: it is not open any more. */
		pending: (target: string, group: number): PendingGroupRow | undefined => pending.get(idOf(target), group),
		/** Open memberships of accounts that are there. */
		members: (target: string, group: number, now: number, limit: number): readonly PendingMember[] =>
			members.all(idOf(target), group, now, limit),
		/** The target refused this one by itself; not tried again before `nextAt`. */
		refuseMember: (target: string, group: number, account: number, nextAt: number): void =>
			void refuseMember.run(nextAt, idOf(target), group, account),
		/** When the next refused member may be tried; undefined when none was. */
		memberDue: (target: string, group: number): number | undefined => (memberDue.get(idOf(target), group) as number | null) ?? undefined,
		/** The target has this membership as it was wanted when it was sent. */
		settled: (target: string, group: number, account: number, wanted: number): void => {
			settle.run(idOf(target), group, account, wanted);
		},
		/** False: something else is wanted since (see the ledger of accounts). */
		intend: (target: string, { group_id, revision }: Attempt, at: number): boolean =>
			intend.run(at, idOf(target), group_id, revision).changes === 1,
		applied: (target: string, group: number, digest: Buffer, body: string, remoteId: string): void => {
			applied.run({ target: idOf(target), group, digest, body, remoteId });
		},
		removed: (target: string, group: number): void => void removed.run(idOf(target), group),
		/** Not applied (see the ledger of accounts); not tried again before `nextAt`. */
		refused: (target: string, { group_id, revision, intent_at }: Attempt, error: string, nextAt: number): void =>
			void failed.run(nextAt, error, intent_at === null ? 1 : 0, idOf(target), group_id, revision),
		/** Not known to be applied. */
		postponed: (target: string, { group_id, revision }: Attempt, error: string, nextAt: number): void =>
			void failed.run(nextAt, error, 0, idOf(target), group_id, revision),
		/** The group is there already, and ours from now on. */
		match: (target: string, group: number, found: GroupMatch): void => {
			const { remoteId, digest, body, origin, before } = found;
			match.run({ target: idOf(target), group, remoteId, digest, body: body ?? null, origin, before: before ?? null });
		},
		/** There is nothing under its remote id any more: it is looked for and made again. Who is to leave it may still be in it. */
		lost: (target: string, group: number, at: number, nextAt: number | undefined): void => {
			const id = idOf(target);
			lost.run(at, nextAt ?? null, id, group);
			reopenGroup.run(id, group);
		},
		/** Whose group a remote id is in this ledger, other than this one's. */
		holder: (target: string, remoteId: string, group: number): Anchor | undefined =>
			holder.get(idOf(target), remoteId, group) as Anchor | undefined,
		/** Whoever else is to be a member is not there yet. */
		rest: (target: string, group: number): void => void rest.run(idOf(target), group),
		/** Opens the groups that rest, and whose members are there now. */
		wakeWaiting: (target: string): void => {
			const id = targets.find(({ name }) => name === target)?.id;
			if (id === undefined) return;
			wakeWaiting.run(id, id);
			wakeResting.run(id, id);
		},
		/** An account is to be there anew: so are its memberships. */
		reopenMembers: (target: string, account: number): void => {
			const id = targets.find(({ name }) => name === target)?.id;
			if (id !== undefined) for (const step of reopenMembers) step.run(id, account);
		},
		countPending: (target: string): number => {
			const id = targets.find(({ name }) => name === target)?.id;
			return id === undefined ? 0 : (countPending.get(id) as number);
		},
		/** When the next open group may be tried: Unix milliseconds, 0 for now, undefined when nothing is open. */
		nextDue: (target: string): number | undefined => {
			const id = targets.find(({ name }) => name === target)?.id;
			return id === undefined ? undefined : ((nextDue.get(id) as number | null) ?? undefined);
		},
	};
}

export type GroupLedger = ReturnType<typeof openGroupLedger>;
