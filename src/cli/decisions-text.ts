import { deciderOf } from "../contract/log-row-json.ts";
import { instant } from "../lib/instant.ts";
import { alignColumns, printable } from "../lib/table.ts";
import type { LoggedRow } from "../store/log-reader.ts";
import { actionOf } from "./ecs.ts";
import type { Output } from "./output.ts";

/** So many decisions are aligned with each other. */
const PAGE = 500;

/** What people decided, a line each: when, who, what, about what, and the rest of the story. */
export function* decisionsText(out: Output, rows: Iterable<LoggedRow>): Iterable<string> {
	let isEmpty = true;
	let page: (readonly string[])[] = [["when", "who", "what", "of", ""].map((head) => out.paint("dim", head))];
	for (const row of rows) {
		isEmpty = false;
		const run = row.run === 0 ? "" : ` (run ${row.run})`;
		page.push([instant(row.at), deciderOf(row) ?? "", actionOf(row), row.name, `${row.why}${run}`].map(printable));
		if (page.length < PAGE) continue;
		yield `${alignColumns(page).join("\n")}\n`;
		page = [];
	}
	if (isEmpty) yield "nobody has decided anything in this time\n";
	else if (page.length > 0) yield `${alignColumns(page).join("\n")}\n`;
}

/** The same as JSON Lines. */
export function* decisionLines(rows: Iterable<LoggedRow>): Iterable<string> {
	for (const row of rows) {
		const { sequence, at, run, source, target, name, why, result, digest } = row;
		const who = { at: instant(at), by: deciderOf(row) ?? null, action: actionOf(row), name, why, run: run === 0 ? null : run };
		const where = { source: source === "" ? null : source, target: target ?? null, result, sequence, hash: digest.toString("hex") };
		yield `${JSON.stringify({ ...who, ...where })}\n`;
	}
}
