import type { DeliveryKind } from "../core/change.ts";
import type { Connection } from "./database.ts";
import { openDeliveryLedger, type Step } from "./delivery-ledger.ts";

/** A target, as the ledger knows it. `hasView`: what is wanted there is planned for it alone, and may differ from the accounts. */
export interface LedgerTarget {
	readonly id: number;
	readonly name: string;
	readonly hasView: boolean;
}

/** What a target with a view of its own is to have of one account. */
export interface WantedThere {
	readonly target: number;
	readonly account: number;
	/** Digest and text; undefined: to be deleted. `body` null: the text is the account's own. */
	readonly wanted: { readonly digest: Buffer; readonly body: string | null } | undefined;
	readonly isOutside: boolean;
	/** What was wanted there before. */
	readonly oldBody: string | null;
	readonly kind: DeliveryKind;
	readonly step: Step;
	readonly run: number;
}

/**
 * Of a row that is new: after a restore it may have been there before, so that the target is looked through for it, and its changes
 * have other names than those of a run that had the same number then.
 */
export const afterRestore = "t.restored_at, coalesce(t.restored_at, 0)";

export function openLedger(db: Connection) {
	const targetId = db
		.prepare<[string]>("INSERT INTO targets (name) VALUES (?) ON CONFLICT (name) DO UPDATE SET name = name RETURNING id")
		.pluck();
	const readId = db.prepare<[string]>("SELECT id FROM targets WHERE name = ?").pluck();
	const everyName = db.prepare("SELECT name FROM targets ORDER BY name").pluck();
	const hadView = db.prepare<[number]>("SELECT has_view FROM targets WHERE id = ?").pluck();
	const setView = db.prepare<[number]>("UPDATE targets SET has_view = 1 WHERE id = ? AND has_view = 0");
	const everyPlainId = db.prepare("SELECT id FROM targets WHERE has_view = 0 ORDER BY id").pluck();
	const fill = db.prepare<[number, number]>(
		`INSERT INTO ledger (target_id, account_id, wanted, kind, step, run_id, pending, intent_at, revision)
		SELECT t.id, a.id, x'', 'create', 2, 0, 1, ${afterRestore} FROM targets t, accounts a WHERE t.id = ? AND NOT EXISTS (SELECT 1 FROM ledger l WHERE l.target_id = ? AND l.account_id = a.id)`,
	);
	const wantedBodies = db.prepare<[number], { account_id: number; body: string }>(
		"SELECT l.account_id, a.body FROM ledger l JOIN accounts a ON a.id = l.account_id WHERE l.target_id = ? AND l.wanted = x''",
	);
	const setWanted = db.prepare<[Buffer, number, number]>("UPDATE ledger SET wanted = ? WHERE target_id = ? AND account_id = ?");
	const wantCreated = db.prepare<[number, number]>(
		`INSERT INTO ledger (target_id, account_id, wanted, kind, step, run_id, pending, intent_at, revision)
		SELECT t.id, o.id, o.desired_digest, 'create', 2, ?, 1, ${afterRestore} FROM targets t, planned p JOIN outcomes o ON o.id = p.id WHERE t.id = ? AND p.kind = 'create' AND p.passed = 1 ORDER BY o.id
		ON CONFLICT DO UPDATE SET wanted = excluded.wanted, kind = 'create', step = 2, run_id = excluded.run_id, revision = revision + 1, attempts = 0, next_at = NULL, error = NULL,
			pending = released_at IS NULL, body = NULL, is_outside = 0`,
	);
	// What is open may have been sent, and may have arrived: it stays open even if the account wants its old state back.
	const want = db.prepare(
		`INSERT INTO ledger (target_id, account_id, wanted, kind, step, run_id, pending, body, is_outside, intent_at, revision)
		SELECT t.id, @account, @wanted, @kind, @step, @run, 1, @body, @isOutside, ${afterRestore} FROM targets t WHERE t.id = @target
		ON CONFLICT DO UPDATE SET
			applied_body = CASE WHEN applied IS excluded.wanted THEN NULL WHEN applied IS wanted AND wanted IS NOT NULL THEN @oldBody ELSE applied_body END,
			wanted = excluded.wanted, body = excluded.body, is_outside = excluded.is_outside, kind = excluded.kind, step = excluded.step, run_id = excluded.run_id,
			pending = released_at IS NULL AND (applied IS NOT excluded.wanted OR pending = 1),
			revision = revision + 1, attempts = 0, next_at = NULL, error = NULL`,
	);
	const remember = db.prepare<[string | null, number, number, number]>(
		"UPDATE ledger SET body = ?, is_outside = ? WHERE target_id = ? AND account_id = ?",
	);
	let targets: readonly LedgerTarget[] = [];
	/**
	 * Those without a view, also those that are not in the configuration any more: what they are to have goes on, so that one that comes
	 * back has missed nothing. One with a view is planned anew when it comes back.
	 */
	let plainTargets: readonly number[] = [];

	return {
		/**
		 * Names the targets there are, and which of them have a view of their own. One that has none and has not been there before gets
		 * every account wanted of it; call within a transaction. `digestOf` digests an account's body.
		 */
		setTargets: (names: readonly string[], withViews: readonly string[], digestOf: (body: string) => Buffer): void => {
			targets = names.map((name) => {
				const id = targetId.get(name) as number;
				if (withViews.includes(name)) setView.run(id);
				return { id, name, hasView: hadView.get(id) === 1 };
			});
			plainTargets = everyPlainId.all() as number[];
			for (const { id, hasView } of targets) {
				if (hasView || fill.run(id, id).changes === 0) continue;
				for (const { account_id, body } of wantedBodies.all(id)) setWanted.run(digestOf(body), id, account_id);
			}
		},
		/** The same without writing, for a plan: of targets never seen only those with a view matter, under ids that nobody has. */
		readTargets: (names: readonly string[], withViews: readonly string[]): void => {
			targets = names.flatMap((name, index) => {
				const id = readId.get(name) as number | undefined;
				const isViewed = withViews.includes(name);
				if (id === undefined) return isViewed ? [{ id: -1 - index, name, hasView: true }] : [];
				return [{ id, name, hasView: isViewed || hadView.get(id) === 1 }];
			});
		},
		targets: () => targets,
		/** Every target that accounts were ever wanted at, in the configuration or not. */
		everyName: (): readonly string[] => everyName.all() as string[],
		/** The created accounts of the stage, for every target without a view. Call inside the run's transaction. */
		wantCreated: (run: number): void => {
			for (const id of plainTargets) wantCreated.run(run, id);
		},
		/** One account's new state for every target without a view; `wanted` undefined: to be deleted. Call inside the run's transaction. */
		want: (account: number, wanted: Buffer | undefined, oldBody: string, kind: DeliveryKind, step: Step, run: number): void => {
			for (const target of plainTargets)
				want.run({ target, account, wanted: wanted ?? null, body: null, isOutside: 0, oldBody, kind, step, run });
		},
		/** One account's new state for one target with a view. Call inside the run's transaction. */
		wantThere: ({ wanted, isOutside, ...rest }: WantedThere): void => {
			want.run({ ...rest, wanted: wanted?.digest ?? null, body: wanted?.body ?? null, isOutside: isOutside ? 1 : 0 });
		},
		/** The same is wanted, though the account's own text or the person's place is another. `body` null: the account's own. */
		rememberThere: (target: number, account: number, body: string | null, isOutside: boolean): void => {
			remember.run(body, isOutside ? 1 : 0, target, account);
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
