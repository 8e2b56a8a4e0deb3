import { Failure } from "../../core/errors.ts";
import type { Filter } from "../../core/filter.ts";
import { equal } from "../../core/filter-text.ts";
import { ambiguous, MOST_NAMESAKES, newNameOf, type Sighting, type WantedGroup } from "../ldap/wanted-group.ts";
import { dnOf, textsOf } from "../ldap/wire/entry.ts";
import type { ReadRequest, ScopeGroup } from "../source.ts";
import { byAnchor } from "./anchor.ts";
import { both, type Visit, visitFew, visitNamed } from "./visit.ts";

/** A group that users.groups or a rule names, found. */
export interface Root extends ScopeGroup {
	readonly dn: string;
}

/** The groups that users.groups names. Throws Failure SOURCE_BASE_MISSING for one that is not there: without it everybody would leave the scope. */
export async function readRoots(visit: Visit, pins: ReadRequest["pins"]): Promise<readonly Root[]> {
	const found: Root[] = [];
	for (const wanted of visit.scope.roots) {
		const sighting = await sightGroup(visit, wanted, pins, "users.groups");
		if (sighting.kind !== "found") {
			throw new Failure(
				"SOURCE_BASE_MISSING",
				`the group "${wanted.text}" of users.groups is not there, or not visible to this account (${visit.session.server})`,
				{
					hint: "Check its spelling, whether it was deleted, and the service account's right to read it; nobody is put out of scope meanwhile.",
				},
			);
		}
		found.push(sighting.group);
	}
	return found;
}

/** The groups that rules name; those that are not there are left out, since nothing is decided by what is not known. */
export async function readRuled(visit: Visit, pins: ReadRequest["pins"]): Promise<readonly Root[]> {
	const found: Root[] = [];
	for (const wanted of visit.scope.ruled) {
		const sighting = await sightGroup(visit, wanted, pins, "a rule");
		if (sighting.kind === "found") found.push(sighting.group);
		else if (sighting.kind === "unclear") visit.warnings.push(`${sighting.because}; ${sighting.remedy}`);
	}
	return found;
}

/** What is remembered of a group that was found. */
export function pinOf({ nameKey, anchor }: Root): ScopeGroup {
	return { nameKey, anchor };
}

/**
 * Looks for one group: the one that an earlier reading knew under this name, as long as it is there, and only then by what the name
 * says. So a rename changes nobody's account, and neither does another group that is given the old name.
 */
export async function sightGroup(visit: Visit, wanted: WantedGroup, pins: ReadRequest["pins"], where: string): Promise<Sighting<Root>> {
	const pin = pins.get(wanted.key);
	const [pinned] = pin === undefined ? [] : await groupsBy(visit, byAnchor(visit.scope.anchors.groups, [pin]));
	const kept = pinned === undefined ? undefined : rootOf(visit, wanted, pinned);
	if (pinned === undefined || kept === undefined) return sightByName(visit, wanted);
	const warning = newNameOf(wanted, { dn: kept.dn, names: textsOf(pinned, "cn") }, where);
	if (warning !== undefined) visit.warnings.push(warning);
	return { kind: "found", group: kept };
}

async function sightByName(visit: Visit, wanted: WantedGroup): Promise<Sighting<Root>> {
	const { anchors } = visit.scope;
	const { name } = wanted;
	switch (name.kind) {
		case "dn": {
			const raw = await visitNamed(visit, name.dn, [anchors.groups.attribute]);
			const key = raw === undefined ? undefined : anchors.groups.keyOf(raw);
			return key === undefined ? { kind: "missing" } : sightBy(visit, wanted, byAnchor(anchors.groups, [anchors.anchorOf(key)]));
		}
		case "guid": {
			// Dashes where this directory has them, wherever they were written.
			const key = Buffer.from(name.guid.replaceAll("-", ""), "hex");
			return sightBy(visit, wanted, byAnchor(anchors.groups, [anchors.anchorOf(key)]));
		}
		case "name":
			return sightBy(visit, wanted, equal("cn", name.name));
		case "sid":
			return {
				kind: "unclear",
				because: `the group "${wanted.text}", which a rule names, is named by a SID, and this directory gives its groups none`,
				remedy: "name it by its DN, GUID or name",
			};
	}
}

async function sightBy(visit: Visit, wanted: WantedGroup, filter: Filter): Promise<Sighting<Root>> {
	const found = await groupsBy(visit, filter);
	if (found.length > 1) return ambiguous(wanted, found.map(dnOf));
	const group = found[0] === undefined ? undefined : rootOf(visit, wanted, found[0]);
	return group === undefined ? { kind: "missing" } : { kind: "found", group };
}

/** The groups of the naming contexts that match. */
async function groupsBy(visit: Visit, filter: Filter): Promise<readonly Uint8Array[]> {
	const { anchors, groupClasses } = visit.scope;
	const found: Uint8Array[] = [];
	for (const { dn } of visit.root.contexts) {
		found.push(...(await visitFew(visit, dn, both(groupClasses, filter), [anchors.groups.attribute, "cn"], MOST_NAMESAKES)));
	}
	return found;
}

/** Undefined for what shows no anchor. */
function rootOf({ scope: { anchors } }: Visit, { key: nameKey }: WantedGroup, raw: Uint8Array): Root | undefined {
	const key = anchors.groups.keyOf(raw);
	return key === undefined ? undefined : { nameKey, anchor: anchors.anchorOf(key), dn: dnOf(raw) };
}
