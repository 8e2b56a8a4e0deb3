/** An instant as a person and a script read it, or null. Unix milliseconds to ISO 8601 with Z. */
export function instant(at: number): string;
export function instant(at: number | undefined): string | null;
export function instant(at: number | undefined): string | null {
	return at === undefined ? null : new Date(at).toISOString();
}

/** The first instant that `text` means, a day in UTC (2026-11-01) or an instant with its zone. Undefined: it is neither. */
export function startOf(text: string): number | undefined {
	return dayOf(text) ?? instantOf(text);
}

/** The first instant after what `text` means: a day is over then, an instant is itself. */
export function endOf(text: string): number | undefined {
	const day = dayOf(text);
	return day === undefined ? instantOf(text) : day + DAY_MS;
}

const DAY_MS = 86_400_000;

/** Midnight in UTC. */
function dayOf(text: string): number | undefined {
	if (!/^\d{4}-\d\d-\d\d$/.test(text)) return undefined;
	const at = Date.parse(`${text}T00:00:00Z`);
	// JavaScript takes 30 February for 2 March.
	return Number.isNaN(at) || new Date(at).toISOString().slice(0, 10) !== text ? undefined : at;
}

function instantOf(text: string): number | undefined {
	const [day = "", time = ""] = text.split("T");
	if (dayOf(day) === undefined || !/^\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(time)) return undefined;
	const at = Date.parse(text);
	return Number.isNaN(at) ? undefined : at;
}
