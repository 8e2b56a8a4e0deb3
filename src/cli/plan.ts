import { changeJson } from "../contract/run-json.ts";
import { changeKinds } from "../core/change.ts";
import { Failure } from "../core/errors.ts";
import type { PlanResult } from "../engine.ts";
import { type Command, type Input, readingOptions } from "./command.ts";
import { chosenSources, type LoadedConfig, loadToRead } from "./configuration.ts";
import type { Context } from "./context.ts";
import { reading } from "./database.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { failureLine } from "./failure-text.ts";
import { stream } from "./output.ts";
import { planText } from "./plan-text.ts";
import { ending, showProgress } from "./progress.ts";

export const planCommand: Command = {
	name: "plan",
	usage: "[--full] [--source NAME]",
	summary: "what a run would do, and why; changes nothing",
	details: `Reads each source and shows what a run would do: each change with its reason, what the gate says of it, and
the plan's hash, by which "approve" and "reject" name it. Nothing is changed. Ends with 3 when something would be held.`,
	options: readingOptions,
	operands: [0, 0],
	run: async (context, input) => showPlans(context, input, loadToRead(context, input)),
};

/** Shows the plan of each source chosen, without changing anything. */
export async function showPlans(context: Context, input: Input, loaded: LoadedConfig): Promise<ExitCode> {
	const sources = chosenSources(loaded, input);
	const mode = input.flags.has("full") ? "full" : "auto";
	const isList = sources.length > 1;
	const verdict = { isHeld: false, hasFailed: false };
	const progress = showProgress(context);
	await reading(context, loaded.config, async (planner) => {
		for (const [index, { name }] of sources.entries()) {
			const [before, after] = isList ? [index === 0 ? "[" : ",", index === sources.length - 1 ? "]" : ""] : ["", ""];
			let plan: PlanResult;
			try {
				plan = await ending(progress, planner.plan({ source: name, mode }, progress, context.signal));
			} catch (error) {
				// One source that fails hides nothing of the others; a single one is the whole answer.
				if (!isList || !(error instanceof Failure)) throw error;
				verdict.hasFailed = true;
				if (input.isJson)
					context.out.write(
						`${before}${JSON.stringify({ source: name, error: { code: error.code, message: error.message, hint: error.hint } })}${after}`,
					);
				else context.err.write(`${name}: ${failureLine(error)}\n`);
				continue;
			}
			try {
				verdict.isHeld ||= plan.held.length > 0;
				await stream(context.out, input.isJson ? planJson(plan, before, after) : planText(context.out, plan, input));
			} finally {
				plan.close();
			}
		}
	});
	if (input.isJson) context.out.write("\n");
	return verdict.hasFailed ? exitCodes.failed : verdict.isHeld ? exitCodes.held : exitCodes.done;
}

function* planJson(plan: PlanResult, before: string, after: string): Iterable<string> {
	yield before;
	yield* planPieces(plan);
	yield after;
}

/** The plan as one object of the contract, in pieces: a first plan may have a million changes. The first one begins it. */
export function* planPieces(plan: PlanResult): Iterable<string> {
	const held = plan.held.map(({ subject, target, kind, count, limit }) =>
		subject === "account" ? { ...(target !== undefined && { target }), kind, count, limit } : { subject, kind, count, limit },
	);
	// Where there are no rules for any, features and policies do not change.
	const kinds = changeKinds.filter((kind) => kind !== "entitlement" || plan.summary[kind] > 0);
	const summary = Object.fromEntries(kinds.map((kind) => [kind, plan.summary[kind]]));
	const header = JSON.stringify({ plan: plan.plan, source: plan.source, mode: plan.mode, sealed: plan.sealed, summary, held });
	yield `${header.slice(0, -1)},"changes":[`;
	let separator = "";
	for (const change of plan.changes()) {
		yield `${separator}${JSON.stringify(changeJson(change))}`;
		separator = ",";
	}
	yield "]}";
}
