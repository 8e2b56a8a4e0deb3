import {
	type Document,
	isAlias,
	isCollection,
	isMap,
	isNode,
	isPair,
	isScalar,
	isSeq,
	LineCounter,
	type Node,
	parseDocument,
	type YAMLError,
} from "yaml";

/** A document read as far as it can be, with what had to be set aside. */
export interface Repaired {
	readonly document: Document.Parsed;
	readonly counter: LineCounter;
	readonly mistakes: readonly Mistake[];
	/** Lines (from 1) whose text was set aside: what should stand there is not missing but unreadable. */
	readonly setAside: ReadonlySet<number>;
}

/** One mistake in the YAML itself; `offset` counts from the start of the file. */
export interface Mistake {
	readonly offset: number;
	readonly message: string;
	readonly remedy: string;
}

/** More broken lines than this, and it is not a YAML file at all. */
const MOST_REPAIRS = 40;

/**
 * Reads YAML and goes on behind a mistake: one unclosed bracket should not hide what is wrong in the rest of the file. The line
 * that breaks the document is blanked, trying those around the place where the reader stumbled, and the rest is read again.
 */
export function readRepairing(source: string): Repaired {
	const mistakes: Mistake[] = [];
	const setAside = new Set<number>();
	let attempt = read(source);
	for (let repairs = 0; attempt.breaking.length > 0 && repairs < MOST_REPAIRS; repairs++) {
		const repair = bestRepair(attempt);
		mistakes.push(repair.mistake);
		setAside.add(repair.line);
		attempt = read(repair.text);
	}
	for (const error of attempt.errors) mistakes.push(asMistake(error, error.pos[0]));
	return { document: attempt.document, counter: attempt.counter, mistakes, setAside };
}

interface Attempt {
	readonly text: string;
	readonly document: Document.Parsed;
	readonly counter: LineCounter;
	readonly errors: readonly YAMLError[];
	readonly breaking: readonly YAMLError[];
}

/** Errors of one value or key, which leave everything around them readable. */
const CONFINED: ReadonlySet<string> = new Set([
	"DUPLICATE_KEY",
	"BAD_SCALAR_START",
	"BAD_DQ_ESCAPE",
	"TAG_RESOLVE_FAILED",
	"KEY_OVER_1024_CHARS",
]);

function read(text: string): Attempt {
	const counter = new LineCounter();
	const document = parseDocument(text, { lineCounter: counter, prettyErrors: false, stringKeys: true });
	const errors = [...document.errors, ...document.warnings].sort((a, b) => a.pos[0] - b.pos[0]);
	return { text, document, counter, errors, breaking: errors.filter((error) => !CONFINED.has(error.code)) };
}

interface Repair {
	readonly text: string;
	readonly line: number;
	readonly mistake: Mistake;
}

/** Of all ways to blank one line near the first error, the one that leaves the fewest errors; of equals, the smallest loss. */
function bestRepair({ text, document, counter, breaking }: Attempt): Repair {
	const [first] = breaking;
	if (first === undefined) throw new Error("nothing to repair");
	const noticed = counter.linePos(first.pos[0]).line;
	const opened = enclosingStart(document, first.pos[0]);
	const ends = counter.linePos(Math.max(first.pos[0], first.pos[1] - 1)).line;
	const lines = [opened === undefined ? noticed : counter.linePos(opened).line, noticed, ends, lineBefore(text, noticed)];

	let best: { repair: Repair; left: number } | undefined;
	for (const line of new Set(lines)) {
		for (const blanked of blankings(text, line)) {
			const left = read(blanked).breaking.length;
			if (best !== undefined && left >= best.left) continue;
			const offset =
				line === noticed ? first.pos[0] : opened !== undefined && counter.linePos(opened).line === line ? opened : textStart(text, line);
			best = { repair: { text: blanked, line, mistake: asMistake(first, Math.min(offset, text.length)) }, left };
		}
	}
	if (best === undefined) {
		// The error is behind the last line of text: nothing of it can be used.
		return { text: text.replaceAll(/[^\n]/g, " "), line: noticed, mistake: asMistake(first, first.pos[0]) };
	}
	return best.repair;
}

