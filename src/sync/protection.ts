import { isBeneath } from "../core/dn.ts";
import { digest } from "../lib/digest.ts";
import type { Protection } from "../source/source.ts";
import type { Session } from "../store/session.ts";
import type { SourceState } from "../store/snapshot.ts";

/** Whether protection names this DN (its key), or a container above it. */
export function coversDn({ people, containers }: Protection, key: string): boolean {
	return people.has(key) || containers.some((container) => isBeneath(key, container));
}

/** Ids of the people that protection names, by where the snapshot has them. */
export function shieldedIds(session: Session, state: SourceState, protection: Protection): Set<number> {
	const ids = new Set<number>();
	for (const key of protection.people) {
		const known = session.snapshot.byDn(state.id, digest(key));
		if (known !== undefined) ids.add(known.id);
	}
	return ids;
}
