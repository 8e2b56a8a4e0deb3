import { stringify } from "csv-stringify/sync";

/**
 * Rows as RFC 4180 has them. A cell that a spreadsheet would take for a formula, since it begins with = + - @, a tab or a carriage
 * return, gets an apostrophe in front (OWASP, CSV Injection): display names are whatever somebody typed.
 */
export function csvText(rows: readonly (readonly string[])[]): string {
	return stringify(rows as string[][], { record_delimiter: "\r\n", escape_formulas: true });
}

/** The records of a text as far as they are complete: cells of each, and how many characters these are. */
export function readRecords(text: string): { readonly records: readonly (readonly string[])[]; readonly length: number } {
	const records: string[][] = [];
	let cells: string[] = [];
	let length = 0;
	// A cell in quotes, in which a quote stands twice, or one without; then whatever ends it.
	const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n)/y;
	for (let match = cell.exec(text); match !== null; match = cell.exec(text)) {
		cells.push(match[1]?.replaceAll('""', '"') ?? (match[2] as string));
		if (match[3] === ",") continue;
		records.push(cells);
		cells = [];
		length = cell.lastIndex;
	}
	return { records, length };
}
