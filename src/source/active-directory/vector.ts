import { guidText } from "./guid.ts";

/**
 * What a domain controller's database surely has: by invocation id, the highest USN up to which that one's own writes have arrived
 * (MS-ADTS §3.1.1.1.12, "up-to-dateness vector").
 */
export type Vector = ReadonlyMap<string, bigint>;

const HEADER = 16;

/** Undefined for what is no vector. UPTODATE_VECTOR in either version (MS-DRSR, UPTODATE_VECTOR_V1_EXT and _V2_EXT): little-endian, 16 octets of head, then GUID and USN, then a time in version 2. */
export function parseVector(octets: Uint8Array): Vector | undefined {
	const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
	if (octets.length < HEADER) return undefined;
	const version = view.getUint32(0, true);
	const size = version === 1 ? 24 : version === 2 ? 32 : 0;
	const count = view.getUint32(8, true);
	if (size === 0 || octets.length < HEADER + count * size) return undefined;
	const vector = new Map<string, bigint>();
	for (let at = HEADER; at < HEADER + count * size; at += size) {
		const usn = view.getBigInt64(at + 16, true);
		if (usn < 0n) return undefined;
		vector.set(guidText(octets.subarray(at, at + 16)), usn);
	}
	return vector;
}

/** Whether `whole` has everything that `part` has, `but` for what this one wrote itself. */
export function isWithin(part: Vector, whole: Vector, but?: string): boolean {
	for (const [origin, usn] of part) if (origin !== but && usn > (whole.get(origin) ?? 0n)) return false;
	return true;
}

/** What both have. */
export function common(one: Vector, other: Vector): Vector {
	const both = new Map<string, bigint>();
	for (const [origin, usn] of one) {
		const its = other.get(origin);
		if (its !== undefined) both.set(origin, lesser(its, usn));
	}
	return both;
}

/** Math.min knows no bigint. */
export function lesser(one: bigint, other: bigint): bigint {
	if (one < other) return one;
	return other;
}
