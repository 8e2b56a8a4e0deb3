import type { Command } from "./command.ts";
import { loadWhole } from "./configuration.ts";
import { exitCodes } from "./exit-codes.ts";

export const runCommand: Command = {
	name: "run",
	usage: "",
	summary: "the daemon, in the foreground",
	details: `Reads the sources on their schedules until it is told to end (SIGTERM, SIGINT; a second one ends at once).
SIGHUP reads the configuration again, and keeps the old one when the new one has problems.
Without a configuration of your own it runs the demo: a made-up directory that lives on this machine.`,
	options: {},
	operands: [0, 0],
	run: async (context, input) => {
		const { isDemo, ...loaded } = loadWhole(context, input);
		const reload = () => context.doors.loadConfig(loaded.config.file, context.environment, "required");
		const { version, signal } = context;
		await context.doors.runDaemon({ loaded, isDemo, reload, version, isJson: input.isJson, signal });
		return exitCodes.done;
	},
};
