import { dnKey } from "../../core/dn.ts";
import type { Filter } from "../../core/filter.ts";
import { equal } from "../../core/filter-text.ts";
import { attributeName, dnOf, firstValue, hasRanges, textsOf } from "../ldap/wire/entry.ts";
import { completeRanges } from "../ldap/wire/range.ts";
import type { Protection } from "../source.ts";
import { anything } from "./root.ts";
import { ridOf } from "./sid.ts";
import { examples, type Visit, visitFew } from "./visit.ts";

/** Member DNs asked about in one search: long DNs times this stay far below what servers take for one filter. */
const BATCH = 50;
const asked = ["objectClass", "objectSid", "member"];
const SID = attributeName("objectSid");

interface Found {
	readonly people: Set<string>;
	readonly containers: string[];
	readonly primaryGroups: Set<string>;
	readonly unresolved: string[];
}

/**
 * Who is never disabled without approval: each name of the configuration read as what it is. A group stands for its members and
 * those of groups within it, also by primary group; a container for all beneath it; anything else for itself.
 */
export async function readProtection(visit: Visit, names: readonly string[]): Promise<Protection> {
	const found: Found = { people: new Set(), containers: [], primaryGroups: new Set(), unresolved: [] };
	for (const dn of names) {
		const [raw] = await visitFew(visit, { base: dn, scope: "base", filter: anything, attributes: asked });
		const classes = raw === undefined ? [] : classesOf(raw);
		if (raw === undefined || classes.length === 0)
			found.unresolved.push(`the protected "${dn}" is not there, or not visible to this account`);
		else if (classes.includes("group")) await addGroup(visit, raw, found);
		else if (classes.includes("person")) found.people.add(dnKey(dnOf(raw)));
		else found.containers.push(dnKey(dnOf(raw)));
	}
	return found;
}

function classesOf(raw: Uint8Array): readonly string[] {
	return textsOf(raw, "objectClass").map((name) => name.toLowerCase());
}

/** A group's closure, group by group and each once: groups may contain each other in circles. */
async function addGroup(visit: Visit, group: Uint8Array, found: Found): Promise<void> {
	const seen = new Set([dnKey(dnOf(group))]);
	const open = [group];
	for (let raw = open.pop(); raw !== undefined; raw = open.pop()) {
		const whole = hasRanges(raw) ? await completeRanges(visit.session, raw) : raw;
		const sid = firstValue(whole, SID);
		const rid = sid === undefined ? undefined : ridOf(sid);
		if (rid === undefined)
			found.unresolved.push(`the SID of the protected group "${dnOf(raw)}" cannot be read, so neither who has it as primary group`);
		else found.primaryGroups.add(String(rid));
		const members = textsOf(whole, "member").filter((dn) => !seen.has(dnKey(dn)));
		if (members.length === 0 && raw === group) await doubtEmpty(visit, whole, found);
		for (const dn of members) {
			seen.add(dnKey(dn));
			found.people.add(dnKey(dn));
		}
		open.push(...(await readGroupsAmong(visit, members)));
	}
}

/** Those of these DNs that are groups. A member of another domain is nobody we keep an account for. */
async function readGroupsAmong(visit: Visit, members: readonly string[]): Promise<readonly Uint8Array[]> {
	const groups: Uint8Array[] = [];
	for (let at = 0; at < members.length; at += BATCH) {
		const byName: Filter = { kind: "or", parts: members.slice(at, at + BATCH).map((dn) => equal("distinguishedName", dn)) };
		const filter: Filter = { kind: "and", parts: [equal("objectClass", "group"), byName] };
		for (const domain of visit.root.domains)
			groups.push(...(await visitFew(visit, { base: domain.dn, scope: "sub", filter, attributes: asked })));
	}
	return groups;
}

/** A group without members is one whose members cannot be read, unless some other group shows any. */
async function doubtEmpty(visit: Visit, group: Uint8Array, found: Found): Promise<void> {
	const filter: Filter = { kind: "and", parts: [equal("objectClass", "group"), { kind: "present", attribute: "member" }] };
	for (const domain of visit.root.domains) if ((await examples(visit, domain.dn, filter, "sub", 1)) > 0) return;
	found.unresolved.push(`the protected group "${dnOf(group)}" shows no members, and neither does any other group to this account`);
}
