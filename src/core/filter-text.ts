import { Failure } from "./errors.ts";
import type { Filter } from "./filter.ts";

/** Reads a search filter as people write it (RFC 4515). Throws Failure CONFIG_INVALID that says what should stand where. */
export function parseFilter(text: string): Filter {
	const scan: Scan = { text, at: 0 };
	skipSpace(scan);
	const filter = readFilter(scan);
	skipSpace(scan);
	if (scan.at < text.length) throw problem(scan, `nothing more should stand, but "${text.slice(scan.at, scan.at + 10)}" does`);
	return filter;
}

/** Writes a filter so that `parseFilter` reads the same one back. */
export function printFilter(filter: Filter): string {
	switch (filter.kind) {
		case "and":
			return `(&${filter.parts.map(printFilter).join("")})`;
		case "or":
			return `(|${filter.parts.map(printFilter).join("")})`;
		case "not":
			return `(!${printFilter(filter.part)})`;
		case "equal":
			return `(${filter.attribute}=${printValue(filter.value)})`;
		case "greaterOrEqual":
			return `(${filter.attribute}>=${printValue(filter.value)})`;
		case "lessOrEqual":
			return `(${filter.attribute}<=${printValue(filter.value)})`;
		case "approx":
			return `(${filter.attribute}~=${printValue(filter.value)})`;
		case "present":
			return `(${filter.attribute}=*)`;
		case "substrings": {
			const { initial, any, final } = filter;
			const middle = any.map((part) => `${printValue(part)}*`).join("");
			return `(${filter.attribute}=${initial === undefined ? "" : printValue(initial)}*${middle}${final === undefined ? "" : printValue(final)})`;
		}
		case "extensible": {
			const rule = filter.rule === undefined ? "" : `:${filter.rule}`;
			return `(${filter.attribute ?? ""}${filter.dnAttributes ? ":dn" : ""}${rule}:=${printValue(filter.value)})`;
		}
	}
}

/** The attributes a filter asks about, lower case, options cut off. */
export function attributesOf(filter: Filter): ReadonlySet<string> {
	const names = new Set<string>();
	const visit = (part: Filter): void => {
		if (part.kind === "and" || part.kind === "or") for (const inner of part.parts) visit(inner);
		else if (part.kind === "not") visit(part.part);
		else if (part.attribute !== undefined) names.add((part.attribute.split(";")[0] as string).toLowerCase());
	};
	visit(filter);
	return names;
}

/** (attribute=value) for a value that is text. */
export function equal(attribute: string, value: string): Filter {
	return { kind: "equal", attribute, value: Buffer.from(value, "utf8") };
}

/** Deeper nesting is no filter a person wrote, and would overflow the stack. */
const DEEPEST = 100;

interface Scan {
	readonly text: string;
	at: number;
}

function readFilter(scan: Scan, depth = 0): Filter {
	if (depth > DEEPEST) throw problem(scan, `filters nest deeper than ${DEEPEST}`);
	if (scan.text[scan.at] !== "(") throw problem(scan, '"(" should stand');
	scan.at++;
	skipSpace(scan);
	const filter = readComponent(scan, depth);
	skipSpace(scan);
	if (scan.text[scan.at] !== ")") throw problem(scan, '")" should stand');
	scan.at++;
	return filter;
}

function readComponent(scan: Scan, depth: number): Filter {
	const sign = scan.text[scan.at];
	if (sign === "&" || sign === "|") {
		scan.at++;
		return { kind: sign === "&" ? "and" : "or", parts: readList(scan, depth) };
	}
	if (sign !== "!") return readItem(scan);
	scan.at++;
	skipSpace(scan);
	return { kind: "not", part: readFilter(scan, depth + 1) };
}

function readList(scan: Scan, depth: number): readonly Filter[] {
	const parts: Filter[] = [];
	for (skipSpace(scan); scan.text[scan.at] === "("; skipSpace(scan)) parts.push(readFilter(scan, depth + 1));
	return parts;
}

const ITEM = /^([A-Za-z0-9][A-Za-z0-9.;-]*)?((?::dn)?(?::[A-Za-z0-9.-]+)?:=|>=|<=|~=|=)/i;
const ATTRIBUTE = /^(?:[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)*)(?:;[A-Za-z0-9-]+)*$/;

