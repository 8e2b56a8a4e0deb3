import { pinJson } from "../contract/account-json.ts";
import { sourceJson, targetJson } from "../contract/status-json.ts";
import { formatDuration } from "../lib/duration.ts";
import { instant } from "../lib/instant.ts";
import { alignColumns, printable } from "../lib/table.ts";
import type { HeldPlanView, QuarantineView, RunView, SourceView, TargetView, Views } from "../store/views.ts";
import type { Command, Input } from "./command.ts";
import { loadFor, sameConfig } from "./configuration.ts";
import type { Context } from "./context.ts";
import { exitCodes } from "./exit-codes.ts";
import { pinText } from "./pin-text.ts";
import { heldName } from "./plan-text.ts";
import { count } from "./progress.ts";
import { runColour } from "./runs.ts";

export const statusCommand: Command = {
	name: "status",
	usage: "",
	summary: "sources, targets, last runs, what is held, pending, quarantined",
	details: "Shows what is known without asking a directory: sources and targets, last runs, and what waits for a person.",
	options: {},
	operands: [0, 0],
	run: async (context, input) => {
		const { config } = loadFor(context, input);
		const views = await context.doors.openViews(config.database);
		try {
			const known = views.sources();
			const sources = config.sources.map(({ name }) => known.find((source) => source.source === name) ?? neverRead(name));
			const forgotten = known.filter(({ source }) => !config.sources.some(({ name }) => name === source));
			const status: Status = {
				database: config.database,
				daemon: await daemonOf(context, config.database),
				sources: [...sources, ...forgotten],
				targets: views.targets(),
				configured: config.targets.map(({ name }) => name),
				held: views.held(),
				pins: [...views.pins()],
				quarantine: views.quarantine(),
			};
			if (input.isJson) context.out.write(`${JSON.stringify(statusJson(status))}\n`);
			else sayStatus(context, status, input);
		} finally {
			views.close();
		}
		return exitCodes.done;
	},
};

interface Status {
	readonly database: string;
	readonly daemon: { readonly pid: number; readonly url: string; readonly since: number } | undefined;
	readonly sources: readonly SourceView[];
	readonly targets: readonly TargetView[];
	/** Names of the targets in the configuration. */
	readonly configured: readonly string[];
	readonly held: readonly HeldPlanView[];
	readonly pins: readonly NamedPin[];
	readonly quarantine: readonly QuarantineView[];
}

type NamedPin = ReturnType<Views["pins"]> extends IterableIterator<infer Pin> ? Pin : never;

/** Most set aside, and most pinned, that a person is shown; `--json` has all. */
const QUARANTINE_SHOWN = 50;

function neverRead(source: string): SourceView {
	return {
		source,
		lastRun: undefined,
		lastSuccess: { full: undefined, delta: undefined },
		sealed: undefined,
		entries: 0,
		held: {},
		quarantined: 0,
		strategy: undefined,
		groups: 0,
		memberships: 0,
	};
}

async function daemonOf({ doors }: Context, database: string): Promise<Status["daemon"]> {
	const holder = await doors.holder(database);
	return holder?.url === undefined ? undefined : { pid: holder.pid, url: holder.url, since: holder.since };
}

function statusJson({ database, daemon, sources, targets, configured, held, pins, quarantine }: Status): object {
	return {
		database,
		daemon: daemon === undefined ? null : { ...daemon, since: instant(daemon.since) },
		sources: sources.map(sourceJson),
		targets: targets.map((target) => targetJson(target, configured.includes(target.target))),
		held: held.map(({ plan, source, since, kinds, changes }) => ({ plan, source, since: instant(since), kinds, changes: changes.length })),
		pins: pins.map((pin) => ({ source: pin.source, anchor: pin.anchor, name: pin.name, ...pinJson(pin) })),
		quarantine: quarantine.map((entry) => ({ ...entry, since: instant(entry.since) })),
	};
}

