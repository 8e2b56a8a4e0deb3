import { createTask } from "node-cron";

/** When a cron expression comes due. */
export interface Cron {
	/** The next times from now on, Unix milliseconds, soonest first; fewer than `count` when it hardly ever comes due. */
	next(count: number): readonly number[];
	/** The longest pause between its next times, in milliseconds; undefined when it comes due once or never. */
	readonly intervalMs: () => number | undefined;
	close(): void;
}

/** Reads an expression that the configuration has checked. The task is never started: it only knows the calendar. */
export function makeCron(expression: string, timezone: string): Cron {
	const task = createTask(expression, () => {}, { timezone });
	const next = (count: number): readonly number[] => {
		try {
			return task.getNextRuns(count).map((date) => date.getTime());
		} catch {
			return []; // It throws on a date that does not come, as the 31st of February.
		}
	};
	return {
		next,
		intervalMs: () => {
			const times = next(4);
			const pauses = times.slice(1).map((time, index) => time - (times[index] ?? time));
			return pauses.length === 0 ? undefined : Math.max(...pauses);
		},
		close: () => void task.destroy(),
	};
}
