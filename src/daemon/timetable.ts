import type { ScheduleView } from "../http/reads.ts";
import type { Mode, Trigger } from "../sync/report.ts";
import { makeCron } from "./cron.ts";
import { makeLane } from "./lane.ts";

export interface ScheduledSource {
	readonly name: string;
	readonly schedule: { readonly delta: string; readonly full: string; readonly timezone: string };
}

export interface TimetableParts {
	/** Makes one run; resolves to whether it did not fail, and never rejects. */
	run(source: string, mode: Mode, trigger: Trigger): Promise<boolean>;
	/** Ends of the newest runs that did not fail. Unix milliseconds. */
	lastSuccess(source: string): Readonly<Record<Mode, number | undefined>>;
	readonly clock: () => number;
}

/** Later than this after its time, a run is one that was missed: the machine slept, or the event loop was blocked. */
const CATCH_UP_AFTER_MS = 60_000;

/**
 * From a wake to its run. An administrator's script of a few steps lands in one run, and a storm of changes makes one run in
 * this time, not one for each.
 */
const WAKE_AFTER_MS = 750;

/** A full reading that failed is tried again with the deltas, first after a minute, then less and less often. */
const RETRY_FULL_MS = 60_000;
const RETRY_FULL_MOST_MS = 3_600_000;

export type Timetable = ReturnType<typeof makeTimetable>;

/** The schedule of one source. Its runs never overlap; other sources have timetables of their own. */
export function makeTimetable(source: ScheduledSource, parts: TimetableParts) {
	const { clock } = parts;
	const lane = makeLane();
	let crons = openCrons(source);
	const nextAt: Record<Mode, number | undefined> = { full: undefined, delta: undefined };
	let running: ScheduleView["running"];
	let waitingFull: Trigger | undefined;
	let wakeTimer: NodeJS.Timeout | undefined;
	let isWakeWaiting = false;
	let owedFull: { readonly failures: number; readonly retryAt: number } | undefined;
	let due = 0;
	let fullDue = 0;
	let hasProgressed = false;
	let isStopped = false;

	const advance = (mode: Mode): void => {
		nextAt[mode] = crons[mode].next(1)[0];
	};

	const clearDue = (mode: Mode): void => {
		due = 0;
		if (mode === "full") fullDue = 0;
	};

	const runOnce = async (mode: Mode, trigger: Trigger): Promise<void> => {
		if (isStopped) return;
		running = { mode, since: clock() };
		hasProgressed = false;
		const succeeded = await parts.run(source.name, mode, trigger);
		running = undefined;
		if (succeeded) clearDue(mode);
		if (mode === "full") owedFull = succeeded ? undefined : nextTry(owedFull?.failures ?? 0, clock());
	};

	const launch = (mode: Mode, trigger: Trigger): void => {
		void lane.enter(() => runOnce(mode, trigger)).then(launchWaiting);
	};

	const launchWaiting = (): void => {
		if (isStopped || lane.isBusy() || (waitingFull === undefined && !isWakeWaiting)) return;
		// A full reading sees whatever a delta was woken for.
		const [mode, trigger] = waitingFull === undefined ? (["delta", "watch"] as const) : (["full", waitingFull] as const);
		waitingFull = undefined;
		isWakeWaiting = false;
		launch(mode, trigger);
	};

	const want = (mode: Mode, trigger: Trigger): void => {
		if (!lane.isBusy()) {
			due += 1;
			launch(mode, trigger);
			return;
		}
		// A reading of a million may take longer than the pause between two deltas, and is no reason to call for help.
		if (!hasProgressed) due += 1;
		hasProgressed = false;
		// A delta that is due while something else reads the source finds nothing that the next one would not find.
		if (mode === "full") waitingFull = trigger;
	};

	return {
		source: source.name,
		/** The first run, soon after the start: a full one where none has succeeded within its time. */
		start: (): void => {
			advance("full");
			advance("delta");
			const last = parts.lastSuccess(source.name).full;
			const fullEvery = crons.full.intervalMs();
			const isOverdue = last === undefined || (fullEvery !== undefined && clock() - last >= fullEvery);
			if (isOverdue) fullDue += 1;
			want(isOverdue ? "full" : "delta", "start");
		},
		/** Starts what has come due. Call at `nextAt`, and now and then: the clock may have leapt. */
		tick: (): void => {
			const now = clock();
			const dueNow = (["full", "delta"] as const).filter((mode) => (nextAt[mode] ?? Number.POSITIVE_INFINITY) <= now);
			const lateMs = Math.max(0, ...dueNow.map((mode) => now - (nextAt[mode] ?? now)));
			// Also those that are not due: a clock that was set back would leave them far in the future.
			advance("full");
			advance("delta");
			if (dueNow.length === 0) return;
			const isRetry = owedFull !== undefined && now >= owedFull.retryAt;
			const isFullDue = dueNow.includes("full");
			if (isFullDue && !(lane.isBusy() && hasProgressed)) fullDue += 1;
			want(isFullDue || isRetry ? "full" : "delta", lateMs > CATCH_UP_AFTER_MS ? "catch-up" : "schedule");
		},
		/** Something may have changed: a delta soon, or right after what is going on. It does not count as a run that came due. */
		wake: (): void => {
			if (isStopped || isWakeWaiting || wakeTimer !== undefined) return;
			wakeTimer = setTimeout(() => {
				wakeTimer = undefined;
				isWakeWaiting = true;
				launchWaiting();
			}, WAKE_AFTER_MS);
		},
		nextAt: (): number => Math.min(nextAt.full ?? Number.POSITIVE_INFINITY, nextAt.delta ?? Number.POSITIVE_INFINITY),
		/** Says that the run going on is alive. */
		progressed: (): void => {
			hasProgressed = true;
		},
		/** Other work on this source, between runs; a run among it says by `succeeded` what came of it. */
		between: async <T>(work: () => Promise<T>): Promise<T> => {
			try {
				return await lane.enter(work);
			} finally {
				launchWaiting();
			}
		},
		succeeded: (mode: Mode): void => {
			clearDue(mode);
			if (mode === "full") owedFull = undefined;
		},
		times: (): ScheduleView => ({
			source: source.name,
			running,
			next: { ...nextAt },
			dueSinceSuccess: due,
			fullDueSinceSuccess: fullDue,
			intervalMs: crons.delta.intervalMs() ?? crons.full.intervalMs(),
		}),
		/** Another schedule for the same source; what is going on goes on. */
		change: (to: ScheduledSource): void => {
			closeCrons(crons);
			crons = openCrons(to);
			advance("full");
			advance("delta");
		},
		/** Starts nothing more, and resolves when what is going on has ended. */
		stop: async (): Promise<void> => {
			isStopped = true;
			waitingFull = undefined;
			clearTimeout(wakeTimer);
			closeCrons(crons);
			await lane.idle();
		},
	};
}

function nextTry(failures: number, now: number) {
	return { failures: failures + 1, retryAt: now + Math.min(RETRY_FULL_MS * 2 ** failures, RETRY_FULL_MOST_MS) };
}

function openCrons({ schedule }: ScheduledSource) {
	return { full: makeCron(schedule.full, schedule.timezone), delta: makeCron(schedule.delta, schedule.timezone) };
}

function closeCrons(crons: ReturnType<typeof openCrons>): void {
	crons.full.close();
	crons.delta.close();
}
