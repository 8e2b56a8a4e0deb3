import type { Path } from "./problem.ts";

/** The value at a path, or undefined. */
export function valueAt(values: unknown, path: Path): unknown {
	let value = values;
	for (const step of path) {
		if (typeof value !== "object" || value === null) return undefined;
		value = (value as Record<string | number, unknown>)[step];
	}
	return value;
}

/** A copy with another value at a path that is there. */
export function withValue(values: unknown, [step, ...rest]: Path, value: unknown): unknown {
	if (step === undefined) return value;
	if (Array.isArray(values)) return values.map((item: unknown, index) => (index === step ? withValue(item, rest, value) : item));
	return { ...(values as object), [step]: withValue(valueAt(values, [step]), rest, value) };
}
