import { existsSync, statSync } from "node:fs";
import type { PinRecord } from "../core/pin.ts";
import { spread } from "../lib/spread.ts";
import type { HeldKind, Mode } from "../sync/report.ts";
import { proveChain } from "./chain.ts";
import { openReadOnly } from "./database.ts";
import { openLogReader } from "./log-reader.ts";
import type { ReadBackCounts, TargetTrouble } from "./target-states.ts";
import { accountColumns, changeColumns, groupColumns, memberColumns, runColumns } from "./view-columns.ts";
import {
	type AccountRow,
	type ChangeRow,
	type GroupRow,
	type HeldViewRow,
	type MemberRow,
	makeAccountView,
	makeChange,
	makeGroupView,
	makeMember,
	makeRun,
	type RunRow,
} from "./view-rows.ts";
import type { HeldBrief, HeldChange, HeldPlanView, QuarantineView, SourceView, TargetView, Views } from "./views.ts";

interface SourceRow {
	readonly id: number;
	readonly name: string;
	readonly entries: number;
	readonly last_full_sealed: number | null;
	readonly strategy: string | null;
	readonly groups: number;
	readonly memberships: number;
}

interface HeldKindRow extends Omit<HeldKind, "target"> {
	readonly plan: string;
	readonly source: string;
	readonly since: number;
	/** Empty: held everywhere. */
	readonly target: string;
}

interface TargetRow {
	readonly id: number;
	readonly name: string;
	readonly trouble: string | null;
	readonly trouble_hint: string | null;
	readonly trouble_since: number;
	readonly retry_at: number;
	readonly failures: number;
	readonly read_back_at: number | null;
	readonly read_back: string | null;
	readonly pending: number;
	readonly failed: number;
	readonly error: string | null;
	readonly pending_groups: number;
	readonly failed_groups: number;
	readonly group_error: string | null;
}

