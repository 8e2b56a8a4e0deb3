import { Failure } from "../core/errors.ts";
import { instant } from "../lib/instant.ts";
import { printable } from "../lib/table.ts";
import type { BrokenRow } from "../store/chain.ts";
import type { Command } from "./command.ts";
import { loadFor } from "./configuration.ts";
import { exitCodes } from "./exit-codes.ts";
import { count } from "./progress.ts";

export const verifyCommand: Command = {
	name: "verify",
	usage: "",
	summary: "checks the database and the change log's chain",
	details: `Checks the whole database, and that no row of the change log was altered, removed, put in or cut off: each row carries the
hash of the one before, and the database has on record where the chain begins and ends. Ends with 1 and names the first row
that does not fit. The last row's hash is printed: kept somewhere else ("export --changes" has every row's), it proves later
that nobody wrote the whole log anew.`,
	options: {},
	operands: [0, 0],
	run: async (context, input) => {
		const { out, doors } = context;
		const { config } = loadFor(context, input);
		const { database } = config;
		const proof = await doors.verifyDatabase(database);
		if (proof === undefined) {
			throw new Failure("NOT_FOUND", `there is no database ${database} yet`, {
				hint: "Check `database` in the configuration; the first run makes it.",
			});
		}
		if (proof.kind === "broken") {
			if (input.isJson) out.write(`${JSON.stringify({ database, intact: false, broken: brokenJson(proof.broken) })}\n`);
			else out.write(`${out.paint("red", "broken:")} ${database}, ${brokenText(proof.broken)}\n${REMEDY}\n`);
			return exitCodes.failed;
		}
		const { rows, last } = proof;
		if (input.isJson) out.write(`${JSON.stringify({ database, intact: true, changes: rows, last })}\n`);
		else {
			out.write(`${out.paint("green", "intact:")} ${database}, ${count(rows)} changes in an unbroken chain\n`);
			if (rows > 0) out.write(`last row ${last.sequence}, hash ${last.digest}\n`);
		}
		return exitCodes.done;
	},
};

export const REMEDY = "Someone or something changed the database outside of dirsyncd. Compare with a backup, or with what was exported.";

/** Which row of the change log is the first that does not fit, and what is wrong with it. */
export function brokenText({ sequence, what, row }: BrokenRow): string {
	const says = row === undefined ? "" : ` (${rowText(row)})`;
	return printable(`the change log is broken at row ${sequence}${says}: ${what}`);
}

function rowText({ at, run, source, anchor, name }: NonNullable<BrokenRow["row"]>): string {
	const when = at === undefined ? "at no time" : instant(at);
	return `written ${when}, ${run === 0 ? "of no run" : `run ${run}`} of ${source}, ${name} ${anchor}`.trimEnd();
}

function brokenJson({ sequence, fault, what, row }: BrokenRow): object {
	const { at, run, source, anchor, name } = row ?? {};
	return {
		...{ sequence, fault, what, at: instant(at), run: run ?? null, source: source ?? null, anchor: anchor ?? null, name: name ?? null },
	};
}
