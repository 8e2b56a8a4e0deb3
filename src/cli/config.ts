import { jsonSchemaText } from "../config/json-schema.ts";
import { requireOwnConfig } from "../config/lookup.ts";
import { Failure } from "../core/errors.ts";
import { nearest } from "../lib/nearest.ts";
import type { Command, Input } from "./command.ts";
import type { Context } from "./context.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { problemJson, sayWarnings } from "./failure-text.ts";

const parts = ["validate", "schema"] as const;

export const configCommand: Command = {
	name: "config",
	usage: "validate | schema",
	summary: "all problems with line and column; JSON Schema for editors",
	details: `validate  lists every problem of the configuration with its line, column, value and remedy, and ends with 2 if there is one
schema    prints the JSON Schema of the configuration`,
	options: {},
	operands: [1, 1],
	run: async (context, input) => {
		const wanted = input.operands[0] ?? "";
		if (wanted === "schema") {
			context.out.write(jsonSchemaText());
			return exitCodes.done;
		}
		if (wanted === "validate") return validate(context, input);
		const meant = nearest(wanted, parts);
		throw new Failure("USAGE", `config does not know ${JSON.stringify(wanted)}`, {
			hint: meant === undefined ? "usage: dirsyncd config validate | schema" : `did you mean dirsyncd config ${meant}?`,
		});
	},
};

function validate(context: Context, input: Input): ExitCode {
	const { file } = requireOwnConfig(input.values.get("config"), context.environment, context.directory);
	const { warnings } = context.doors.loadConfig(file, context.environment, "required");
	if (input.isJson) context.out.write(`${JSON.stringify({ file, valid: true, warnings: warnings.map(problemJson) })}\n`);
	else {
		sayWarnings(context.err, file, warnings);
		context.out.write(`${context.out.paint("green", "valid:")} ${file}\n`);
	}
	return exitCodes.done;
}
