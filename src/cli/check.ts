import { configProblemsOf } from "../config/problem.ts";
import { Failure } from "../core/errors.ts";
import { alignColumns, printable } from "../lib/table.ts";
import type { Command, Input } from "./command.ts";
import { chosenSources, type LoadedConfig, loadWhole } from "./configuration.ts";
import type { CheckStep, Context } from "./context.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { instant } from "./runs.ts";

export const checkCommand: Command = {
	name: "check",
	usage: "[--source NAME]",
	summary: "the doctor: configuration, database, network, TLS, bind, rights, targets",
	details: `Looks at the configuration, the database and each source step by step, from the name of the server to the rights of the
account, and at the way to each target. Each line passed, warned or failed, with its remedy. Changes nothing. Ends with 1 when
something failed.`,
	options: { source: { kind: "value", placeholder: "NAME", summary: "this source alone" } },
	operands: [0, 0],
	run: async (context, input) => {
		const steps: CheckStep[] = [];
		const take = (step: CheckStep): void => {
			steps.push(step);
			if (!input.isJson) sayStep(context, step);
		};
		const code = await checkAll(context, input, take);
		if (input.isJson) context.out.write(`${JSON.stringify(steps.map(stepJson))}\n`);
		else sayVerdict(context, steps);
		return code;
	},
};

async function checkAll(context: Context, input: Input, take: (step: CheckStep) => void): Promise<ExitCode> {
	const loaded = checkConfiguration(context, input, take);
	if (loaded === undefined) return exitCodes.usage;
	const sources = chosenSources(loaded, input);
	let isFailed = false;
	const noting = (step: CheckStep): void => {
		isFailed = isFailed || step.state === "failed";
		take(step);
	};
	await checkDatabase(context, loaded.config.database, noting);
	for (const { name } of sources) {
		for await (const step of context.doors.diagnose(loaded.config, name, context.signal)) noting(step);
	}
	// Who asks for one source has no question about the targets.
	for (const { name } of input.values.get("source") === undefined ? loaded.config.targets : []) {
		for await (const step of context.doors.diagnoseTarget(loaded.config, name, context.signal)) noting(step);
	}
	return isFailed ? exitCodes.failed : exitCodes.done;
}

/** The configuration, or undefined when it has problems: each of them is a step. */
function checkConfiguration(context: Context, input: Input, take: (step: CheckStep) => void): LoadedConfig | undefined {
	try {
		const loaded = loadWhole(context, input);
		const { file } = loaded.config;
		take({
			step: "configuration",
			subject: file,
			state: "passed",
			detail: loaded.isDemo ? "the demo's: there is none of your own" : "has no problems",
		});
		for (const { line, column, message, remedy } of loaded.isDemo ? [] : loaded.warnings) {
			take({ step: "configuration", subject: `${file}:${line}:${column}`, state: "warned", detail: message, remedy });
		}
		return loaded;
	} catch (error) {
		const found = configProblemsOf(error);
		if (found === undefined) throw error;
		for (const { line, column, path, message, remedy } of found.problems) {
			take({ step: "configuration", subject: `${found.file}:${line}:${column}`, state: "failed", detail: `${path}: ${message}`, remedy });
		}
		return undefined;
	}
}

async function checkDatabase({ doors }: Context, file: string, take: (step: CheckStep) => void): Promise<void> {
	const step = { step: "database", subject: file };
	try {
		const changes = await doors.verifyDatabase(file);
		const detail = changes === undefined ? "is not there yet: the first run makes it" : "intact, and so is the chain of its change log";
		take({ ...step, state: "passed", detail });
	} catch (error) {
		if (!(error instanceof Failure)) throw error;
		take({ ...step, state: "failed", detail: error.message, remedy: error.hint });
	}
	const holder = await doors.holder(file);
	if (holder === undefined) return;
	const where = holder.url === undefined ? "" : ` at ${holder.url}`;
	take({
		...step,
		state: "passed",
		detail: `held by dirsyncd ${holder.command}${where}, process ${holder.pid}, since ${instant(holder.since)}`,
	});
}

function stepJson({ step, subject, state, detail, remedy }: CheckStep): object {
	return { step, subject, state, detail, remedy };
}

const colours = { passed: "green", warned: "yellow", failed: "red" } as const;

function sayStep({ out }: Context, { step, subject, state, detail, remedy }: CheckStep): void {
	const [line] = alignColumns([[out.paint(colours[state], state), step.padEnd(13), `${printable(subject)}: ${printable(detail)}`]]);
	out.write(`${line}\n`);
	if (remedy !== undefined && state !== "passed") out.write(`        ${out.paint("dim", "->")} ${printable(remedy)}\n`);
}

function sayVerdict({ out }: Context, steps: readonly CheckStep[]): void {
	const number = (state: CheckStep["state"]): number => steps.filter((step) => step.state === state).length;
	const failed = number("failed");
	const text = `${number("passed")} passed, ${number("warned")} warned, ${failed} failed`;
	out.write(`\n${failed > 0 ? out.paint("red", text) : out.paint("green", text)}\n`);
}
