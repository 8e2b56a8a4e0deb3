import type { TargetConfig } from "../config/target-config.ts";
import { Failure } from "../core/errors.ts";
import type { ReadBackReport } from "../engine.ts";
import type { Log } from "../telemetry/log.ts";
import { type Cron, makeCron } from "./cron.ts";
import type { EngineClient } from "./engine-client.ts";

export interface ReadBacksParts {
	readonly engine: Pick<EngineClient, "call">;
	readonly log: Log;
	readonly clock: () => number;
	/** Aborted when the daemon is ending. */
	readonly ending: AbortSignal;
}

/** Targets are read back by their schedules, one reading of each at a time. */
export interface ReadBacks {
	replace(targets: readonly TargetConfig[]): void;
	/** Now, or joins the one that is going on, which is then nobody's doing. `by`: who asked for it, if anybody did. */
	readBack(target: string, by: string | undefined): Promise<ReadBackReport>;
	/** Resolves when nothing of it is going on any more. */
	stop(): Promise<void>;
}

/** Looked at by the clock, so that a machine that was asleep is not late for long. */
const LOOK_EVERY_MS = 15_000;

export function makeReadBacks({ engine, log, clock, ending }: ReadBacksParts): ReadBacks {
	const crons = new Map<string, { readonly cron: Cron; nextAt: number | undefined }>();
	const underway = new Map<string, Promise<ReadBackReport>>();
	let timer: NodeJS.Timeout | undefined;

	const readBack = (target: string, by: string | undefined): Promise<ReadBackReport> => {
		const known = underway.get(target);
		if (known !== undefined) return known;
		const reading = read(target, by).finally(() => underway.delete(target));
		underway.set(target, reading);
		return reading;
	};

	const read = async (target: string, by: string | undefined): Promise<ReadBackReport> => {
		try {
			return await engine.call("readBack", { target, by }, ending);
		} catch (error) {
			const because = error instanceof Error ? error.message : String(error);
			// Also where somebody asked: the page waits only for a while.
			if (!ending.aborted) log.warn({ target, because, ...(error instanceof Failure && { hint: error.hint }) }, "reading back failed");
			throw error;
		}
	};

	const byClock = async (target: string): Promise<void> => {
		try {
			const { same, changed, missing, others, partialBecause } = await readBack(target, undefined);
			const isWell = changed + missing === 0;
			log[isWell ? "info" : "warn"]({ target, same, changed, missing, others, ...(partialBecause && { partialBecause }) }, "read back");
		} catch {
			// Logged by `read`.
		}
	};

	const look = (): void => {
		const now = clock();
		for (const [target, each] of crons) {
			if (each.nextAt === undefined || each.nextAt > now) continue;
			each.nextAt = each.cron.next(1)[0];
			void byClock(target);
		}
	};

	const close = (): void => {
		clearInterval(timer);
		for (const { cron } of crons.values()) cron.close();
		crons.clear();
	};

	return {
		replace: (targets) => {
			close();
			for (const target of targets) {
				if (target.type !== "scim" || target.readBack === undefined) continue;
				const cron = makeCron(target.readBack.schedule, target.readBack.timezone);
				crons.set(target.name, { cron, nextAt: cron.next(1)[0] });
			}
			if (crons.size > 0) timer = setInterval(look, LOOK_EVERY_MS);
		},
		readBack,
		stop: async () => {
			close();
			await Promise.allSettled(underway.values());
		},
	};
}
