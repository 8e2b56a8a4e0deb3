import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Loaded, loadConfig } from "../../src/config/load.ts";
import { configProblemsOf, type Problem } from "../../src/config/problem.ts";

/** A directory of its own with these files in it. */
export function directoryWith(files: Readonly<Record<string, string>>): string {
	const directory = mkdtempSync(path.join(tmpdir(), "dirsyncd-config-"));
	for (const [name, text] of Object.entries(files)) writeFileSync(path.join(directory, name), text, { mode: 0o600 });
	return directory;
}

/** Loads a text as dirsyncd.yaml. */
export function load(
	text: string,
	environment: Readonly<Record<string, string>> = {},
	files: Readonly<Record<string, string>> = {},
): Loaded {
	return loadConfig(path.join(directoryWith({ ...files, "dirsyncd.yaml": text }), "dirsyncd.yaml"), environment);
}

/** The problems of a text; none when it loads. */
export function problemsIn(
	text: string,
	environment: Readonly<Record<string, string>> = {},
	files: Readonly<Record<string, string>> = {},
): readonly Problem[] {
	try {
		load(text, environment, files);
		return [];
	} catch (error) {
		const found = configProblemsOf(error);
		if (found === undefined) throw error;
		return found.problems;
	}
}

/** `line:column path` of each problem. */
export function placesOf(problems: readonly Problem[]): readonly string[] {
	return problems.map((problem) => `${problem.line}:${problem.column} ${problem.path}`);
}

/** A configuration without problems, in which single lines are replaced. */
export function good(replacements: Readonly<Record<string, string>> = {}): string {
	const lines = [
		"sources:",
		"  - name: corp",
		"    type: active-directory",
		"    urls: [ldaps://dc1.corp.example.com]",
		"    bind: { user: svc@corp.example.com, password: secret-of-svc }",
		"    base: DC=corp,DC=example,DC=com",
	];
	const texts = lines.map(
		(line) => Object.entries(replacements).find(([start]) => line.trimStart().replace(/^- /, "").startsWith(`${start}:`))?.[1] ?? line,
	);
	return `${[...texts, ...(replacements["+"] === undefined ? [] : [replacements["+"]])].join("\n")}\n`;
}
