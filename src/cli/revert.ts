import { type ChangeKind, changeKinds } from "../core/change.ts";
import { Failure } from "../core/errors.ts";
import type { RevertPlan } from "../engine.ts";
import { alignColumns, printable } from "../lib/table.ts";
import type { RevertReport, RevertRequest } from "../sync/report.ts";
import type { Command, Input } from "./command.ts";
import { loadToRead, sameConfig } from "./configuration.ts";
import type { Context } from "./context.ts";
import { reading, writing } from "./database.ts";
import { type ExitCode, exitCodeOf, exitCodes } from "./exit-codes.ts";
import { type Output, stream } from "./output.ts";
import { planPieces } from "./plan.ts";
import { changesText, heldName } from "./plan-text.ts";
import { count, ending, showProgress } from "./progress.ts";
import { whole } from "./runs.ts";
import { reportJson, sayReport } from "./sync.ts";

export const revertCommand: Command = {
	name: "revert",
	usage: "RUN [--apply] [--kind KIND] [--account USER]",
	summary: "takes back what a run did; shows it first",
	details: `Plans the undoing of what a run did, from its before-images: what has changed since is left alone, and listed. Without
--apply nothing is changed. It passes the gate like any plan: what is past a limit is held until "approve" lets it go. What was
taken back stays so until the directory says something else of it, or "unpin" lets it follow the directory again.`,
	options: {
		apply: { kind: "flag", summary: "do it, and not only show it" },
		kind: { kind: "value", placeholder: "KIND", summary: `changes of this kind alone: ${changeKinds.join(", ")}` },
		account: { kind: "value", placeholder: "USER", summary: "this account alone: userName, e-mail address or anchor" },
	},
	operands: [1, 1],
	run: async (context, input) => {
		const request: RevertRequest = {
			run: whole(input.operands[0] ?? "", "RUN"),
			kind: kindIn(input),
			user: input.values.get("account"),
		};
		return input.flags.has("apply") ? apply(context, input, request) : show(context, input, request);
	},
};

/** More that is left alone is counted. */
const MOST_SHOWN = 50;

async function show(context: Context, input: Input, request: RevertRequest): Promise<ExitCode> {
	const { config } = loadToRead(context, input);
	const progress = showProgress(context);
	return reading(context, config, async (planner) => {
		const plan = await ending(progress, planner.revert(request, progress, context.signal));
		try {
			await stream(context.out, input.isJson ? revertJson(plan) : revertText(context.out, plan, input));
		} finally {
			plan.close();
		}
		return plan.held.length > 0 ? exitCodes.held : exitCodes.done;
	});
}

async function apply(context: Context, input: Input, request: RevertRequest): Promise<ExitCode> {
	const { config } = loadToRead(context, input);
	const progress = showProgress(context);
	const report = await writing(context, config, "revert", {
		here: (engine) => ending(progress, engine.revert(request, context.user, progress, context.signal)),
		there: (daemon) => daemon.revert(request, context.user),
	});
	if (input.isJson) {
		const { run: reverts, leftAlone, leftAloneCount } = report.revert ?? { run: request.run, leftAlone: [], leftAloneCount: 0 };
		context.out.write(`${JSON.stringify({ ...reportJson(report), reverts, leftAlone, leftAloneCount })}\n`);
	} else {
		sayReport(context.out, report, input);
		if (report.revert !== undefined) for (const line of leftAloneText(context.out, report.revert)) context.out.write(line);
	}
	return exitCodeOf([report.outcome]);
}

function* revertText(out: Output, plan: RevertPlan, input: Input): Iterable<string> {
	yield `${out.paint("bold", plan.source)}: revert of run ${plan.revert.run}\n`;
	yield* changesText(out, plan);
	yield* leftAloneText(out, plan.revert);
	if (plan.held.length > 0) {
		const held = plan.held.map((each) => `${count(each.count)} ${heldName(each)} (${printable(each.limit)})`).join(", ");
		yield `Held until a person approves: ${held}.\n`;
	}
	if (changeKinds.every((kind) => plan.summary[kind] === 0) && plan.held.length === 0) return;
	const only = [...input.values].filter(([name]) => name === "kind" || name === "account").map(([name, value]) => ` --${name} ${value}`);
	yield `To do it:\n  ${out.paint("cyan", `dirsyncd revert ${plan.revert.run} --apply${only.join("")}${sameConfig(input)}`)}\n`;
}

function* leftAloneText(out: Output, { leftAlone, leftAloneCount }: RevertReport): Iterable<string> {
	if (leftAloneCount === 0) return;
	yield `\n${out.paint("bold", `left alone ${count(leftAloneCount)}`)}\n`;
	const shown = leftAlone.slice(0, MOST_SHOWN);
	yield `${alignColumns(shown.map(({ name, why }) => [`  ${printable(name)}`, printable(why)])).join("\n")}\n`;
	if (leftAloneCount > shown.length) yield `  and ${count(leftAloneCount - shown.length)} more\n`;
}

/** A plan as `plan --json` has it, with the run and what is left alone. */
function* revertJson(plan: RevertPlan): Iterable<string> {
	const { run: reverts, leftAlone, leftAloneCount } = plan.revert;
	yield `${JSON.stringify({ reverts, leftAlone, leftAloneCount }).slice(0, -1)},`;
	let isFirst = true;
	for (const piece of planPieces(plan)) {
		yield isFirst ? piece.slice(1) : piece;
		isFirst = false;
	}
	yield "\n";
}

function kindIn(input: Input): ChangeKind | undefined {
	const given = input.values.get("kind");
	const kind = changeKinds.find((each) => each === given);
	if (given === undefined || kind !== undefined) return kind;
	throw new Failure("USAGE", `${JSON.stringify(given)} is no kind of change`, { hint: `they are ${changeKinds.join(", ")}` });
}
