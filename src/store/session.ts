import { digest } from "../lib/digest.ts";
import { openChangeLog } from "./change-log.ts";
import { openCommit } from "./commit.ts";
import type { Connection } from "./database.ts";
import { openDecisions } from "./decisions.ts";
import { openLedger } from "./ledger.ts";
import { openRuns } from "./runs.ts";
import { openSettlement } from "./settlement.ts";
import { openSnapshot } from "./snapshot.ts";
import { openStage } from "./stage.ts";

/**
 * One connection with everything a run needs of the database. A session serves one run at a time; runs of different sources have
 * sessions of their own. `nextId` hands out entry ids (see `makeIds`).
 */
export function openSession(db: Connection, nextId: () => number) {
	const stage = openStage(db, nextId);
	const settlement = openSettlement(db);
	const decisions = openDecisions(db);
	const ledger = openLedger(db);
	const log = openChangeLog(db);
	const commit = openCommit(db, ledger, log);
	return {
		snapshot: openSnapshot(db),
		stage,
		settlement,
		decisions,
		ledger,
		log,
		commit,
		runs: openRuns(db),
		/** One transaction over `work`, which must not await. */
		transaction: <T>(work: () => T): T => db.transaction(work).immediate(),
		/** Names the targets, in a transaction of its own. */
		setTargets: (names: readonly string[]): void => {
			db.transaction(() => ledger.setTargets(names, digest)).immediate();
		},
		/** Empties the stage: before and after every run, whatever came of it. */
		clear: (): void => {
			stage.clear();
			settlement.clear();
			decisions.clear();
		},
		close: (): void => {
			db.close();
		},
	};
}

export type Session = ReturnType<typeof openSession>;

/** Hands out entry ids: one counter for all sessions on a database, started behind the highest id it has. */
export function makeIds(db: Connection): () => number {
	let last = db
		.prepare("SELECT max(coalesce((SELECT max(id) FROM entries), 0), coalesce((SELECT max(account_id) FROM ledger), 0))")
		.pluck()
		.get() as number;
	return () => ++last;
}
