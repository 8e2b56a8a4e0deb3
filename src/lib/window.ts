/**
 * Works on items in their order, at most `width` at a time. After the first error nothing more is begun; it is thrown once what was
 * under way has ended.
 */
export async function eachAtMost<T>(width: number, items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
	const iterator = items[Symbol.iterator]();
	let failure: { readonly error: unknown } | undefined;
	const lane = async (): Promise<void> => {
		while (failure === undefined) {
			const next = iterator.next();
			if (next.done === true) return;
			try {
				await work(next.value);
			} catch (error) {
				failure ??= { error };
			}
		}
	};
	await Promise.all(Array.from({ length: width }, lane));
	if (failure !== undefined) throw failure.error;
}
