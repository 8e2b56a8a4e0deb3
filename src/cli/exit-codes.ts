import type { Outcome } from "../sync/report.ts";

/** What the process ends with; scripts lean on it. */
export const exitCodes = {
	done: 0,
	failed: 1,
	/** Usage or configuration. */
	usage: 2,
	/** Something is held. */
	held: 3,
	/** Done, but some objects failed. */
	partial: 4,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Of several runs the one that needs a person most: failed, held, partial, done. */
export function exitCodeOf(outcomes: readonly Outcome[]): ExitCode {
	if (outcomes.includes("failed")) return exitCodes.failed;
	if (outcomes.includes("held")) return exitCodes.held;
	return outcomes.includes("partial") ? exitCodes.partial : exitCodes.done;
}
