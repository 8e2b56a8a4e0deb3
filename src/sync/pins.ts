import { Failure } from "../core/errors.ts";
import type { Unpinned } from "../store/pins.ts";
import type { Session } from "../store/session.ts";

/** Lets go of what is pinned of one person: the next run plans them as the directory has them. `at` is Unix milliseconds. Throws NOT_FOUND. */
export function unpin({ pins, log, transaction }: Session, user: string, by: string, at: number): Unpinned {
	return transaction(() => {
		const found = pins.find(user);
		if (found.length === 0) {
			const hint = '"dirsyncd status" lists who is pinned; give the userName or the anchor.';
			throw new Failure("NOT_FOUND", `nothing is pinned of ${JSON.stringify(user)}`, { hint });
		}
		let count = 0;
		for (const entry of found) {
			count += pins.drop(entry);
			const { source, anchor, name } = entry;
			const change = { at, run: 0, source, target: undefined, kind: "unpin", subject: "account", anchor, name };
			log.append()({ ...change, why: "its pins were let go", before: undefined, after: undefined, result: `unpinned by ${by}` });
		}
		return { accounts: found.length, pins: count };
	});
}
