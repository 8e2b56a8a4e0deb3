import type { Cause, ChangeKind } from "../core/change.ts";
import type { HoldReason } from "../core/hold.ts";
import type { Connection } from "./database.ts";

/** One account that has or wants a contested claim. */
export interface ContestedRow {
	readonly claim: number;
	readonly id: number;
	readonly anchor: string;
	readonly name: string;
	readonly holds: number;
	readonly wants: number;
	readonly active: number;
	/** The account it would have, or has, as JSON. */
	readonly body: string;
	/** Whether this run plans it, and can set it aside. */
	readonly is_planned: number;
}

/** What lies between planning and commit, on the stage: who gets a claim, what passes, what is held. */
export function openSettlement(db: Connection) {
	db.exec("CREATE TEMP TABLE contested (claim INTEGER PRIMARY KEY)");
	const findContested = [
		db.prepare("DELETE FROM contested"),
		db.prepare("INSERT OR IGNORE INTO contested SELECT claim FROM staged_claims GROUP BY claim HAVING min(id) <> max(id)"),
		db.prepare(
			`INSERT OR IGNORE INTO contested SELECT s.claim FROM staged_claims s JOIN claims c ON c.claim = s.claim AND c.account_id <> s.id
			LEFT JOIN outcomes o ON o.id = c.account_id WHERE o.reclaims IS NOT 1 AND c.account_id NOT IN (SELECT id FROM taken)`,
		),
	];
	const contested = db.prepare<[], ContestedRow>(
		`SELECT t.claim, s.id, p.anchor, o.user_name AS name, EXISTS (SELECT 1 FROM claims c LEFT JOIN taken k ON k.id = c.account_id WHERE c.claim = t.claim AND coalesce(k.taker, c.account_id) = s.id) AS holds,
			1 AS wants, coalesce(o.active, 0) AS active, o.desired AS body, 1 AS is_planned
		FROM contested t JOIN staged_claims s ON s.claim = t.claim JOIN outcomes o ON o.id = s.id JOIN staged p ON p.id = s.id
		UNION
		SELECT t.claim, c.account_id, e.anchor, a.user_name, 1, 1, a.active, a.body, 0
		FROM contested t JOIN claims c ON c.claim = t.claim JOIN accounts a ON a.id = c.account_id JOIN entries e ON e.id = c.account_id
		LEFT JOIN outcomes o ON o.id = c.account_id WHERE o.reclaims IS NOT 1 AND c.account_id NOT IN (SELECT id FROM taken)
		ORDER BY 1, 2`,
	);
	const forget = [
		db.prepare<[number]>("DELETE FROM staged_claims WHERE id = ?"),
		db.prepare<[number]>("UPDATE outcomes SET reclaims = 0 WHERE id = ?"),
	];
	const quarantine = db.prepare<[string, number]>("UPDATE outcomes SET quarantine = ? WHERE id = ?");
	// Without its update, which brings the account along, nothing is planned for whoever takes one over.
	const drop = db.prepare<[number]>(
		"DELETE FROM planned WHERE id = ? AND (kind IN ('create', 'update') OR id IN (SELECT taker FROM taken))",
	);
	const counts = db.prepare<[], { kind: ChangeKind; count: number }>(
		"SELECT kind, count(*) AS count FROM planned WHERE reason IS NULL AND passed = 0 GROUP BY kind",
	);
	const hold = db.prepare<[HoldReason, string, string]>(
		"UPDATE planned SET reason = ?, because = ? WHERE kind = ? AND reason IS NULL AND passed = 0",
	);
	const holdOne = db.prepare<[HoldReason, string, number, string]>("UPDATE planned SET reason = ?, because = ? WHERE id = ? AND kind = ?");
	const release = db.prepare<[number, string]>("UPDATE planned SET reason = NULL, because = NULL, passed = 1 WHERE id = ? AND kind = ?");
	const pass = db.prepare("UPDATE planned SET passed = 1 WHERE reason IS NULL");
	// Without its update, which brings the account along, nothing else can be done to it.
	const holdTaken = db.prepare(
		`UPDATE planned SET passed = 0, reason = u.reason, because = u.because FROM planned u
		WHERE planned.kind <> 'update' AND u.id = planned.id AND u.kind = 'update' AND u.passed = 0 AND planned.id IN (SELECT taker FROM taken)`,
	);
	const heldKinds = db.prepare<[], { kind: ChangeKind; reason: HoldReason; because: string; count: number }>(
		"SELECT kind, reason, because, count(*) AS count FROM planned WHERE passed = 0 GROUP BY kind, reason, because ORDER BY kind, count DESC",
	);
	const totals = db.prepare<[number], { kind: ChangeKind; count: number }>(
		"SELECT kind, count(*) AS count FROM planned WHERE passed = ? GROUP BY kind",
	);
	const heldFields = db
		.prepare<[]>(
			"SELECT DISTINCT p.id FROM planned p JOIN outcomes o ON o.id = p.id WHERE p.passed = 0 AND p.kind IN ('create', 'update', 'delete') AND o.reclaims = 1",
		)
		.pluck();
	const lossy = db.prepare<[], { id: number; lost: string }>("SELECT id, lost FROM outcomes WHERE lost IS NOT NULL");
	const rejected = db.prepare<[], { id: number; kind: ChangeKind; cause: Cause | null; desired: string | null; outcome: Buffer }>(
		"SELECT p.id, p.kind, p.cause, o.desired, r.outcome FROM rejected r JOIN planned p ON p.id = r.entry_id AND p.kind = r.kind AND r.target = '' JOIN outcomes o ON o.id = p.id",
	);
	const dropPlanned = db.prepare<[number, string, string]>(
		"DELETE FROM planned WHERE id = ? AND (kind = ? OR (? = 'update' AND id IN (SELECT taker FROM taken)))",
	);
	const changed = db
		.prepare("SELECT count(DISTINCT p.id) FROM planned p JOIN staged s ON s.id = p.id WHERE s.presence = 'present' AND s.is_read = 1")
		.pluck();

	return {
		contested: (): readonly ContestedRow[] => {
			for (const step of findContested) step.run();
			return contested.all();
		},
		/** Sets the fields of one account aside: it keeps the claims it had, its state changes go on. */
		setAside: (id: number, reason: string): void => {
			for (const step of forget) step.run(id);
			drop.run(id);
			quarantine.run(reason, id);
		},
		/** Takes back the new claims of accounts whose fields are held. Returns how many these were. */
		unclaimHeld: (): number => {
			const ids = heldFields.all() as number[];
			for (const id of ids) for (const step of forget) step.run(id);
			return ids.length;
		},
		rejected: () => rejected.all(),
		/** Takes a change out of the plan. Where it was one of fields, the account keeps the claims it had. */
		drop: (id: number, kind: ChangeKind): void => {
			dropPlanned.run(id, kind, kind);
			if (kind !== "disable" && kind !== "enable" && kind !== "entitlement") for (const step of forget) step.run(id);
		},
		counts: () => counts.all(),
		holdKind: (kind: ChangeKind, reason: HoldReason, because: string): void => {
			hold.run(reason, because, kind);
		},
		holdOne: (id: number, kind: ChangeKind, reason: HoldReason, because: string): void => {
			holdOne.run(reason, because, id, kind);
		},
		release: (id: number, kind: ChangeKind): void => {
			release.run(id, kind);
		},
		passRest: (): void => {
			pass.run();
			holdTaken.run();
		},
		lossy: () => lossy.all(),
		heldKinds: () => heldKinds.all(),
		passed: () => totals.all(1),
		held: () => totals.all(0),
		/** How many entries that were read change something. */
		changedEntries: (): number => changed.get() as number,
		clear: (): void => {
			db.exec("DELETE FROM contested");
		},
	};
}
