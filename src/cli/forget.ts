import type { Command } from "./command.ts";
import { loadFor } from "./configuration.ts";
import { writing } from "./database.ts";
import { exitCodes } from "./exit-codes.ts";
import { count } from "./progress.ts";

export const forgetCommand: Command = {
	name: "forget",
	usage: "TARGET [USER]",
	summary: "what is known of a target that was removed, or of one account there",
	details: `Forgets which accounts and groups a target has, once it is not in the configuration any more: until then it is left
alone and reported. With USER (a userName, e-mail address or anchor) the one account is matched anew at the target, as if it had
never been delivered; that also takes back an account that was released. Nothing at the target itself changes by it.`,
	options: {},
	operands: [1, 2],
	run: async (context, input) => {
		const [target = "", user] = input.operands;
		const { config } = loadFor(context, input);
		const { accounts, groups } = await writing(context, config, "forget", {
			here: (engine) => engine.forget(target, user, context.user),
			there: (daemon) => daemon.forget(target, user, context.user),
		});
		if (input.isJson) context.out.write(`${JSON.stringify({ target, accounts, groups })}\n`);
		else context.out.write(`${context.out.paint("bold", target)}: forgot ${count(accounts)} accounts and ${count(groups)} groups\n`);
		return exitCodes.done;
	},
};
