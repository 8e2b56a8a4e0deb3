import type { AdObject, Metadata } from "./store.ts";

/** Of an object to which nothing was written yet. */
export function makeMetadata(): Metadata {
	return { attributes: new Map(), links: new Map() };
}

/** What a rename or move writes; parentGUID follows from the place, and is told with the name. */
export const nameAttributes = ["name", "cn", "ou", "parentguid"];

/** Writes down that these attributes (lower case) were changed by the write that has this USN. */
export function noteAttributes(object: AdObject, usn: number, names: Iterable<string>): void {
	for (const name of names) object.metadata.attributes.set(name, usn);
}

/** Writes down that a value of a link came or went by the write that has this USN. */
export function noteLink(object: AdObject, usn: number, attribute: string, target: AdObject, isPresent: boolean): void {
	const links = object.metadata.links.get(attribute) ?? new Map();
	links.set(target, { usn, isPresent });
	object.metadata.links.set(attribute, links);
}

/** A deleted object takes its links along without a trace: no USN of who named it moves, and DirSync tells nothing of it. */
export function forgetLink(object: AdObject, attribute: string, target: AdObject): void {
	object.metadata.links.get(attribute)?.delete(target);
}

/** The USN at which an attribute got the values it has. */
export function usnOf(object: AdObject, attribute: string): number {
	return object.metadata.attributes.get(attribute) ?? object.usnCreated;
}
