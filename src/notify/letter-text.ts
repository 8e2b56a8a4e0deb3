import { unreachable } from "../core/errors.ts";
import { alignColumns, printable } from "../lib/table.ts";
import type { Block, Letter } from "./letter.ts";

/** More than so much of one cell nobody reads in plain text. */
const WIDEST_CELL = 80;

/** A letter as plain text. */
export function asText({ blocks }: Letter): string {
	return `${blocks.map(blockText).join("\n\n")}\n`;
}

/** What stands in a header, on one line and not endless: values of the directory may be in it. */
export function asHeader(text: string): string {
	const line = printable(text.replaceAll(/\s+/g, " ")).trim();
	return line.length > 200 ? `${line.slice(0, 199)}…` : line;
}

function blockText(block: Block): string {
	switch (block.kind) {
		case "text":
			return printable(block.text);
		case "command":
			return `${block.label}:\n    ${printable(block.command)}`;
		case "link":
			return `${block.label}: ${printable(block.url)}`;
		case "table": {
			const rows = block.rows.map((row) => row.map((cell) => short(printable(cell))));
			const lines = alignColumns([block.columns, ...rows]).map((line) => `  ${line}`);
			const more = block.more > 0 ? [`  and ${block.more} more`] : [];
			return [`${block.heading}:`, ...lines, ...more].join("\n");
		}
		default:
			return unreachable(block);
	}
}

function short(cell: string): string {
	return cell.length > WIDEST_CELL ? `${cell.slice(0, WIDEST_CELL - 1)}…` : cell;
}
