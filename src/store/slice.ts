/** Where a list was left: the key of a row, in the order of the list. */
export type Place = readonly (string | number)[];

/** Part of a list, as much of it as can be read without holding anybody up. */
export interface Slice<Item> {
	readonly items: readonly Item[];
	/** Of what was read, in characters. */
	readonly size: number;
	/** Where to go on; undefined: the list ends here. */
	readonly reached: Place | undefined;
}

/** The thread that reads also answers /health, which may wait for 50 ms at most. */
const SLICE_MS = 8;

/** So much of a list is enough for one answer, whatever was asked for: changes of groups may name a thousand members each. */
export const MOST_CHARACTERS = 1_000_000;

/**
 * Reads rows until there are `limit` items, too much text, or too little time; one row at least. `itemOf` returns undefined for a row
 * that was not asked for. No statement stays open.
 */
export function takeSlice<Row, Item>(
	rows: Iterable<Row>,
	limit: number,
	{ placeOf, itemOf, sizeOf }: { placeOf(row: Row): Place; itemOf(row: Row): Item | undefined; sizeOf(row: Row, item: Item): number },
): Slice<Item> {
	const until = performance.now() + SLICE_MS;
	const items: Item[] = [];
	let size = 0;
	let reached: Place | undefined;
	for (const row of rows) {
		// Only another row says that there is more.
		if (reached !== undefined && (items.length >= limit || size >= MOST_CHARACTERS || performance.now() >= until)) {
			return { items, size, reached };
		}
		reached = placeOf(row);
		const item = itemOf(row);
		if (item === undefined) continue;
		items.push(item);
		size += sizeOf(row, item);
	}
	return { items, size, reached: undefined };
}
