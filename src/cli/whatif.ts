import path from "node:path";
import type { WhatIf } from "../engine.ts";
import type { Command, Input } from "./command.ts";
import { chosenSources, loadFor } from "./configuration.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { sayWarnings } from "./failure-text.ts";
import { stream } from "./output.ts";
import { ending, showProgress } from "./progress.ts";
import { newlyHeld, totalOf, whatIfJson, whatIfText } from "./whatif-text.ts";

export const whatIfCommand: Command = {
	name: "whatif",
	usage: "[--database FILE] [--source NAME] [--expect-no-change]",
	summary: "what a changed configuration would make of the people known; asks no directory, changes nothing",
	details: `Holds the configuration given by --config against the database: who would get, lose or keep an account, a feature or
a policy, by which rule, and what the gate says of it. Nothing is read from a directory, nothing is sent and nothing is
written; secrets need not be readable. The database is the one that the configuration names, or FILE: a backup will do.
People are planned as of the last run. What only the next reading can tell is said.

Ends with 0 when nothing more would be held than waits already, 3 when something would be, 2 when the configuration has
problems, 1 when it cannot be told (no database); with --expect-no-change 4 when anything changes or cannot be told.`,
	options: {
		database: { kind: "value", placeholder: "FILE", summary: "this database, or copy of one, in place of the configuration's" },
		source: { kind: "value", placeholder: "NAME", summary: "this source alone" },
		"expect-no-change": { kind: "flag", summary: "end with 4 when anything changes, or may" },
	},
	operands: [0, 0],
	run: async (context, input) => {
		const loaded = loadFor(context, input);
		if (!loaded.isDemo) sayWarnings(context.err, loaded.config.file, loaded.warnings);
		const sources = chosenSources(loaded, input);
		const other = input.values.get("database");
		const database = other === undefined ? loaded.config.database : path.resolve(context.directory, other);
		const progress = showProgress(context);
		const trial = await context.doors.openTrial({ ...loaded.config, database });
		try {
			const notes = input.values.has("source") ? [] : trial.notes();
			const found: WhatIf[] = [];
			for (const { name } of sources) found.push(await ending(progress, trial.whatIf(name, progress, context.signal)));
			if (input.isJson) context.out.write(jsonOf(found, notes));
			else await stream(context.out, whatIfText(context.out, found, notes));
			return exitCodeOf(found, input);
		} finally {
			trial.close();
		}
	},
};

function jsonOf(found: readonly WhatIf[], notes: readonly string[]): string {
	const all = found.map((each) => whatIfJson(each, notes));
	return `${JSON.stringify(all.length === 1 ? all[0] : all)}\n`;
}

function exitCodeOf(found: readonly WhatIf[], { flags }: Input): ExitCode {
	if (found.some((each) => newlyHeld(each) > 0)) return exitCodes.held;
	const isSteady = (each: WhatIf): boolean => each.isSame || (totalOf(each) === 0 && each.unknown.length === 0);
	return flags.has("expect-no-change") && !found.every(isSteady) ? exitCodes.partial : exitCodes.done;
}
