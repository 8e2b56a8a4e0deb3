import type { Explanation } from "../explain/explanation.ts";
import { instant } from "../lib/instant.ts";
import { pinJson } from "./account-json.ts";

/** An explanation as JSON: instants as ISO 8601, what is not known left out. */
export function explanationJson(explanation: Explanation) {
	const { entry, account, quarantine, held, refused, pins, targets, changes, ...rest } = explanation;
	return {
		...rest,
		entry: entry && {
			...entry,
			at: instant(entry.at),
			seen: entry.seen && { ...entry.seen, at: instant(entry.seen.at) },
		},
		account: account && { ...account, since: instant(account.since), dueAt: instant(account.dueAt) },
		quarantine: quarantine && { ...quarantine, since: instant(quarantine.since) },
		held: held.map((one) => ({ ...one, since: instant(one.since) })),
		refused: refused.map((one) => ({ ...one, at: instant(one.at) })),
		pins: pins.map(pinJson),
		targets: targets.map((one) => ({ ...one, nextAt: instant(one.nextAt) })),
		changes: changes.map((one) => ({ ...one, at: instant(one.at) })),
	};
}
