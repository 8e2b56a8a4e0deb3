import path from "node:path";
import { instant } from "../lib/instant.ts";
import type { Command } from "./command.ts";
import { loadFor, sameConfig } from "./configuration.ts";
import { exitCodes } from "./exit-codes.ts";
import { count } from "./progress.ts";

export const restoreCommand: Command = {
	name: "restore",
	usage: "FILE",
	summary: "puts a backup in the place of the database",
	details: `Puts a backup in the place of the database, while nothing else works on it: stop the daemon first. The backup is checked as
"verify" does, and brought to this version's schema; what was there is kept beside it under a name with the day.

A backup does not know what was read and delivered since it was made. So the next reading is a full one; until it is sealed, nothing
that was open in the backup is delivered, and nothing that was held can be approved. Then each account at a target is compared
with what it is to be, and whoever is there already is looked for before anything is made.`,
	options: {},
	operands: [1, 1],
	run: async (context, input) => {
		const { config } = loadFor(context, input);
		const { database } = config;
		const from = path.resolve(context.directory, input.operands[0] ?? "");
		const claim = { command: "restore", clock: context.clock };
		const lock = await context.doors.waitForLock(database, claim, PATIENCE_MS, context.signal);
		try {
			const { kept, lastRunAt, changes } = await context.doors.restore(from, database, context.user);
			if (input.isJson) {
				const keptAt = kept ?? null;
				context.out.write(`${JSON.stringify({ database, backup: from, kept: keptAt, lastRun: instant(lastRunAt), changes })}\n`);
				return exitCodes.done;
			}
			const asOf = lastRunAt === undefined ? "before its first run" : `as of the run of ${instant(lastRunAt)}`;
			const option = sameConfig(input);
			context.out.write(
				`${database} is restored from ${from}, ${asOf}, with ${count(changes)} changes in its log\n` +
					(kept === undefined ? "" : `what was there is kept as ${kept}\n`) +
					`next: "dirsyncd plan --full${option}" shows what differs in the directory; "dirsyncd sync --full${option}" or the daemon's next run reads\nall of it, and compares the targets when that is sealed. Accounts that came after the backup and whose people are gone from the\ndirectory by now are not known any more: "dirsyncd check --target NAME${option}" counts those that are not ours.\n`,
			);
			return exitCodes.done;
		} finally {
			lock.release();
		}
	},
};

/** How long another short command is waited for, in milliseconds. */
const PATIENCE_MS = 15_000;
