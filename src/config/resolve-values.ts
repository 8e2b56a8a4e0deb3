import { parseDuration } from "../lib/duration.ts";

/** Milliseconds of a duration that the schema has checked: what cannot be read here is a bug. */
export function ms(duration: string): number {
	const parsed = parseDuration(duration);
	if (parsed === undefined) throw new Error(`not a duration: ${duration}`);
	return parsed;
}

export function withoutUndefined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
	return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
		[K in keyof T]?: Exclude<T[K], undefined>;
	};
}
