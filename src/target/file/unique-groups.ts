import type { DeliveryResult, GroupDelivery, GroupTarget } from "../target.ts";
import type { FileTable } from "./options.ts";

/** Why a group cannot be told in LDIF, where its name is its DN; undefined when it can. */
export function refusalOf({ anchor, wanted }: GroupDelivery, file: FileTable): DeliveryResult | undefined {
	const holder = wanted === undefined ? undefined : file.groupNamed(wanted.displayName);
	if (holder === undefined || holder === anchor) return undefined;
	return { kind: "refused", error: `the name ${wanted?.displayName} belongs to the group of ${holder}, and in LDIF it is the group's DN` };
}

/** Groups of which no two have one name. */
export function makeUniqueGroups(groups: GroupTarget | undefined, file: FileTable): GroupTarget | undefined {
	return groups && { ...groups, apply: async (delivery, signal) => refusalOf(delivery, file) ?? groups.apply(delivery, signal) };
}
