import { loggedJson, runJson, targetOf } from "../contract/run-json.ts";
import { changeKinds } from "../core/change.ts";
import { Failure } from "../core/errors.ts";
import { formatDuration } from "../lib/duration.ts";
import { instant } from "../lib/instant.ts";
import { alignColumns, printable } from "../lib/table.ts";
import type { RunView, Views } from "../store/views.ts";
import type { Command, Input } from "./command.ts";
import { loadFor } from "./configuration.ts";
import type { Context } from "./context.ts";
import { exitCodes } from "./exit-codes.ts";
import { type Colour, type Output, stream } from "./output.ts";
import { count } from "./progress.ts";

export const runsCommand: Command = {
	name: "runs",
	usage: "[RUN] [--limit N]",
	summary: "history; one run with its changes",
	details: "Lists the runs, newest first. With a run's number: that run, with every change of its and what became of it.",
	options: { limit: { kind: "value", placeholder: "N", summary: "so many runs (20)" } },
	operands: [0, 1],
	run: async (context, input) => {
		const { config } = loadFor(context, input);
		const wanted = input.operands[0];
		const id = wanted === undefined ? undefined : whole(wanted, "RUN");
		const limit = whole(input.values.get("limit") ?? "20", "--limit");
		const views = await context.doors.openViews(config.database);
		try {
			if (id === undefined) sayRuns(context, views.runs(limit), input);
			else await showRun(context, views, id, input);
		} finally {
			views.close();
		}
		return exitCodes.done;
	},
};

export function runColour(run: RunView): Colour {
	if (run.outcome === "succeeded") return "green";
	return run.outcome === "failed" ? "red" : "yellow";
}

function sayRuns({ out }: Context, runs: readonly RunView[], input: Input): void {
	if (input.isJson) {
		out.write(`${JSON.stringify(runs.map(runJson))}\n`);
		return;
	}
	if (runs.length === 0) {
		out.write("no run yet\n");
		return;
	}
	const head = ["run", "source", "started", "took", "mode", "by", "outcome", "read", "changes", "held"].map((each) =>
		out.paint("dim", each),
	);
	out.write(`${alignColumns([head, ...runs.map((run) => runRow(out, run))]).join("\n")}\n`);
}

function runRow(out: Output, run: RunView): readonly string[] {
	const took = run.endedAt === undefined ? "-" : formatDuration(run.endedAt - run.startedAt);
	const changes = run.created + run.updated + run.disabled + run.enabled + run.deleted;
	const outcome = out.paint(runColour(run), run.outcome);
	return [
		String(run.run),
		run.source,
		instant(run.startedAt),
		took,
		run.mode,
		run.trigger,
		outcome,
		count(run.read),
		count(changes),
		count(run.held),
	];
}

async function showRun({ out }: Context, views: Views, id: number, input: Input): Promise<void> {
	const run = views.run(id);
	if (run === undefined)
		throw new Failure("NOT_FOUND", `there is no run ${id}`, { hint: '"dirsyncd runs" lists them; old ones are dropped (retention.runs)' });
	await stream(out, input.isJson ? runJsonPieces(run, views) : runText(out, run, views));
}

function* runJsonPieces(run: RunView, views: Views): Iterable<string> {
	yield `${JSON.stringify(runJson(run)).slice(0, -1)},"changes":[`;
	let separator = "";
	for (const change of views.changes(run.run)) {
		yield `${separator}${JSON.stringify(loggedJson(change))}`;
		separator = ",";
	}
	yield "]}\n";
}

function* runText(out: Output, run: RunView, views: Views): Iterable<string> {
	yield `${out.paint("bold", `run ${run.run}`)} of ${run.source}: ${out.paint(runColour(run), run.outcome)}\n`;
	const numbers = changeKinds.map((kind) => `${kind} ${count(numberOf(run, kind))}`).join(", ");
	const facts: readonly (readonly [string, string | undefined])[] = [
		["started", `${instant(run.startedAt)} (${run.trigger})`],
		["takes back", run.reverts === undefined ? undefined : `run ${run.reverts}`],
		["ended", instant(run.endedAt) ?? "not yet"],
		[
			"reading",
			`${run.mode}, ${count(run.read)} entries${run.server === undefined ? "" : ` from ${run.server}`}, ${run.sealed ? "sealed" : "not sealed"}`,
		],
		["full because", run.fullBecause],
		...run.unsealed.map((reason) => ["not sealed", reason] as const),
		["error", run.error],
		["changes", `${numbers}; held ${count(run.held)}, quarantined ${count(run.quarantined)}`],
	];
	for (const [name, value] of facts) if (value !== undefined) yield `  ${out.paint("dim", `${name}:`)} ${printable(value)}\n`;
	for (const change of views.changes(run.run)) {
		const target = targetOf(change);
		const where = target === undefined ? "" : `  at ${printable(target)}`;
		yield `  ${change.kind.padEnd(7)} ${printable(change.name)}${where}  ${printable(change.why)}  ${out.paint("dim", change.result)}\n`;
	}
}

function numberOf(run: RunView, kind: (typeof changeKinds)[number]): number {
	return {
		create: run.created,
		update: run.updated,
		entitlement: run.entitlements,
		disable: run.disabled,
		enable: run.enabled,
		delete: run.deleted,
	}[kind];
}

/** A number that a person gave. Throws USAGE for anything else. */
export function whole(text: string, what: string): number {
	if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
	throw new Failure("USAGE", `${what} is a whole number from 1 on, not ${JSON.stringify(text)}`, {
		hint: '"dirsyncd runs" lists the runs with their numbers',
	});
}
