import type { Wait } from "./waiting.ts";

export interface LimiterOptions {
	/** How many may be under way at once, at most. */
	readonly most: number;
	/** How many may begin in a second, at most; undefined: as many as go. */
	readonly ratePerSecond: number | undefined;
	/** Unix milliseconds. */
	readonly clock: () => number;
	readonly wait: Wait;
	/** Past this nobody waits for a pause to end: they get `tooLong` thrown. */
	readonly patienceMs: number;
	readonly tooLong: (ms: number) => Error;
}

/** Handed out to who may begin; given back when it is done. */
export interface Permit {
	readonly era: number;
}

export interface Limiter {
	/** Waits for its turn. */
	enter(signal: AbortSignal): Promise<Permit>;
	/** `slower`: the other side asked for less. `well`: it keeps up. */
	leave(permit: Permit, how: "well" | "slower" | "otherwise"): void;
	/** Nobody begins for so long. */
	pause(ms: number): void;
	/** How many may be under way at once just now. */
	width(): number;
}

/** Few at first, so that a small server is not run over before it can say so. */
const FIRST = 2;

/**
 * How many requests the other side bears, found out by trying, as TCP does: at first one more for each that went well, from the first
 * time on that it says it is too much one more for each round, and half whenever it says so. What was under way when it said so
 * counts once, however many of it are turned away.
 */
export function makeLimiter({ most, ratePerSecond, clock, wait, patienceMs, tooLong }: LimiterOptions): Limiter {
	let width = Math.min(FIRST, most);
	let isStarting = true;
	let underWay = 0;
	let era = 0;
	let pausedUntil = 0;
	let nextAt = 0;
	let alarm: AbortController | undefined;
	const queue = new Set<{ readonly begin: () => void; readonly fail: (error: Error) => void }>();

	const admit = (): void => {
		const paused = pausedUntil - clock();
		if (paused > patienceMs) {
			for (const { fail } of [...queue]) fail(tooLong(paused));
			return;
		}
		for (const one of [...queue]) {
			if (underWay >= Math.floor(width)) return;
			const now = clock();
			const early = Math.max(pausedUntil, nextAt) - now;
			if (early > 0) {
				comeBack(early);
				return;
			}
			begin(now);
			one.begin();
		}
	};

	const begin = (now: number): void => {
		if (ratePerSecond !== undefined) nextAt = Math.max(nextAt, now) + 1000 / ratePerSecond;
		underWay++;
	};

	const comeBack = (ms: number): void => {
		if (alarm !== undefined) return;
		const mine = new AbortController();
		alarm = mine;
		void wait(ms, mine.signal).then(
			() => {
				if (alarm === mine) alarm = undefined;
				admit();
			},
			() => {}, // Nobody waits any more: it was called off below.
		);
	};

	const callOff = (): void => {
		if (queue.size > 0) return;
		alarm?.abort();
		alarm = undefined;
	};

	return {
		enter: (signal) => {
			signal.throwIfAborted();
			const now = clock();
			// Nearly always there is nothing to wait for.
			if (queue.size === 0 && underWay < Math.floor(width) && Math.max(pausedUntil, nextAt) <= now) {
				begin(now);
				return Promise.resolve({ era });
			}
			return new Promise((resolve, reject) => {
				const end = (): void => {
					queue.delete(one);
					signal.removeEventListener("abort", onAbort);
				};
				const onAbort = (): void => one.fail(signal.reason);
				const one = {
					begin: (): void => {
						end();
						resolve({ era });
					},
					fail: (error: Error): void => {
						end();
						callOff();
						reject(error);
					},
				};
				signal.addEventListener("abort", onAbort, { once: true });
				queue.add(one);
				admit();
			});
		},
		leave: (permit, how) => {
			underWay--;
			if (how === "slower" && permit.era === era) {
				era++;
				isStarting = false;
				width = Math.max(1, width / 2);
			}
			if (how === "well") width = Math.min(most, width + (isStarting ? 1 : 1 / width));
			admit();
		},
		pause: (ms) => {
			pausedUntil = Math.max(pausedUntil, clock() + ms);
			admit();
		},
		width: () => Math.floor(width),
	};
}
