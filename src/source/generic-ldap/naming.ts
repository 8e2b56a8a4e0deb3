import type { Anchor } from "../../core/entry.ts";
import type { Filter } from "../../core/filter.ts";
import { equal } from "../../core/filter-text.ts";
import type { Marked } from "./delta.ts";
import { BY_UID } from "./members.ts";
import { batchesOf, both, either, type Visit, visitFew } from "./visit.ts";

/**
 * Groups that name someone who changed: that may have been a rename, and OpenLDAP's refint corrects the groups without a trace in
 * their modifyTimestamp and entryCSN (measured); a new uid makes somebody a member by memberUid without any change of the group.
 */
export async function namingGroups(visit: Visit, { people, groups }: Marked): Promise<ReadonlySet<Anchor>> {
	const { anchors, groupClasses, members } = visit.scope;
	const byDn = members.filter((name) => name.toLowerCase() !== BY_UID);
	const isByUid = byDn.length < members.length;
	const named: Filter[] = [];
	for (const { dn } of [...people, ...groups]) for (const attribute of byDn) named.push(equal(attribute, dn));
	if (isByUid) for (const { uid } of people) if (uid !== undefined) named.push(equal("memberUid", uid));
	const found = new Set<Anchor>();
	for (const batch of batchesOf(named)) {
		for (const { dn } of visit.root.contexts) {
			for (const raw of await visitFew(visit, dn, both(groupClasses, either(batch)), [anchors.groups.attribute])) {
				const key = anchors.groups.keyOf(raw);
				if (key !== undefined) found.add(anchors.anchorOf(key));
			}
		}
	}
	return found;
}
