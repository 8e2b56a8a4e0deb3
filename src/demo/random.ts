/** Numbers in [0, 1) that look random and are the same for the same seed (mulberry32). Nothing secret comes from here. */
export function makeRandom(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b_79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
	};
}

/** A one-to-one scrambling of 32-bit numbers, and below its undoing (the finalizer of MurmurHash3): an index looks random and can be had back. */
export function scramble(value: number): number {
	let mixed = value >>> 0;
	mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
	mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
	return (mixed ^ (mixed >>> 16)) >>> 0;
}

export function unscramble(value: number): number {
	let mixed = value ^ (value >>> 16);
	mixed = Math.imul(mixed, 0x7ed1_b41d);
	mixed = mixed ^ (mixed >>> 13) ^ (mixed >>> 26);
	mixed = Math.imul(mixed, 0xa5cb_9243);
	return (mixed ^ (mixed >>> 16)) >>> 0;
}

export function pick<T>(from: readonly T[], random: () => number): T {
	return from[Math.floor(random() * from.length)] as T;
}

/** A whole number from 0 up to, and without, `limit`. */
export function below(limit: number, random: () => number): number {
	return Math.floor(random() * limit);
}
