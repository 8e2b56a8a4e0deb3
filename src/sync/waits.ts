/** First wait after a refusal, doubled with each further one. */
const FIRST_WAIT_MS = 60_000;
const LONGEST_WAIT_MS = 6 * 3_600_000;
/** A target that says "later" is not asked again in the same breath. */
const SHORTEST_WAIT_MS = 1000;
const LONGEST_LATER_MS = 15 * 60_000;

/** How long a delivery waits that was refused, after so many attempts before; in milliseconds. */
export function waitAfterRefusal(attempts: number): number {
	return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(attempts, 20));
}

/** How long one waits whose name was taken: the first time not at all, since who has it is asked before it is sent again. */
export function waitAfterConflict(attempts: number): number {
	return attempts === 0 ? 0 : waitAfterRefusal(attempts - 1);
}

/** How long one waits that the target put off, by `afterMs` if it said so. */
export function waitAfterLater(attempts: number, afterMs: number | undefined): number {
	return Math.max(SHORTEST_WAIT_MS, afterMs ?? Math.min(LONGEST_LATER_MS, SHORTEST_WAIT_MS * 2 ** Math.min(attempts, 20)));
}

const LONGEST_AFTER_THROW_MS = 5 * 60_000;

/** How long one waits at which the target as a whole gave up; in milliseconds. */
export function waitAfterThrow(attempts: number): number {
	return Math.min(LONGEST_AFTER_THROW_MS, SHORTEST_WAIT_MS * 2 ** Math.min(attempts, 20));
}

/** So often a target may say "later" to something before it is taken for one that it never does. */
export const MOST_LATERS = 5;

/** When one that was lost at the target is tried again: at once, unless it is lost over and over. Unix milliseconds. */
export function waitAfterLoss(attempts: number, now: number): number | undefined {
	return attempts === 0 ? undefined : now + waitAfterRefusal(attempts - 1);
}

const FIRST_TROUBLE_MS = 5000;
const LONGEST_TROUBLE_MS = 10 * 60_000;

/** How long a target is left alone that was out of reach so many times in a row; `random` is 0 to below 1. In milliseconds. */
export function waitAfterTrouble(failures: number, random: number): number {
	const longest = Math.min(LONGEST_TROUBLE_MS, FIRST_TROUBLE_MS * 2 ** Math.min(failures, 20));
	return Math.round(longest * (0.5 + random / 2));
}
