import type { Anchor, Entry } from "./entry.ts";

/** A group as we want it at a target, in SCIM's field names (RFC 7643 §4.2). Its members are kept beside it: there may be 200,000. */
export interface Group {
	readonly displayName: string;
	readonly description?: string;
	readonly email?: string;
}

/** One side of a change to a group: its fields, and of its members those that the change is about. */
export interface GroupSide extends Group {
	/** Anchors of accounts that come (after) or go (before); left out when there are none, cut at `MOST_NAMED`. */
	readonly members?: readonly Anchor[];
	/** How many these are. */
	readonly memberCount?: number;
}

/** Members named in one change; of a group made with 100,000 members the change log does not repeat each. */
export const MOST_NAMED = 1000;

/** What a group's entry says; undefined when it has no name. */
export function mapGroup({ attributes }: Entry): Group | undefined {
	const first = (name: string): string | undefined => attributes.get(name)?.find((value) => value.trim() !== "");
	const displayName = first("displayname") ?? first("cn") ?? first("samaccountname");
	if (displayName === undefined) return undefined;
	const description = first("description");
	const email = first("mail");
	return { displayName, ...(description !== undefined && { description }), ...(email !== undefined && { email }) };
}

/** One phrase for each field that differs: `displayName from "Sales" to "Sales and Marketing"`. */
export function changedGroupFields(before: Group, after: Group): readonly string[] {
	return (["displayName", "description", "email"] as const).flatMap((field) => {
		const [was, is] = [before[field], after[field]];
		if (was === is) return [];
		if (was === undefined) return [`${field} set to ${JSON.stringify(is)}`];
		return is === undefined
			? [`${field} cleared, was ${JSON.stringify(was)}`]
			: [`${field} from ${JSON.stringify(was)} to ${JSON.stringify(is)}`];
	});
}
