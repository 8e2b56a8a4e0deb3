import { BerReader, tag } from "../../../lib/ber.ts";
import { encodeEntry, type RawAttribute } from "./entry.ts";

/** An entry with some attributes cut out, for groups of 200,000 members: what was cut stays where it is, in the entry's bytes. */
export interface Cut {
	/** The entry without them. */
	readonly rest: Uint8Array;
	/** Where each of their values begins and ends, pair by pair. */
	readonly links: readonly { readonly name: string; readonly spans: readonly number[] }[];
}

/** `names`: lower case; an attribute with options is cut with its plain name. */
export function cutLinks(raw: Uint8Array, names: ReadonlySet<string>): Cut {
	const reader = new BerReader(raw);
	const dn = reader.text();
	const end = reader.enter(tag.sequence);
	const rest: RawAttribute[] = [];
	const links: Cut["links"][number][] = [];
	while (reader.offset < end) {
		const stop = reader.enter(tag.sequence);
		const description = reader.text();
		const name = (description.split(";")[0] as string).toLowerCase();
		reader.enter(tag.set);
		if (names.has(name)) {
			const spans: number[] = [];
			while (reader.offset < stop) {
				const valueEnd = reader.enter(tag.octetString);
				spans.push(reader.offset, valueEnd);
				reader.offset = valueEnd;
			}
			links.push({ name, spans });
		} else {
			const values: Uint8Array[] = [];
			while (reader.offset < stop) values.push(reader.octets());
			rest.push({ description, values });
		}
	}
	return { rest: encodeEntry(dn, rest), links };
}
