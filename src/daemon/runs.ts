import { Failure } from "../core/errors.ts";
import type { LastRun, Trouble } from "../http/health.ts";
import type { Views } from "../store/views.ts";
import type { Mode, RevertRequest, RunBegun, RunReport, Trigger } from "../sync/report.ts";
import { type Log, logRun } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { EngineClient } from "./engine-client.ts";
import { lastRunOf, type Overview } from "./overview.ts";

export interface RunsParts {
	readonly engine: Pick<EngineClient, "call">;
	readonly overview: Overview;
	readonly views: Pick<Views, "changes">;
	readonly metrics: Metrics;
	readonly log: Log;
	readonly clock: () => number;
	/** Aborted when the daemon is ending. */
	readonly ending: AbortSignal;
}

/** Has the engine make runs, and sees to it that each one is logged, counted and shown. */
export function makeRuns(parts: RunsParts) {
	const { engine, overview, metrics, log, clock, ending } = parts;

	/** A probe writes little: a disk that has room for it may have none for a run. Stands until a run could be kept. */
	let trouble: Trouble | undefined;
	const noteDatabase = (
		failure: { readonly code: string; readonly message: string; readonly hint: string | undefined } | undefined,
	): void => {
		if (failure === undefined) trouble = undefined;
		else if (failure.code === "DATABASE_UNWRITABLE")
			trouble = { since: trouble?.since ?? clock(), because: failure.message, hint: failure.hint };
	};

	/** The number of the run that goes on, by its source. */
	const underway = new Map<string, number>();
	/** As much as is known of a source's run, for a line about it. */
	const nameOf = (source: string): { readonly run?: number; readonly source: string } => {
		const run = underway.get(source);
		return { ...(run !== undefined && { run }), source };
	};

	const ended = (report: RunReport): RunReport => {
		underway.delete(report.source);
		noteDatabase(report.error);
		logRun(log, report);
		if (log.isLevelEnabled("debug")) logChanges(parts, report);
		metrics.observeRun(report);
		const earlier = overview.lastRun(report.source);
		overview.ended(report.source, earlier !== undefined && isNoReading(report, earlier) ? earlier : lastRunOf(report));
		return report;
	};

	/** The run has no report: the engine is down, or met a bug. Nothing of it was committed. */
	const lost = (source: string, mode: Mode, error: unknown): void => {
		const name = nameOf(source);
		underway.delete(source);
		if (ending.aborted) {
			log.info({ ...name, mode }, "run cancelled");
			return;
		}
		const isExpected = error instanceof Failure;
		const { code, message, hint } = isExpected
			? error
			: { code: "INTERNAL", message: String((error as Error)?.message ?? error), hint: undefined };
		noteDatabase({ code, message, hint });
		log.error({ ...name, mode, outcome: "failed", error: { code, message, hint }, ...(!isExpected && { err: error }) }, "run failed");
		metrics.observeLostRun(source, mode);
		overview.ended(source, { run: name.run, mode, outcome: "failed", endedAt: clock(), unsealed: [], error: message, hint });
	};

	const sync = async (source: string, mode: Mode | "auto", trigger: Trigger, by?: string): Promise<RunReport> => {
		underway.delete(source);
		try {
			return ended(await engine.call("sync", { source, mode, trigger, by }, ending));
		} catch (error) {
			lost(source, mode === "auto" ? "delta" : mode, error);
			throw error;
		}
	};

	return {
		/** A run has its number: the first line of it. */
		begun: ({ run, source, mode, trigger, by, plan, reverts }: RunBegun): void => {
			underway.set(source, run);
			if (trigger === "approve") log.info({ run, source, plan, by }, "plan approved");
			else if (trigger === "revert") log.info({ run, source, revert: reverts, by }, "run is reverted");
			else log.debug({ run, source, mode, trigger }, "run begins");
		},
		/** A run by the schedule: whether it did not fail. Never rejects. */
		scheduled: async (source: string, mode: Mode, trigger: Trigger): Promise<boolean> => {
			try {
				// A source that has never been read has no cursor: the engine makes that a full reading, and says so.
				return (await sync(source, mode === "full" ? "full" : "auto", trigger)).outcome !== "failed";
			} catch {
				return false; // Logged and counted by `lost`.
			}
		},
		sync,
		/** Why the last run could not be kept, if the database was to blame. */
		databaseTrouble: (): Trouble | undefined => trouble,
		approve: async (plan: string, by: string): Promise<RunReport> => ended(await engine.call("approve", { plan, by }, ending)),
		revert: async (request: RevertRequest, by: string): Promise<RunReport> => ended(await engine.call("revert", { request, by }, ending)),
		reject: async (plan: string, by: string) => {
			const rejection = await engine.call("reject", { plan, by }, ending);
			log.info({ plan, by, ...rejection }, "plan rejected");
			return rejection;
		},
	};
}

/** A revert reads nothing, nor does an approval: where one of both failed, how the last reading went is what counts still. */
function isNoReading({ trigger, outcome }: RunReport, earlier: LastRun): boolean {
	return trigger === "revert" || (trigger === "approve" && (outcome === "failed" || earlier.outcome === "failed"));
}

/** More than this of one run would drown everything else in the log. */
const MOST_CHANGES_LOGGED = 1000;

function logChanges({ views, log }: RunsParts, { run, source }: RunReport): void {
	let count = 0;
	for (const { kind, anchor, name, why, result } of views.changes(run)) {
		count += 1;
		if (count > MOST_CHANGES_LOGGED) break;
		log.debug({ run, source, kind, anchor, name, why, result }, "change");
	}
}
