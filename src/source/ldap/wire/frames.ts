import { BerError, declaredLength, tag } from "../../../lib/ber.ts";

/** Longer messages are refused: no entry or group of a sane directory comes near, and a broken length must not eat the memory. */
export const LONGEST_MESSAGE = 64 * 1024 * 1024;

/**
 * Cuts a stream of chunks into messages and gives each to `take`. A message that lies whole in a chunk is a view of that chunk;
 * one that spans chunks is put together once, however many there are (ldapts joins all over again at each chunk, which is
 * quadratic). Throws BerError on what cannot be BER, or is too long.
 */
export function makeFrames(
	take: (bytes: Uint8Array, start: number, end: number) => void,
	longest = LONGEST_MESSAGE,
): (chunk: Uint8Array) => void {
	/** A header of a few octets that was cut. */
	let rest: Uint8Array | undefined;
	/** A message being put together. */
	let partial: { readonly bytes: Uint8Array; filled: number } | undefined;

	return (arrived) => {
		let chunk = arrived;
		let at = 0;
		if (partial !== undefined) {
			at = Math.min(chunk.length, partial.bytes.length - partial.filled);
			partial.bytes.set(chunk.subarray(0, at), partial.filled);
			partial.filled += at;
			if (partial.filled < partial.bytes.length) return;
			const { bytes } = partial;
			partial = undefined;
			take(bytes, 0, bytes.length);
		} else if (rest !== undefined) {
			chunk = Buffer.concat([rest, chunk]);
			rest = undefined;
		}
		while (at < chunk.length) {
			if (chunk[at] !== tag.sequence) throw new BerError(`a message begins with 0x${(chunk[at] as number).toString(16)}`);
			const length = declaredLength(chunk, at, chunk.length, longest);
			if (length === undefined) {
				rest = chunk.slice(at);
				return;
			}
			if (at + length > chunk.length) {
				partial = { bytes: Buffer.allocUnsafe(length), filled: chunk.length - at };
				partial.bytes.set(chunk.subarray(at), 0);
				return;
			}
			take(chunk, at, at + length);
			at += length;
		}
	};
}
