import type { z } from "zod";
import { nearest } from "../lib/nearest.ts";
import type { ConfigDocument } from "./document.ts";
import { missingFlaw } from "./missing.ts";
import { type Path, type Problem, showPath } from "./problem.ts";
import { makeSchema } from "./schema.ts";
import { valueAt, withValue } from "./values.ts";
import { keysAt, laterType, meantKey } from "./vocabulary.ts";

type Issue = z.core.$ZodIssue;

/** What the schema found, in our words and at its place in the file. What was said before, or hangs on it, is left out. */
export function problemsOf(issues: readonly Issue[], document: ConfigDocument): readonly Problem[] {
	const flat = issues.flatMap((issue) => flatten(issue, []));
	// The other keys of a source or target of a later type are as unknown as the type: that is one mistake and not many.
	const later = flat.filter(
		(issue) => issue.path.at(-1) === "type" && laterType(issue.path, valueAt(document.values, issue.path)) !== undefined,
	);
	const misspelled = misspellings(flat);
	return flat
		.filter((issue) => !document.isUnknown(issue.path))
		.filter(
			(issue) => !later.some((other) => other !== issue && isWithin(issue.path, other.path.slice(0, -1)) && issue.path.at(-1) !== "name"),
		)
		.filter((issue) => !isMissing(issue, document) || (!misspelled.has(showPath(issue.path)) && !document.mayBeUnread(issue.path)))
		.flatMap((issue) => asProblems(issue, document));
}

/** How a value may be shown: as written, but for secrets and whole maps and lists, which may hold some. */
export function shownValue(document: ConfigDocument, path: Path): string | undefined {
	const value = valueAt(document.values, path);
	if (typeof value === "object" && value !== null) return Array.isArray(value) ? "[…]" : "{…}";
	const written = document.written(path);
	if (written === undefined || written === "") return undefined;
	return isSecretPath(path) || /:\/\/[^/\s]*@|:\/\/\S*\?|-----BEGIN/.test(written) ? "[secret]" : written;
}

/** A place that holds a secret itself, not the name of the file, variable or credential it is in. */
function isSecretPath(path: Path): boolean {
	const places: readonly (string | number | undefined)[] = ["file", "env", "credential", "dpapi", "tokenUrl"];
	// A text where the map around a secret belongs is one, most likely.
	if (["auth", "basic", "oauth"].includes(String(path.at(-1)))) return true;
	return path.some((step) => typeof step === "string" && /pass|secret|token|bearer/i.test(step)) && !places.includes(path.at(-1));
}

type Flat<T> = T extends Issue ? Omit<T, "path"> & { readonly path: Path } : never;
type FlatIssue = Flat<Exclude<Issue, { code: "invalid_union" }>>;
type UnionIssue = { readonly code: "invalid_union_flat"; readonly path: Path; readonly expected: readonly string[] };

/** A union's issues are those of the branch that the value was meant for; of several or none, the union itself. */
function flatten(issue: Issue, above: Path): readonly (FlatIssue | UnionIssue)[] {
	const path = [...above, ...issue.path.map((step) => (typeof step === "number" ? step : String(step)))];
	if (issue.code !== "invalid_union") return [{ ...issue, path } as unknown as FlatIssue];
	const branches = issue.errors.filter((branch) => !branch.some((each) => each.path.length === 0 && isOfKind(each)));
	const [meant] = branches;
	if (branches.length === 1 && meant !== undefined) return meant.flatMap((each) => flatten(each, path));
	const expected = issue.errors.flatMap((branch) => branch.filter((each) => each.path.length === 0).flatMap(expectation));
	return [{ code: "invalid_union_flat", path, expected: [...new Set(expected)] }];
}

function isOfKind(issue: Issue): boolean {
	return issue.code === "invalid_type" || issue.code === "invalid_value";
}

function expectation(issue: Issue): readonly string[] {
	if (issue.code === "invalid_type") return [kinds[issue.expected] ?? issue.expected];
	if (issue.code === "invalid_value") return issue.values.map((value) => `"${String(value)}"`);
	return [];
}

/** Paths of keys that are missing because an unknown key beside them is probably meant. */
function misspellings(issues: readonly (FlatIssue | UnionIssue)[]): ReadonlySet<string> {
	const meant = new Set<string>();
	for (const issue of issues) {
		if (issue.code !== "unrecognized_keys") continue;
		for (const name of issue.keys) {
			const known = meantKey(issue.path, name);
			if (known !== undefined) meant.add(showPath([...issue.path, known]));
		}
	}
	return meant;
}

function isWithin(path: Path, above: Path): boolean {
	return above.every((step, index) => path[index] === step);
}

function isMissing(issue: FlatIssue | UnionIssue, document: ConfigDocument): boolean {
	return valueAt(document.values, issue.path) === undefined && document.written(issue.path) === undefined;
}

function asProblems(issue: FlatIssue | UnionIssue, document: ConfigDocument): readonly Problem[] {
	const { path } = issue;
	if (issue.code === "unrecognized_keys") return unknownKeys(path, issue.keys, document);
	const value = shownValue(document, path);
	if (isMissing(issue, document)) {
		return [{ ...document.placeOfKey(path), path: showPath(path), value: undefined, ...missingFlaw(path) }];
	}
	const { message, remedy } = wording(issue, valueAt(document.values, path), document);
	return [{ ...document.placeOf(path), path: showPath(path), value, message, remedy }];
}

