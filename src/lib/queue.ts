/** Runs work one at a time for each key, in the order it came; different keys do not wait for each other. */
export function makeQueues() {
	const tails = new Map<string, Promise<unknown>>();
	return <T>(key: string, work: () => Promise<T>): Promise<T> => {
		const before = tails.get(key) ?? Promise.resolve();
		const mine = before.then(work, work);
		// The tail swallows errors, since they are its caller's and not the next one's.
		const tail = mine
			.catch(() => {})
			.finally(() => {
				if (tails.get(key) === tail) tails.delete(key);
			});
		tails.set(key, tail);
		return mine;
	};
}
