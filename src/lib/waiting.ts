import { setTimeout as sleep } from "node:timers/promises";

/** Resolves after so many milliseconds; rejects with the signal's reason when that aborts. */
export type Wait = (ms: number, signal: AbortSignal) => Promise<void>;

export const waitReally: Wait = async (ms, signal) => {
	try {
		await sleep(ms, undefined, { signal });
	} catch {
		throw signal.reason; // It only ever rejects because of the signal.
	}
};

/** The work's outcome, or the signal's reason as soon as that aborts; what was under way goes on without us. */
export async function orAborted<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
	signal.throwIfAborted();
	const { promise: aborted, reject } = Promise.withResolvers<never>();
	const onAbort = (): void => reject(signal.reason);
	signal.addEventListener("abort", onAbort, { once: true });
	try {
		return await Promise.race([work(), aborted]);
	} finally {
		signal.removeEventListener("abort", onAbort);
	}
}

/** Does one piece of work at a time: whoever asks while it is under way gets its outcome. */
export function makeShared<T>(work: () => Promise<T>): () => Promise<T> {
	let underWay: Promise<T> | undefined;
	return () => {
		underWay ??= work().finally(() => {
			underWay = undefined;
		});
		return underWay;
	};
}

/** How long to wait before a further try, in milliseconds: doubling from `firstMs` up to `mostMs`, of which a random half is left out. */
export function backOff(
	tries: number,
	random: () => number,
	{ firstMs, mostMs }: { readonly firstMs: number; readonly mostMs: number },
): number {
	return Math.round(Math.min(mostMs, firstMs * 2 ** tries) * (1 - random() / 2));
}
