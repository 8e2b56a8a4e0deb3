import { type Html, html, type Piece } from "../../lib/html.ts";

/** A column: its head, or a head over numbers. */
export type Column = string | { readonly number: string };

/** A table with a caption for who cannot see where it stands. The roles are said although HTML has them: narrow screens stack its cells, by which browsers forget them. */
export function table(caption: string, columns: readonly Column[], rows: readonly (readonly Piece[])[]): Html {
	const heads = columns.map((column) => {
		const isNumber = typeof column !== "string";
		return html`<th role="columnheader" scope="col"${isNumber ? html` class="number"` : undefined}>${headOf(column)}</th>`;
	});
	return html`<table role="table">
<caption>${caption}</caption>
<thead role="rowgroup"><tr role="row">${heads}</tr></thead>
<tbody role="rowgroup">
${rows.map((cells) => html`<tr role="row">${cells.map((cell, index) => cellOf(cell, columns[index] ?? ""))}</tr>\n`)}</tbody>
</table>`;
}

function cellOf(cell: Piece, column: Column): Html {
	const isNumber = typeof column !== "string";
	const isEmpty = cell === undefined || cell === "" || (Array.isArray(cell) && cell.length === 0);
	// One element for all that is in it: beside its head on a narrow screen.
	const inside = isEmpty ? undefined : html`<div>${cell}</div>`;
	return html`<td role="cell" data-head="${headOf(column)}"${isNumber ? html` class="number"` : undefined}>${inside}</td>`;
}

function headOf(column: Column): string {
	return typeof column === "string" ? column : column.number;
}

/** Names with their values; what has none is left out. */
export function facts(rows: readonly (readonly [string, Piece])[]): Html {
	const told = rows.filter(([, value]) => value !== undefined);
	return html`<dl>
${told.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>\n`)}</dl>`;
}

/** Several things of one cell, a line each. */
export function lines(pieces: readonly Piece[]): readonly Piece[] {
	return pieces
		.filter((piece) => piece !== undefined && piece !== "")
		.flatMap((piece, index) => (index === 0 ? [piece] : [html`<br>`, piece]));
}
