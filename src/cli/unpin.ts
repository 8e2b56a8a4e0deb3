import type { Command } from "./command.ts";
import { loadFor } from "./configuration.ts";
import { writing } from "./database.ts";
import { exitCodes } from "./exit-codes.ts";
import { count } from "./progress.ts";

export const unpinCommand: Command = {
	name: "unpin",
	usage: "USER",
	summary: "lets an account follow the directory again after a revert",
	details: `What "revert" took back of an account stays so until the directory says something else of it. This lets go of that for one
account, by its userName or anchor: the next run plans it as the directory has it. "status" lists what is pinned.`,
	options: {},
	operands: [1, 1],
	run: async (context, input) => {
		const [user = ""] = input.operands;
		const { config } = loadFor(context, input);
		const { accounts, pins } = await writing(context, config, "unpin", {
			here: (engine) => engine.unpin(user, context.user),
			there: (daemon) => daemon.unpin(user, context.user),
		});
		if (input.isJson) context.out.write(`${JSON.stringify({ user, accounts, pins })}\n`);
		else context.out.write(`${context.out.paint("bold", user)}: let go of ${count(pins)} ${pins === 1 ? "pin" : "pins"}\n`);
		return exitCodes.done;
	},
};
