import { type Json, textIn } from "./json.ts";
import { type Key, valuesOf } from "./key.ts";

/** Who is there, read as a whole: for servers that cannot be asked for one. */
export interface Catalogue {
	/** Ids of those that have this value. Reads the list if it was not read lately. */
	lookUp(key: Key, signal: AbortSignal): Promise<readonly string[]>;
	/** Something may be there now that was not when the list was read. */
	forget(): void;
}

/** A list is believed for so long where nothing of ours has an unknown outcome: a first delivery then reads it once for thousands. */
const FRESH_MS = 300_000;

export function makeCatalogue(list: (signal: AbortSignal) => AsyncIterable<Json>, clock: () => number): Catalogue {
	const read = new Map<string, { readonly at: number; readonly ids: ReadonlyMap<string, readonly string[]> }>();
	const idsBy = async (key: Key, signal: AbortSignal): Promise<ReadonlyMap<string, readonly string[]>> => {
		const known = read.get(key.path);
		if (known !== undefined && clock() - known.at < FRESH_MS) return known.ids;
		const at = clock();
		const ids = new Map<string, string[]>();
		for await (const resource of list(signal)) {
			const id = textIn(resource, "id");
			if (id === undefined) continue;
			for (const value of valuesOf(resource, key)) ids.set(value, [...(ids.get(value) ?? []), id]);
		}
		read.set(key.path, { at, ids });
		return ids;
	};
	return {
		lookUp: async (key, signal) => (await idsBy(key, signal)).get(key.isCaseless ? key.value.toLowerCase() : key.value) ?? [],
		forget: () => read.clear(),
	};
}
