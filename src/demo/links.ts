import { forgetLink } from "./metadata.ts";
import { backlinkOf } from "./schema.ts";
import { type AdObject, keyOf } from "./store.ts";

/** Links and back-links are kept together, so that memberOf is right whatever happens to a group or a member. */
export function link(from: AdObject, attribute: string, to: AdObject): void {
	setOf(from.links, attribute).add(to);
	from.encoded = undefined;
	const back = backlinkOf.get(attribute);
	setOf(to.backlinks, back ?? `-${attribute}`).add(from);
	to.encoded = undefined;
}

export function unlink(from: AdObject, attribute: string, to: AdObject): void {
	from.links.get(attribute)?.delete(to);
	from.encoded = undefined;
	const back = backlinkOf.get(attribute);
	to.backlinks.get(back ?? `-${attribute}`)?.delete(from);
	to.encoded = undefined;
}

/** A deleted object is in no group, and nobody's manager: no USN but its own moves for that. */
export function unlinkAll(object: AdObject): void {
	for (const [attribute, targets] of object.links) for (const target of [...targets]) unlink(object, attribute, target);
	for (const [back, holders] of object.backlinks) {
		const attribute = forwardOf(back);
		for (const holder of [...holders]) {
			unlink(holder, attribute, object);
			forgetLink(holder, attribute, object);
		}
	}
}

/** Whether `target` (a DN's key) is reached over `attribute` from the given objects, however many steps away. */
export function reaches(starts: Iterable<AdObject>, attribute: string, target: string): boolean {
	const seen = new Set<AdObject>(starts);
	for (const object of seen) {
		if (keyOf(object) === target) return true;
		for (const next of object.links.get(attribute) ?? object.backlinks.get(attribute) ?? []) seen.add(next);
	}
	return false;
}

function forwardOf(back: string): string {
	for (const [forward, known] of backlinkOf) if (known === back) return forward;
	return back.slice(1);
}

function setOf(map: Map<string, Set<AdObject>>, name: string): Set<AdObject> {
	const found = map.get(name) ?? new Set<AdObject>();
	map.set(name, found);
	return found;
}
