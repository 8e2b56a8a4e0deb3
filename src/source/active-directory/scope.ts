import type { Filter } from "../../core/filter.ts";
import { attributesOf, parseFilter, printFilter } from "../../core/filter-text.ts";
import { outermost, type Place, placeOf } from "../ldap/place.ts";
import type { ActiveDirectoryOptions } from "./options.ts";

/** Which entries of a kind are ours, worked out once. */
export interface Scope {
	/** Without those that lie beneath another. */
	readonly bases: readonly Place[];
	readonly excluded: readonly Place[];
	/** What makes an entry one of the kind: nothing that could be taken off it. */
	readonly kind: Filter;
	/** For a person: "person" or "group", and the key that narrows them down. */
	readonly words: { readonly one: string; readonly filter: string };
	/** users.filter, or that of groups, if there is one. */
	readonly filter: Filter | undefined;
	/** Those of the kind that the filter selects. */
	readonly wanted: Filter;
	/** What is asked of the server, sorted. */
	readonly attributes: readonly string[];
	/** All of it as one text: another text is another scope. */
	readonly text: string;
}

/** Users that are people: no computers, trust accounts or service accounts of the group managed kind (MS-ADTS §2.2.16, SAM_USER_OBJECT). */
export const personFilter = parseFilter("(&(objectCategory=person)(objectClass=user)(sAMAccountType=805306368))");

/** What this source needs itself, for standing, addresses, protection and doubt. */
const own = [
	"objectGUID",
	"objectClass",
	"sAMAccountType",
	"sAMAccountName",
	"userPrincipalName",
	"userAccountControl",
	"accountExpires",
	"primaryGroupID",
	"proxyAddresses",
	"mail",
];

/** Move with each write or logon without anything having changed for us: they would make every entry look new. */
const noise = new Set([
	"usnchanged",
	"usncreated",
	"whenchanged",
	"lastlogon",
	"lastlogontimestamp",
	"logoncount",
	"badpwdcount",
	"badpasswordtime",
]);

/** What `decode` adds itself: not to be asked of a server. */
const pseudo = new Set([
	"implicituserprincipalname",
	"primarysmtpaddress",
	"othersmtpaddresses",
	"primarygrouptoken",
	"dn",
	"distinguishedname",
]);

/** Throws Failure CONFIG_INVALID for a filter, ENTRY_UNREADABLE for a DN, that cannot be read. */
export function makeScope(options: Pick<ActiveDirectoryOptions, "bases" | "users" | "attributes">): Scope {
	const filter = options.users.filter === undefined ? undefined : parseFilter(options.users.filter);
	const wanted: Filter = filter === undefined ? personFilter : { kind: "and", parts: [personFilter, filter] };
	const bases = outermost(options.bases.map(placeOf));
	const excluded = outermost(options.users.exclude.map(placeOf));
	const named = options.users.groups.map((dn) => placeOf(dn).key).sort();
	const text = JSON.stringify({
		anchor: "objectGUID",
		bases: bases.map(({ key }) => key).sort(),
		exclude: excluded.map(({ key }) => key).sort(),
		people: printFilter(wanted),
		...(named.length > 0 && { groups: named }),
	});
	const words = { one: "person", filter: "users.filter" };
	const attributes = attributesAsked([...own, ...options.attributes], filter);
	return { bases, excluded, kind: personFilter, words, filter, wanted, attributes, text };
}

/** These and what the filter asks about, each once, sorted, without what a server has not or what moves for nothing. */
export function attributesAsked(wanted: readonly string[], filter: Filter | undefined): readonly string[] {
	const byName = new Map<string, string>();
	for (const name of [...wanted, ...(filter === undefined ? [] : attributesOf(filter))]) {
		const key = name.toLowerCase();
		if (!byName.has(key) && !noise.has(key) && !pseudo.has(key)) byName.set(key, name);
	}
	return [...byName.values()].sort((one, other) => (one.toLowerCase() < other.toLowerCase() ? -1 : 1));
}