function readItem(scan: Scan): Filter {
	const found = ITEM.exec(scan.text.slice(scan.at));
	if (found === null) throw itemProblem(scan);
	const [whole, attribute, operator] = found as unknown as [string, string | undefined, string];
	if (attribute === undefined ? !operator.endsWith(":=") || operator === ":=" : !ATTRIBUTE.test(attribute)) {
		throw problem(scan, "an attribute name should stand");
	}
	scan.at += whole.length;
	if (operator.endsWith(":=")) {
		const [, dn, rule] = /^(:dn)?(?::([^:]+))?:=$/i.exec(operator) as unknown as [string, string | undefined, string | undefined];
		return { kind: "extensible", rule, attribute, value: readValue(scan), dnAttributes: dn !== undefined };
	}
	const name = attribute as string;
	if (operator === ">=") return { kind: "greaterOrEqual", attribute: name, value: readValue(scan) };
	if (operator === "<=") return { kind: "lessOrEqual", attribute: name, value: readValue(scan) };
	if (operator === "~=") return { kind: "approx", attribute: name, value: readValue(scan) };
	return readEquality(scan, name);
}

function readEquality(scan: Scan, attribute: string): Filter {
	const parts = [readValue(scan)];
	while (scan.text[scan.at] === "*") {
		scan.at++;
		parts.push(readValue(scan));
	}
	if (parts.length === 1) return { kind: "equal", attribute, value: parts[0] as Uint8Array };
	const initial = parts[0] as Uint8Array;
	const final = parts.at(-1) as Uint8Array;
	const any = parts.slice(1, -1).filter((part) => part.length > 0);
	if (initial.length === 0 && final.length === 0 && any.length === 0) return { kind: "present", attribute };
	return {
		kind: "substrings",
		attribute,
		initial: initial.length === 0 ? undefined : initial,
		any,
		final: final.length === 0 ? undefined : final,
	};
}

/** Octets up to a parenthesis or a star. */
function readValue(scan: Scan): Uint8Array {
	const pieces: Buffer[] = [];
	for (;;) {
		const plain = (/^[^()*\\]+/.exec(scan.text.slice(scan.at)) ?? [""])[0];
		if (plain !== "") pieces.push(Buffer.from(plain, "utf8"));
		scan.at += plain.length;
		if (scan.text[scan.at] === "(") throw problem(scan, '"(" within a value is written \\28');
		if (scan.text[scan.at] !== "\\") return Buffer.concat(pieces);
		const pair = scan.text.slice(scan.at + 1, scan.at + 3);
		if (!/^[0-9A-Fa-f]{2}$/.test(pair)) {
			throw problem(scan, "a backslash and two hex digits should stand (a star is \\2a, parentheses \\28 and \\29, a backslash \\5c)");
		}
		pieces.push(Buffer.from(pair, "hex"));
		scan.at += 3;
	}
}

function itemProblem(scan: Scan): Failure {
	const rest = scan.text.slice(scan.at);
	const unequal = /^([A-Za-z0-9.;-]+)\s*!=/.exec(rest);
	if (unequal !== null) return problem(scan, `"!=" is not an operator: write (!(${unequal[1]}=…))`);
	const spaced = /^([A-Za-z0-9.;-]+)\s+[<>~:]?=/.exec(rest);
	if (spaced !== null) return problem(scan, `no space may stand between "${spaced[1]}" and its operator`);
	if (rest === "" || rest.startsWith(")")) return problem(scan, "a condition such as attribute=value should stand");
	return problem(scan, "an attribute name and one of =, >=, <=, ~=, := should stand");
}

function printValue(value: Uint8Array): string {
	const text = Buffer.from(value).toString("utf8");
	if (Buffer.compare(Buffer.from(text, "utf8"), value) !== 0) {
		return Array.from(value, hexPair).join("");
	}
	const escaped = (found: string): string => Array.from(Buffer.from(found, "utf8"), hexPair).join("");
	return text.replace(/[\p{Cc}*()\\]/gu, escaped);
}

function hexPair(octet: number): string {
	return `\\${octet.toString(16).padStart(2, "0")}`;
}

function skipSpace(scan: Scan): void {
	while (/\s/.test(scan.text[scan.at] ?? "")) scan.at++;
}

function problem(scan: Scan, what: string): Failure {
	return new Failure("CONFIG_INVALID", `the filter ${JSON.stringify(scan.text)} is wrong at position ${scan.at + 1}: ${what}`, {
		hint: "RFC 4515: (&(objectClass=user)(mail=*)(!(department=Sales)))",
	});
}
