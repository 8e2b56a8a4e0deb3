import type { Config } from "../config/config.ts";
import { configProblemsOf } from "../config/problem.ts";
import { Failure } from "../core/errors.ts";
import type { Drift } from "../engine.ts";
import { instant } from "../lib/instant.ts";
import { sayStep, stepJson } from "./check-step.ts";
import type { Command, Input } from "./command.ts";
import { chosenChannels, chosenSources, chosenTargets, type LoadedConfig, loadWhole } from "./configuration.ts";
import type { CheckStep, Context } from "./context.ts";
import { reading } from "./database.ts";
import { refuseWithout, sayDelegation, scriptKinds } from "./delegation.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { brokenText, REMEDY } from "./verify.ts";

export const checkCommand: Command = {
	name: "check",
	usage: "[--source NAME] [--target NAME] [--notify NAME] | --delegation [--source NAME] [--everything] [--script KIND]",
	summary: "the doctor: configuration, database, network, TLS, bind, rights, targets, mails",
	details: `Looks at the configuration, the database, each source, each target and each channel of notify step by step, from the name of
the server to the rights of the account. With --target, the target's accounts are read back besides, and compared with what was left
there. With --notify, a message is sent to see whether it arrives.
With --delegation, it says what the service account may read in its Active Directory, and prints the commands that grant what is lacking
and no more: for PowerShell and for dsacls, with what takes them back.
Each line passed, warned or failed, with its remedy. Changes nothing. Ends with 1 when something failed.`,
	options: {
		source: { kind: "value", placeholder: "NAME", summary: "this source alone" },
		target: { kind: "value", placeholder: "NAME", summary: "this target alone, and its accounts" },
		notify: { kind: "value", placeholder: "NAME", summary: "this channel of notify alone, with a test message" },
		delegation: { kind: "flag", summary: "what the service account is to be granted in its domain, and may do already" },
		everything: { kind: "flag", summary: "with --delegation: all that is read, not only what is lacking" },
		script: { kind: "value", placeholder: "KIND", summary: `with --delegation: one script alone: ${scriptKinds.join(", ")}` },
	},
	operands: [0, 0],
	run: async (context, input) => {
		if (input.flags.has("delegation")) return sayDelegation(context, input);
		refuseWithout(input);
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

/** Of accounts that are not as they were left; status and the change log have the rest. */
const MOST_SAID = 100;

async function checkAll(context: Context, input: Input, take: (step: CheckStep) => void): Promise<ExitCode> {
	const loaded = checkConfiguration(context, input, take);
	if (loaded === undefined) return exitCodes.usage;
	const isOf = (kind: Chosen): boolean => input.values.get(kind) !== undefined;
	// One that is named leaves out all of the other kinds.
	const isLeftOut = (kind: Chosen): boolean => !isOf(kind) && chosenKinds.some(isOf);
	const sources = isLeftOut("source") ? [] : chosenSources(loaded, input);
	const targets = isLeftOut("target") ? [] : chosenTargets(loaded, input);
	const channels = isLeftOut("notify") ? [] : chosenChannels(loaded, input);
	let isFailed = false;
	const noting = (step: CheckStep): void => {
		isFailed = isFailed || step.state === "failed";
		take(step);
	};
	await checkDatabase(context, loaded.config.database, noting);
	for (const { name } of sources) {
		for await (const step of context.doors.diagnose(loaded.config, name, context.signal)) noting(step);
	}
	for (const { name } of targets) {
		for await (const step of context.doors.diagnoseTarget(loaded.config, name, context.signal)) noting(step);
		if (isOf("target") && !isFailed) await checkAccounts(context, loaded.config, name, noting);
	}
	for (const { name } of channels) {
		const how = isOf("notify") ? "test" : "probe";
		for await (const step of context.doors.diagnoseChannel(loaded.config, name, how, context.signal)) noting(step);
	}
	return isFailed ? exitCodes.failed : exitCodes.done;
}

const chosenKinds = ["source", "target", "notify"] as const;
type Chosen = (typeof chosenKinds)[number];

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

/** Reads a target back, and says who is not as they were left. */
async function checkAccounts(context: Context, config: Config, target: string, take: (step: CheckStep) => void): Promise<void> {
	let said = 0;
	const step = { step: "accounts", subject: target };
	const onDrift = ({ left, row, phrases }: Drift): void => {
		said++;
		if (said > MOST_SAID) return;
		take({ ...step, state: "warned", detail: `${left.userName} (${row.remote_id}): ${phrases.join("; ")}`, remedy: undefined });
	};
	try {
		const report = await reading(context, config, (planner) => planner.readBack(target, onDrift, context.signal));
		if (said > MOST_SAID) take({ ...step, state: "warned", detail: `and ${said - MOST_SAID} more`, remedy: undefined });
		const { same, changed, missing, others, partialBecause } = report;
		const theirs = others === undefined ? "" : `, ${others} not ours`;
		const asked = partialBecause === undefined ? "" : ` (each was asked for: ${partialBecause})`;
		const remedy = "The daemon repairs or releases them, if readBack.action in the target's configuration says so.";
		take({
			...step,
			state: changed + missing === 0 ? "passed" : "warned",
			detail: `${same} as they were left, ${changed} changed there, ${missing} missing${theirs}${asked}`,
			remedy: changed + missing === 0 ? undefined : remedy,
		});
	} catch (error) {
		if (!(error instanceof Failure)) throw error;
		// What cannot be asked is no failure of the target.
		take({ ...step, state: error.code === "NOT_FOUND" ? "passed" : "failed", detail: error.message, remedy: error.hint });
	}
}

async function checkDatabase({ doors }: Context, file: string, take: (step: CheckStep) => void): Promise<void> {
	const step = { step: "database", subject: file };
	try {
		const proof = await doors.verifyDatabase(file);
		const detail = proof === undefined ? "is not there yet: the first run makes it" : "intact, and so is the chain of its change log";
		if (proof?.kind === "broken") take({ ...step, state: "failed", detail: brokenText(proof.broken), remedy: REMEDY });
		else take({ ...step, state: "passed", detail });
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

function sayVerdict({ out }: Context, steps: readonly CheckStep[]): void {
	const number = (state: CheckStep["state"]): number => steps.filter((step) => step.state === state).length;
	const failed = number("failed");
	const text = `${number("passed")} passed, ${number("warned")} warned, ${failed} failed`;
	out.write(`\n${failed > 0 ? out.paint("red", text) : out.paint("green", text)}\n`);
}
