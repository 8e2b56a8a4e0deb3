import { planHash } from "./approve.ts";
import type { Command } from "./command.ts";
import { loadFor } from "./configuration.ts";
import { writing } from "./database.ts";
import { exitCodes } from "./exit-codes.ts";
import { count } from "./progress.ts";

export const rejectCommand: Command = {
	name: "reject",
	usage: "PLAN",
	summary: "drops what is held under this hash",
	details: `Decides that the changes held under the plan's hash are not to be carried out: the accounts stay as they are, until
the directory says something else of them.`,
	options: {},
	operands: [1, 1],
	run: async (context, input) => {
		const plan = planHash(input);
		const { config } = loadFor(context, input);
		const { source, rejected } = await writing(context, config, "reject", {
			here: (engine) => engine.reject(plan, context.user),
			there: (daemon) => daemon.reject(plan, context.user),
		});
		if (input.isJson) context.out.write(`${JSON.stringify({ plan, source, rejected })}\n`);
		else
			context.out.write(
				`${context.out.paint("bold", source)}: ${count(rejected)} held ${rejected === 1 ? "change" : "changes"} rejected\n`,
			);
		return exitCodes.done;
	},
};
