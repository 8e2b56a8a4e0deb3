const UNITS = {
	ms: 1,
	s: 1000,
	m: 60_000,
	h: 3_600_000,
	d: 86_400_000,
	w: 7 * 86_400_000,
	/** 365 days: retention does not follow leap years. */
	y: 365 * 86_400_000,
} as const;

/** "30d", "10s", "500ms" or "2y" in milliseconds, or undefined when it is not a duration. */
export function parseDuration(text: string): number | undefined {
	const match = /^(\d{1,6})(ms|s|m|h|d|w|y)$/.exec(text);
	const [, amount, unit] = match ?? [];
	return amount === undefined || unit === undefined ? undefined : Number(amount) * UNITS[unit as keyof typeof UNITS];
}

/** Milliseconds as a person says them: "350 ms", "4.2 s", "3 min 20 s", "2 h 5 min", "3 d 4 h". */
export function formatDuration(ms: number): string {
	if (ms < 1000) return `${Math.round(ms)} ms`;
	if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
	const seconds = Math.round(ms / 1000);
	if (seconds < 3600) return two(Math.floor(seconds / 60), "min", seconds % 60, "s");
	const minutes = Math.round(ms / UNITS.m);
	if (minutes < 48 * 60) return two(Math.floor(minutes / 60), "h", minutes % 60, "min");
	const hours = Math.round(ms / UNITS.h);
	return two(Math.floor(hours / 24), "d", hours % 24, "h");
}

function two(large: number, largeUnit: string, small: number, smallUnit: string): string {
	return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}
