import type { Anchor } from "../../core/entry.ts";
import { Failure } from "../../core/errors.ts";
import type { Place } from "../ldap/place.ts";
import type { ReadRequest, ScopeGroup } from "../source.ts";
import { byAnchor } from "./anchor.ts";
import { both, type Visit, visitFew, visitOne } from "./visit.ts";

/**
 * The groups that users.groups names: as pinned at an earlier reading, through renames, or as written. Throws Failure
 * SOURCE_BASE_MISSING for one that is not there: without it everybody would leave the scope.
 */
export async function readRoots(visit: Visit, pins: ReadRequest["pins"]): Promise<readonly ScopeGroup[]> {
	const found: ScopeGroup[] = [];
	for (const root of visit.scope.roots) {
		const anchor = await findGroup(visit, root, pins);
		if (anchor === undefined) {
			throw new Failure(
				"SOURCE_BASE_MISSING",
				`the group "${root.dn}" of users.groups is not there, or not visible to this account (${visit.session.server})`,
				{
					hint: "Check its spelling, whether it was deleted, and the service account's right to read it; nobody is put out of scope meanwhile.",
				},
			);
		}
		found.push({ dnKey: root.key, anchor });
	}
	return found;
}

/** The groups that rules name, in the same way; those that are not there are left out, since nothing is decided by what is not known. */
export async function readRuled(visit: Visit, pins: ReadRequest["pins"]): Promise<readonly ScopeGroup[]> {
	const found: ScopeGroup[] = [];
	for (const ruled of visit.scope.ruled) {
		const anchor = await findGroup(visit, ruled, pins);
		if (anchor !== undefined) found.push({ dnKey: ruled.key, anchor });
	}
	return found;
}

async function findGroup(visit: Visit, { dn, key }: Place, pins: ReadRequest["pins"]): Promise<Anchor | undefined> {
	const { anchors } = visit.scope;
	const pin = pins.get(key);
	if (pin !== undefined && (await isGroup(visit, pin))) return pin;
	const [raw] = (await visitOne(visit, dn, [anchors.groups.attribute])).entries;
	const octets = raw === undefined ? undefined : anchors.groups.keyOf(raw);
	const anchor = octets === undefined ? undefined : anchors.anchorOf(octets);
	return anchor !== undefined && (await isGroup(visit, anchor)) ? anchor : undefined;
}

async function isGroup(visit: Visit, anchor: Anchor): Promise<boolean> {
	const { anchors, groupClasses } = visit.scope;
	const filter = both(groupClasses, byAnchor(anchors.groups, [anchor]));
	for (const { dn } of visit.root.contexts) if ((await visitFew(visit, dn, filter, ["1.1"])).length > 0) return true;
	return false;
}
