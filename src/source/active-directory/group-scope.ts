import type { Filter } from "../../core/filter.ts";
import { parseFilter, printFilter } from "../../core/filter-text.ts";
import { outermost, placeOf } from "../ldap/place.ts";
import { type WantedGroup, wantedGroup } from "../ldap/wanted-group.ts";
import type { ActiveDirectoryOptions, GroupOptions } from "./options.ts";
import { attributesAsked, type Scope } from "./scope.ts";

/** Which groups matter, worked out once. */
export interface GroupScope {
	/** Those that are kept at the targets; without a base: none. */
	readonly scope: Scope;
	/** The groups of users.groups. */
	readonly named: readonly WantedGroup[];
	/** The groups that rules name. */
	readonly ruled: readonly WantedGroup[];
	/** What is asked for besides the scope of people: another text wants a full reading, and holds nobody's account. */
	readonly text: string;
}

/** What a group is, for the mapping, for nesting and for primary membership. */
const own = [
	"objectGUID",
	"objectClass",
	"objectSid",
	"sAMAccountName",
	"groupType",
	"cn",
	"displayName",
	"description",
	"mail",
	"managedBy",
];

export const groupFilter = parseFilter("(objectClass=group)");
/** groupType's GROUP_TYPE_SECURITY_ENABLED (MS-ADTS §2.2.12). */
const security = parseFilter("(groupType:1.2.840.113556.1.4.803:=2147483648)");

/** Undefined where no group matters. Throws Failure CONFIG_INVALID for a filter, ENTRY_UNREADABLE for a DN or a name, that cannot be read. */
export function makeGroupScope(options: Pick<ActiveDirectoryOptions, "groups" | "users" | "ruleGroups">): GroupScope | undefined {
	const { groups, users, ruleGroups } = options;
	if (groups === undefined && users.groups.length === 0 && ruleGroups.length === 0) return undefined;
	const bases = outermost((groups?.bases ?? []).map(placeOf));
	const excluded = outermost((groups?.exclude ?? []).map(placeOf));
	const filter = groups === undefined ? undefined : narrowing(groups);
	const wanted: Filter = filter === undefined ? groupFilter : { kind: "and", parts: [groupFilter, filter] };
	const text = JSON.stringify({
		bases: bases.map(({ key }) => key).sort(),
		exclude: excluded.map(({ key }) => key).sort(),
		groups: printFilter(wanted),
	});
	const words = { one: "group", filter: "groups.filter" };
	const attributes = attributesAsked(own, filter).filter((name) => !/^member(?:;|$)/i.test(name));
	const scope = { bases, excluded, kind: groupFilter, words, filter, wanted, attributes, text };
	return { scope, named: users.groups.map(wantedGroup), ruled: ruleGroups.map(wantedGroup), text };
}

/** groups.filter and groups.kinds together. */
function narrowing({ filter, kinds }: GroupOptions): Filter | undefined {
	const [kind, other] = [...new Set(kinds)];
	const byKind: Filter | undefined =
		kind === undefined || other !== undefined ? undefined : kind === "security" ? security : { kind: "not", part: security };
	const given = filter === undefined ? undefined : parseFilter(filter);
	if (given === undefined || byKind === undefined) return given ?? byKind;
	return { kind: "and", parts: [given, byKind] };
}
