import { dnKey } from "../../core/dn.ts";
import { Failure } from "../../core/errors.ts";
import type { Place } from "../ldap/place.ts";
import { dnOf, textsOf } from "../ldap/wire/entry.ts";
import type { ReadRequest, ScopeGroup } from "../source.ts";
import { guidAnchor } from "./guid.ts";
import { keyOf, type Visit, visitOne } from "./visit.ts";

/** A group that users.groups or a rule names, found. */
export interface NamedGroup extends ScopeGroup {
	readonly key: Uint8Array;
	readonly dn: string;
}

/**
 * Finds the groups that users.groups names: by their DN, else by what an earlier reading knew under it, so that a rename changes
 * nobody's account. Throws Failure SOURCE_BASE_MISSING naming the one that is neither.
 */
export async function findNamedGroups(visit: Visit, named: readonly Place[], pins: ReadRequest["pins"]): Promise<readonly NamedGroup[]> {
	const found: NamedGroup[] = [];
	for (const place of named) {
		const group = await findGroup(visit, place, pins, "users.groups");
		if (group === undefined) {
			throw new Failure("SOURCE_BASE_MISSING", `the group "${place.dn}" of users.groups is not there, or not visible to this account`, {
				hint: "Check its spelling, whether it was deleted or is no group, and the service account's right to read it.",
			});
		}
		found.push(group);
	}
	return found;
}

/** The groups that rules name, in the same way; those that are not there are left out, since nothing is decided by what is not known. */
export async function findRuleGroups(visit: Visit, ruled: readonly Place[], pins: ReadRequest["pins"]): Promise<readonly NamedGroup[]> {
	const found: NamedGroup[] = [];
	for (const place of ruled) {
		const group = await findGroup(visit, place, pins, "a target's `when`");
		if (group !== undefined) found.push(group);
	}
	return found;
}

async function findGroup(visit: Visit, place: Place, pins: ReadRequest["pins"], where: string): Promise<NamedGroup | undefined> {
	const pin = pins.get(place.key);
	const group = (await lookAt(visit, place, place.dn)) ?? (pin === undefined ? undefined : await lookAt(visit, place, `<GUID=${pin}>`));
	if (group !== undefined && dnKey(group.dn) !== place.key) {
		visit.warnings.push(`the group "${place.dn}" of ${where} is now "${group.dn}": it is still the same one; change the configuration`);
	}
	return group;
}

async function lookAt(visit: Visit, { key: wanted }: Place, base: string): Promise<NamedGroup | undefined> {
	const raw = await visitOne(visit, base, ["objectGUID", "objectClass"]);
	const key = raw === undefined ? undefined : keyOf(raw)?.slice();
	if (raw === undefined || key === undefined) return undefined;
	if (!textsOf(raw, "objectClass").some((name) => name.toLowerCase() === "group")) return undefined;
	return { dnKey: wanted, anchor: guidAnchor(key), key, dn: dnOf(raw) };
}
