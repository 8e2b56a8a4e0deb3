import { hash } from "node:crypto";

/** Octets of a digest as we store it: 128 of SHA-256's 256 bits, far past any accident. */
export const digestLength = 16;

/** SHA-256, cut to 16 octets. */
export function digest(data: Uint8Array | string): Buffer {
	return hash("sha256", data, "buffer").subarray(0, digestLength);
}
