import { Failure } from "../../core/errors.ts";

/** The number of a run, as a path or a query names it. Throws Failure USAGE. */
export function runNumber(text: unknown): number {
	if (typeof text === "string" && /^[1-9]\d{0,14}$/.test(text)) return Number(text);
	throw new Failure("USAGE", `${JSON.stringify(text)} is not the number of a run`);
}
