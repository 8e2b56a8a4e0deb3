import { type Document, isAlias, isMap, isScalar, isSeq, type LineCounter, type ParsedNode, type Scalar } from "yaml";
import { type Environment, expand, shieldVariables, unshieldVariables } from "./expand.ts";
import { type Path, type Problem, showPath } from "./problem.ts";
import { type Mistake, readRepairing } from "./repair.ts";

/** Stands where a value cannot be known, since its text is broken or its variable is not set. Said once, and then skipped. */
export const UNKNOWN: unique symbol = Symbol("unknown");

export interface Place {
	readonly line: number;
	readonly column: number;
}

/** A configuration file as plain values, which remember where they stand. */
export interface ConfigDocument {
	/** What the file says, `${…}` expanded. Maps are plain objects without a prototype. */
	readonly values: unknown;
	/** What is wrong with the YAML or with `${…}`. */
	readonly problems: readonly Problem[];
	/** Whether a value, or one above it, is unknown. */
	isUnknown(path: Path): boolean;
	/** Whether what is missing at a path may stand in a line that could not be read. */
	mayBeUnread(path: Path): boolean;
	/** Whether a text came out of `${…}`, at least in part. */
	isExpanded(path: Path): boolean;
	/** Where a value begins. For what is not there: where the map begins. */
	placeOf(path: Path): Place;
	/** Where a key stands. */
	placeOfKey(path: Path): Place;
	/** A value as it is written, before `${…}` is expanded, in one line. */
	written(path: Path): string | undefined;
}

/** Which of two equal keys counts; both are looked at for problems. */
export type Pick = "first" | "last";

/** Reads a configuration's text. Nothing is thrown: whatever is wrong is among the problems. */
export function readDocument(text: string, environment: Environment, pick: Pick): ConfigDocument {
	const { document, counter, mistakes, setAside } = readRepairing(shieldVariables(text));
	const walk = walkDocument(document, { counter, environment, pick, setAside, broken: mistakes.map((mistake) => mistake.offset) });
	const place = (offset: number): Place => {
		const { line, col } = counter.linePos(offset);
		return { line, column: col };
	};
	const nodeAt = (path: Path): Found => walk.found.get(key(path)) ?? (path.length === 0 ? { start: 0, end: 0 } : nodeAt(path.slice(0, -1)));
	const placeOf = (path: Path): Place => place(nodeAt(path).start);
	const lines = text.split("\n");
	return {
		values: walk.values,
		problems: [
			...mistakes.map((mistake) => yamlProblem(mistake, place(mistake.offset), pathAround(walk.found, mistake.offset))),
			...walk.problems.map(({ path, ...flaw }) => ({ ...placeOf(path), path: showPath(path), ...flaw })),
		],
		isUnknown: (path) => path.some((_, depth) => walk.unknown.has(key(path.slice(0, depth)))) || walk.unknown.has(key(path)),
		mayBeUnread: (path) => [...setAside].some((line) => mentions(lines[line - 1] ?? "", path)),
		isExpanded: (path) => walk.expanded.has(key(path)),
		placeOf,
		placeOfKey: (path) => {
			const found = walk.found.get(key(path));
			return found === undefined ? placeOf(path.slice(0, -1)) : place(found.keyStart ?? found.start);
		},
		written: (path) => {
			const found = walk.found.get(key(path));
			return found === undefined ? undefined : oneLine(text.slice(found.start, found.end));
		},
	};
}

interface Found {
	readonly start: number;
	readonly end: number;
	readonly keyStart?: number;
}

interface WalkProblem {
	readonly path: Path;
	readonly value: string | undefined;
	readonly message: string;
	readonly remedy: string;
}

interface Walk {
	readonly values: unknown;
	readonly found: ReadonlyMap<string, Found>;
	readonly unknown: ReadonlySet<string>;
	readonly expanded: ReadonlySet<string>;
	readonly problems: readonly WalkProblem[];
}

interface WalkOptions {
	readonly counter: LineCounter;
	readonly environment: Environment;
	readonly pick: Pick;
	readonly setAside: ReadonlySet<number>;
	/** Offsets of mistakes in the YAML: the scalar around one is unknown. */
	readonly broken: readonly number[];
}

/** Aliases can multiply a small file into a huge one. */
const MOST_VALUES = 200_000;

