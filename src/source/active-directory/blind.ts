import { isBackLink, isConstructed } from "../../core/constructed.ts";
import { attributesOf, parseFilter } from "../../core/filter-text.ts";
import type { ActiveDirectoryOptions } from "./options.ts";

/**
 * Why no delta can see all changes: an attribute that is worked out when it is asked for, or that follows from other entries,
 * changes without its own entry. Undefined when there is none.
 */
export function refusalOf({
	attributes,
	users,
	groups,
}: Pick<ActiveDirectoryOptions, "attributes" | "users" | "groups">): string | undefined {
	const uses = [
		{ where: "the mapping, or a target,", names: attributes },
		{ where: "users.filter", names: asked(users.filter) },
		{ where: "groups.filter", names: asked(groups?.filter) },
	];
	for (const { where, names } of uses) {
		for (const name of names) {
			const why = isConstructed(name) ? "computes it when it is asked" : isBackLink(name) ? "keeps it at other entries" : undefined;
			if (why !== undefined && !isOurs(name)) {
				return `${where} uses ${name}, and the directory ${why}: it changes without its entry, which only full readings see`;
			}
		}
	}
	return undefined;
}

function asked(filter: string | undefined): readonly string[] {
	return filter === undefined ? [] : [...attributesOf(parseFilter(filter))];
}

/** What follows from an attribute that cannot change: the last part of objectSid. */
function isOurs(name: string): boolean {
	return name.toLowerCase() === "primarygrouptoken";
}
