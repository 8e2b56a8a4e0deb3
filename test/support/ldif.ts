/** One record of an LDIF, with attribute names in lower case and values as bytes. */
export interface Record {
	readonly dn: string;
	readonly attributes: ReadonlyMap<string, readonly Buffer[]>;
}

/**
 * Reads what ldapsearch -LLL and ldbsearch print (RFC 2849). Written apart from src on purpose: it is the second opinion that
 * the tests compare our own reading with.
 */
export function parseLdif(text: string): Record[] {
	const unfolded = text.replace(/\r?\n /g, "");
	const records: Record[] = [];
	for (const block of unfolded.split(/\r?\n\r?\n+/)) {
		const lines = block.split(/\r?\n/).filter((line) => line !== "" && !line.startsWith("#"));
		const first = lines.findIndex((line) => /^dn::? /.test(line) || line === "dn:");
		if (first < 0) continue;
		const attributes = new Map<string, Buffer[]>();
		for (const line of lines.slice(first + 1)) {
			const [name, value] = parseLine(line);
			const known = attributes.get(name);
			if (known === undefined) attributes.set(name, [value]);
			else known.push(value);
		}
		records.push({ dn: parseLine(lines[first] as string)[1].toString(), attributes });
	}
	return records;
}

/** One attribute line, base64 where the value asks for it. */
export function ldifLine(name: string, value: string | Buffer): string {
	const bytes = typeof value === "string" ? Buffer.from(value) : value;
	// RFC 2849 SAFE-STRING: no NUL, CR, LF or byte past 127, no leading space, colon or less-than; a trailing space is best encoded.
	const isSafe = bytes.every((byte) => byte >= 32 && byte < 127) && !/^[ :<]| $/.test(bytes.toString("latin1"));
	return isSafe ? `${name}: ${bytes.toString()}\n` : `${name}:: ${bytes.toString("base64")}\n`;
}

/** The text of an attribute's first value. */
export function textOf(record: Record, name: string): string | undefined {
	return record.attributes.get(name.toLowerCase())?.[0]?.toString();
}

/** All values of an attribute, as text. */
export function textsOf(record: Record, name: string): string[] {
	return (record.attributes.get(name.toLowerCase()) ?? []).map((value) => value.toString());
}

/** Sixteen bytes of an objectGUID in Microsoft's text order (MS-DTYP §2.3.4.2): the first three fields are little-endian. */
export function guidText(bytes: Buffer): string {
	const order = [3, 2, 1, 0, -1, 5, 4, -1, 7, 6, -1, 8, 9, -1, 10, 11, 12, 13, 14, 15];
	return order.map((index) => (index < 0 ? "-" : (bytes[index] as number).toString(16).padStart(2, "0"))).join("");
}

function parseLine(line: string): [string, Buffer] {
	const colon = line.indexOf(":");
	const name = line.slice(0, colon).toLowerCase();
	if (line[colon + 1] === ":") return [name, Buffer.from(line.slice(colon + 2).trim(), "base64")];
	return [name, Buffer.from(line.slice(colon + 1).replace(/^ /, ""))];
}
