import { unreachable } from "../core/errors.ts";
import { printable } from "../lib/table.ts";
import type { Block, Letter } from "./letter.ts";

/** Styles stand on the elements: many mail readers take nothing else. No colours, so that dark readers choose theirs. */
const FONT = "font-family:system-ui,-apple-system,'Segoe UI',sans-serif;font-size:15px;line-height:1.5";
const CODE = "font-family:ui-monospace,Consolas,monospace;font-size:13px;white-space:pre-wrap;overflow-wrap:anywhere;margin:4px 0 16px";
const CELL = "text-align:left;vertical-align:top;overflow-wrap:anywhere;padding:4px 16px 4px 0;border-bottom:1px solid #8888";

/** A letter as HTML: no picture, no script, no request to anywhere. */
export function asHtml({ subject, blocks }: Letter): string {
	const body = blocks.map(blockHtml).join("\n");
	return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>${escaped(subject)}</title></head>
<body style="${FONT}">
<h1 style="font-size:18px">${escaped(subject)}</h1>
${body}
</body></html>
`;
}

function blockHtml(block: Block): string {
	switch (block.kind) {
		case "text":
			return `<p>${escaped(block.text)}</p>`;
		case "command":
			return `<p style="margin:0">${escaped(block.label)}:</p>\n<pre style="${CODE}">${escaped(block.command)}</pre>`;
		case "link":
			return `<p>${escaped(block.label)}: <a href="${escaped(block.url)}">${escaped(block.url)}</a></p>`;
		case "table": {
			const head = block.columns.map((column) => `<th scope="col" style="${CELL}">${escaped(column)}</th>`).join("");
			const rows = block.rows
				.map((row) => `<tr>${row.map((cell) => `<td style="${CELL}">${escaped(cell)}</td>`).join("")}</tr>`)
				.join("\n");
			const more = block.more > 0 ? `\n<p>and ${block.more} more</p>` : "";
			return `<h2 style="font-size:16px">${escaped(block.heading)}</h2>\n<table style="border-collapse:collapse">\n<thead><tr>${head}</tr></thead>\n<tbody>\n${rows}\n</tbody></table>${more}`;
		}
		default:
			return unreachable(block);
	}
}

const SIGNS: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Names and reasons come from a directory: none of it is markup. */
function escaped(text: string): string {
	return printable(text).replaceAll(/[&<>"']/g, (sign) => SIGNS[sign] ?? sign);
}
