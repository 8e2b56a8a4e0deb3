import type { Filter } from "../../core/filter.ts";
import { attributesOf, parseFilter, printFilter } from "../../core/filter-text.ts";
import { outermost, placeOf, type Reach } from "../ldap/place.ts";
import { type WantedGroup, wantedGroup } from "../ldap/wanted-group.ts";
import { type Anchors, makeAnchors } from "./anchor.ts";
import type { GenericLdapOptions } from "./options.ts";
import { containerClasses, presetOf } from "./presets.ts";
import { makeState, type State } from "./state.ts";

/** Which entries are ours, worked out once. `bases` are without those that lie beneath another. */
export interface Scope extends Reach {
	/** users.filter, if there is one. */
	readonly filter: Filter | undefined;
	/** Whatever is a person in this directory. */
	readonly persons: Filter;
	/** People, as far as users.filter narrows them down. */
	readonly people: Filter;
	readonly anchors: Anchors;
	readonly state: State;
	/** What a source tells of itself, sorted: a person who lost one of these may have lost it to a right. */
	readonly attributes: readonly string[];
	/** What is asked of the server: with those that say who is disabled, which come and go. */
	readonly asked: readonly string[];
	/** Whatever is a group. */
	readonly groupClasses: Filter;
	/** The attributes that name a group's members. */
	readonly members: readonly string[];
	/** Groups that are kept; undefined: none. */
	readonly groups: GroupScope | undefined;
	/** The groups that users.groups names. */
	readonly roots: readonly WantedGroup[];
	/** The groups that rules name. */
	readonly ruled: readonly WantedGroup[];
	/** What may change and matters: people, groups, and what they live beneath. */
	readonly relevant: Filter;
	/** All of it as one text: another text is another scope. */
	readonly text: string;
}

export interface GroupScope extends Reach {
	/** Groups, as far as groups.filter narrows them down. */
	readonly filter: Filter;
	/** All of it as one text: another text is another scope. */
	readonly text: string;
}

/** Whatever others live beneath. */
export const containerFilter: Filter = {
	kind: "or",
	parts: containerClasses.map((name) => parseFilter(`(objectClass=${name})`)),
};

/** What this source needs itself, for names, membership by uid and by primary group. */
const own = ["objectClass", "uid", "cn", "mail", "gidNumber"];

/** Move with each write or logon without anything having changed for us: they would make every entry look new. */
const noise = new Set(
	"modifytimestamp modifiersname entrycsn contextcsn authtimestamp pwdlastsuccess pwdfailuretime krblastsuccessfulauth krblastfailedauth krbloginfailedcount lastlogintime".split(
		" ",
	),
);

type ScopeOptions = Pick<GenericLdapOptions, "bases" | "users" | "groups" | "ruleGroups" | "attributes" | "preset" | "overrides">;

/** Throws Failure CONFIG_INVALID for a filter, ENTRY_UNREADABLE for a DN or a name, that cannot be read. */
export function makeScope(options: ScopeOptions): Scope {
	const { users, overrides } = options;
	const preset = presetOf(options.preset);
	const filter = users.filter === undefined ? undefined : parseFilter(users.filter);
	const persons = parseFilter(overrides.people ?? preset.people);
	const people = narrowed(persons, filter);
	const groupClasses = parseFilter(overrides.groupClasses ?? preset.groups);
	const anchors = makeAnchors(preset, overrides);
	const state = makeState(preset, overrides.disabled);
	const bases = outermost(options.bases.map(placeOf));
	const excluded = outermost(users.exclude.map(placeOf));
	const roots = users.groups.map(wantedGroup);
	const members = overrides.members ?? preset.members;
	const attributes = attributesAsked([anchors.people.attribute, ...own, ...options.attributes, ...namesIn(filter), ...namesIn(persons)]);
	const text = JSON.stringify({
		anchor: anchors.people.attribute.toLowerCase(),
		bases: keysOf(bases),
		exclude: keysOf(excluded),
		people: printFilter(people),
		groups: keysOf(roots),
		members: roots.length === 0 ? [] : [printFilter(groupClasses), ...members],
		state: state.text,
	});
	return {
		bases,
		excluded,
		filter,
		persons,
		people,
		anchors,
		state,
		attributes,
		asked: attributesAsked([...attributes, ...state.attributes]),
		groupClasses,
		members,
		groups: options.groups === undefined ? undefined : makeGroupScope(options.groups, groupClasses, members),
		roots,
		ruled: options.ruleGroups.map(wantedGroup),
		relevant: { kind: "or", parts: [persons, groupClasses, containerFilter] },
		text,
	};
}

function makeGroupScope(groups: NonNullable<GenericLdapOptions["groups"]>, classes: Filter, members: readonly string[]): GroupScope {
	const filter = narrowed(classes, groups.filter === undefined ? undefined : parseFilter(groups.filter));
	const bases = outermost(groups.bases.map(placeOf));
	const excluded = outermost(groups.exclude.map(placeOf));
	const text = JSON.stringify({ bases: keysOf(bases), exclude: keysOf(excluded), groups: printFilter(filter), members });
	return { bases, excluded, filter, text };
}

function narrowed(filter: Filter, further: Filter | undefined): Filter {
	return further === undefined ? filter : { kind: "and", parts: [filter, further] };
}

function namesIn(filter: Filter | undefined): Iterable<string> {
	return filter === undefined ? [] : attributesOf(filter);
}

function keysOf(places: readonly { readonly key: string }[]): readonly string[] {
	return places.map(({ key }) => key).sort();
}

function attributesAsked(wanted: readonly string[]): readonly string[] {
	const byName = new Map<string, string>();
	for (const name of wanted) {
		const key = name.toLowerCase();
		if (!byName.has(key) && !noise.has(key) && key !== "dn") byName.set(key, name);
	}
	return [...byName.values()].sort((one, other) => (one.toLowerCase() < other.toLowerCase() ? -1 : 1));
}
