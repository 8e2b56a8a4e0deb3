import type { Entry } from "../core/entry.ts";
import { Failure } from "../core/errors.ts";
import type { Source } from "../source/source.ts";

/** An entry, or undefined where its bytes cannot be decoded: planning quarantines such a one and says why. */
export function decodeIfPossible(source: Source, bytes: Uint8Array): Entry | undefined {
	try {
		return source.decode(bytes);
	} catch (error) {
		if (error instanceof Failure) return undefined;
		throw error;
	}
}

/** The one link that entries of people have: it goes with whom it names, so that by itself its loss says nothing about rights. */
export const LINK = "manager";

/**
 * Names of attributes that an entry had and has not any more. Of those that the source asks for: what it derives from them goes with
 * them. A link goes with the person it named, which says nothing about rights.
 */
export function lostAttributes(source: Source, before: Entry, after: Entry): readonly string[] {
	const lost: string[] = [];
	for (const name of before.attributes.keys()) {
		if (!after.attributes.has(name) && name !== LINK && isAskedFor(source, name)) lost.push(name);
	}
	return lost;
}

function isAskedFor(source: Source, name: string): boolean {
	return source.attributes.some((asked) => asked.length === name.length && asked.toLowerCase() === name);
}