/** Opens what `status`, health, metrics and the API read. A database that is not there yet reads as an empty one. */
export function openViews(file: string): Views {
	const db = openReadOnly(file);
	const run = (where: string) => `SELECT ${runColumns} FROM runs r JOIN sources s ON s.id = r.source_id ${where}`;
	const runs = db.prepare<[number, number], RunRow>(run("WHERE r.id < ? ORDER BY r.id DESC LIMIT ?"));
	const oneRun = db.prepare<[number], RunRow>(run("WHERE r.id = ?"));
	const lastRun = db.prepare<[number], RunRow>(run("WHERE r.source_id = ? ORDER BY r.id DESC LIMIT 1"));
	const lastSuccess = db.prepare<[number, Mode], { at: number | null }>(
		`SELECT ended_at AS at FROM runs WHERE source_id = ? AND mode = ? AND outcome NOT IN ('failed', 'running') AND "trigger" NOT IN ('approve', 'revert') ORDER BY id DESC LIMIT 1`,
	);
	const sources = db.prepare<[], SourceRow>(
		`SELECT id, name, entries, last_full_sealed, strategy, memberships, (SELECT count(*) FROM groups g WHERE g.source_id = sources.id AND g.body IS NOT NULL) AS groups
		FROM sources ORDER BY name`,
	);
	const heldCounts = db.prepare<[number], { kind: string; count: number }>(
		"SELECT iif(subject = 'group', 'group ' || kind, kind) AS kind, count(*) AS count FROM held WHERE source_id = ? GROUP BY 1",
	);
	const quarantined = db.prepare<[number], { count: number }>("SELECT count(*) AS count FROM quarantine WHERE source_id = ?");
	const targets = db.prepare<[], TargetRow>(
		`SELECT t.id, t.name, t.trouble, t.trouble_hint, t.trouble_since, t.retry_at, t.failures, t.read_back_at, t.read_back,
			count(l.account_id) AS pending, count(l.error) AS failed, max(l.error) AS error,
			(SELECT count(*) FROM group_ledger g INDEXED BY group_ledger_pending WHERE g.target_id = t.id AND g.pending = 1) AS pending_groups,
			(SELECT count(g.error) FROM group_ledger g INDEXED BY group_ledger_pending WHERE g.target_id = t.id AND g.pending = 1) AS failed_groups,
			(SELECT max(g.error) FROM group_ledger g INDEXED BY group_ledger_pending WHERE g.target_id = t.id AND g.pending = 1) AS group_error
		FROM targets t LEFT JOIN ledger l INDEXED BY ledger_pending ON l.target_id = t.id AND l.pending = 1 GROUP BY t.id ORDER BY t.name`,
	);
	const releases = db.prepare<[number]>("SELECT count(*) FROM ledger WHERE target_id = ? AND released_at IS NOT NULL").pluck();
	const accountTotals = db.prepare<[], { active: number; inactive: number }>(
		"SELECT coalesce(sum(active_accounts), 0) AS active, coalesce(sum(inactive_accounts), 0) AS inactive FROM sources",
	);
	// Of a target with a view of its own nobody keeps count: its ledger is walked, 100,000 rows in some ten milliseconds.
	const viewTotals = db.prepare<[], { name: string; active: number; inactive: number }>(
		`SELECT t.name, coalesce(sum(s.active), 0) AS active, coalesce(sum(1 - s.active), 0) AS inactive FROM targets t LEFT JOIN (
			SELECT l.target_id, CASE WHEN l.body IS NULL THEN a.active ELSE l.body ->> '$.active' END AS active
			FROM ledger l LEFT JOIN accounts a ON a.id = l.account_id WHERE l.wanted IS NOT NULL AND l.target_id IN (SELECT id FROM targets WHERE has_view = 1)
		) s ON s.target_id = t.id WHERE t.has_view = 1 GROUP BY t.id`,
	);
	/** Accounts by target: of one that gets what everyone gets, all there are. */
	const totalsOf = (): ((target: string) => { readonly active: number; readonly inactive: number }) => {
		const everywhere = accountTotals.get() ?? { active: 0, inactive: 0 };
		const own = new Map(viewTotals.all().map(({ name, active, inactive }) => [name, { active, inactive }]));
		return (target) => own.get(target) ?? everywhere;
	};
	const held = db.prepare<[], HeldViewRow>(
		`SELECT h.plan, s.name AS source, h.since, h.subject, h.target, h.kind, h.because, coalesce(e.anchor, g.anchor) AS anchor, h.name, h.why, h.before, h.after
		FROM held h JOIN sources s ON s.id = h.source_id LEFT JOIN entries e ON e.id = h.entry_id LEFT JOIN groups g ON g.id = h.entry_id ORDER BY s.name, h.kind, h.name`,
	);
	const heldKinds = db.prepare<[], HeldKindRow>(
		`SELECT h.plan, s.name AS source, h.subject, h.target, h.kind, h.because AS "limit", count(*) AS count, min(h.since) AS since
		FROM held h JOIN sources s ON s.id = h.source_id GROUP BY h.plan, s.name, h.subject, h.target, h.kind, h.because ORDER BY s.name, h.kind`,
	);
	// Which they are the index alone tells: of 100,000 that are held it takes 35 ms; to sort them whole took 370.
	const firstHeld = db.prepare<[string, number], HeldChange & { readonly target: string }>(
		`SELECT h.subject, h.target, h.kind, coalesce(e.anchor, g.anchor) AS anchor, h.name, h.why
		FROM (SELECT source_id, entry_id, kind, target FROM held INDEXED BY held_names WHERE plan = ? ORDER BY kind, name LIMIT ?) f
		CROSS JOIN held h ON h.source_id = f.source_id AND h.entry_id = f.entry_id AND h.kind = f.kind AND h.target = f.target
		LEFT JOIN entries e ON e.id = h.entry_id LEFT JOIN groups g ON g.id = h.entry_id ORDER BY h.kind, h.name`,
	);
	const pins = db.prepare<[], PinRecord & { readonly source: string; readonly anchor: string; readonly name: string }>(
		`SELECT s.name AS source, e.anchor, p.name, p.part, p.kept, p.run_id AS run, p.pinned_by AS by, p.pinned_at AS at
		FROM pins p JOIN entries e ON e.id = p.entry_id JOIN sources s ON s.id = e.source_id ORDER BY s.name, p.name, p.part`,
	);
	const quarantine = db.prepare<[], QuarantineView>(
		`SELECT s.name AS source, e.anchor, q.name, q.reason, q.since
		FROM quarantine q JOIN sources s ON s.id = q.source_id JOIN entries e ON e.id = q.entry_id ORDER BY s.name, q.name`,
	);
	const quarantineCount = db.prepare<[], number>("SELECT count(*) FROM quarantine").pluck();
	// In the order of the table, whatever the names: to sort 100,000 takes 300 ms of the thread that also answers /health.
	const firstQuarantined = db.prepare<[number], QuarantineView>(
		`SELECT s.name AS source, e.anchor, q.name, q.reason, q.since
		FROM quarantine q CROSS JOIN sources s ON s.id = q.source_id CROSS JOIN entries e ON e.id = q.entry_id ORDER BY q.source_id, q.entry_id LIMIT ?`,
	);
	const changes = db.prepare<[number], ChangeRow>(
		`SELECT ${changeColumns} FROM changes WHERE run_id = ? AND subject IN ('account', 'group') ORDER BY sequence`,
	);
	const everyAccount = db.prepare<[], AccountRow>(
		`SELECT ${accountColumns} FROM accounts a JOIN entries e ON e.id = a.id JOIN sources s ON s.id = a.source_id ORDER BY a.user_name COLLATE NOCASE, a.id`,
	);
	const someAccounts = db.prepare<[number, number, string], AccountRow>(
		`SELECT ${accountColumns} FROM accounts a JOIN entries e ON e.id = a.id JOIN sources s ON s.id = a.source_id
		WHERE a.id IN (SELECT account_id FROM claims WHERE claim IN (?, ?) UNION SELECT e.id FROM sources s JOIN entries e ON e.source_id = s.id AND e.anchor = ?) ORDER BY a.id`,
	);
	const everyGroup = db.prepare<[], GroupRow>(
		`SELECT ${groupColumns} FROM groups g JOIN sources s ON s.id = g.source_id WHERE g.body IS NOT NULL ORDER BY g.body ->> '$.displayName' COLLATE NOCASE, g.id`,
	);
	const someGroups = db.prepare<[string, string], GroupRow>(
		`SELECT ${groupColumns} FROM groups g JOIN sources s ON s.id = g.source_id WHERE g.body IS NOT NULL AND (g.body ->> '$.displayName' = ? COLLATE NOCASE OR g.anchor = ?) ORDER BY g.id`,
	);
	const members = db.prepare<[number], MemberRow>(
		`SELECT ${memberColumns} FROM memberships m JOIN accounts a ON a.id = m.account_id JOIN entries e ON e.id = m.account_id WHERE m.group_id = ? ORDER BY a.user_name COLLATE NOCASE, a.id`,
	);
	const strangers = db
		.prepare<[number, number]>(
			"SELECT s.name FROM members m JOIN strangers s ON s.id = m.member_id WHERE m.group_id = ? ORDER BY s.name LIMIT ?",
		)
		.pluck();
	const featureCounts = db.prepare<[], { feature: string; count: number }>(
		"SELECT name AS feature, accounts AS count FROM entitlement_counts WHERE kind = 'feature' ORDER BY name",
	);
	const entitlementCounts = db.prepare<[], { kind: "feature" | "policy"; name: string; value: string; accounts: number }>(
		"SELECT kind, name, value, accounts FROM entitlement_counts ORDER BY kind, name, value",
	);
	const targetNames = db.prepare<[], { name: string }>("SELECT name FROM targets ORDER BY name");

	return {
		...openLogReader(db),
		sources: () =>
			sources.all().map(({ id, name, entries, last_full_sealed, strategy, memberships, groups: kept }): SourceView => {
				const newest = lastRun.get(id);
				return {
					source: name,
					lastRun: newest && makeRun(newest),
					lastSuccess: { full: lastSuccess.get(id, "full")?.at ?? undefined, delta: lastSuccess.get(id, "delta")?.at ?? undefined },
					sealed: last_full_sealed === null ? undefined : last_full_sealed === 1,
					entries,
					held: Object.fromEntries(heldCounts.all(id).map(({ kind, count }) => [kind, count])),
					quarantined: quarantined.get(id)?.count ?? 0,
					strategy: strategy ?? undefined,
					groups: kept,
					memberships,
				};
			}),
		targets: () => {
			const totals = totalsOf();
			return targets.all().map((row): TargetView => {
				const { id, name, pending, failed, error, read_back_at, read_back } = row;
				return {
					target: name,
					accounts: totals(name).active + totals(name).inactive,
					pending: pending + row.pending_groups,
					failed: failed + row.failed_groups,
					// Only reading back releases.
					released: read_back_at === null ? 0 : (releases.get(id) as number),
					lastError: error ?? row.group_error ?? undefined,
					trouble: troubleOf(row),
					readBack:
						read_back === null || read_back_at === null ? undefined : { at: read_back_at, counts: JSON.parse(read_back) as ReadBackCounts },
				};
			});
		},
		held: () => heldPlans(held.all()),
		heldBriefly: (most) => briefPlans(heldKinds.all(), (plan) => firstHeld.all(plan, most)),
		quarantine: () => quarantine.all(),
		quarantineBriefly: (most) => ({ count: quarantineCount.get() ?? 0, first: firstQuarantined.all(most) }),
		*pins() {
			yield* pins.iterate();
		},
		runs: (limit, before) => runs.all(before ?? Number.MAX_SAFE_INTEGER, limit).map(makeRun),
		run: (id) => {
			const row = oneRun.get(id);
			return row && makeRun(row);
		},
		*changes(runId) {
			for (const row of changes.iterate(runId)) yield makeChange(row);
		},
		*accounts(user) {
			const key = user?.toLowerCase();
			// Nothing is written on this connection, so a statement may stay open while its rows are used.
			const rows = key === undefined ? everyAccount.iterate() : someAccounts.all(spread(`userName ${key}`), spread(`e-mail ${key}`), key);
			for (const row of rows) yield makeAccountView(row);
		},
		*groups(group) {
			const rows = group === undefined ? everyGroup.iterate() : someGroups.all(group, group.toLowerCase());
			for (const row of rows) yield makeGroupView(row);
		},
		*members({ id }) {
			for (const row of members.iterate(id)) yield makeMember(row);
		},
		strangers: ({ id }, limit) => strangers.all(id, limit) as string[],
		featureCounts: () => featureCounts.all(),
		entitlementCounts: () => entitlementCounts.all().map((row) => ({ ...row, value: row.kind === "policy" ? row.value : undefined })),
		accountCounts: () => {
			const totals = totalsOf();
			return targetNames.all().flatMap(({ name }) => [
				{ target: name, state: "active" as const, count: totals(name).active },
				{ target: name, state: "disabled" as const, count: totals(name).inactive },
			]);
		},
		proveChain: () => proveChain(db),
		size: () => sizeOf(file) + sizeOf(`${file}-wal`),
		close: () => {
			db.close();
		},
	};
}

