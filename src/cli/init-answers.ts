import { readFileSync } from "node:fs";
import path from "node:path";
import type { Config } from "../config/config.ts";
import { configProblemsOf } from "../config/problem.ts";
import { parseDn } from "../core/dn.ts";
import { Failure } from "../core/errors.ts";
import { alignColumns, printable } from "../lib/table.ts";
import type { Asking } from "./asking.ts";
import type { Input } from "./command.ts";
import type { CheckStep, Context, Survey } from "./context.ts";
import type { Draft } from "./init-text.ts";
import { count } from "./progress.ts";

/** What the questions need: who answers, and how an answer is tried. */
export interface Questions {
	readonly context: Context;
	readonly input: Input;
	/** Undefined: nobody is asked (--yes). */
	readonly asking: Asking | undefined;
	/** A configuration of what was answered so far. Throws CONFIG_INVALID. */
	readonly configOf: (answers: Answers, password: string) => Config;
	readonly say: (text: string) => void;
	readonly sayStep: (step: CheckStep) => void;
}

/** What has been answered; what has not is as good as anything. */
export type Answers = Pick<Draft, "servers" | "security" | "ca" | "user" | "bases" | "exclude" | "hasGroups">;

/** A password that is refused counts towards the account's lockout: after so many nobody is asked again. */
const MOST_PASSWORDS = 3;

/** Containers of those who are no people by their name, for a proposal. */
const NO_PEOPLE = /^(?:OU|CN)=[^,]*(?:service|svc|system|admin|test|shared|room|resource|disabled|dienst|funktion)/i;

const nothing: Answers = {
	servers: { kind: "urls", urls: [] },
	security: "tls",
	ca: undefined,
	user: "nobody",
	bases: ["DC=invalid"],
	exclude: [],
	hasGroups: false,
};

/** Asks for the servers until one of them answers and is trusted. */
export async function askServers(questions: Questions): Promise<Answers> {
	const { input, asking, say } = questions;
	let said = input.values.get("domain") ?? input.values.get("url");
	let ca = input.values.get("ca");
	for (;;) {
		said ??= await required(
			asking,
			"domain",
			"Domain (corp.example.com), or URLs of its domain controllers (ldaps://dc1.corp.example.com)",
		);
		const answers = { ...nothing, servers: serversIn(said), security: await askSecurity(questions, said), ca };
		const failed = await tryServers(questions, answers);
		if (failed === undefined) return answers;
		if (asking === undefined) throw new Failure("SOURCE_UNREACHABLE", `${failed.subject}: ${failed.detail}`, { hint: failed.remedy ?? "" });
		const isUntrusted =
			failed.step === "tls" && (await asking.ask("PEM file of the authority that signed the certificate (Enter: name other servers)", ""));
		if (isUntrusted) ca = path.resolve(questions.context.directory, isUntrusted);
		else {
			say("None of them can be used.\n");
			said = undefined;
		}
	}
}

function serversIn(said: string): Draft["servers"] {
	return said.includes("://")
		? { kind: "urls", urls: said.split(/[\s,;]+/).filter((url) => url !== "") }
		: { kind: "domain", domain: said };
}

async function askSecurity({ input, asking }: Questions, said: string): Promise<Draft["security"]> {
	if (input.flags.has("insecure")) return "clear";
	if (input.flags.has("start-tls")) return "start-tls";
	if (!said.includes("ldap://") || asking === undefined) return "tls";
	const answer = await asking.ask("ldap:// is not secured: by StartTLS (s), or the password in clear (c)?", "s");
	return /^c/i.test(answer) ? "clear" : "start-tls";
}

/** Returns the first failure when no server can be used. */
async function tryServers({ context, configOf, sayStep }: Questions, answers: Answers): Promise<CheckStep | undefined> {
	let failed: CheckStep | undefined;
	let isUsable = false;
	let isOpen = false;
	try {
		for await (const step of context.doors.tryServers(configOf(answers, "unknown"), context.signal)) {
			sayStep(step);
			if (step.state === "failed") failed ??= step;
			isOpen = step.step === "tcp" ? step.state === "passed" : isOpen;
			isUsable ||= isOpen && step.step === "tls" && step.state !== "failed";
		}
	} catch (error) {
		return problemStep(error, sayStep);
	}
	return isUsable ? undefined : (failed ?? { step: "dns", subject: "servers", state: "failed", detail: "there is none" });
}

/** What is no configuration, as a step that failed. */
function problemStep(error: unknown, sayStep: Questions["sayStep"]): CheckStep {
	const [problem] = configProblemsOf(error)?.problems ?? [];
	if (problem === undefined) throw error;
	const step: CheckStep = {
		step: "answer",
		subject: problem.value ?? problem.path,
		state: "failed",
		detail: problem.message,
		remedy: problem.remedy,
	};
	sayStep(step);
	return step;
}

