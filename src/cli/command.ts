import type { Context } from "./context.ts";
import type { ExitCode } from "./exit-codes.ts";

/** One command of the command line. */
export interface Command {
	readonly name: string;
	/** What follows the name: "[--full] [--source NAME]". */
	readonly usage: string;
	/** Half a line, for the list of commands. */
	readonly summary: string;
	/** A few lines, for its own help. */
	readonly details: string;
	/** Its options besides those that every command has. */
	readonly options: Readonly<Record<string, Option>>;
	/** The least and the most of what is not an option. */
	readonly operands: readonly [least: number, most: number];
	run(context: Context, input: Input): Promise<ExitCode>;
}

export type Option =
	| { readonly kind: "flag"; readonly summary: string }
	| { readonly kind: "value"; readonly placeholder: string; readonly summary: string };

/** What was said on the command line. */
export interface Input {
	readonly operands: readonly string[];
	readonly flags: ReadonlySet<string>;
	readonly values: ReadonlyMap<string, string>;
	/** JSON on standard output and nothing else. */
	readonly isJson: boolean;
}

/** Options that every command has. */
export const commonOptions: Readonly<Record<string, Option>> = {
	config: { kind: "value", placeholder: "FILE", summary: "the configuration; else $DIRSYNCD_CONFIG, else ./dirsyncd.yaml, else the demo" },
	json: { kind: "flag", summary: "JSON on standard output and nothing else" },
	help: { kind: "flag", summary: "explains the command" },
	version: { kind: "flag", summary: "prints the version" },
};

/** The options that choose what is read. */
export const readingOptions: Readonly<Record<string, Option>> = {
	full: { kind: "flag", summary: "read everything, not only what has changed: only then are deletions seen" },
	source: { kind: "value", placeholder: "NAME", summary: "this source alone" },
};
