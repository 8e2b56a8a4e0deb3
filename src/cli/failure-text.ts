import { type ConfigProblems, configProblemsOf, type Problem } from "../config/problem.ts";
import { Failure, type FailureCode } from "../core/errors.ts";
import { printable } from "../lib/table.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import type { Output } from "./output.ts";

const usageCodes: ReadonlySet<FailureCode> = new Set(["CONFIG_INVALID", "USAGE", "SECRET_UNREADABLE"]);

/** The exit code of an error. */
export function exitCodeOfError(error: unknown): ExitCode {
	return error instanceof Failure && usageCodes.has(error.code) ? exitCodes.usage : exitCodes.failed;
}

/** An error as JSON: `{"error":{"code","message","hint","problems"}}`; hint and problems only where there are any. */
export function errorJson(error: unknown): string {
	const problems = configProblemsOf(error)?.problems.map(problemJson);
	const { code, message, hint } = error instanceof Failure ? error : { code: "INTERNAL", message: bugText(error), hint: undefined };
	return `${JSON.stringify({ error: { code, message, hint, problems } })}\n`;
}

/** One line for a person, where others go on. */
export function failureLine({ message, hint }: Failure): string {
	return printable(hint === undefined ? message : `${message}. ${hint}`);
}

/** A problem of the configuration as JSON; every key is always there. */
export function problemJson({ line, column, path, value, message, remedy }: Problem): object {
	return { line, column, path, value: value ?? null, message, remedy };
}

/** Says an error to a person. */
export function sayError(output: Output, error: unknown): void {
	const name = output.paint("red", "dirsyncd:");
	if (!(error instanceof Failure)) {
		output.write(`${name} this is a bug of dirsyncd; please report it with what follows\n${printableLines(stackOf(error))}\n`);
		return;
	}
	output.write(`${name} ${printable(error.message)}\n`);
	const problems = configProblemsOf(error);
	if (problems !== undefined) for (const problem of problems.problems) sayProblem(output, problems, problem);
	if (error.hint !== undefined) output.write(`${output.paint("dim", "hint:")} ${printable(error.hint)}\n`);
}

/** One problem, its place first, as editors and terminals make a link of it. */
function sayProblem(output: Output, { file }: ConfigProblems, problem: Problem): void {
	const place = `${file}:${problem.line}:${problem.column}`;
	const subject = [problem.path, problem.value].filter((text) => text !== undefined && text !== "").join(" = ");
	output.write(`\n${output.paint("bold", place)}${subject === "" ? "" : `  ${printable(subject)}`}\n`);
	output.write(`  ${printable(problem.message)}\n  ${output.paint("green", "->")} ${printable(problem.remedy)}\n`);
}

/** Says the warnings of a configuration, one a line. */
export function sayWarnings(output: Output, file: string, warnings: readonly Problem[]): void {
	for (const { line, column, path, message, remedy } of warnings) {
		output.write(`${output.paint("yellow", "warning:")} ${file}:${line}:${column} ${path}: ${printable(message)}; ${printable(remedy)}\n`);
	}
}

function bugText(error: unknown): string {
	return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

function stackOf(error: unknown): string {
	return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function printableLines(text: string): string {
	return text.split("\n").map(printable).join("\n");
}
