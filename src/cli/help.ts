import { alignColumns } from "../lib/table.ts";
import { type Command, commonOptions, type Option } from "./command.ts";

/** The help of the whole. */
export function overallHelp(commands: readonly Command[], version: string): string {
	const rows = commands.map((command) => [`  ${command.name} ${command.usage}`.trimEnd(), command.summary]);
	return `dirsyncd ${version}: keeps the accounts of your services in step with your directory, and never disables on doubt.

Usage: dirsyncd COMMAND [--config FILE] [--json]

${alignColumns(rows).join("\n")}

Options of every command:
${optionLines(commonOptions)}

Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 something is held, 4 done, but some objects failed.
dirsyncd COMMAND --help explains a command.
`;
}

/** The help of one command. */
export function commandHelp(command: Command): string {
	const own = Object.keys(command.options).length === 0 ? "" : `\nOptions:\n${optionLines(command.options)}\n`;
	return `Usage: dirsyncd ${`${command.name} ${command.usage}`.trimEnd()}

${command.details}
${own}
Options of every command:
${optionLines(commonOptions)}
`;
}

function optionLines(options: Readonly<Record<string, Option>>): string {
	const rows = Object.entries(options).map(([name, option]) => [
		option.kind === "flag" ? `  --${name}` : `  --${name} ${option.placeholder}`,
		option.summary,
	]);
	return alignColumns(rows).join("\n");
}
