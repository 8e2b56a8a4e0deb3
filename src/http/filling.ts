import { setImmediate as nextTurn } from "node:timers/promises";
import { MOST_CHARACTERS, type Place, type Slice } from "../store/slice.ts";

/** A page of a list, and where the next one begins; undefined: this was the last. */
export interface Filled<Item> {
	readonly items: readonly Item[];
	readonly reached: Place | undefined;
}

/**
 * Fills a page, slice by slice, so that others are answered in between. Rows that are not asked for may have to be stepped over for
 * long: when whoever asks is gone, nobody reads on.
 */
export async function fill<Item>(
	slice: (after: Place | undefined, limit: number) => Slice<Item>,
	{ after, limit }: { readonly after: Place | undefined; readonly limit: number },
	isGone: () => boolean,
): Promise<Filled<Item>> {
	const items: Item[] = [];
	let size = 0;
	let reached = after;
	for (;;) {
		const part = slice(reached, limit - items.length);
		for (const item of part.items) items.push(item);
		size += part.size;
		reached = part.reached;
		if (reached === undefined || items.length >= limit || size >= MOST_CHARACTERS || isGone()) return { items, reached };
		await nextTurn();
	}
}

/** Of which kinds a list's places are made. */
export type Kinds = readonly ("number" | "string")[];

/** A place as whoever asks gives it back, bound to its list by name. */
export function encodePlace(list: string, place: Place): string {
	return Buffer.from(JSON.stringify([list, ...place])).toString("base64url");
}

/** Undefined: that is no place of this list. */
export function decodePlace(list: string, kinds: Kinds, text: string): Place | undefined {
	const place = parse(text);
	const isOurs = place?.[0] === list && place.length === kinds.length + 1 && kinds.every((kind, index) => typeof place[index + 1] === kind);
	return isOurs ? place.slice(1) : undefined;
}

function parse(text: string): Place | undefined {
	if (!/^[\w-]+$/.test(text)) return undefined;
	try {
		const place: unknown = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
		return Array.isArray(place) ? (place as Place) : undefined;
	} catch {
		return undefined; // Whoever made it did not get it from us: the caller says so.
	}
}
