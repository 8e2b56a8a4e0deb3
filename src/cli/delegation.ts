import { Failure } from "../core/errors.ts";
import { printable } from "../lib/table.ts";
import { sayStep, stepJson } from "./check-step.ts";
import type { Input } from "./command.ts";
import { chosenSources, loadWhole } from "./configuration.ts";
import type { Context, Delegation } from "./context.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";

/** The scripts that `--script` prints, each alone. */
export const scriptKinds = ["powershell", "dsacls", "dsacls-undo"] as const;
type ScriptKind = (typeof scriptKinds)[number];

/** Options that say nothing but with `--delegation`. Throws Failure USAGE. */
export function refuseWithout({ flags, values }: Input): void {
	if (!flags.has("everything") && values.get("script") === undefined) return;
	throw new Failure("USAGE", "--everything and --script go with --delegation", { hint: "dirsyncd check --delegation --everything" });
}

/** What each source's account is to be granted: for a person, as JSON, or one script that can be written to a file. */
export async function sayDelegation(context: Context, input: Input): Promise<ExitCode> {
	const { out } = context;
	const script = scriptAsked(input);
	for (const other of ["target", "notify"]) {
		if (input.values.has(other))
			throw new Failure("USAGE", `--delegation and --${other} exclude each other`, { hint: "--source chooses among directories" });
	}
	const { config } = loadWhole(context, input);
	const chosen = chosenSources({ config, warnings: [] }, input);
	// One that is named is asked for whatever it is, and says so; of all of them only these have something to delegate.
	const fitting = chosen.filter(({ type }) => type === "active-directory");
	const sources = fitting.length > 0 ? fitting : chosen;
	if (script !== undefined && sources.length > 1) {
		throw new Failure("USAGE", "--script prints the commands of one source", {
			hint: `name it by --source: ${sources.map(({ name }) => name).join(", ")}`,
		});
	}
	const extent = input.flags.has("everything") ? "everything" : "lacking";
	const all: object[] = [];
	for (const { name } of sources) {
		const delegation = await context.doors.delegation(config, name, extent, context.signal);
		if (script !== undefined) out.write(textOf(delegation, script));
		else if (input.isJson) all.push({ source: name, ...delegation, findings: delegation.findings.map(stepJson) });
		else sayWhole(context, name, delegation);
	}
	if (input.isJson) out.write(`${JSON.stringify(all)}\n`);
	return exitCodes.done;
}

function scriptAsked({ values, isJson }: Input): ScriptKind | undefined {
	const asked = values.get("script");
	if (asked === undefined) return undefined;
	const kind = scriptKinds.find((each) => each === asked);
	if (kind === undefined)
		throw new Failure("USAGE", `there is no script ${JSON.stringify(asked)}`, { hint: `the scripts are ${scriptKinds.join(", ")}` });
	if (isJson) throw new Failure("USAGE", "--script and --json exclude each other", { hint: "the JSON has all scripts" });
	return kind;
}

function textOf({ powershell, dsacls, dsaclsUndo }: Delegation, kind: ScriptKind): string {
	return { powershell, dsacls, "dsacls-undo": dsaclsUndo }[kind];
}

function sayWhole(context: Context, source: string, delegation: Delegation): void {
	const { out } = context;
	out.write(`${out.paint("bold", source)}: ${printable(delegation.account.name)} at ${delegation.server}\n\n`);
	for (const step of delegation.findings) sayStep(context, step);
	out.write("\n");
	for (const remark of delegation.remarks) out.write(`- ${printable(remark)}\n`);
	if (delegation.grants.length === 0) return;
	for (const kind of scriptKinds) {
		// Lines of a batch file end as cmd wants them; a terminal does not need that.
		const text = textOf(delegation, kind).replaceAll("\r\n", "\n").trimEnd();
		out.write(`\n${out.paint("bold", `--- ${kind}: dirsyncd check --delegation --source ${source} --script ${kind} > FILE`)}\n${text}\n`);
	}
}
