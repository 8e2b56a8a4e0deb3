import { Failure } from "../core/errors.ts";
import type { Command, Input } from "./command.ts";
import { loadToRead } from "./configuration.ts";
import { writing } from "./database.ts";
import { exitCodeOf } from "./exit-codes.ts";
import { ending, showProgress } from "./progress.ts";
import { reportJson, sayReport } from "./sync.ts";

export const approveCommand: Command = {
	name: "approve",
	usage: "PLAN",
	summary: "lets go what is held under this hash",
	details: `Carries out the changes that are held under the plan's hash, as "plan", "sync" and "status" show it. The source is
read again first: if what would be done is no longer what was shown, nothing is done, and it must be shown anew.`,
	options: {},
	operands: [1, 1],
	run: async (context, input) => {
		const plan = planHash(input);
		const { config } = loadToRead(context, input);
		const progress = showProgress(context);
		const report = await writing(context, config, "approve", {
			here: (engine) => ending(progress, engine.approve(plan, context.user, progress, context.signal)),
			there: (daemon) => daemon.approve(plan, context.user),
		});
		if (input.isJson) context.out.write(`${JSON.stringify(reportJson(report))}\n`);
		else sayReport(context.out, report, input);
		return exitCodeOf([report.outcome]);
	},
};

/** The hash that a person gave, with or without its `sha256:`. Throws USAGE for anything else. */
export function planHash(input: Input): string {
	const given = (input.operands[0] ?? "").toLowerCase();
	const hash = given.startsWith("sha256:") ? given : `sha256:${given}`;
	if (/^sha256:[0-9a-f]{64}$/.test(hash)) return hash;
	throw new Failure("USAGE", `${JSON.stringify(input.operands[0])} is not the hash of a plan`, {
		hint: 'give it whole, as "dirsyncd status" shows it: sha256: and 64 hexadecimal digits',
	});
}
