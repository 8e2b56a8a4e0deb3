import { chmodSync, closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Config } from "../config/config.ts";
import { dnsDomain } from "../core/dn.ts";
import { Failure } from "../core/errors.ts";
import type { PlanResult } from "../engine.ts";
import { openAsking } from "./asking.ts";
import { sayStep, stepJson } from "./check-step.ts";
import type { Command, Input } from "./command.ts";
import type { CheckStep, Context } from "./context.ts";
import { reading } from "./database.ts";
import { exitCodes } from "./exit-codes.ts";
import { sayWarnings } from "./failure-text.ts";
import { type Answers, askAccount, askScope, askServers, endOf, type Questions } from "./init-answers.ts";
import { type Places, placesOf } from "./init-places.ts";
import { type Draft, draftText } from "./init-text.ts";
import { count, showProgress } from "./progress.ts";

export const initCommand: Command = {
	name: "init",
	usage: "[--output FILE]",
	summary: "asks for domain and account, tries them, and writes a first configuration",
	details: `Asks for the domain or its servers, the account and its password, the private authority if there is one, and the scope; tries each
answer at once as "check" does; shows what a first run would do; and writes the configuration, with comments, and the password
into secrets/ beside it, for its owner alone; of an installed service, whose configuration it is then, as systemd's credential.
Writes nothing before all of it works, and never over a file that is there.
What is given by an option is not asked for; with --yes nothing is. For sources of type active-directory.`,
	options: {
		output: { kind: "value", placeholder: "FILE", summary: "the configuration to be written; else $DIRSYNCD_CONFIG, else ./dirsyncd.yaml" },
		domain: { kind: "value", placeholder: "NAME", summary: "the domain: DNS names its domain controllers" },
		url: {
			kind: "value",
			placeholder: "URLS",
			summary: "in its place: domain controllers, as in ldaps://dc1.corp.example.com,ldaps://dc2.corp.example.com",
		},
		ca: { kind: "value", placeholder: "FILE", summary: "PEM of the private authority that signed their certificates" },
		"start-tls": { kind: "flag", summary: "secures ldap:// by StartTLS" },
		insecure: { kind: "flag", summary: "allows the password in clear" },
		user: { kind: "value", placeholder: "NAME", summary: "the account that reads" },
		"password-file": { kind: "value", placeholder: "FILE", summary: "a file that holds its password" },
		base: { kind: "value", placeholder: "DN", summary: "the base of the people in scope; several are divided by ;" },
		exclude: { kind: "value", placeholder: "DN", summary: "containers beneath it to leave out; several are divided by ;" },
		groups: { kind: "flag", summary: "keeps groups, too" },
		yes: { kind: "flag", summary: "asks nothing" },
	},
	operands: [0, 0],
	run: async (context, input) => {
		const output = path.resolve(
			context.directory,
			input.values.get("output") ?? (context.environment["DIRSYNCD_CONFIG"] || "dirsyncd.yaml"),
		);
		refuseThere(output, "Name another file by --output, or move that one away: it is never overwritten.");
		const asking = input.flags.has("yes") ? undefined : openAsking(process.stdin, context.err, context.signal);
		const said: CheckStep[] = [];
		const questions: Questions = {
			...{ context, input, asking },
			configOf: (answers, password) => tried(context, output, answers, password),
			say: (text) => (input.isJson ? context.err : context.out).write(text),
			sayStep: (step) => {
				said.push(step);
				if (!input.isJson) sayStep(context, step);
			},
		};
		try {
			const servers = await askServers(questions);
			const { answers: known, password, survey } = await askAccount(questions, servers);
			const answers = await askScope(questions, known, survey);
			const config = questions.configOf(answers, password);
			await checkWhole(questions, config);
			const plan = await firstPlan(context, config);
			const name = nameOf(survey.base);
			const ca = answers.ca && path.resolve(context.directory, answers.ca);
			const places = placesOf(output, name, ca, context.environment);
			write(context, output, places, { ...answers, name }, password);
			if (input.isJson) {
				const { summary, sealed, quarantined } = plan;
				const facts = { config: output, secret: places.secret, people: survey.people, plan: { summary, sealed, quarantined } };
				context.out.write(`${JSON.stringify({ ...facts, steps: said.map(stepJson) })}\n`);
				return exitCodes.done;
			}
			sayEnd(context, input, output, places, plan);
			return exitCodes.done;
		} finally {
			asking?.close();
		}
	},
};

function refuseThere(file: string, hint: string): void {
	if (existsSync(file)) throw new Failure("USAGE", `${file} is there already`, { hint });
}

