import { dnKey, isBeneath } from "../../../core/dn.ts";
import type { Filter } from "../../../core/filter.ts";
import { outermost, placeOf } from "../../ldap/place.ts";
import { dnOf, firstValue, textsOf } from "../../ldap/wire/entry.ts";
import { containerFilter } from "../containers.ts";
import { groupFilter } from "../group-scope.ts";
import { accessListOnly, DESCRIPTOR } from "../listing.ts";
import { anything } from "../root.ts";
import { personFilter } from "../scope.ts";
import { inheritsNothing, mayControl, mayList, mayReadProperty } from "../security-descriptor.ts";
import { type Visit, visitAll, visitFew, visitOne, visitPages } from "../visit.ts";
import type { Property } from "./schema.ts";
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
	/** DNs of people who inherit nothing and lack something: nothing that is granted above reaches them. */
	readonly unreached: readonly string[];
	/** What was looked at, for a person; nobody seen is nothing known. */
	readonly seen: { readonly containers: number; readonly people: number; readonly groups: number };
}

export interface Properties {
	readonly any: readonly Property[];
	readonly people: readonly Property[];
	readonly groups: readonly Property[];
}

/** So many containers are looked into, one person and one group in each; the rest is believed to be as these are. */
const MOST_CONTAINERS = 200;

/**
 * What the account lacks in a base, as the access lists say of a sample: the container itself, and one person and one group of each.
 * A container that inherits nothing is a place of its own, since what is granted at the base does not reach it.
 */
export async function lookAt(
	visit: Visit,
	place: WantedPlace,
	properties: Properties,
	sids: ReadonlySet<string>,
): Promise<readonly Lack[]> {
	const base = await visitOne(visit, place.dn, namesOf(properties.any), [accessListOnly]);
	if (base === undefined) return [nothingOf(place.dn, properties, place)];
	const found = await visitAll(visit, dnOf(base), containerFilter, namesOf(properties.any), [accessListOnly]);
	const isExcluded = (raw: Uint8Array): boolean => visit.scope.excluded.some(({ key }) => isBeneath(dnKey(dnOf(raw)), key));
	const beneath = found.filter((raw) => dnKey(dnOf(raw)) !== place.key && !isExcluded(raw)).slice(0, MOST_CONTAINERS);
	const samples: Sample[] = [];
	for (const raw of [base, ...beneath]) samples.push(await sampleOf(visit, raw, properties, place));
	const roots = samples.filter(({ container }, index) => index === 0 || isClosed(container));
	const rootOf = ({ container }: Sample): Sample => {
		const key = dnKey(dnOf(container));
		const around = roots.filter((root) => isBeneath(key, dnKey(dnOf(root.container))));
		return around.reduce((nearest, root) => (dnOf(root.container).length > dnOf(nearest.container).length ? root : nearest));
	};
	const judge = makeJudge(sids);
	const veiled = properties.any.every((property) => judge.mayRead(base, property)) ? await findVeiled(visit, dnOf(base)) : [];
	const veiledUnits = outermost(veiled.filter((dn) => /^OU=/i.test(dn)).map(placeOf));
	const strangers = veiled.filter((dn) => !veiledUnits.some(({ key }) => isBeneath(dnKey(dn), key)));
	const lacks = roots.map((root) => {
		const own = samples.filter((sample) => rootOf(sample) === root);
		const people = own.flatMap((sample) => sample.people.filter((raw) => !isClosed(raw)));
		const groups = own.flatMap((sample) => sample.groups.filter((raw) => !isClosed(raw)));
		const closed = own.flatMap((sample) => [...sample.people, ...sample.groups].filter(isClosed));
		const objects = [...own.map(({ container }) => container), ...people, ...groups];
		const ofClosed = [...properties.any, ...(place.holdsPeople ? properties.people : properties.groups)];
		const isSeen = (raw: Uint8Array): boolean => firstValue(raw, DESCRIPTOR) !== undefined;
		return {
			dn: dnOf(root.container),
			isBase: root === samples[0],
			isThere: true,
			holdsPeople: place.holdsPeople,
			holdsGroups: place.holdsGroups,
			mayList: own.every(({ container }) => judge.mayList(container)),
			maySeeSecurity: objects.every(isSeen),
			any: properties.any.filter((property) => !objects.every((raw) => judge.mayRead(raw, property))),
			people: place.holdsPeople ? judge.lacking(people, properties.people) : [],
			groups: place.holdsGroups ? judge.lacking(groups, properties.groups) : [],
			unreached: [
				...closed.filter((raw) => ofClosed.some((property) => !judge.mayRead(raw, property))).map(dnOf),
				...(root === samples[0] ? strangers : []),
			],
			seen: { containers: own.length, people: people.length, groups: groups.length },
		};
	});
	return [...lacks, ...veiledUnits.map(({ dn }) => ({ ...nothingOf(dn, properties, place), isBase: false, isThere: true }))];
}

/** So many objects are looked at for those that show nothing. */
const MOST_OBJECTS = 50_000;

/**
 * Who is there and shows not even what it is, although the base does: an object that takes nothing over from it. Asked by a filter
 * that every object passes: by any other one an object of which nothing may be read is not found.
 */
async function findVeiled(visit: Visit, base: string): Promise<readonly string[]> {
	const veiled: string[] = [];
	let count = 0;
	for await (const page of visitPages(visit, base, anything, ["objectClass"])) {
		for (const raw of page) if (textsOf(raw, "objectClass").length === 0) veiled.push(dnOf(raw));
		count += page.length;
		if (count >= MOST_OBJECTS) break;
	}
	return veiled;
}

/** Everything is lacking of what is not seen at all. */
function nothingOf(dn: string, properties: Properties, { holdsPeople, holdsGroups }: WantedPlace): Lack {
	return {
		...{ dn, isBase: true, isThere: false, holdsPeople, holdsGroups, mayList: false, maySeeSecurity: false, any: properties.any },
		people: holdsPeople ? properties.people : [],
		groups: holdsGroups ? properties.groups : [],
		unreached: [],
		seen: { containers: 0, people: 0, groups: 0 },
	};
}

interface Sample {
	readonly container: Uint8Array;
	/** One or none. */
	readonly people: readonly Uint8Array[];
	readonly groups: readonly Uint8Array[];
}

async function sampleOf(visit: Visit, container: Uint8Array, properties: Properties, place: WantedPlace): Promise<Sample> {
	const first = async (filter: Filter, own: readonly Property[]): Promise<readonly Uint8Array[]> => {
		const attributes = namesOf([...properties.any, ...own]);
		const request = { base: dnOf(container), scope: "one", filter, attributes, atMost: 1 } as const;
		return (await visitFew(visit, request, [accessListOnly])).slice(0, 1);
	};
	return {
		container,
		people: place.holdsPeople ? await first(personFilter, properties.people) : [],
		groups: place.holdsGroups ? await first(groupFilter, properties.groups) : [],
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
		/** Where nobody is seen nothing is known, and all of it is lacking. */
		lacking: (seen: readonly Uint8Array[], properties: readonly Property[]): readonly Property[] =>
			properties.filter((property) => seen.length === 0 || !seen.every((raw) => mayRead(raw, property))),
	};
}

function isClosed(raw: Uint8Array): boolean {
	const descriptor = firstValue(raw, DESCRIPTOR);
	return descriptor !== undefined && inheritsNothing(descriptor);
}

function namesOf(properties: readonly Property[]): readonly string[] {
	return [...properties.map(({ name }) => name), "nTSecurityDescriptor"];
}
