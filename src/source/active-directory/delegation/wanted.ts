import { isBeneath } from "../../../core/dn.ts";
import { outermost, type Place, placeOf } from "../../ldap/place.ts";
import { type GroupScope, makeGroupScope } from "../group-scope.ts";
import type { ActiveDirectoryOptions } from "../options.ts";
import { makeScope, type Scope } from "../scope.ts";

/** What a source is told of a directory. */
export type Asked = Pick<
	ActiveDirectoryOptions,
	"name" | "bases" | "users" | "groups" | "ruleGroups" | "changes" | "protect" | "attributes" | "pageSize"
>;

/** What a source reads of a domain, worked out from its configuration alone. */
export interface Wanted {
	readonly scope: Scope;
	readonly groups: GroupScope | undefined;
	/** Subtrees; none lies in another. */
	readonly places: readonly WantedPlace[];
	/** Attributes by what has them. Of each object in a place, whatever it is, `any` is read. */
	readonly any: readonly string[];
	readonly people: readonly string[];
	/** None where no group matters. */
	readonly ofGroups: readonly string[];
	/** What is read of each name of `protect`. */
	readonly ofProtected: readonly string[];
	readonly protect: readonly Place[];
	readonly changes: Asked["changes"];
}

/** A base, and what is looked for in it. */
export interface WantedPlace extends Place {
	readonly holdsPeople: boolean;
	readonly holdsGroups: boolean;
}

/** Where it is, what it is, whether it changed: also of containers, and of whoever is not a person any more. */
const any = ["objectGUID", "objectClass", "objectCategory", "uSNChanged"];
/** What `protect` reads of a name (protection.ts). */
const ofProtected = ["objectClass", "objectSid", "member"];

/** Throws what `makeScope` and `makeGroupScope` throw. */
export function wantedBy(asked: Asked): Wanted {
	const scope = makeScope(asked);
	const groups = makeGroupScope(asked);
	const others = (attributes: readonly string[]): readonly string[] =>
		attributes.filter((name) => !any.some((each) => each.toLowerCase() === name.toLowerCase()));
	const ofGroups = groups === undefined ? [] : others([...groups.scope.attributes, "member"]);
	const ofGroupBases = (asked.groups?.bases ?? []).map(placeOf);
	const places = outermost([...scope.bases, ...ofGroupBases]).map((place) => {
		const holds = ({ key }: Place): boolean => isBeneath(key, place.key);
		return { ...place, holdsPeople: scope.bases.some(holds), holdsGroups: ofGroupBases.some(holds) };
	});
	const protect = asked.protect.map(placeOf);
	return { scope, groups, places, any, people: others(scope.attributes), ofGroups, ofProtected, protect, changes: asked.changes };
}
