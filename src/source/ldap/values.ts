import { BerReader, tag } from "../../lib/ber.ts";

/** An entry's attributes as text, names in lower case; those without a value are left out. */
export interface Texts {
	readonly dn: string;
	readonly attributes: Map<string, readonly string[]>;
}

/**
 * Decodes the bytes of an entry. `nameOf` gives the name under which a description is kept, `binary` how a person reads values
 * that are no text; undefined: they are. Throws BerError.
 */
export function readTexts(
	raw: Uint8Array,
	nameOf: (description: string) => string,
	binary: (name: string) => ((value: Buffer) => string) | undefined,
): Texts {
	const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.length);
	// Cutting pieces out of one string is several times as fast as making each from its bytes; that holds for ASCII only.
	const whole = bytes.toString("latin1");
	const textAt = (from: number, to: number): string => {
		for (let i = from; i < to; i++) if ((bytes[i] as number) >= 0x80) return bytes.toString("utf8", from, to);
		return whole.slice(from, to);
	};
	const reader = new BerReader(bytes);
	const dn = reader.text();
	const attributes = new Map<string, readonly string[]>();
	const end = reader.enter(tag.sequence);
	while (reader.offset < end) {
		const stop = reader.enter(tag.sequence);
		const typeEnd = reader.enter(tag.octetString);
		const name = nameOf(whole.slice(reader.offset, typeEnd));
		reader.offset = typeEnd;
		reader.enter(tag.set);
		const read = binary(name);
		const values: string[] = [];
		while (reader.offset < stop) {
			const valueEnd = reader.enter(tag.octetString);
			values.push(read === undefined ? textAt(reader.offset, valueEnd) : read(bytes.subarray(reader.offset, valueEnd)));
			reader.offset = valueEnd;
		}
		if (values.length > 0) attributes.set(name, attributes.has(name) ? [...(attributes.get(name) ?? []), ...values] : values);
	}
	return { dn, attributes };
}
