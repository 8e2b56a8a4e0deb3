import type { Filter } from "../../core/filter.ts";
import { timeOf } from "../../core/syntax.ts";
import { textsOf } from "../ldap/wire/entry.ts";
import { both, type Visit, visitAll } from "./visit.ts";

/**
 * How far back a delta asks before the newest change that was seen. A change may come later than a newer one: written in the same
 * second, while the other was being read, by a server whose clock is behind, or brought by replication. What it hands out again
 * costs a comparison of digests.
 */
const OVERLAP_MS = 5 * 60_000;
/** A change from further ahead than this by our clock was made by a clock that is wrong: to wait for it would be to miss the rest. */
const AHEAD_MS = 60 * 60_000;

/** (modifyTimestamp>=since): to the second, and that second included. */
export function changedSince(since: string): Filter {
	return { kind: "greaterOrEqual", attribute: "modifyTimestamp", value: Buffer.from(since) };
}

export function overlapped(newest: string): string {
	return generalizedTime((timeOf(newest) ?? 0) - OVERLAP_MS);
}

/** The newest of these that a sane clock can have written; `now` is ours, Unix milliseconds. */
export function newestOf(stamps: readonly string[], now: number): string | undefined {
	let newest: number | undefined;
	for (const stamp of stamps) {
		const at = timeOf(stamp);
		if (at !== undefined && at <= now + AHEAD_MS && (newest === undefined || at > newest)) newest = at;
	}
	return newest === undefined ? undefined : generalizedTime(newest);
}

/**
 * The newest change before a full reading begins: where the next delta starts, by the server's own clock. What is changed while the
 * reading goes on has a later one. `since`: the newest that is known from before, so that not everything has to be looked at.
 */
export async function readNewest(visit: Visit, since: string | undefined, now: number): Promise<string | undefined> {
	const stamps: string[] = [];
	const stamped: Filter = since === undefined ? { kind: "present", attribute: "modifyTimestamp" } : changedSince(since);
	for (const { dn } of visit.root.contexts) {
		for (const raw of await visitAll(visit, dn, both(stamped, visit.scope.relevant), ["modifyTimestamp"])) {
			stamps.push(...textsOf(raw, "modifyTimestamp"));
		}
	}
	return newestOf(stamps, now);
}

/** Unix milliseconds as generalized time, to the second, rounded down (RFC 4517 §3.3.13). */
function generalizedTime(ms: number): string {
	return `${new Date(ms).toISOString().slice(0, 19).replace(/[-:T]/g, "")}Z`;
}
