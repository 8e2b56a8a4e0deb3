import { Failure } from "../core/errors.ts";
import type { ScheduleView } from "../http/reads.ts";
import type { Mode } from "../sync/report.ts";
import { makeTimetable, type ScheduledSource, type Timetable, type TimetableParts } from "./timetable.ts";

/** The schedules of all sources on one timer. */
export interface Schedule {
	/** A first run of each source, then by its schedule. */
	start(): void;
	/** Takes over a new configuration: other times for sources that stay, a first run for new ones, none for those that are gone. */
	replace(sources: readonly ScheduledSource[]): Promise<void>;
	/** Does `work` when no run of this source is going on, and keeps its runs away meanwhile. Throws Failure NOT_FOUND. */
	between<T>(source: string, work: () => Promise<T>): Promise<T>;
	/** The same for all sources at once. */
	betweenAll<T>(work: () => Promise<T>): Promise<T>;
	progressed(source: string): void;
	/** Something may have changed in a source: it gets a delta within a second, or right after what is going on. */
	wake(source: string): void;
	/** A run outside of the schedule did not fail. */
	succeeded(source: string, mode: Mode): void;
	times(): readonly ScheduleView[];
	/** Starts nothing more, and resolves when what is going on has ended. */
	stop(): Promise<void>;
}

/**
 * Timers count time in which the machine is awake; the clock does not. So nobody sleeps longer than this, and a schedule that
 * came due during a sleep is noticed within it.
 */
const LONGEST_NAP_MS = 15_000;

export function makeSchedule(sources: readonly ScheduledSource[], parts: TimetableParts): Schedule {
	const timetables = new Map<string, Timetable>(sources.map((source) => [source.name, makeTimetable(source, parts)]));
	let timer: NodeJS.Timeout | undefined;
	let isRunning = false;

	const arm = (): void => {
		clearTimeout(timer);
		if (!isRunning) return;
		const soonest = Math.min(...[...timetables.values()].map((timetable) => timetable.nextAt()));
		timer = setTimeout(
			() => {
				for (const timetable of timetables.values()) timetable.tick();
				arm();
			},
			// Timers may fire a millisecond early by the clock: then nothing would be due, and the next nap is a short one.
			Math.min(Math.max(soonest - parts.clock(), 1), LONGEST_NAP_MS),
		);
	};

	const find = (source: string): Timetable => {
		const timetable = timetables.get(source);
		if (timetable !== undefined) return timetable;
		const known = [...timetables.keys()].join(", ");
		throw new Failure("NOT_FOUND", `there is no source ${source}`, { hint: `The configuration has: ${known}.` });
	};

	return {
		start: () => {
			isRunning = true;
			for (const timetable of timetables.values()) timetable.start();
			arm();
		},
		replace: async (to) => {
			const names = new Set(to.map(({ name }) => name));
			const gone = [...timetables].filter(([name]) => !names.has(name));
			for (const [name] of gone) timetables.delete(name);
			const stopped = gone.map(([, timetable]) => timetable.stop());
			for (const source of to) {
				const known = timetables.get(source.name);
				if (known !== undefined) {
					known.change(source);
					continue;
				}
				const timetable = makeTimetable(source, parts);
				timetables.set(source.name, timetable);
				if (isRunning) timetable.start();
			}
			arm();
			await Promise.all(stopped);
		},
		between: (source, work) => find(source).between(work),
		betweenAll: (work) => {
			// Always in the same order, so that two of them never wait for each other.
			const all = [...timetables.values()].sort((one, other) => (one.source < other.source ? -1 : 1));
			return withinAll(all, work);
		},
		progressed: (source) => timetables.get(source)?.progressed(),
		wake: (source) => timetables.get(source)?.wake(),
		succeeded: (source, mode) => timetables.get(source)?.succeeded(mode),
		times: () => [...timetables.values()].map((timetable) => timetable.times()),
		stop: async () => {
			isRunning = false;
			clearTimeout(timer);
			await Promise.all([...timetables.values()].map((timetable) => timetable.stop()));
		},
	};
}

function withinAll<T>([first, ...rest]: readonly Timetable[], work: () => Promise<T>): Promise<T> {
	return first === undefined ? work() : first.between(() => withinAll(rest, work));
}
