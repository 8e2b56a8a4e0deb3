import { Failure } from "../../../core/errors.ts";
import { parseFilter } from "../../../core/filter-text.ts";
import { attributesIn, dnOf, encodeEntry, type RawAttribute } from "./entry.ts";
import { probe, type Session } from "./session.ts";

/**
 * Active Directory hands out at most 1,500 values of an attribute at once, under a name of their own: `member;range=0-1499`
 * (MS-ADTS 3.1.1.3.1.3.3). Fetches the rest and returns the entry with the attribute whole, under its plain name.
 */
export async function completeRanges(session: Session, raw: Uint8Array): Promise<Uint8Array> {
	const dn = dnOf(raw);
	const attributes: RawAttribute[] = [];
	const seen = attributesIn(raw);
	const ranged = new Set(seen.flatMap(({ description }) => parseRange(description)?.name.toLowerCase() ?? []));
	for (const attribute of seen) {
		const range = parseRange(attribute.description);
		if (range !== undefined) attributes.push({ description: range.name, values: await readRest(session, dn, attribute) });
		// Some servers send the plain name too, with nothing in it.
		else if (!ranged.has(attribute.description.toLowerCase())) attributes.push(attribute);
	}
	return encodeEntry(dn, attributes);
}

interface Range {
	readonly name: string;
	/** Where the next part begins; undefined when this was the last. */
	readonly next: number | undefined;
}

function parseRange(description: string): Range | undefined {
	const found = /^([^;]+);range=(\d+)-(\d+|\*)$/i.exec(description);
	if (found === null) return undefined;
	const [, name, , last] = found as unknown as [string, string, string, string];
	return { name, next: last === "*" ? undefined : Number(last) + 1 };
}

const anything = parseFilter("(objectClass=*)");

async function readRest(session: Session, dn: string, first: RawAttribute): Promise<readonly Uint8Array[]> {
	const values = [...first.values];
	let range = parseRange(first.description) as Range;
	while (range.next !== undefined) {
		const from = range.next;
		const attributes = [`${range.name};range=${from}-*`];
		const { entries } = await probe(session, { base: dn, filter: anything, attributes });
		const parts = entries.length === 1 ? attributesIn(entries[0] as Uint8Array) : [];
		const part = parts.find(({ description }) => parseRange(description) !== undefined);
		// Nothing at all: the values ended exactly where the last part did, and were cut since.
		if (part === undefined && entries.length === 1) return values;
		const next = part === undefined ? undefined : parseRange(part.description);
		if (part === undefined || next === undefined || (next.next !== undefined && next.next <= from)) {
			throw new Failure("SOURCE_PROTOCOL", `${session.server} did not hand out ${range.name} of "${dn}" from value ${from} on`, {
				hint: "The entry was moved or deleted in the middle of it, or the server's range retrieval is broken; the next run tries again.",
			});
		}
		values.push(...part.values);
		range = next;
	}
	return values;
}
