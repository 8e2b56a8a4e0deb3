import { type ChangeKind, changeKinds } from "../core/change.ts";
import { formatDuration } from "../lib/duration.ts";
import { printable } from "../lib/table.ts";
import type { RunReport } from "../sync/report.ts";
import { type Command, type Input, readingOptions } from "./command.ts";
import { chosenSources, type LoadedConfig, loadToRead, sameConfig } from "./configuration.ts";
import type { Context } from "./context.ts";
import { writing } from "./database.ts";
import { type ExitCode, exitCodeOf } from "./exit-codes.ts";
import type { Output } from "./output.ts";
import { showPlans } from "./plan.ts";
import { groupNumbers, heldName } from "./plan-text.ts";
import { count, ending, showProgress } from "./progress.ts";

export const syncCommand: Command = {
	name: "sync",
	usage: "[--full] [--source NAME] [--dry-run]",
	summary: "one run now; through the daemon when one is running",
	details: `Reads each source, plans what has changed, judges the plan, and carries out what is not held.
A delta reading where there is one to start from, else a full one. --dry-run shows the plan and changes nothing.`,
	options: { ...readingOptions, "dry-run": { kind: "flag", summary: "show what would be done, and change nothing" } },
	operands: [0, 0],
	run: async (context, input) => {
		const loaded = loadToRead(context, input);
		if (input.flags.has("dry-run")) return showPlans(context, input, loaded);
		return syncSources(context, input, loaded);
	},
};

async function syncSources(context: Context, input: Input, loaded: LoadedConfig): Promise<ExitCode> {
	const sources = chosenSources(loaded, input);
	const mode = input.flags.has("full") ? "full" : "auto";
	const reports: RunReport[] = [];
	const say = (said: RunReport): void => {
		const report = loaded.config.demo === undefined ? said : hintingAtDemo(said);
		reports.push(report);
		if (!input.isJson) sayReport(context.out, report, input);
		else sayTrouble(context.err, report);
	};
	const progress = showProgress(context);
	await writing(context, loaded.config, "sync", {
		here: async (engine) => {
			for (const { name } of sources) {
				const report = await ending(
					progress,
					engine.sync({ source: name, mode, trigger: "command", by: context.user }, progress, context.signal),
				);
				say(report);
			}
		},
		there: async (daemon) => {
			for (const { name } of sources) {
				progress.say(`${name}: in the daemon at ${daemon.url}`);
				say(await ending(progress, daemon.sync({ source: name, mode, by: context.user })));
			}
		},
	});
	if (input.isJson) {
		const all = reports.map(reportJson);
		context.out.write(`${JSON.stringify(sources.length === 1 ? all[0] : all)}\n`);
	}
	return exitCodeOf(reports.map((report) => report.outcome));
}

/** The fields of the contract, in its order. */
export function reportJson(report: RunReport): object {
	const { run, source, mode, outcome, sealed, unsealed, read, created, updated, disabled, enabled, deleted, entitlements } = report;
	const { unchanged, held, quarantined, delivered, pending, durationMs, groups } = report;
	return {
		...{ run, source, mode, outcome, sealed, unsealed, read, created, updated, disabled, enabled, deleted },
		...(entitlements !== undefined && { entitlements }),
		...{ unchanged, held, quarantined, delivered, pending, durationMs },
		...(groups !== undefined && { groups }),
	};
}

const done = {
	create: "created",
	update: "updated",
	entitlement: "entitlements",
	disable: "disabled",
	enable: "enabled",
	delete: "deleted",
} as const satisfies Record<ChangeKind, keyof RunReport>;

const colours = { succeeded: "green", held: "yellow", partial: "yellow", failed: "red" } as const;

/** One run for a person: a line with its numbers, then whatever needs a word. */
export function sayReport(out: Output, report: RunReport, input: Input): void {
	const numbers = changeKinds.flatMap((kind) => {
		const number = report[done[kind]] ?? 0;
		return number === 0 ? [] : [`${count(number)} ${kind === "entitlement" ? "entitlements changed" : done[kind]}`];
	});
	const changes = numbers.length === 0 ? "nothing changed" : numbers.join(", ");
	const reading = report.mode === "full" ? `full reading of ${count(report.read)}` : `delta of ${count(report.read)}`;
	const what = report.revert === undefined ? reading : `revert of run ${report.revert.run}`;
	const name = `${out.paint("bold", report.source)} run ${report.run}: ${out.paint(colours[report.outcome], report.outcome)}`;
	if (report.outcome === "failed") out.write(`${name}, ${report.mode} reading, ${formatDuration(report.durationMs)}\n`);
	else out.write(`${name}, ${what}, ${changes}, ${formatDuration(report.durationMs)}\n`);
	const note = (label: string, text: string): void => out.write(`  ${out.paint("dim", `${label}:`)} ${printable(text)}\n`);
	if (report.groups !== undefined) {
		const groups = groupNumbers(report.groups);
		if (groups.length > 0) note("groups", groups.join(", "));
	}
	if (report.fullBecause !== undefined) note("full because", report.fullBecause);
	for (const reason of report.unsealed) if (reason !== report.error?.message) note("not sealed", reason);
	for (const warning of report.warnings) note("warning", warning);
	if (report.error !== undefined) note("failed", report.error.message);
	if (report.error?.hint !== undefined) note("hint", report.error.hint);
	if (report.quarantined > 0) note("quarantined", `${count(report.quarantined)}: dirsyncd status${sameConfig(input)}`);
	if (report.pending > 0) note("pending", `${count(report.pending)} not yet delivered`);
	for (const held of report.heldKinds) note("held", `${count(held.count)} ${heldName(held)}, ${held.limit}`);
	if (report.plan !== undefined && report.held > 0) {
		for (const verb of ["approve", "reject"]) out.write(`  ${out.paint("cyan", `dirsyncd ${verb} ${report.plan}${sameConfig(input)}`)}\n`);
	}
}

/** With --json a person may still be watching standard error. */
function sayTrouble(err: Output, report: RunReport): void {
	if (report.error === undefined) return;
	err.write(`${err.paint("red", "dirsyncd:")} ${report.source}: ${printable(report.error.message)}\n`);
	if (report.error.hint !== undefined) err.write(`${err.paint("dim", "hint:")} ${printable(report.error.hint)}\n`);
}

/** The demo's directory is nowhere when its daemon is not running. */
function hintingAtDemo(report: RunReport): RunReport {
	if (report.error?.code !== "SOURCE_UNREACHABLE") return report;
	return { ...report, error: { ...report.error, hint: "The demo's directory lives in its daemon: npm start." } };
}
