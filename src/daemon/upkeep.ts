import type { Trouble } from "../http/health.ts";
import type { Probe } from "../store/probe.ts";
import type { Log } from "../telemetry/log.ts";
import type { EngineClient } from "./engine-client.ts";

export interface UpkeepParts {
	readonly engine: Pick<EngineClient, "call">;
	readonly probe: Probe;
	readonly log: Log;
	readonly clock: () => number;
	/** Aborted when the daemon is ending. */
	readonly ending: AbortSignal;
}

export interface Upkeep {
	start(): void;
	/** Why the database cannot be written, as of the last probe. */
	trouble(): Trouble | undefined;
	/** Resolves when nothing of it is going on any more. */
	stop(): Promise<void>;
}

const PROBE_EVERY_MS = 10_000;
const DELIVER_EVERY_MS = 5_000;
/** Looked at by the clock, so that a machine that sleeps at night gets its daily retention, too. */
const RETAIN_LOOK_EVERY_MS = 600_000;
const RETAIN_EVERY_MS = 86_400_000;

/** What has to be done now and then, whatever the directories do: probing the database, retention, deliveries that are due again. */
export function makeUpkeep({ engine, probe, log, clock, ending }: UpkeepParts): Upkeep {
	const timers: NodeJS.Timeout[] = [];
	const underway = new Set<Promise<void>>();
	let trouble: Trouble | undefined;
	let retainedAt: number | undefined;

	const tryDatabase = async (): Promise<void> => {
		const failure = probe.try();
		if (failure === undefined) {
			if (trouble !== undefined) log.info("database writable again");
			trouble = undefined;
			return;
		}
		if (trouble === undefined)
			log.error({ error: { code: failure.code, message: failure.message, hint: failure.hint } }, "database not writable");
		trouble = { since: trouble?.since ?? clock(), because: failure.message, hint: failure.hint };
	};

	const deliver = async (): Promise<void> => {
		const due = await engine.call("nextDelivery", undefined, ending);
		if (due === undefined || due > clock()) return;
		await engine.call("deliver", undefined, ending);
	};

	const retain = async (): Promise<void> => {
		if (retainedAt !== undefined && clock() - retainedAt < RETAIN_EVERY_MS) return;
		const { runs, changes, entries } = await engine.call("retain", undefined, ending);
		retainedAt = clock();
		if (runs + changes + entries > 0) log.info({ runs, changes, entries }, "removed what is past its retention");
	};

	/** One at a time of each kind: a slow one is not joined by a second. */
	const every = (ms: number, what: string, work: () => Promise<void>): void => {
		let isUnderway = false;
		const once = (): void => {
			if (isUnderway || ending.aborted) return;
			isUnderway = true;
			const turn = work()
				.catch((error: unknown) => {
					if (!ending.aborted) log.warn({ because: error instanceof Error ? error.message : String(error) }, `${what} failed`);
				})
				.finally(() => {
					isUnderway = false;
					underway.delete(turn);
				});
			underway.add(turn);
		};
		once();
		timers.push(setInterval(once, ms));
	};

	return {
		start: () => {
			every(PROBE_EVERY_MS, "probing the database", tryDatabase);
			every(DELIVER_EVERY_MS, "delivering again", deliver);
			every(RETAIN_LOOK_EVERY_MS, "retention", retain);
		},
		trouble: () => trouble,
		stop: async () => {
			for (const timer of timers) clearInterval(timer);
			await Promise.all(underway);
		},
	};
}
