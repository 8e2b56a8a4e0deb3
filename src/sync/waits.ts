/** First wait after a refusal, doubled with each further one. */
const FIRST_WAIT_MS = 60_000;
const LONGEST_WAIT_MS = 6 * 3_600_000;
/** A target that says "later" is not asked again in the same breath. */
const SHORTEST_WAIT_MS = 1000;

/** How long a delivery waits that was refused, after so many attempts before; in milliseconds. */
export function waitAfterRefusal(attempts: number): number {
	return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempts);
}

/** How long one waits that the target put off by `afterMs`. */
export function waitAfterLater(afterMs: number): number {
	return Math.max(SHORTEST_WAIT_MS, afterMs);
}