function sayStatus({ out, clock }: Context, status: Status, input: Input): void {
	const ago = (at: number | undefined): string => (at === undefined ? "never" : `${formatDuration(Math.max(0, clock() - at))} ago`);
	const title = (text: string): void => out.write(`\n${out.paint("bold", text)}\n`);
	const table = (rows: readonly (readonly string[])[]): void => out.write(`${alignColumns(rows.map((row) => ["", ...row])).join("\n")}\n`);

	out.write(`${out.paint("dim", "database")} ${status.database}\n`);
	const { daemon } = status;
	out.write(
		`${out.paint("dim", "daemon")}   ${daemon === undefined ? "not running" : `${daemon.url}, process ${daemon.pid}, started ${ago(daemon.since)}`}\n`,
	);
	title("Sources");
	table([
		["source", "entries", "groups", "last run", "outcome", "last full", "sealed", "held", "quarantined", "changes by"].map((head) =>
			out.paint("dim", head),
		),
		...status.sources.map((source) => [
			source.source,
			count(source.entries),
			count(source.groups),
			ago(source.lastRun?.startedAt),
			source.lastRun === undefined ? "-" : out.paint(runColour(source.lastRun), source.lastRun.outcome),
			ago(source.lastSuccess.full),
			source.sealed === undefined ? "-" : source.sealed ? "yes" : out.paint("yellow", "no"),
			count(Object.values(source.held).reduce((sum, each) => sum + each, 0)),
			count(source.quarantined),
			source.strategy ?? "-",
		]),
	]);
	for (const { lastRun } of status.sources) for (const line of troubles(lastRun)) out.write(`  ${printable(line)}\n`);
	if (status.targets.length > 0) {
		title("Targets");
		table([
			["target", "accounts", "pending", "failed", "last error"].map((head) => out.paint("dim", head)),
			...status.targets.map((target) => [
				target.target,
				count(target.accounts),
				count(target.pending),
				count(target.failed),
				printable(target.lastError ?? ""),
			]),
		]);
		for (const target of status.targets) for (const line of targetNotes(target, status, input)) out.write(`  ${printable(line)}\n`);
	}
	for (const held of status.held) {
		title(`Held at ${held.source} since ${instant(held.since)}`);
		table(held.kinds.map((each) => [heldName(each), count(each.count), printable(each.limit)]));
		for (const verb of ["approve", "reject"]) out.write(`  ${out.paint("cyan", `dirsyncd ${verb} ${held.plan}${sameConfig(input)}`)}\n`);
	}
	if (status.pins.length > 0) {
		title(`Pinned (${count(status.pins.length)})`);
		table(status.pins.slice(0, QUARANTINE_SHOWN).map((pin) => [pin.source, printable(pin.name), printable(pinText(pin))]));
		const more = status.pins.length - QUARANTINE_SHOWN;
		if (more > 0) out.write(`  and ${count(more)} more: dirsyncd status --json${sameConfig(input)}\n`);
		out.write(`  let go of with: dirsyncd unpin USER${sameConfig(input)}\n`);
	}
	if (status.quarantine.length === 0) return;
	title(`Quarantined (${count(status.quarantine.length)})`);
	table(status.quarantine.slice(0, QUARANTINE_SHOWN).map((entry) => [entry.source, printable(entry.name), printable(entry.reason)]));
	const more = status.quarantine.length - QUARANTINE_SHOWN;
	if (more > 0) out.write(`  and ${count(more)} more: dirsyncd status --json${sameConfig(input)}\n`);
}

function targetNotes({ target, trouble, released, readBack }: TargetView, { configured }: Status, input: Input): readonly string[] {
	const counts = readBack?.counts;
	const drift = counts === undefined ? 0 : counts.changed + counts.missing;
	return [
		...(configured.includes(target)
			? []
			: [`${target}: not in the configuration any more, and left alone; dirsyncd forget ${target}${sameConfig(input)} forgets it`]),
		...(trouble === undefined ? [] : [`${target}: takes nothing since ${instant(trouble.since)}: ${trouble.because}`]),
		...(trouble?.hint === undefined ? [] : [`${target}: ${trouble.hint} Tried again at ${instant(trouble.retryAt)}.`]),
		...(released === 0 ? [] : [`${target}: ${count(released)} released, and left alone since`]),
		...(counts === undefined || drift === 0 || readBack === undefined
			? []
			: [`${target}: read back at ${instant(readBack.at)}: ${count(counts.changed)} changed there, ${count(counts.missing)} missing`]),
	];
}

function troubles(run: RunView | undefined): readonly string[] {
	if (run === undefined) return [];
	const { source, error } = run;
	// What made a run fail is also why it is not sealed; once is enough.
	const unsealed = run.unsealed
		.filter((reason) => error?.startsWith(reason) !== true)
		.map((reason) => `${source} is not sealed: ${reason}`);
	return error === undefined ? unsealed : [`${source}: ${error}`, ...unsealed];
}