/** A configuration of the answers, never written but for the moment of its reading, and without the password. */
function tried(context: Context, output: string, answers: Answers, password: string): Config {
	const folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-init-"));
	try {
		const file = path.join(folder, "draft.yaml");
		const database = path.join(path.dirname(output), "data/dirsyncd.db");
		const ca = answers.ca && path.resolve(context.directory, answers.ca);
		const draft: Draft = { ...answers, ca, name: NAME, password: { env: VARIABLE }, database };
		writeFileSync(file, draftText(draft, ""), { mode: 0o600 });
		return context.doors.loadConfig(file, { ...context.environment, [VARIABLE]: password }, "required").config;
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}

/** Of a source whose domain is not known yet. */
const NAME = "corp";
const VARIABLE = "DIRSYNCD_INIT_PASSWORD";

function nameOf(base: string): string {
	const label = dnsDomain(base)?.split(".")[0]?.toLowerCase() ?? "";
	return /^[a-z][a-z0-9-]{0,30}$/.test(label) ? label : NAME;
}

/** Everything else that `check` looks at, now that the base is known. */
async function checkWhole({ context, sayStep }: Questions, config: Config): Promise<void> {
	let failed: CheckStep | undefined;
	for await (const step of context.doors.diagnose(config, NAME, context.signal)) {
		sayStep(step);
		if (step.state === "failed") failed ??= step;
	}
	if (failed !== undefined) throw endOf(failed);
}

async function firstPlan(context: Context, config: Config): Promise<PlanResult> {
	const progress = showProgress(context);
	try {
		return await reading(context, config, async (planner) => {
			const plan = await planner.plan({ source: NAME, mode: "full" }, progress, context.signal);
			plan.close();
			return plan;
		});
	} finally {
		progress.end();
	}
}

/** Writes secret and configuration, in this order, and reads them as they are. */
function write(context: Context, output: string, places: Places, answers: Answers & { readonly name: string }, password: string): void {
	const { secret, copy } = places;
	const folder = path.dirname(output);
	refuseThere(secret, "Move it away, or write the configuration elsewhere by --output.");
	if (copy !== undefined) refuseThere(copy.to, "Move it away, or name it by --ca if it is the one.");
	const draft: Draft = { ...answers, ca: places.ca, password: places.password, database: places.database };
	const made: string[] = [];
	try {
		mkdirSync(path.dirname(secret), { recursive: true, mode: 0o700 });
		if (copy !== undefined) copyForAll(copy.from, copy.to, made);
		writeNew(secret, `${password}\n`, 0o600, made);
		writeNew(output, draftText(draft, new Date(context.clock()).toISOString().slice(0, 10)), 0o640, made);
	} catch (cause) {
		// What is left would be refused as there already, when init is run again.
		for (const file of made) rmSync(file, { force: true });
		throw new Failure("OUTPUT_UNWRITABLE", `${folder} cannot be written: ${cause instanceof Error ? cause.message : String(cause)}`, {
			cause,
			hint: "Check that the folder is there and may be written, or name another by --output.",
		});
	}
	const { config, warnings } = context.doors.loadConfig(output, context.environment, "required");
	sayWarnings(context.err, config.file, warnings);
}

/** What is no secret, and is read by the service's user. */
function copyForAll(from: string, to: string, made: string[]): void {
	writeNew(to, readFileSync(from), 0o644, made);
	chmodSync(to, 0o644);
}

/** Never over what is there; noted in `made` as soon as it is there, though not yet whole. */
function writeNew(file: string, content: string | Buffer, mode: number, made: string[]): void {
	const descriptor = openSync(file, "wx", mode);
	made.push(file);
	try {
		writeFileSync(descriptor, content);
	} finally {
		closeSync(descriptor);
	}
}

function sayEnd(
	{ out }: Context,
	input: Input,
	output: string,
	{ secret, start }: Places,
	{ summary, sealed, unsealed, quarantined, read }: PlanResult,
): void {
	const aside = quarantined === 0 ? "" : `, and set ${count(quarantined)} aside`;
	const changes = Object.entries(summary).filter(([, number]) => number > 0);
	const what = changes.length === 0 ? "change nothing" : changes.map(([kind, number]) => `${kind} ${count(number)}`).join(", ");
	out.write(`\nA first run would read ${count(read)} people and ${what}${aside}.\n`);
	if (!sealed) out.write(`It would not see everything: ${unsealed.join("; ")}.\n`);
	out.write(`${output} and ${secret} are written.\n`);
	const option = input.values.has("output") ? ` --config ${output}` : "";
	out.write(`Next: "dirsyncd plan${option}" shows each account and why; "${start ?? `dirsyncd run${option}`}" makes them, and goes on.\n`);
}
