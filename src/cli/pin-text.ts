import type { PinRecord } from "../core/pin.ts";
import { instant } from "../lib/instant.ts";

/** A pin for a person: "department: none, since run 12 was reverted by anna at …". */
export function pinText({ part, kept, run, by, at }: PinRecord): string {
	return `${part}: ${kept === "null" ? "none" : kept}, since run ${run} was reverted by ${by} at ${instant(at)}`;
}
