import { digest } from "../lib/digest.ts";
import { openChangeLog } from "./change-log.ts";
import { openCommit } from "./commit.ts";
import type { Connection } from "./database.ts";
import { openDecisions } from "./decisions.ts";
import { openForget } from "./forget.ts";
import { openGroupCommit } from "./group-commit.ts";
import { openGroupLedger } from "./group-ledger.ts";
import { openGroupPlan } from "./group-plan.ts";
import { openGroupStage } from "./group-stage.ts";
import { openGroups } from "./groups.ts";
import { openLedger } from "./ledger.ts";
import { openPins } from "./pins.ts";
import { openReadBack } from "./read-back.ts";
import { openRevertible } from "./revertible.ts";
import { openRuns } from "./runs.ts";
import { openSettlement } from "./settlement.ts";
import { openSnapshot } from "./snapshot.ts";
import { openStage } from "./stage.ts";
import { openTakeovers, takenSchema } from "./takeovers.ts";
import { makeTargetCommit } from "./target-commit.ts";
import { openTargetPlan } from "./target-plan.ts";
import { openTargetStates } from "./target-states.ts";

/**
 * One connection with everything a run needs of the database. A session serves one run at a time; runs of different sources have
 * sessions of their own. `nextId` hands out entry ids (see `makeIds`).
 */
export function openSession(db: Connection, nextId: () => number) {
	// Statements of the stage name what is taken over, and the other way round.
	db.exec(takenSchema);
	const stage = openStage(db, nextId);
	const takeovers = openTakeovers(db);
	const settlement = openSettlement(db);
	const targetPlan = openTargetPlan(db);
	const decisions = openDecisions(db);
	const ledger = openLedger(db);
	const groupStage = openGroupStage(db);
	const groupPlan = openGroupPlan(db);
	const groupLedger = openGroupLedger(db);
	const log = openChangeLog(db);
	const pins = openPins(db);
	const commit = openCommit(db, ledger, log);
	return {
		snapshot: openSnapshot(db),
		stage,
		takeovers,
		settlement,
		decisions,
		ledger,
		groups: openGroups(db),
		groupStage,
		groupPlan,
		groupLedger,
		log,
		commit,
		targetPlan,
		targetCommit: makeTargetCommit(targetPlan, ledger, groupLedger),
		groupCommit: openGroupCommit(db, groupLedger),
		runs: openRuns(db),
		targetStates: openTargetStates(db),
		readBack: openReadBack(db),
		forget: openForget(db),
		pins,
		revertible: openRevertible(db),
		/** One transaction over `work`, which must not await. */
		transaction: <T>(work: () => T): T => db.transaction(work).immediate(),
		/** Names the targets, which of them keep groups, and which have views of their own, in a transaction of its own. */
		setTargets: (names: readonly string[], withGroups: readonly string[], withViews: readonly string[] = []): void => {
			db.transaction(() => {
				ledger.setTargets(names, withViews, digest);
				groupLedger.setTargets(
					ledger.targets().filter(({ name }) => withGroups.includes(name)),
					digest,
				);
			}).immediate();
		},
		/** Empties the stage: before and after every run, whatever came of it. */
		clear: (): void => {
			stage.clear();
			groupStage.clear();
			groupPlan.clear();
			targetPlan.clear();
			takeovers.clear();
			settlement.clear();
			decisions.clear();
			pins.clear();
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
		.prepare(
			"SELECT max(coalesce((SELECT max(id) FROM entries), 0), coalesce((SELECT max(account_id) FROM ledger), 0), coalesce((SELECT max(id) FROM groups), 0), coalesce((SELECT max(group_id) FROM group_ledger), 0), coalesce((SELECT max(id) FROM strangers), 0))",
		)
		.pluck()
		.get() as number;
	return () => ++last;
}
