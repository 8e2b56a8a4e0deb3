import type { Quiet } from "../../lib/quiet.ts";
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

/** The list is read once for all who ask meanwhile, and in quiet. */
export function makeCatalogue(
	list: (signal: AbortSignal) => AsyncIterable<Json>,
	quiet: Pick<Quiet, "alone">,
	clock: () => number,
): Catalogue {
	const read = new Map<string, { readonly at: number; readonly ids: Promise<ReadonlyMap<string, readonly string[]>> }>();
	const readAll = async (key: Key, signal: AbortSignal): Promise<ReadonlyMap<string, readonly string[]>> => {
		const ids = new Map<string, string[]>();
		for await (const resource of list(signal)) {
			const id = textIn(resource, "id");
			if (id === undefined) continue;
			for (const value of valuesOf(resource, key)) ids.set(value, [...(ids.get(value) ?? []), id]);
		}
		return ids;
	};
	const idsBy = async (key: Key, signal: AbortSignal): Promise<ReadonlyMap<string, readonly string[]>> => {
		const known = read.get(key.path);
		if (known !== undefined && clock() - known.at < FRESH_MS) return known.ids;
		const reading = { at: clock(), ids: quiet.alone(() => readAll(key, signal)) };
		read.set(key.path, reading);
		try {
			return await reading.ids;
		} catch (error) {
			if (read.get(key.path) === reading) read.delete(key.path);
			throw error;
		}
	};
	return {
		lookUp: async (key, signal) => (await idsBy(key, signal)).get(key.isCaseless ? key.value.toLowerCase() : key.value) ?? [],
		forget: () => read.clear(),
	};
}
