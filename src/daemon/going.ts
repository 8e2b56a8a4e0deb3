import type { Going } from "../http/look.ts";
import type { Progress } from "../sync/report.ts";

/** The runs that are going on, by what the engine says of each. */
export interface GoingRuns {
	progressed(progress: Progress): void;
	/** The engine is gone, and all runs with it. */
	lost(): void;
	now(): readonly Going[];
}

export function makeGoingRuns(clock: () => number): GoingRuns {
	const going = new Map<string, Going>();
	return {
		progressed: (progress) => {
			const { source, stage } = progress;
			if (stage === "ended") going.delete(source);
			else going.set(source, { ...progress, since: going.get(source)?.since ?? clock() });
		},
		lost: () => going.clear(),
		now: () => [...going.values()],
	};
}
