/** Octets of a key, and of what a sum is stored as: four 32-bit lanes, and a count. */
export const keyLength = 16;
const LANES = 4;

/**
 * Sums keys of 16 octets so that their order does not matter and one can be taken away again. Keys are random or digests: two sets
 * with the same sum by accident are as unlikely as two equal digests. 10 million keys take about 0.1 s.
 */
export interface KeySum {
	add(keys: Uint8Array): void;
	remove(keys: Uint8Array): void;
	/** 20 octets. */
	bytes(): Buffer;
}

/** `from`: what an earlier sum's `bytes` gave; of no octets for one that is not known, which equals no other. */
export function makeKeySum(from?: Uint8Array): KeySum {
	const lanes = new Uint32Array(LANES + 1);
	if (from !== undefined && from.length > 0) {
		const view = new DataView(from.buffer, from.byteOffset, from.length);
		for (let lane = 0; lane <= LANES; lane++) lanes[lane] = view.getUint32(lane * 4);
	}
	const sum = (keys: Uint8Array, sign: 1 | -1): void => {
		const view = new DataView(keys.buffer, keys.byteOffset, keys.length);
		for (let at = 0; at < keys.length; at += keyLength) {
			for (let lane = 0; lane < LANES; lane++) lanes[lane] = (lanes[lane] as number) + sign * view.getUint32(at + lane * 4);
		}
		lanes[LANES] = (lanes[LANES] as number) + (sign * keys.length) / keyLength;
	};
	return {
		add: (keys) => sum(keys, 1),
		remove: (keys) => sum(keys, -1),
		bytes: () => {
			const bytes = Buffer.alloc((LANES + 1) * 4);
			for (let lane = 0; lane <= LANES; lane++) bytes.writeUInt32BE(lanes[lane] as number, lane * 4);
			return bytes;
		},
	};
}
