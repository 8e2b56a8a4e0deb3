import { dnKey } from "../../core/dn.ts";
import { attributesOf, equal } from "../../core/filter-text.ts";
import { makeMatcher } from "../../core/matching.ts";
import { attributesIn, dnOf, textsOf } from "../ldap/wire/entry.ts";
import type { Protection } from "../source.ts";
import { provenEmpty } from "./empty.ts";
import type { GroupIndex } from "./group-index.ts";
import { BY_UID } from "./members.ts";
import { ldapSchema } from "./schema.ts";
import { makeUids } from "./uids.ts";
import { both, type Visit, visitFew, visitOne } from "./visit.ts";

interface Found {
	readonly people: Set<string>;
	readonly containers: string[];
	readonly unresolved: string[];
}

/**
 * Who is never disabled without approval: each name of the configuration read as what it is. A group stands for its members and
 * those of groups within it, also by primary group; whatever has others beneath it for them; anything else for itself.
 */
export async function readProtection(visit: Visit, names: readonly string[], index: () => Promise<GroupIndex>): Promise<Protection> {
	const found: Found = { people: new Set(), containers: [], unresolved: [] };
	const { groupClasses, persons } = visit.scope;
	const isGroup = makeMatcher(groupClasses, ldapSchema);
	const isPerson = makeMatcher(persons, ldapSchema);
	const asked = [...new Set(["objectClass", ...attributesOf(groupClasses), ...attributesOf(persons)])];
	for (const dn of names) {
		const [raw] = (await visitOne(visit, dn, [...asked, ...groupAttributes(visit)])).entries;
		const shown = new Map(
			(raw === undefined ? [] : attributesIn(raw)).map(({ description, values }) => [description.toLowerCase(), values]),
		);
		const lookup = (name: string) => shown.get(name) ?? [];
		if (raw === undefined || !shown.has("objectclass")) {
			found.unresolved.push(`the protected "${dn}" is not there, or not visible to this account`);
		} else if (isGroup(lookup) === true) await addGroup(visit, raw, index, found);
		else if (isPerson(lookup) === true) found.people.add(dnKey(dnOf(raw)));
		else found.containers.push(dnKey(dnOf(raw)));
	}
	return { ...found, primaryGroups: new Set() };
}

function groupAttributes({ scope: { members, anchors } }: Visit): readonly string[] {
	return [...members, "gidNumber", anchors.groups.attribute];
}

/** A group's closure, group by group and each once: groups may contain each other in circles. */
async function addGroup(visit: Visit, group: Uint8Array, index: () => Promise<GroupIndex>, found: Found): Promise<void> {
	const groups = await index();
	const uids = makeUids(visit);
	const seen = new Set([dnKey(dnOf(group))]);
	const open = [group];
	for (let raw = open.pop(); raw !== undefined; raw = open.pop()) {
		const name = dnOf(raw);
		const members = await membersOf(visit, raw, uids);
		if (members.length === 0 && (await provenEmpty(visit, [raw])).size === 0) {
			found.unresolved.push(`the protected group "${name}" shows no members: it is empty, or they cannot be read by this account`);
		}
		for (const dn of members) {
			const key = dnKey(dn);
			if (seen.has(key)) continue;
			seen.add(key);
			if (!groups.has(key)) {
				found.people.add(key);
				continue;
			}
			const [inner] = (await visitOne(visit, dn, groupAttributes(visit))).entries;
			if (inner !== undefined) open.push(inner);
			else found.unresolved.push(`"${dn}", a member of the protected group "${name}", cannot be read by this account`);
		}
	}
}

/** DNs: named so, by uid, or by primary group. */
async function membersOf(visit: Visit, raw: Uint8Array, uids: ReturnType<typeof makeUids>): Promise<readonly string[]> {
	const dns: string[] = [];
	for (const attribute of visit.scope.members) {
		const texts = textsOf(raw, attribute).filter((text) => text !== "");
		if (attribute.toLowerCase() !== BY_UID) dns.push(...texts.map((text) => text.replace(/#'[01]*'B$/, "")));
		else {
			const names = texts.map((text) => text.toLowerCase());
			await uids.learn(names);
			dns.push(...names.flatMap((uid) => uids.dnOf(uid) ?? []));
		}
	}
	const gid = textsOf(raw, "gidNumber")[0];
	if (gid === undefined) return dns;
	for (const { dn } of visit.scope.bases) {
		const filter = both(visit.scope.persons, equal("gidNumber", gid));
		for (const person of await visitFew(visit, dn, filter, ["1.1"])) dns.push(dnOf(person));
	}
	return dns;
}
