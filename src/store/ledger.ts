import type { ChangeKind } from "../core/change.ts";
import type { Connection } from "./database.ts";
import { openDeliveryLedger, type Step } from "./delivery-ledger.ts";

export function openLedger(db: Connection) {
	const targetId = db
		.prepare<[string]>("INSERT INTO targets (name) VALUES (?) ON CONFLICT (name) DO UPDATE SET name = name RETURNING id")
		.pluck();
	const readId = db.prepare<[string]>("SELECT id FROM targets WHERE name = ?").pluck();
	const everyId = db.prepare("SELECT id FROM targets ORDER BY id").pluck();
	const fill = db.prepare<[number, number]>(
		`INSERT INTO ledger (target_id, account_id, wanted, kind, step, run_id, pending)
		SELECT ?, a.id, x'', 'create', 2, 0, 1 FROM accounts a WHERE NOT EXISTS (SELECT 1 FROM ledger l WHERE l.target_id = ? AND l.account_id = a.id)`,
	);
	const wantedBodies = db.prepare<[number], { account_id: number; body: string }>(
		"SELECT l.account_id, a.body FROM ledger l JOIN accounts a ON a.id = l.account_id WHERE l.target_id = ? AND l.wanted = x''",
	);
	const setWanted = db.prepare<[Buffer, number, number]>("UPDATE ledger SET wanted = ? WHERE target_id = ? AND account_id = ?");
	const wantCreated = db.prepare<[number, number]>(
		`INSERT INTO ledger (target_id, account_id, wanted, kind, step, run_id, pending)
		SELECT ?, o.id, o.desired_digest, 'create', 2, ?, 1 FROM planned p JOIN outcomes o ON o.id = p.id WHERE p.kind = 'create' AND p.passed = 1 ORDER BY o.id
		ON CONFLICT DO UPDATE SET wanted = excluded.wanted, kind = 'create', step = 2, run_id = excluded.run_id, revision = revision + 1, attempts = 0, next_at = NULL, error = NULL, pending = released_at IS NULL`,
	);
	// What was asked once and never answered may have arrived: such a row stays open even if the account wants its old state back.
	const want = db.prepare(
		`INSERT INTO ledger (target_id, account_id, wanted, kind, step, run_id, pending) VALUES (@target, @account, @wanted, @kind, @step, @run, 1)
		ON CONFLICT DO UPDATE SET
			applied_body = CASE WHEN applied IS excluded.wanted THEN NULL WHEN applied IS wanted AND wanted IS NOT NULL THEN @oldBody ELSE applied_body END,
			wanted = excluded.wanted, kind = excluded.kind, step = excluded.step, run_id = excluded.run_id,
			pending = released_at IS NULL AND (applied IS NOT excluded.wanted OR intent_at IS NOT NULL OR attempts > 0),
			revision = revision + 1, attempts = 0, next_at = NULL, error = NULL`,
	);
	let targets: readonly { readonly id: number; readonly name: string }[] = [];
	/** Also those that are not in the configuration any more: what they are to have goes on, so that one that comes back has missed nothing. */
	let everyTarget: readonly number[] = [];

	return {
		/**
		 * Names the targets there are. One that has not been there before gets every account wanted of it; call within a transaction.
		 * `digestOf` digests an account's body.
		 */
		setTargets: (names: readonly string[], digestOf: (body: string) => Buffer): void => {
			targets = names.map((name) => ({ id: targetId.get(name) as number, name }));
			everyTarget = everyId.all() as number[];
			for (const { id } of targets) {
				if (fill.run(id, id).changes === 0) continue;
				for (const { account_id, body } of wantedBodies.all(id)) setWanted.run(digestOf(body), id, account_id);
			}
		},
		/** The same without writing, for a plan: targets never seen are left out. */
		readTargets: (names: readonly string[]): void => {
			targets = names.flatMap((name) => {
				const id = readId.get(name) as number | undefined;
				return id === undefined ? [] : [{ id, name }];
			});
		},
		targets: () => targets,
		/** The created accounts of the stage, for every target. Call inside the run's transaction. */
		wantCreated: (run: number): void => {
			for (const id of everyTarget) wantCreated.run(id, run);
		},
		/** One account's new state for every target; `wanted` undefined: to be deleted. Call inside the run's transaction. */
		want: (account: number, wanted: Buffer | undefined, oldBody: string, kind: ChangeKind, step: Step, run: number): void => {
			for (const target of everyTarget) want.run({ target, account, wanted: wanted ?? null, oldBody, kind, step, run });
		},
		...openDeliveryLedger(db, idOf),
	};

	function idOf(target: string): number {
		const found = targets.find(({ name }) => name === target);
		if (found === undefined) throw new Error(`target ${target} was not named to the ledger`);
		return found.id;
	}
}

export type Ledger = ReturnType<typeof openLedger>;
