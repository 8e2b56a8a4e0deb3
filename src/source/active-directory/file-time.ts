/** 1601-01-01 to 1970-01-01, in milliseconds: FILETIME counts 100 ns ticks from the former (MS-DTYP §2.3.3). */
const EPOCH_MS = 11_644_473_600_000n;
const NEVER = 0x7fff_ffff_ffff_ffffn;

/** accountExpires to Unix milliseconds, or undefined for its two spellings of "never", 0 and 2^63-1, and for what is no number. */
export function expiryMs(ticks: string | undefined): number | undefined {
	if (ticks === undefined || ticks === "0" || ticks === "9223372036854775807" || !/^\d{1,19}$/.test(ticks)) return undefined;
	const value = BigInt(ticks);
	return value >= NEVER ? undefined : Number(value / 10_000n - EPOCH_MS);
}
