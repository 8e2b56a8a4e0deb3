import { Failure } from "../../core/errors.ts";
import { equal } from "../../core/filter-text.ts";
import { ambiguous, MOST_NAMESAKES, newNameOf, type Sighting, type WantedGroup } from "../ldap/wanted-group.ts";
import { dnOf, textsOf } from "../ldap/wire/entry.ts";
import type { ReadRequest, ScopeGroup } from "../source.ts";
import { groupFilter } from "./group-scope.ts";
import { guidAnchor } from "./guid.ts";
import { keyOf, type Visit, visitFew, visitNamed } from "./visit.ts";

/** A group that users.groups or a rule names, found. */
export interface NamedGroup extends ScopeGroup {
	readonly key: Uint8Array;
	readonly dn: string;
}

/** The groups that users.groups names. Throws Failure SOURCE_BASE_MISSING naming the one that is not there. */
export async function findNamedGroups(
	visit: Visit,
	named: readonly WantedGroup[],
	pins: ReadRequest["pins"],
): Promise<readonly NamedGroup[]> {
	const found: NamedGroup[] = [];
	for (const wanted of named) {
		const sighting = await sightGroup(visit, wanted, pins, "users.groups");
		if (sighting.kind !== "found") {
			throw new Failure("SOURCE_BASE_MISSING", `the group "${wanted.text}" of users.groups is not there, or not visible to this account`, {
				hint: "Check its spelling, whether it was deleted or is no group, and the service account's right to read it.",
			});
		}
		found.push(sighting.group);
	}
	return found;
}

/** The groups that rules name; those that are not there are left out, since nothing is decided by what is not known. */
export async function findRuleGroups(
	visit: Visit,
	ruled: readonly WantedGroup[],
	pins: ReadRequest["pins"],
): Promise<readonly NamedGroup[]> {
	const found: NamedGroup[] = [];
	for (const wanted of ruled) {
		const sighting = await sightGroup(visit, wanted, pins, "a rule");
		if (sighting.kind === "found") found.push(sighting.group);
		else if (sighting.kind === "unclear") visit.warnings.push(`${sighting.because}; ${sighting.remedy}`);
	}
	return found;
}

/**
 * Looks for one group: the one that an earlier reading knew under this name, as long as it is there, and only then by what the name
 * says. So a rename changes nobody's account, and neither does another group that is given the old name.
 */
export async function sightGroup(
	visit: Visit,
	wanted: WantedGroup,
	pins: ReadRequest["pins"],
	where: string,
): Promise<Sighting<NamedGroup>> {
	const pin = pins.get(wanted.key);
	const pinned = pin === undefined ? undefined : await visitNamed(visit, `<GUID=${pin}>`, asked);
	const kept = pinned === undefined ? undefined : groupOf(wanted, pinned);
	if (pinned === undefined || kept === undefined) return sightByName(visit, wanted);
	const names = [...textsOf(pinned, "sAMAccountName"), ...textsOf(pinned, "cn")];
	const warning = newNameOf(wanted, { dn: kept.dn, names }, where);
	if (warning !== undefined) visit.warnings.push(warning);
	return { kind: "found", group: kept };
}

const asked = ["objectGUID", "objectClass", "sAMAccountName", "cn"];

async function sightByName(visit: Visit, wanted: WantedGroup): Promise<Sighting<NamedGroup>> {
	const { name } = wanted;
	switch (name.kind) {
		case "dn":
			return sightAt(visit, wanted, name.dn);
		case "guid":
			return sightAt(visit, wanted, `<GUID=${name.guid}>`);
		case "sid":
			return sightAt(visit, wanted, `<SID=${name.sid}>`);
		case "name":
			return sightNamesake(visit, wanted, name.name);
	}
}

async function sightAt(visit: Visit, wanted: WantedGroup, base: string): Promise<Sighting<NamedGroup>> {
	const raw = await visitNamed(visit, base, asked);
	return sightingOf(raw === undefined ? undefined : groupOf(wanted, raw));
}

/** By sAMAccountName, which only one group of a domain has, else by cn, which one in each container may have. */
async function sightNamesake(visit: Visit, wanted: WantedGroup, name: string): Promise<Sighting<NamedGroup>> {
	for (const attribute of ["sAMAccountName", "cn"]) {
		const filter = { kind: "and", parts: [groupFilter, equal(attribute, name)] } as const;
		const found: Uint8Array[] = [];
		for (const { dn } of visit.root.domains) {
			found.push(...(await visitFew(visit, { base: dn, scope: "sub", filter, attributes: asked, atMost: MOST_NAMESAKES })));
		}
		if (found.length > 1) return ambiguous(wanted, found.map(dnOf));
		const [raw] = found;
		if (raw !== undefined) return sightingOf(groupOf(wanted, raw));
	}
	return { kind: "missing" };
}

/** Undefined for what is no group, or shows no objectGUID. */
function groupOf({ key: nameKey }: WantedGroup, raw: Uint8Array): NamedGroup | undefined {
	const key = keyOf(raw)?.slice();
	if (key === undefined || !textsOf(raw, "objectClass").some((name) => name.toLowerCase() === "group")) return undefined;
	return { nameKey, anchor: guidAnchor(key), key, dn: dnOf(raw) };
}

function sightingOf(group: NamedGroup | undefined): Sighting<NamedGroup> {
	return group === undefined ? { kind: "missing" } : { kind: "found", group };
}
