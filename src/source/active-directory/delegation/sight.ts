import { dnKey, isBeneath } from "../../../core/dn.ts";
import type { Filter } from "../../../core/filter.ts";
import { parseFilter } from "../../../core/filter-text.ts";
import { outermost, placeOf } from "../../ldap/place.ts";
import { dnOf, firstValue, textsOf } from "../../ldap/wire/entry.ts";
import { containerFilter } from "../containers.ts";
import { groupFilter } from "../group-scope.ts";
import { accessListOnly, DESCRIPTOR } from "../listing.ts";
import { inheritsNothing, mayControl, mayList, mayReadProperty } from "../security-descriptor.ts";
import { type Visit, visitAll, visitFew, visitOne } from "../visit.ts";
import type { Property } from "./schema.ts";
import { findVeiled, makeElsewhere } from "./veiled.ts";
import type { WantedPlace } from "./wanted.ts";

/** What may not be read, or cannot be told, at a place and beneath it. */
export interface Lack {
	readonly dn: string;
	/** Why it is looked at by itself: it is a base, or takes nothing over from one. */
	readonly isBase: boolean;
	readonly isThere: boolean;
	readonly holdsPeople: boolean;
	readonly holdsGroups: boolean;
	readonly mayList: boolean;
	readonly maySeeSecurity: boolean;
	readonly any: readonly Property[];
	readonly people: readonly Property[];
	readonly groups: readonly Property[];
	/** DNs of people and groups that inherit nothing and lack something: nothing that is granted above reaches them. */
	readonly unreached: readonly string[];
	/** DNs of objects that show not even what they are, although the base does. */
	readonly veiled: readonly string[];
	/** What was looked at, for a person; nobody seen is nothing known. */
	readonly seen: { readonly containers: number; readonly people: number; readonly groups: number };
}

export interface Properties {
	readonly any: readonly Property[];
	readonly people: readonly Property[];
	readonly groups: readonly Property[];
}

/** So many containers are looked into, a few people and groups in each; the rest is believed to be as these are. */
const MOST_CONTAINERS = 200;
/** More than one: the first may be an administrator, whose access list is like nobody else's. */
const SAMPLED = 5;

/**
 * What the account lacks in a base, as the access lists say of a sample: the containers, and some people and groups of each. A
 * container that inherits nothing is a place of its own, since what is granted at the base does not reach it.
 */
export async function lookAt(
	visit: Visit,
	place: WantedPlace,
	properties: Properties,
	sids: ReadonlySet<string>,
): Promise<readonly Lack[]> {
	const base = await visitOne(visit, place.dn, namesOf(properties.any), [accessListOnly]);
	if (base === undefined) return [nothingOf(place.dn, properties, place)];
	const isElsewhere = makeElsewhere(visit);
	const found = await visitAll(visit, dnOf(base), containerFilter, namesOf(properties.any), [accessListOnly]);
	const beneath = found.filter((raw) => dnKey(dnOf(raw)) !== place.key && !isElsewhere(dnOf(raw))).slice(0, MOST_CONTAINERS);
	const samples: Sample[] = [];
	for (const raw of [base, ...beneath]) samples.push(await sampleOf(visit, raw, properties, place));
	const judge = makeJudge(sids);
	const showsItself = properties.any.every((property) => judge.mayRead(base, property));
	const veiled = showsItself ? (await findVeiled(visit, dnOf(base))).filter((dn) => !isElsewhere(dn)) : [];
	const units = outermost(veiled.filter((dn) => /^OU=/i.test(dn)).map(placeOf));
	const strangers = veiled.filter((dn) => !units.some(({ key }) => isBeneath(dnKey(dn), key)));
	const lacks = rootsOf(samples).map((root) => lackOf(root, place, properties, judge, strangers));
	return [...lacks, ...units.map(({ dn }) => ({ ...nothingOf(dn, properties, place), isBase: false, isThere: true }))];
}

/** A base, or a container that inherits nothing, with the samples to which what is granted there comes. */
interface Root {
	readonly container: Uint8Array;
	readonly isBase: boolean;
	readonly samples: readonly Sample[];
}

/** The first of the samples is the base. */
function rootsOf(samples: readonly Sample[]): readonly Root[] {
	const roots = samples.filter(({ container }, index) => index === 0 || isClosed(container)).map(({ container }) => container);
	const rootOf = ({ container }: Sample): Uint8Array => {
		const key = dnKey(dnOf(container));
		const around = roots.filter((root) => isBeneath(key, dnKey(dnOf(root))));
		return around.reduce((nearest, root) => (dnOf(root).length > dnOf(nearest).length ? root : nearest));
	};
	return roots.map((container, index) => ({
		container,
		isBase: index === 0,
		samples: samples.filter((sample) => rootOf(sample) === container),
	}));
}