/** Asks for the account until a server takes it, and counts what it sees. */
export async function askAccount(
	questions: Questions,
	servers: Answers,
): Promise<{ readonly answers: Answers; readonly password: string; readonly survey: Survey }> {
	const { context, input, asking, configOf, sayStep } = questions;
	let user = input.values.get("user");
	let password = passwordFrom(context, input);
	for (let tries = 1; ; tries++) {
		user ??= await required(asking, "user", "Account that reads, and may do nothing else (svc-dirsyncd@corp.example.com)");
		password ??= asking === undefined ? await required(asking, "password-file", "Password") : await asking.askSecret(`Password of ${user}`);
		const answers = { ...servers, user };
		try {
			const survey = await context.doors.survey(configOf(answers, password), context.signal);
			sayStep({ step: "bind", subject: `${user} at ${survey.server}`, state: "passed", detail: "is taken" });
			return { answers, password, survey };
		} catch (error) {
			if (!(error instanceof Failure) || error.code !== "SOURCE_REFUSED" || asking === undefined || tries >= MOST_PASSWORDS) throw error;
			sayStep({ step: "bind", subject: user, state: "failed", detail: error.message, remedy: error.hint });
			user = await asking.ask("Account", user);
			password = undefined;
		}
	}
}

function passwordFrom(context: Context, input: Input): string | undefined {
	const file = input.values.get("password-file");
	if (file === undefined) return undefined;
	try {
		const password = readFileSync(path.resolve(context.directory, file), "utf8").replace(/\r?\n$/, "");
		if (password !== "") return password;
	} catch (cause) {
		throw new Failure("SECRET_UNREADABLE", `the password in ${file} cannot be read`, {
			cause,
			hint: "Check the path given by --password-file.",
		});
	}
	throw new Failure("SECRET_UNREADABLE", `the password in ${file} is empty`, { hint: "Write it into the file." });
}

/** Shows where people are, and asks who of them is in scope. */
export async function askScope({ input, asking, say }: Questions, answers: Answers, survey: Survey): Promise<Answers> {
	say(placesText(survey));
	const bases = dnsIn(
		input.values.get("base") ?? (await asking?.ask("Base of the people in scope (several: divided by ;)", survey.base)) ?? survey.base,
	);
	const proposed = survey.places.filter(({ dn }) => NO_PEOPLE.test(dn)).map(({ dn }) => dn);
	const proposal = proposed.length === 0 ? "none" : proposed.join("; ");
	const left =
		input.values.get("exclude") ?? (await asking?.ask("Containers beneath it to leave out (several: divided by ;)", proposal)) ?? "none";
	const wantsGroups = async (): Promise<boolean> =>
		asking !== undefined &&
		survey.groups > 0 &&
		/^[yj]/i.test(await asking.ask(`Keep the groups, too, with their members (${count(survey.groups)})?`, "no"));
	const hasGroups = input.flags.has("groups") || (await wantsGroups());
	return { ...answers, bases, exclude: left === "none" ? [] : dnsIn(left), hasGroups };
}

/** So many containers are shown. */
const MOST_PLACES = 25;

function placesText({ base, people, places }: Survey): string {
	const rows = places.slice(0, MOST_PLACES).map(({ dn, people }) => [`  ${count(people)}`, printable(dn)]);
	const more = places.length > MOST_PLACES ? `  and ${places.length - MOST_PLACES} more containers\n` : "";
	return `${count(people)} people in ${printable(base)}:\n${alignColumns(rows).join("\n")}\n${more}`;
}

function dnsIn(text: string): readonly string[] {
	const dns = text.split(";").map((dn) => dn.trim());
	for (const dn of dns) {
		try {
			if (parseDn(dn).length > 0) continue;
		} catch (cause) {
			if (!(cause instanceof Failure)) throw cause;
		}
		throw new Failure("USAGE", `${JSON.stringify(dn)} is no DN`, { hint: "Write it as in OU=Staff,DC=corp,DC=example,DC=com." });
	}
	return dns;
}

async function required(asking: Asking | undefined, option: string, question: string): Promise<string> {
	if (asking !== undefined) return asking.ask(question);
	throw new Failure("USAGE", `--${option} is missing`, { hint: "With --yes nobody is asked: everything has to be said by options." });
}

/** What a failure says, where the questions end. */
export function endOf(step: CheckStep): Failure {
	return new Failure("SOURCE_REFUSED", `${step.subject}: ${step.detail}`, { hint: step.remedy ?? "" });
}
