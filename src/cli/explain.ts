import { explanationJson } from "../contract/explanation-json.ts";
import type { Command } from "./command.ts";
import { loadToRead } from "./configuration.ts";
import { reading } from "./database.ts";
import { exitCodes } from "./exit-codes.ts";
import { explanationText } from "./explain-text.ts";
import { stream } from "./output.ts";

export const explainCommand: Command = {
	name: "explain",
	usage: "USER",
	summary: "why this person's account is as it is, or is not there",
	details: `Tells the whole story of one person, found by userName, e-mail address, DN, GUID or logon name: the entry as it was read, in scope
or not and by which line of the configuration, where each field came from, each group and the way into it, each feature and policy with the rules
that gave it and those that did not, the account, each target, and the last changes. Who is not known here is asked for in the directory.
--json prints a list of explanations, mostly of one.`,
	options: {},
	operands: [1, 1],
	run: async (context, input) => {
		const { config } = loadToRead(context, input);
		const user = input.operands[0] ?? "";
		const explanations = await reading(context, config, (planner) => planner.explain(user, context.signal));
		if (input.isJson) context.out.write(`${JSON.stringify(explanations.map(explanationJson))}\n`);
		else await stream(context.out, explanations.flatMap((one) => [...explanationText(context.out, one), "\n"]).slice(0, -1));
		return exitCodes.done;
	},
};
