import { dnKey, isBeneath } from "../../core/dn.ts";
import type { Filter } from "../../core/filter.ts";
import { equal } from "../../core/filter-text.ts";
import { attributeName, dnOf, firstValue, hasRanges, textsOf } from "../ldap/wire/entry.ts";
import { completeRanges } from "../ldap/wire/range.ts";
import type { Protection } from "../source.ts";
import { isAlwaysEmpty, MEMBER } from "./group-doubt.ts";
import { isProvenReadable } from "./listing.ts";
import { ridOf } from "./sid.ts";
import { type Visit, visitFew, visitOne } from "./visit.ts";

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
		const raw = await visitOne(visit, dn, asked);
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
		const name = dnOf(raw);
		const sid = firstValue(whole, SID);
		const rid = sid === undefined ? undefined : ridOf(sid);
		if (rid === undefined)
			found.unresolved.push(`the SID of the protected group "${name}" cannot be read, so neither who has it as primary group`);
		else found.primaryGroups.add(String(rid));
		const named = textsOf(whole, "member");
		if (named.length === 0 && !(await isReallyEmpty(visit, name, rid)))
			found.unresolved.push(`the protected group "${name}" shows no members: it is empty, or they cannot be read by this account`);
		const members = named.filter((dn) => !seen.has(dnKey(dn)));
		for (const dn of members) {
			seen.add(dnKey(dn));
			found.people.add(dnKey(dn));
		}
		open.push(...(await readGroupsAmong(visit, name, members, found)));
	}
}

/** Those of a group's members that are groups. A member of another domain is nobody we keep an account for. */
async function readGroupsAmong(visit: Visit, group: string, members: readonly string[], found: Found): Promise<readonly Uint8Array[]> {
	const { domains } = visit.root;
	const own = members.filter((dn) => domains.some(({ key }) => isBeneath(dnKey(dn), key)));
	const groups: Uint8Array[] = [];
	for (let at = 0; at < own.length; at += BATCH) {
		const batch = own.slice(at, at + BATCH);
		const filter: Filter = { kind: "or", parts: batch.map((dn) => equal("distinguishedName", dn)) };
		const unseen = new Map(batch.map((dn) => [dnKey(dn), dn]));
		for (const domain of domains) {
			for (const raw of await visitFew(visit, { base: domain.dn, scope: "sub", filter, attributes: asked })) {
				const classes = classesOf(raw);
				if (classes.length > 0) unseen.delete(dnKey(dnOf(raw)));
				if (classes.includes("group")) groups.push(raw);
			}
		}
		for (const dn of unseen.values())
			found.unresolved.push(`"${dn}", a member of the protected group "${group}", cannot be seen by this account: it may be a group`);
	}
	return groups;
}

/**
 * That a group shows no members is believed where its access list says that they could be read, and of those that people are in by
 * their primaryGroupID, which are empty everywhere.
 */
async function isReallyEmpty(visit: Visit, dn: string, rid: number | undefined): Promise<boolean> {
	return isAlwaysEmpty(rid) || (await isProvenReadable(visit, dn, MEMBER));
}
