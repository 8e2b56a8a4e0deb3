import type { Environment, Notify } from "./notify.ts";

/** Who started us and watches over us, as the daemon speaks to it. Nothing here fails, and nothing is waited for. */
export interface Supervisor {
	/** What goes on, in a sentence. */
	status(text: string): void;
	/** The daemon is up. From now on it is looked at, and as long as it is well, that is said in time. */
	ready(look: () => Promise<Sight>): void;
	/** Around reading the configuration again: how that ended is what `work` answers. */
	reload(work: () => Promise<string>): Promise<void>;
	/** The daemon ends, and is not looked at any more. */
	stopping(): void;
}

/** How the daemon is at one moment. */
export interface Sight {
	/** Whether it works, or is to be started again. */
	readonly isWell: boolean;
	/** In a sentence. */
	readonly status: string;
}

export interface SupervisorParts {
	/** Undefined: nobody listens, and nothing is done. */
	readonly notify: Notify | undefined;
	readonly environment: Environment;
	/** Microseconds of the machine's monotonic clock. */
	readonly monotonicUsec: () => bigint;
	/** It could not be told; said once, until it could be again. */
	onDeaf(because: unknown): void;
	/** It is not told any more that the daemon is well, since it is not; said once, until it is again. */
	onUnwell(sight: Sight): void;
}

/** Where nobody waits for a sign of life, this is how old the status becomes. */
const STATUS_INTERVAL_MS = 60_000;

/** Who is not well, or was not heard, tries again so much sooner: one that recovers in time must be able to say so in time. */
const UNWELL_SHARE = 10;

/** The supervisor that systemd is (sd_notify(3)). Where there is none, every call is in vain and free. */
export function makeSupervisor({ notify, environment, monotonicUsec, onDeaf, onUnwell }: SupervisorParts): Supervisor {
	const watchdogMs = watchdogOf(environment);
	let last: Promise<void> = Promise.resolve();
	let isDeaf = false;
	let isUnwell = false;
	let isWatching = false;
	let timer: NodeJS.Timeout | undefined;
	let shown = "";

	/** One after the other: what is said first must be heard first. */
	const say = (...said: readonly string[]): Promise<void> => {
		if (notify === undefined) return last;
		last = last.then(async () => {
			try {
				await notify(...said);
				isDeaf = false;
			} catch (error) {
				if (!isDeaf) onDeaf(error);
				isDeaf = true;
			}
		});
		return last;
	};

	const tell = async (look: () => Promise<Sight>): Promise<void> => {
		const sight = await look().catch((error): Sight => ({ isWell: false, status: String(error) }));
		// The end has begun meanwhile: nothing that comes after STOPPING=1 would be true.
		if (!isWatching) return;
		if (watchdogMs !== undefined && !sight.isWell && !isUnwell) onUnwell(sight);
		isUnwell = !sight.isWell;
		const alive = watchdogMs !== undefined && sight.isWell ? ["WATCHDOG=1"] : [];
		const news = sight.status === shown ? [] : [`STATUS=${sight.status}`];
		shown = sight.status;
		if (alive.length + news.length > 0) await say(...alive, ...news);
	};

	return {
		status: (text) => {
			shown = text;
			void say(`STATUS=${text}`);
		},
		ready: (look) => {
			if (notify === undefined) return;
			void say("READY=1");
			isWatching = true;
			const interval = watchdogMs === undefined ? STATUS_INTERVAL_MS : watchdogMs / 2;
			const turn = async (): Promise<void> => {
				await tell(look);
				if (!isWatching) return;
				timer = setTimeout(() => void turn(), isUnwell || isDeaf ? interval / UNWELL_SHARE : interval);
				timer.unref();
			};
			void turn();
		},
		reload: async (work) => {
			void say("RELOADING=1", `MONOTONIC_USEC=${monotonicUsec()}`);
			shown = await work();
			// Not once the end has begun: who stops is not ready again.
			if (isWatching) void say("READY=1", `STATUS=${shown}`);
		},
		stopping: () => {
			isWatching = false;
			clearTimeout(timer);
			void say("STOPPING=1", "STATUS=ending");
		},
	};
}

/** How long systemd waits for a sign of life before it starts us again, in milliseconds. */
function watchdogOf({ WATCHDOG_USEC: usec }: Environment): number | undefined {
	const ms = Number(usec) / 1000;
	return Number.isFinite(ms) && ms >= 1 ? ms : undefined;
}
