import path from "node:path";
import type { Command } from "./command.ts";
import { loadFor } from "./configuration.ts";
import { exitCodes } from "./exit-codes.ts";

export const backupCommand: Command = {
	name: "backup",
	usage: "FILE",
	summary: "copies the database, safely, while the daemon runs",
	details: "Copies the database as it is at one instant. The daemon need not be stopped. An existing file is never overwritten.",
	options: {},
	operands: [1, 1],
	run: async (context, input) => {
		const { config } = loadFor(context, input);
		const to = path.resolve(context.directory, input.operands[0] ?? "");
		await context.doors.backUp(config.database, to);
		if (input.isJson) context.out.write(`${JSON.stringify({ database: config.database, backup: to })}\n`);
		else context.out.write(`${config.database} is copied to ${to}\n`);
		return exitCodes.done;
	},
};
