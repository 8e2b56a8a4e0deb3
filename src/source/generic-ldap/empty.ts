import type { Anchor } from "../../core/entry.ts";
import { byAnchor } from "./anchor.ts";
import { batchesOf, both, not, type Visit, visitFew } from "./visit.ts";

/**
 * Those of these groups of which the server itself says that they have no members: it finds them by (!(member=*)), which it does not
 * where it may not look at `member` for this account (RFC 4511 §4.5.1.7).
 */
export async function provenEmpty(visit: Visit, groups: readonly Uint8Array[]): Promise<ReadonlySet<Anchor>> {
	const { anchors } = visit.scope;
	const wanted = groups.flatMap((raw) => {
		const key = anchors.groups.keyOf(raw);
		return key === undefined ? [] : [anchors.anchorOf(key)];
	});
	return findEmpty(visit, wanted);
}

export async function findEmpty(visit: Visit, groups: readonly Anchor[]): Promise<ReadonlySet<Anchor>> {
	const { anchors, members } = visit.scope;
	let empty = new Set(groups);
	for (const attribute of members) {
		// Nobody is a member by what the server has never heard of.
		if (!(await visit.knowsAttribute(attribute))) continue;
		const without = new Set<Anchor>();
		for (const batch of batchesOf([...empty])) {
			const filter = both(byAnchor(anchors.groups, batch), not({ kind: "present", attribute }));
			for (const { dn } of visit.root.contexts) {
				for (const raw of await visitFew(visit, dn, filter, [anchors.groups.attribute])) {
					const key = anchors.groups.keyOf(raw);
					if (key !== undefined) without.add(anchors.anchorOf(key));
				}
			}
		}
		empty = without;
	}
	return empty;
}