/** The text with the value on a line blanked, then with all of the line. Offsets stay as they are. */
function blankings(text: string, line: number): readonly string[] {
	const lines = text.split("\n");
	const whole = lines[line - 1] ?? "";
	if (whole.trim() === "") return [];
	const key = /^\s*(?:- +)*(?:"[^"]*"|'[^']*'|[\w.$-]+)\s*:(?=\s)/.exec(whole)?.[0];
	const kept = key === undefined || whole.slice(key.length).trim() === "" ? [] : [key];
	return [...kept, ""].map((keep) => lines.with(line - 1, keep.padEnd(whole.length)).join("\n"));
}

/** Where the innermost bracket, brace or quote begins within which an error was noticed. */
function enclosingStart(document: Document.Parsed, offset: number): number | undefined {
	let start: number | undefined;
	const descend = (node: unknown): void => {
		if (isPair(node)) {
			descend(node.key);
			descend(node.value);
			return;
		}
		if (!isNode(node)) return;
		const range = (node as Node).range;
		// An error of an unclosed bracket is noticed just behind what was read of it.
		if (range == null || range[0] > offset || range[2] < offset) return;
		const quoted = isScalar(node) && (node.type === "QUOTE_DOUBLE" || node.type === "QUOTE_SINGLE");
		if (quoted || (isCollection(node) && node.flow === true)) start = range[0];
		if (isMap(node) || isSeq(node)) for (const item of node.items) descend(item);
	};
	if (!isAlias(document.contents)) descend(document.contents);
	return start;
}

function lineBefore(text: string, line: number): number {
	const lines = text.split("\n");
	let before = line - 1;
	while (before > 1 && (lines[before - 1] ?? "").trim() === "") before -= 1;
	return Math.max(1, before);
}

function textStart(text: string, line: number): number {
	const lines = text.split("\n");
	const before = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
	return before + Math.max(0, (lines[line - 1] ?? "").search(/\S/));
}

const QUOTE = "put the value in quotes";

/** Our own words: the reader's may quote the value, and the value may be a password. */
const words: Readonly<Record<string, readonly [message: string, remedy: string]>> = {
	DUPLICATE_KEY: ["this key stands here twice", "keep one of them, or merge them"],
	BAD_SCALAR_START: ["a plain value cannot begin with this character", QUOTE],
	BAD_DQ_ESCAPE: ["an unknown escape within double quotes", "write \\\\ for a backslash, or use single quotes"],
	TAG_RESOLVE_FAILED: ["a value that begins with ! is a YAML tag, which is not known here", QUOTE],
	KEY_OVER_1024_CHARS: ["a key of more than 1024 characters", "close the quote, or check the colon"],
	TAB_AS_INDENT: ["a tab as indentation", "indent with spaces"],
	BAD_INDENT: [
		"the indentation does not fit, or a bracket, brace or quote above is not closed",
		"align it with its neighbours, or close what is open",
	],
	MISSING_CHAR: ["a colon, bracket, brace or quote is missing", "write key: value, and close what is open"],
	MULTILINE_IMPLICIT_KEY: ["a line that is neither key: value nor part of the line before", "add the colon, or check the indentation"],
	BLOCK_AS_IMPLICIT_KEY: ["a second colon within a plain value, or a wrong indentation", `${QUOTE}, or align the line with its neighbours`],
	MULTIPLE_DOCS: ["a second document begins here", "keep one document in the file, without ---"],
	NON_STRING_KEY: ["a key that is not text", "put a template or a value with braces in quotes"],
	BLOCK_IN_FLOW: ["a block within brackets or braces", "close the bracket or brace first, or put the value in quotes"],
	RESOURCE_EXHAUSTION: ["too deeply nested", "remove the nesting"],
	UNEXPECTED_TOKEN: ["something that does not belong here", "put a value with braces, brackets, commas or colons in quotes"],
};

function asMistake(error: YAMLError, offset: number): Mistake {
	const [message, remedy] = words[error.code] ?? ["not valid YAML", "check the line and the one before; put unusual values in quotes"];
	return { offset, message: `YAML: ${message}`, remedy };
}
