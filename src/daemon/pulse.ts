/** Whether a thread is alive: it is asked now and then, and its event loop answers. */
export interface Pulse {
	/** The thread said something, whatever it was. */
	heard(): void;
	/** How long it has owed an answer, in milliseconds; 0: it owes none. */
	silenceMs(): number;
	stop(): void;
}

export interface PulseLimits {
	/** How often it is asked, in milliseconds. */
	readonly everyMs: number;
	/** A longer silence is no work any more. */
	readonly limitMs: number;
	/** A thread that runs JavaScript is cut off at once; one that still is not after this waits for the operating system. */
	readonly cutMs: number;
}

/**
 * A commit is one synchronous piece of work, in which the thread cannot answer. The longest that was seen are those of first
 * readings, 9.6 s for 100,000 people on two busy cores, and so some 100 s for a
 * million. This is far beyond that, since a thread that is cut in a commit would begin it again and
 * be cut again. A machine that sleeps does not count: of the time between two questions no more than twice the usual does.
 */
export const usualPulse: PulseLimits = { everyMs: 5000, limitMs: 600_000, cutMs: 30_000 };

export interface PulseParts extends Omit<PulseLimits, "cutMs"> {
	ask(): void;
	/** Said once. */
	onSilent(silenceMs: number): void;
	/** Milliseconds of a clock that nobody sets. */
	readonly now: () => number;
}

export function startPulse({ everyMs, limitMs, ask, onSilent, now }: PulseParts): Pulse {
	let isOwed = false;
	let silence = 0;
	let lookedAt = now();
	const since = (): number => Math.min(now() - lookedAt, 2 * everyMs);
	const timer = setInterval(() => {
		if (isOwed) {
			const before = silence;
			silence += since();
			if (before < limitMs && silence >= limitMs) onSilent(silence);
		} else {
			isOwed = true;
			ask();
		}
		lookedAt = now();
	}, everyMs);
	timer.unref();
	return {
		heard: () => {
			isOwed = false;
			silence = 0;
		},
		silenceMs: () => (isOwed ? silence + since() : 0),
		stop: () => clearInterval(timer),
	};
}