/** Within braces the commas of a DN without quotes make keys of its parts: one mistake and not many. */
function unknownKeys(above: Path, names: readonly string[], document: ConfigDocument): readonly Problem[] {
	const parts = names.filter((name) => name.includes("="));
	const [part] = parts;
	const unknown = names.filter((name) => !parts.includes(name)).map((name) => unknownKey(above, name, document));
	if (part === undefined) return unknown;
	const path = [...above, part];
	const message = "a part of a DN where a key belongs";
	return [...unknown, { ...document.placeOfKey(path), path: showPath(path), value: part, message, remedy: "put the whole DN in quotes" }];
}

function unknownKey(above: Path, name: string, document: ConfigDocument): Problem {
	const path = [...above, name];
	const place = { ...document.placeOfKey(path), path: showPath(path), value: name };
	const meant = meantKey(above, name);
	const remedy = meant === undefined ? `remove it; known here: ${keysAt(above).join(", ")}` : `write ${meant}`;
	return { ...place, message: "an unknown key", remedy };
}

interface Wording {
	readonly message: string;
	readonly remedy: string;
}

function wording(issue: Exclude<FlatIssue | UnionIssue, { code: "unrecognized_keys" }>, value: unknown, document: ConfigDocument): Wording {
	switch (issue.code) {
		case "custom":
			return { message: issue.message, remedy: String(issue.params?.["remedy"] ?? "") };
		case "invalid_type":
			return wrongKind(issue.path, [kinds[issue.expected] ?? issue.expected], value, document);
		case "invalid_union_flat":
			return wrongKind(issue.path, issue.expected, value, document);
		case "invalid_value":
			return wrongChoice(issue.path, issue.values.map(String), value);
		case "too_small":
			return tooSmall(issue);
		case "too_big":
			return { message: "too much", remedy: `at most ${issue.maximum}` };
		default:
			return { message: issue.message, remedy: "see the commented example, config/dirsyncd.example.yaml" };
	}
}

function tooSmall(issue: { readonly origin: string; readonly minimum: number | bigint }): Wording {
	if (issue.origin === "array") return { message: "an empty list", remedy: "write at least one" };
	return { message: "too little", remedy: `at least ${issue.minimum}` };
}

function wrongKind(path: Path, expected: readonly string[], value: unknown, document: ConfigDocument): Wording {
	const message = `${kindOf(value)} where ${expected.join(" or ")} belongs`;
	if (expected.join() === "text" && (typeof value === "number" || typeof value === "boolean")) {
		const flaw = flawAsText(path, String(value), document);
		if (flaw !== undefined) return flaw;
	}
	if (expected.includes("text") && value !== null && typeof value !== "object") return { message, remedy: "put it in quotes" };
	if ((path[0] === "mapping" || path[2] === "mapping") && typeof value === "object" && value !== null) {
		return { message, remedy: `put the template in quotes: "${document.written(path) ?? "{attribute}"}"` };
	}
	if (expected.includes("true or false")) return { message, remedy: "write true or false" };
	if (typeof value === "string" && /^\d+(\.\d+)? ?%$/.test(value))
		return { message, remedy: `write ${value.replace(/ ?%/, "")}, without the percent sign` };
	if (expected.some((each) => each.includes("number")) && typeof value === "string")
		return { message, remedy: "write a plain number, without quotes or units" };
	if (expected.join() === "a list" && typeof value === "string") return { message, remedy: `write ["${value}"]` };
	return { message, remedy: `write ${expected.join(" or ")}${shapes(expected)}` };
}

/** What would be wrong with a number if it were text: 30 is no duration, with quotes or without. */
function flawAsText(path: Path, text: string, document: ConfigDocument): Wording | undefined {
	const { error } = makeSchema().safeParse(withValue(document.values, path, text));
	const issue = error?.issues.find((each) => each.code === "custom" && showPath(each.path as Path) === showPath(path));
	return issue?.code === "custom" ? wording({ ...issue, path }, text, document) : undefined;
}

function wrongChoice(path: Path, known: readonly string[], value: unknown): Wording {
	const given = typeof value === "string" ? value : "";
	const later = laterType(path, value);
	const choices = known.length === 1 ? `write ${known[0]}` : `write one of ${known.join(", ")}`;
	if (later !== undefined) return { message: `this version of dirsyncd does not do ${String(path.at(-1))}: ${given} yet`, remedy: choices };
	const meant = typeof value === "string" ? nearest(given, known) : undefined;
	return {
		message: "not a known value",
		remedy: meant === undefined ? choices : `write ${meant}${known.length > 1 ? ` (known: ${known.join(", ")})` : ""}`,
	};
}

function shapes(expected: readonly string[]): string {
	if (expected.includes("a list")) return ", as in [one, two]";
	return expected.includes("a map") ? ", as in { key: value }" : "";
}

const kinds: Readonly<Record<string, string>> = {
	string: "text",
	number: "a number",
	int: "a whole number",
	boolean: "true or false",
	array: "a list",
	object: "a map",
	record: "a map",
};

function kindOf(value: unknown): string {
	if (value === null || value === undefined) return "nothing";
	if (Array.isArray(value)) return "a list";
	if (typeof value === "object") return "a map";
	if (typeof value === "boolean") return "true or false";
	return typeof value === "number" ? "a number" : "text";
}
