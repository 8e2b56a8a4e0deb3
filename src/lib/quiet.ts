/** Work that goes on side by side, and work that wants it quiet: that waits until the other has ended, and holds it back meanwhile. */
export interface Quiet {
	beside<T>(work: () => Promise<T>): Promise<T>;
	alone<T>(work: () => Promise<T>): Promise<T>;
}

export function makeQuiet(): Quiet {
	const underWay = new Set<Promise<unknown>>();
	let last: Promise<unknown> | undefined;
	const ended = (work: Promise<unknown>): Promise<void> =>
		work.then(
			() => {},
			() => {},
		);
	return {
		beside: async (work) => {
			while (last !== undefined) await last;
			const mine = work();
			const end = ended(mine);
			underWay.add(end);
			void end.then(() => underWay.delete(end));
			return mine;
		},
		alone: async (work) => {
			const before = last;
			const mine = (async () => {
				await before;
				await Promise.all(underWay);
				return work();
			})();
			const end = ended(mine);
			last = end;
			void end.then(() => {
				if (last === end) last = undefined;
			});
			return mine;
		},
	};
}
