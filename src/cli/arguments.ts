import { parseArgs } from "node:util";
import { Failure } from "../core/errors.ts";
import { nearest } from "../lib/nearest.ts";
import { type Command, commonOptions, type Input, type Option } from "./command.ts";

export interface Parsed {
	/** Undefined when no command was named. */
	readonly command: Command | undefined;
	readonly input: Input;
}

/** Reads the command line. Throws USAGE with the nearest command or option that there is. */
export function parseArguments(argv: readonly string[], commands: readonly Command[]): Parsed {
	const tokens = tokensOf(argv, commands);
	const words = tokens.flatMap((token) => (token.kind === "positional" ? [token.value] : []));
	const flags = new Set<string>();
	const values = new Map<string, string>();
	if (words[0] === "help") flags.add("help");
	const [word, ...operands] = words[0] === "help" ? words.slice(1) : words;
	const command = word === undefined ? undefined : commandOf(word, commands);
	for (const token of tokens) {
		if (token.kind === "option") takeOption(token, command, flags, values);
	}
	if (command !== undefined && !flags.has("help") && !flags.has("version")) checkOperands(command, operands);
	return { command, input: { operands, flags, values, isJson: flags.has("json") } };
}

/** Whether JSON was asked for, also where the rest of the command line makes no sense. */
export function wantsJson(argv: readonly string[]): boolean {
	const end = argv.indexOf("--");
	return argv.slice(0, end < 0 ? undefined : end).includes("--json");
}

type Token = { readonly kind: "positional"; readonly value: string } | OptionToken;
interface OptionToken {
	readonly kind: "option";
	readonly name: string;
	readonly written: string;
	readonly value: string | undefined;
}

function tokensOf(argv: readonly string[], commands: readonly Command[]): readonly Token[] {
	const options: Record<string, { type: "boolean" | "string"; short?: string }> = {};
	for (const all of [commonOptions, ...commands.map((command) => command.options)]) {
		for (const [name, option] of Object.entries(all)) options[name] = { type: option.kind === "flag" ? "boolean" : "string" };
	}
	options["help"] = { type: "boolean", short: "h" };
	options["version"] = { type: "boolean", short: "V" };
	const { tokens } = parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true });
	return tokens.flatMap((token): readonly Token[] => {
		if (token.kind === "positional") return [{ kind: "positional", value: token.value }];
		if (token.kind === "option") return [{ kind: "option", name: token.name, written: token.rawName, value: token.value }];
		return [];
	});
}

function commandOf(word: string, commands: readonly Command[]): Command {
	const command = commands.find((each) => each.name === word);
	if (command !== undefined) return command;
	const names = commands.map((each) => each.name);
	const meant = nearest(word, names);
	throw new Failure("USAGE", `there is no command ${JSON.stringify(word)}`, {
		hint: meant === undefined ? `the commands are ${names.join(", ")}` : `did you mean ${meant}? dirsyncd --help lists the commands`,
	});
}

function takeOption(token: OptionToken, command: Command | undefined, flags: Set<string>, values: Map<string, string>): void {
	const known: Readonly<Record<string, Option>> = { ...commonOptions, ...command?.options };
	const option = Object.hasOwn(known, token.name) ? known[token.name] : undefined;
	if (option === undefined) throw unknownOption(token, command, Object.keys(known));
	if (option.kind === "flag") {
		if (token.value !== undefined) throw new Failure("USAGE", `${token.written} takes no value`, { hint: `write ${token.written} alone` });
		flags.add(token.name);
		return;
	}
	if (token.value === undefined || token.value === "" || (token.value.startsWith("--") && token.value.length > 2)) {
		throw new Failure("USAGE", `${token.written} wants a value`, { hint: `write ${token.written} ${option.placeholder}` });
	}
	values.set(token.name, token.value);
}

function unknownOption(token: OptionToken, command: Command | undefined, known: readonly string[]): Failure {
	const meant = nearest(token.name, known);
	const help = command === undefined ? "dirsyncd --help" : `dirsyncd ${command.name} --help`;
	return new Failure("USAGE", `${command?.name ?? "dirsyncd"} has no option ${token.written}`, {
		hint: meant === undefined ? `${help} lists its options` : `did you mean --${meant}? ${help} lists its options`,
	});
}

function checkOperands(command: Command, operands: readonly string[]): void {
	const [least, most] = command.operands;
	const hint = `usage: dirsyncd ${command.name} ${command.usage}`;
	if (operands.length < least)
		throw new Failure("USAGE", `${command.name} wants ${least === 1 ? "one more word" : "more words"}`, { hint });
	const extra = operands[most];
	if (extra !== undefined) throw new Failure("USAGE", `${command.name} does not know what to do with ${JSON.stringify(extra)}`, { hint });
}
