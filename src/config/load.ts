import { readFileSync } from "node:fs";
import path from "node:path";
import { Failure } from "../core/errors.ts";
import type { Config } from "./config.ts";
import { type ConfigDocument, type Pick, readDocument } from "./document.ts";
import type { Environment } from "./expand.ts";
import { problemsOf } from "./issues.ts";
import { configFailure, type Problem } from "./problem.ts";
import { resolve } from "./resolve.ts";
import { makeSchema } from "./schema.ts";
import { reasonOf } from "./secrets.ts";
import { checkSemantics } from "./semantics.ts";
import { valueAt, withValue } from "./values.ts";

export interface Loaded {
	readonly config: Config;
	/** What works, but should not stay as it is. To be said at every start. */
	readonly warnings: readonly Problem[];
}

/**
 * Whether secrets that cannot be read are problems, or only when they are needed: systemd gives its credentials to the daemon
 * alone, and `status` or a `sync` that goes through the daemon should work without them.
 */
export type SecretNeed = "required" | "when-used";

/**
 * Reads and checks a configuration file. Throws CONFIG_INVALID with every problem (see `configProblemsOf`). `now` is Unix
 * milliseconds: certificates are looked at, too.
 */
export function loadConfig(file: string, environment: Environment, secrets: SecretNeed = "required", now = Date.now()): Loaded {
	const absolute = path.resolve(file);
	const text = readText(absolute);
	const look = (pick: Pick) => examine(absolute, text, pick, { environment, secrets, now });
	const last = look("last");
	const problems = new Map<string, Problem>();
	// A key that stands twice is a problem of its own, and each of the two may have others.
	const examined = last.config === undefined ? [last, look("first")] : [last];
	for (const problem of examined.flatMap((each) => each.problems)) {
		const said = `${problem.line}:${problem.column}:${problem.message}`;
		if (!problems.has(said)) problems.set(said, problem);
	}
	if (last.config !== undefined && problems.size === 0) return { config: last.config, warnings: last.warnings };
	throw configFailure(
		absolute,
		[...problems.values()].sort((a, b) => a.line - b.line || a.column - b.column),
	);
}

interface Examined {
	readonly config: Config | undefined;
	readonly problems: readonly Problem[];
	readonly warnings: readonly Problem[];
}

interface Surroundings {
	readonly environment: Environment;
	readonly secrets: SecretNeed;
	readonly now: number;
}

function examine(file: string, text: string, pick: Pick, { environment, secrets, now }: Surroundings): Examined {
	const document = readDocument(text, environment, pick);
	const semantics = checkSemantics(document, environment, path.dirname(file), now);
	const result = validate(document);
	const problems = [...document.problems, ...(result.success ? [] : problemsOf(result.error.issues, document)), ...semantics.problems];
	// Beside other problems they are said in any case: all at once is the promise.
	if (secrets === "required" || problems.length > 0) problems.push(...semantics.secretProblems);
	const config = result.success && problems.length === 0 ? resolve(file, result.data, semantics) : undefined;
	return { config, problems, warnings: semantics.warnings };
}

/** `${…}` gives text; where a number or true or false belongs, a text that says one is taken for it. */
function validate(document: ConfigDocument) {
	const schema = makeSchema();
	const result = schema.safeParse(document.values);
	if (result.success) return result;
	let values = document.values;
	for (const issue of result.error.issues) {
		const at = issue.path.map((step) => (typeof step === "number" ? step : String(step)));
		const given = valueAt(values, at);
		const isPlain = typeof given === "string" && /^(?:true|false|-?\d+(?:\.\d+)?)$/.test(given);
		if (isPlain && document.isExpanded(at) && issue.code !== "custom")
			values = withValue(values, at, JSON.parse(given.replace(/^(-?)0+(?=\d)/, "$1")));
	}
	return values === document.values ? result : schema.safeParse(values);
}

/** The text of a configuration file. Throws CONFIG_INVALID. */
export function readText(file: string): string {
	try {
		// Editors on Windows put a byte order mark in front.
		return readFileSync(file, "utf8").replace(/^\uFEFF/, "");
	} catch (cause) {
		throw new Failure("CONFIG_INVALID", `the configuration ${file} cannot be read: ${reasonOf(cause)}`, {
			cause,
			hint: "Give the path by --config FILE or DIRSYNCD_CONFIG; config/dirsyncd.example.yaml is a complete one to start from.",
		});
	}
}
