import type { Command } from "./command.ts";
import { loadFor } from "./configuration.ts";
import { exitCodes } from "./exit-codes.ts";

export const tokenCommand: Command = {
	name: "token",
	usage: "[--viewer]",
	summary: "the token to sign in with at the page, and for the API",
	details: `Prints the admin token, which the daemon makes when it first starts and keeps beside the database for its own user alone:
whoever has it may decide what is held. --viewer prints the one that only reads. Remove a file and restart the daemon for a new one.`,
	options: { viewer: { kind: "flag", summary: "the token that only reads" } },
	operands: [0, 0],
	run: async (context, input) => {
		const { config } = loadFor(context, input);
		const isViewer = input.flags.has("viewer");
		const token = await context.doors.readToken(config.database, isViewer ? "viewer-token" : "token");
		const role = isViewer ? "viewer" : "operator";
		context.out.write(input.isJson ? `${JSON.stringify({ role, token })}\n` : `${token}\n`);
		return exitCodes.done;
	},
};
