/** Rows as aligned columns, without blanks at the ends of lines. Widths come from these rows alone: give at most a page of them. */
export function alignColumns(rows: readonly (readonly string[])[], gap = "  "): readonly string[] {
	const widths: number[] = [];
	for (const row of rows) {
		for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, textWidth(cell));
	}
	return rows.map((row) =>
		row
			.map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - textWidth(cell)))
			.join(gap)
			.trimEnd(),
	);
}

/** Columns that a terminal needs for a text: two for East Asian wide signs, none for marks and colours. */
export function textWidth(text: string): number {
	let width = 0;
	for (const sign of text.replaceAll(COLOURS, "")) {
		if (MARK.test(sign)) continue;
		width += WIDE.test(sign) ? 2 : 1;
	}
	return width;
}

/** A text from outside as it may go to a terminal: control signs could move the cursor or change the title. */
export function printable(text: string): string {
	return text.replaceAll(/\p{Cc}|[\u{2028}\u{2029}\u{202a}-\u{202e}\u{2066}-\u{2069}]/gu, "\u{fffd}");
}

const COLOURS = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, "g");
const MARK = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
const WIDE =
	/^[\u{1100}-\u{115f}\u{2e80}-\u{a4cf}\u{ac00}-\u{d7a3}\u{f900}-\u{faff}\u{fe30}-\u{fe6f}\u{ff00}-\u{ff60}\u{ffe0}-\u{ffe6}\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]$/u;