function walkDocument(document: Document.Parsed, { counter, environment, pick, setAside, broken }: WalkOptions): Walk {
	const found = new Map<string, Found>();
	const unknown = new Set<string>();
	const expanded = new Set<string>();
	const problems: WalkProblem[] = [];
	const open = new Set<unknown>();
	let visited = 0;

	const setUnknown = (path: Path): typeof UNKNOWN => {
		unknown.add(key(path));
		return UNKNOWN;
	};
	const isSetAside = (offset: number): boolean => {
		const { line } = counter.linePos(offset);
		return setAside.has(line) || setAside.has(line + 1);
	};

	const visit = (node: ParsedNode | null, path: Path, keyStart: number | undefined): unknown => {
		const [start, end] = node?.range ?? [keyStart ?? 0, keyStart ?? 0];
		found.set(key(path), { start, end, ...(keyStart === undefined ? undefined : { keyStart }) });
		visited += 1;
		if (visited > MOST_VALUES) return setUnknown(path);
		if (node === null || (isScalar(node) && node.value === null))
			return keyStart !== undefined && isSetAside(keyStart) ? setUnknown(path) : null;
		if (isAlias(node)) return visitAlias(node, path, keyStart);
		if (isMap(node)) return visitMap(node.items as readonly { key: ParsedNode; value: ParsedNode | null }[], path);
		if (isSeq(node)) return node.items.map((item, index) => visit(item as ParsedNode, [...path, index], undefined));
		// A tag stands before the value it belongs to, and after the key.
		const from = keyStart === undefined ? start : Math.min(keyStart + 1, start);
		return visitScalar(node, path, from, end);
	};

	const visitAlias = (node: ParsedNode & { readonly source: string }, path: Path, keyStart: number | undefined): unknown => {
		const target = isAlias(node) ? (node.resolve(document) as ParsedNode | undefined) : undefined;
		if (target === undefined || open.has(target)) {
			problems.push({
				path,
				value: undefined,
				message: "YAML: a value that begins with * refers to an anchor, and there is none of this name",
				remedy: "put the value in quotes",
			});
			return setUnknown(path);
		}
		open.add(target);
		const value = visit(target, path, keyStart);
		open.delete(target);
		return value;
	};

	const visitMap = (items: readonly { key: ParsedNode; value: ParsedNode | null }[], path: Path): unknown => {
		const map: Record<string, unknown> = Object.create(null);
		for (const item of items) {
			const name = isScalar(item.key) ? unshieldVariables(String(item.key.value)) : "";
			if (pick === "first" && name in map) continue;
			map[name] = visit(item.value, [...path, name], item.key.range[0]);
		}
		return map;
	};

	const visitScalar = (node: ParsedNode, path: Path, start: number, end: number): unknown => {
		if (broken.some((offset) => offset >= start && offset < end)) return setUnknown(path);
		const scalar = (node as Scalar.Parsed).value;
		if (typeof scalar !== "string") return scalar;
		const value = unshieldVariables(scalar);
		if (!value.includes("${")) return value;
		const expansion = expand(value, environment);
		if (expansion.isExpanded) expanded.add(key(path));
		for (const flaw of expansion.flaws) problems.push({ path, ...flaw });
		return expansion.flaws.length === 0 ? expansion.text : setUnknown(path);
	};

	const values = document.contents === null ? {} : visit(document.contents, [], undefined);
	return { values, found, unknown, expanded, problems };
}

function yamlProblem({ message, remedy }: Mistake, place: Place, path: Path): Problem {
	return { ...place, path: showPath(path), value: undefined, message, remedy };
}

/** The innermost value around an offset, its key included. */
function pathAround(found: ReadonlyMap<string, Found>, offset: number): Path {
	let innermost: Path = [];
	for (const [at, { start, end, keyStart }] of found) {
		const path = JSON.parse(at) as Path;
		if ((keyStart ?? start) <= offset && offset <= end && path.length > innermost.length) innermost = path;
	}
	return innermost;
}

function mentions(line: string, path: Path): boolean {
	const name = path.at(-1);
	return typeof name === "string" && line.includes(name);
}

function oneLine(text: string): string {
	const line = text.trim().replaceAll(/\s*\n\s*/g, " ");
	return line.length > 80 ? `${line.slice(0, 77)}...` : line;
}

function key(path: Path): string {
	return JSON.stringify(path);
}