function troubleOf({ trouble, trouble_hint, trouble_since, retry_at, failures }: TargetRow): TargetTrouble | undefined {
	if (trouble === null) return undefined;
	return { because: trouble, hint: trouble_hint ?? undefined, since: trouble_since, retryAt: retry_at, failures };
}

function heldPlans(rows: readonly HeldViewRow[]): readonly HeldPlanView[] {
	const plans = new Map<string, HeldViewRow[]>();
	for (const row of rows) {
		const plan = plans.get(row.plan);
		if (plan === undefined) plans.set(row.plan, [row]);
		else plan.push(row);
	}
	return [...plans].map(([plan, members]) => ({
		plan,
		source: members[0]?.source ?? "",
		since: Math.min(...members.slice(0, 10_000).map(({ since }) => since)),
		kinds: kindsOf(members),
		changes: members.map(makeChange),
	}));
}

function briefPlans(rows: readonly HeldKindRow[], firstOf: (plan: string) => readonly HeldChange[]): readonly HeldBrief[] {
	const anywhere = (target: string | undefined): string | undefined => (target === "" ? undefined : target);
	return [...Map.groupBy(rows, ({ plan }) => plan)].map(([plan, members]) => ({
		plan,
		source: members[0]?.source ?? "",
		since: Math.min(...members.map(({ since }) => since)),
		kinds: members.map(({ subject, target, kind, count, limit }) => ({ subject, target: anywhere(target), kind, count, limit })),
		count: members.reduce((sum, { count }) => sum + count, 0),
		first: firstOf(plan).map((change) => ({ ...change, target: anywhere(change.target) })),
	}));
}

function kindsOf(rows: readonly HeldViewRow[]): HeldPlanView["kinds"] {
	const kinds = new Map<string, { -readonly [Key in keyof HeldKind]: HeldKind[Key] }>();
	for (const { subject, target, kind, because } of rows) {
		const key = `${subject} ${kind} ${target} ${because}`;
		const entry = kinds.get(key) ?? { subject, target: target === "" ? undefined : target, kind, count: 0, limit: because };
		entry.count++;
		kinds.set(key, entry);
	}
	return [...kinds.values()];
}

function sizeOf(file: string): number {
	return existsSync(file) ? statSync(file).size : 0;
}