function lackOf(root: Root, place: WantedPlace, properties: Properties, judge: Judge, strangers: readonly string[]): Lack {
	const key = dnKey(dnOf(root.container));
	const { holdsPeople, holdsGroups } = place;
	const of = (kind: "people" | "groups") => {
		const all = root.samples.flatMap((sample) => sample[kind]);
		const open = all.filter((raw) => !isClosed(raw));
		const closed = all.filter(isClosed);
		return { open, unreached: closed.filter((raw) => judge.lacking([raw], [...properties.any, ...properties[kind]]).length > 0) };
	};
	const [people, groups] = [of("people"), of("groups")];
	const containers = root.samples.map(({ container }) => container);
	const objects = [...containers, ...people.open, ...groups.open];
	const mayList = containers.every(judge.mayList);
	const any = judge.lacking(objects, properties.any);
	const isOpen = mayList && any.length === 0 && !strangers.some((dn) => isBeneath(dnKey(dn), key));
	// Where all there is shows what it is, nobody seen is nobody there; else nothing is known, and all of it is lacking.
	const lacking = (seen: readonly Uint8Array[], own: readonly Property[]): readonly Property[] =>
		seen.length === 0 && !isOpen ? own : judge.lacking(seen, own);
	return {
		dn: dnOf(root.container),
		...{ isBase: root.isBase, isThere: true, holdsPeople, holdsGroups, mayList, any },
		maySeeSecurity: objects.every((raw) => firstValue(raw, DESCRIPTOR) !== undefined),
		people: holdsPeople ? lacking(people.open, properties.people) : [],
		groups: holdsGroups ? lacking(groups.open, properties.groups) : [],
		unreached: [...people.unreached, ...groups.unreached].map(dnOf),
		veiled: root.isBase ? strangers : [],
		seen: { containers: containers.length, people: people.open.length, groups: groups.open.length },
	};
}

/** Everything is lacking of what is not seen at all. */
function nothingOf(dn: string, properties: Properties, { holdsPeople, holdsGroups }: WantedPlace): Lack {
	return {
		...{ dn, isBase: true, isThere: false, holdsPeople, holdsGroups, mayList: false, maySeeSecurity: false, any: properties.any },
		people: holdsPeople ? properties.people : [],
		groups: holdsGroups ? properties.groups : [],
		unreached: [],
		veiled: [],
		seen: { containers: 0, people: 0, groups: 0 },
	};
}

/** Whoever may be a person, as far as everything shows it: without what only people have, and may not show. */
const peopleFilter = parseFilter("(&(objectCategory=person)(objectClass=user))");

interface Sample {
	readonly container: Uint8Array;
	/** A few. */
	readonly people: readonly Uint8Array[];
	readonly groups: readonly Uint8Array[];
}

async function sampleOf(visit: Visit, container: Uint8Array, properties: Properties, place: WantedPlace): Promise<Sample> {
	const some = async (filter: Filter, own: readonly Property[]): Promise<readonly Uint8Array[]> => {
		const attributes = namesOf([...properties.any, ...own]);
		const request = { base: dnOf(container), scope: "one", filter, attributes, atMost: SAMPLED } as const;
		return visitFew(visit, request, [accessListOnly]);
	};
	return {
		container,
		people: place.holdsPeople ? await some(peopleFilter, properties.people) : [],
		groups: place.holdsGroups ? await some(groupFilter, properties.groups) : [],
	};
}

/** What the access lists of entries say to somebody with these SIDs. */
export function makeJudge(sids: ReadonlySet<string>) {
	const mayRead = (raw: Uint8Array, property: Property): boolean => {
		// What is shown may be read, whatever the list seems to say.
		if (textsOf(raw, property.name).length > 0) return true;
		const descriptor = firstValue(raw, DESCRIPTOR);
		if (descriptor === undefined) return false;
		const guids = property.set === undefined ? [property.guid] : [property.guid, property.set];
		if (mayReadProperty(descriptor, sids, guids) !== true) return false;
		return !property.isConfidential || mayControl(descriptor, sids, guids) === true;
	};
	return {
		mayRead,
		mayList: (raw: Uint8Array): boolean => {
			const descriptor = firstValue(raw, DESCRIPTOR);
			return descriptor !== undefined && mayList(descriptor, sids) === true;
		},
		/** What may not be read of one of them at least. */
		lacking: (seen: readonly Uint8Array[], properties: readonly Property[]): readonly Property[] =>
			properties.filter((property) => !seen.every((raw) => mayRead(raw, property))),
	};
}

type Judge = ReturnType<typeof makeJudge>;

function isClosed(raw: Uint8Array): boolean {
	const descriptor = firstValue(raw, DESCRIPTOR);
	return descriptor !== undefined && inheritsNothing(descriptor);
}

function namesOf(properties: readonly Property[]): readonly string[] {
	return [...properties.map(({ name }) => name), "nTSecurityDescriptor"];
}
