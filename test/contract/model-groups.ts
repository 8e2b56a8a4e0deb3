import { dnKey, isBeneath } from "../../src/core/dn.ts";
import { textOf, textsOf } from "../support/ldif.ts";
import type { Directory } from "./directory.ts";
import { anchorOf } from "./reader.ts";

/** Where the model keeps groups: those in `inside` are ours, those in `outside` count only for what is within ours. */
export interface GroupPlaces {
	readonly root: string;
	readonly inside: string;
	readonly outside: string;
}

/** Does something to a group or its members, as an administrator would. Returns what. */
export async function changeSomeGroup(
	directory: Directory,
	places: GroupPlaces,
	users: readonly string[],
	random: (below: number) => number,
	number: number,
): Promise<string> {
	const groups = await directory.search(places.root, "(objectClass=group)", ["member"]);
	const group = groups[random(groups.length || 1)];
	const user = users[random(users.length)] as string;
	if (group === undefined || (groups.length < 12 && random(4) === 0)) {
		const dn = `CN=Group ${number},${random(4) === 0 ? places.outside : places.inside}`;
		const members = [user, ...(group === undefined || random(2) === 0 ? [] : [group.dn])];
		await directory.add(dn, { objectClass: "group", sAMAccountName: `group${number}`, member: members });
		return `making ${dn} with ${members.join(" and ")}`;
	}
	const { dn } = group;
	const members = textsOf(group, "member");
	switch (random(8)) {
		case 0:
			await directory.remove(dn);
			return `deleting ${dn}`;
		case 1: {
			const to = `CN=Renamed ${number},${dn.slice(dn.search(/(?<!\\),/) + 1)}`;
			await directory.move(dn, to);
			return `renaming ${dn}`;
		}
		case 2: {
			const rdn = dn.slice(0, dn.search(/(?<!\\),/));
			const to = isBeneath(dnKey(dn), dnKey(places.inside)) ? places.outside : places.inside;
			await directory.move(dn, `${rdn},${to}`);
			return `moving ${dn} to ${to}`;
		}
		case 3:
			await directory.modify(dn, { description: `Described ${number}` });
			return `describing ${dn}`;
		case 4: {
			// Also itself, and whoever has it as a member: circles are allowed.
			const other = groups[random(groups.length)]?.dn as string;
			await directory.modify(dn, { member: withMember(members, other) });
			return `putting ${other} into ${dn}`;
		}
		case 5:
			await directory.modify(dn, { member: members.filter((_, index) => index !== 0) });
			return `taking ${members[0]} out of ${dn}`;
		default:
			await directory.modify(dn, { member: withMember(members, user) });
			return `putting ${user} into ${dn}`;
	}
}

function withMember(members: readonly string[], dn: string): readonly string[] {
	return members.some((member) => dnKey(member) === dnKey(dn)) ? members : [...members, dn];
}

/** Which of these accounts are in which group of ours, by the directory's own words and by walking down again and again. */
export async function expectedGroups(
	directory: Directory,
	places: GroupPlaces,
	anchors: ReadonlySet<string>,
): Promise<Record<string, string[]>> {
	const groups = await directory.search(places.root, "(objectClass=group)", ["member", "cn", "objectGUID"]);
	const people = await directory.search(places.root, "(&(objectCategory=person)(objectClass=user))", ["objectGUID"]);
	const byDn = new Map(groups.map((group) => [dnKey(group.dn), group]));
	const personAt = new Map(people.map((person) => [dnKey(person.dn), anchorOf(person) as string]));
	const ours = groups.filter(({ dn }) => isBeneath(dnKey(dn), dnKey(places.inside)));
	return Object.fromEntries(
		ours.map((group) => {
			const seen = new Set([dnKey(group.dn)]);
			for (const key of seen) for (const member of byDn.has(key) ? textsOf(byDn.get(key) as never, "member") : []) seen.add(dnKey(member));
			const inside = [...seen].flatMap((key) => personAt.get(key) ?? []).filter((anchor) => anchors.has(anchor));
			return [`${anchorOf(group)} ${textOf(group, "cn")}`, inside.sort()];
		}),
	);
}
