import type { Source } from "../../src/source/source.ts";

/** A watch in the hands of a test. */
export interface OpenWatch {
	/** Resolves when it is woken next; rejects with what the watch ended of. */
	next(): Promise<void>;
	/** How often it was woken so far. */
	wakes(): number;
	/** What it ended of. */
	readonly ended: Promise<unknown>;
	stop(): void;
}

/** Opens a source's watch, and resolves when it stands. */
export async function openWatch(source: Source): Promise<OpenWatch> {
	const { watch } = source;
	if (watch === undefined) throw new Error("this source does not watch");
	const abort = new AbortController();
	let wakes = 0;
	let waiting = Promise.withResolvers<void>();
	const woken = (): void => {
		wakes++;
		waiting.resolve();
		waiting = Promise.withResolvers();
	};
	const ended = watch(woken, abort.signal).catch((failure: unknown) => failure);
	const next = (): Promise<void> => {
		const over = ended.then((failure) => Promise.reject(failure));
		over.catch(() => {}); // It ends some day, and then nobody waits for it any more.
		return Promise.race([waiting.promise, over]);
	};
	await next();
	return { next, wakes: () => wakes, ended, stop: () => abort.abort() };
}
