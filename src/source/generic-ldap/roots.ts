import type { Anchor } from "../../core/entry.ts";
import { Failure } from "../../core/errors.ts";
import type { ReadRequest, ScopeGroup } from "../source.ts";
import { byAnchor } from "./anchor.ts";
import { both, type Visit, visitFew, visitOne } from "./visit.ts";

/**
 * The groups that users.groups names: as pinned at an earlier reading, through renames, or as written. Throws Failure
 * SOURCE_BASE_MISSING for one that is not there: without it everybody would leave the scope.
 */
export async function readRoots(visit: Visit, pins: ReadRequest["pins"]): Promise<readonly ScopeGroup[]> {
	const { anchors, groupClasses, roots } = visit.scope;
	const found: ScopeGroup[] = [];
	for (const { dn, key } of roots) {
		const pin = pins.get(key);
		if (pin !== undefined && (await isGroup(visit, pin))) found.push({ dnKey: key, anchor: pin });
		else {
			const [raw] = (await visitOne(visit, dn, [anchors.groups.attribute])).entries;
			const octets = raw === undefined ? undefined : anchors.groups.keyOf(raw);
			const anchor = octets === undefined ? undefined : anchors.anchorOf(octets);
			if (anchor === undefined || !(await isGroup(visit, anchor))) {
				throw new Failure(
					"SOURCE_BASE_MISSING",
					`the group "${dn}" of users.groups is not there, or not visible to this account (${visit.session.server})`,
					{
						hint: "Check its spelling, whether it was deleted, and the service account's right to read it; nobody is put out of scope meanwhile.",
					},
				);
			}
			found.push({ dnKey: key, anchor });
		}
	}
	return found;

	async function isGroup({ root }: Visit, anchor: Anchor): Promise<boolean> {
		const filter = both(groupClasses, byAnchor(anchors.groups, [anchor]));
		for (const { dn } of root.contexts) if ((await visitFew(visit, dn, filter, ["1.1"])).length > 0) return true;
		return false;
	}
}
