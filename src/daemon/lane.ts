/** Work that must not overlap, one after the other in the order it came. */
export interface Lane {
	/** Whether something is going on or waiting. */
	isBusy(): boolean;
	/** Does `work` after everything that came before, whatever became of that. */
	enter<T>(work: () => Promise<T>): Promise<T>;
	/** Resolves when nothing is going on or waiting any more. */
	idle(): Promise<void>;
}

export function makeLane(): Lane {
	let last: Promise<unknown> = Promise.resolve();
	let inside = 0;
	return {
		isBusy: () => inside > 0,
		enter: async (work) => {
			inside += 1;
			const turn = last.then(work).finally(() => {
				inside -= 1;
			});
			last = turn.catch(() => {}); // Who entered it hears of it; the next in the lane does not care.
			return turn;
		},
		idle: async () => {
			while (inside > 0) await last;
		},
	};
}
