import path from "node:path";
import { accountJson } from "../contract/account-json.ts";
import { deciderOf } from "../contract/log-row-json.ts";
import { cellOf } from "../core/account-cell.ts";
import { accountFields } from "../core/account-field.ts";
import { Failure } from "../core/errors.ts";
import { csvText } from "../lib/csv.ts";
import { instant } from "../lib/instant.ts";
import { replaceFile } from "../lib/replace-file.ts";
import type { LoggedRow } from "../store/log-reader.ts";
import type { AccountView } from "../store/views.ts";
import type { Command, Input } from "./command.ts";
import { loadFor } from "./configuration.ts";
import { actionOf, ecsOf, outcomeOf } from "./ecs.ts";
import { exitCodes } from "./exit-codes.ts";
import { stream } from "./output.ts";
import { count } from "./progress.ts";
import { spanOf, spanOptions } from "./span.ts";

export const exportCommand: Command = {
	name: "export",
	usage: "[--changes [--from DATE] [--to DATE]] [--format jsonl|csv] [--output FILE]",
	summary: "accounts, or the change log, as JSON Lines or CSV",
	details: `Without --changes: one account a line, as "accounts --json" has it, or a row of CSV each.
With --changes: the change log, one change a line. JSON Lines are in the field names of the Elastic Common Schema, with what it
has no name for under "dirsyncd"; event.hash is the row's hash in the chain that "verify" proves. CSV is as RFC 4180 has it,
with a heading; a cell that a spreadsheet would take for a formula has an apostrophe in front.
A file is replaced as a whole once everything is written, for its owner's eyes alone. With --output, --json says what was
written.`,
	options: {
		changes: { kind: "flag", summary: "the change log instead of the accounts" },
		...spanOptions,
		format: { kind: "value", placeholder: "jsonl|csv", summary: "JSON Lines (without it) or CSV" },
		output: { kind: "value", placeholder: "FILE", summary: "into this file; without it, to standard output" },
	},
	operands: [0, 0],
	run: async (context, input) => {
		const format = formatOf(input);
		const span = spanOf(input);
		const hasChanges = input.flags.has("changes");
		if (!hasChanges && (span.from !== undefined || span.to !== undefined)) {
			throw new Failure("USAGE", "--from and --to are of changes, and accounts are exported as they are now", { hint: "add --changes" });
		}
		const { config } = loadFor(context, input);
		const views = await context.doors.openViews(config.database);
		let exported = 0;
		const counted = function* <T>(each: Iterable<T>): Iterable<T> {
			for (const one of each) {
				context.signal.throwIfAborted();
				exported++;
				yield one;
			}
		};
		try {
			const pieces = hasChanges ? changeTexts(format, counted(views.logged(span))) : accountTexts(format, counted(views.accounts()));
			const output = input.values.get("output");
			if (output === undefined) await stream(context.out, pieces);
			else {
				const file = path.resolve(context.directory, output);
				await write(file, pieces);
				const what = hasChanges ? "changes" : "accounts";
				if (input.isJson) context.out.write(`${JSON.stringify({ output: file, format, [what]: exported })}\n`);
				else context.out.write(`${count(exported)} ${what} are written to ${file}\n`);
			}
		} finally {
			views.close();
		}
		return exitCodes.done;
	},
};

type Format = "jsonl" | "csv";

function formatOf({ values, isJson }: Input): Format {
	const format = values.get("format") ?? "jsonl";
	if (format !== "jsonl" && format !== "csv") {
		throw new Failure("USAGE", `--format is jsonl or csv, not ${JSON.stringify(format)}`, { hint: "write --format csv, or leave it out" });
	}
	if (format === "csv" && isJson && !values.has("output")) {
		throw new Failure("USAGE", "CSV is no JSON", { hint: "leave --json out, or have the CSV written to a file by --output" });
	}
	return format;
}

/** Rows that become text together: a call of the CSV writer costs more than a row. */
const TOGETHER = 200;

function* changeTexts(format: Format, rows: Iterable<LoggedRow>): Iterable<string> {
	if (format === "jsonl") for (const row of rows) yield `${JSON.stringify(ecsOf(row))}\n`;
	else yield* csvTexts(changeColumns, rows, changeCells);
}

function* accountTexts(format: Format, accounts: Iterable<AccountView>): Iterable<string> {
	if (format === "jsonl") for (const account of accounts) yield `${JSON.stringify(accountJson(account))}\n`;
	else
		yield* csvTexts(["source", ...accountFields], accounts, (account) => [
			account.source,
			...accountFields.map((field) => cellOf(account, field)),
		]);
}

function* csvTexts<T>(head: readonly string[], all: Iterable<T>, cellsOf: (one: T) => readonly string[]): Iterable<string> {
	let rows: (readonly string[])[] = [head];
	for (const one of all) {
		rows.push(cellsOf(one));
		if (rows.length < TOGETHER) continue;
		yield csvText(rows);
		rows = [];
	}
	if (rows.length > 0) yield csvText(rows);
}

const changeColumns = [
	...["sequence", "timestamp", "run", "source", "target", "subject", "kind", "action", "outcome", "anchor", "name", "why", "result", "by"],
	...["before", "after", "hash"],
];

/** Sides are JSON, as the log has them. */
function changeCells(row: LoggedRow): readonly string[] {
	const { sequence, at, run, source, target, subject, kind, anchor, name, why, result, before, after, digest } = row;
	return [
		...[String(sequence), instant(at), run === 0 ? "" : String(run), source, target ?? "", subject, kind, actionOf(row), outcomeOf(row)],
		...[anchor, name, why, result, deciderOf(row) ?? "", before ?? "", after ?? "", digest.toString("hex")],
	];
}

async function write(file: string, pieces: Iterable<string>): Promise<void> {
	try {
		await replaceFile(file, pieces);
	} catch (cause) {
		if (!(cause instanceof Error && "syscall" in cause)) throw cause;
		throw new Failure("OUTPUT_UNWRITABLE", `${file} cannot be written: ${cause.message}`, {
			cause,
			hint: "Check that its folder exists, that you may write there, and that the disk has room.",
		});
	}
}
