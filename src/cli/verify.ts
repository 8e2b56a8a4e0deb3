import { Failure } from "../core/errors.ts";
import type { Command } from "./command.ts";
import { loadFor } from "./configuration.ts";
import { exitCodes } from "./exit-codes.ts";
import { count } from "./progress.ts";

export const verifyCommand: Command = {
	name: "verify",
	usage: "",
	summary: "checks the database and the change log's chain",
	details: `Checks the whole database, and that no row of the change log was changed, removed or put in between: each row carries
the hash of the one before. Ends with 1 and names the first broken row when something is wrong.`,
	options: {},
	operands: [0, 0],
	run: async (context, input) => {
		const { config } = loadFor(context, input);
		const changes = await context.doors.verifyDatabase(config.database);
		if (changes === undefined) {
			throw new Failure("NOT_FOUND", `there is no database ${config.database} yet`, {
				hint: "Check `database` in the configuration; the first run makes it.",
			});
		}
		if (input.isJson) context.out.write(`${JSON.stringify({ database: config.database, intact: true, changes })}\n`);
		else context.out.write(`${context.out.paint("green", "intact:")} ${config.database}, ${count(changes)} changes in an unbroken chain\n`);
		return exitCodes.done;
	},
};
