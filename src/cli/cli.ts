import { Failure } from "../core/errors.ts";
import { parseArguments, wantsJson } from "./arguments.ts";
import { commands } from "./commands.ts";
import type { Context } from "./context.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { errorJson, exitCodeOfError, sayError } from "./failure-text.ts";
import { commandHelp, overallHelp } from "./help.ts";

/** Does what the command line says. Never throws: what went wrong is said, and in the exit code. */
export async function runCommandLine(context: Context, argv: readonly string[]): Promise<ExitCode> {
	try {
		const { command, input } = parseArguments(argv, commands);
		if (input.flags.has("version")) {
			context.out.write(input.isJson ? `${JSON.stringify({ version: context.version })}\n` : `dirsyncd ${context.version}\n`);
			return exitCodes.done;
		}
		if (input.flags.has("help")) {
			context.out.write(command === undefined ? overallHelp(commands, context.version) : commandHelp(command));
			return exitCodes.done;
		}
		if (command === undefined) {
			if (!input.isJson) context.err.write(`${overallHelp(commands, context.version)}\n`);
			throw new Failure("USAGE", "no command was given", { hint: "dirsyncd --help lists the commands" });
		}
		return await command.run(context, input);
	} catch (thrown) {
		const error = context.signal.aborted && !(thrown instanceof Failure) ? stopped(thrown) : thrown;
		if (wantsJson(argv)) context.out.write(errorJson(error));
		else sayError(context.err, error);
		return exitCodeOfError(error);
	}
}

/** What was given up because a signal came is no bug, whatever it threw. */
function stopped(cause: unknown): Failure {
	return new Failure("CANCELLED", "stopped by a signal", { cause });
}
