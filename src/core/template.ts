/**
 * The language of the mapping: text with placeholders.
 *
 *     {mail}                            the attribute's first value
 *     {mail ?? userPrincipalName}       the first of them that has a value
 *     {mail | trim | lower}             functions, read from left to right: {mail ?? upn | lower} lowers whichever it was
 *     {company ?? "none"}               a text of one's own as the last resort
 *     {{ and }}                         braces
 *
 * A template with a placeholder that has no value has no value itself.
 */
export interface Template {
	readonly kind: "template";
	readonly text: string;
	readonly parts: readonly Part[];
}

export type Part = { readonly kind: "literal"; readonly text: string } | { readonly kind: "placeholder"; readonly steps: readonly Step[] };

/** Steps of a placeholder, applied from left to right; the first is an attribute or a text. */
export type Step =
	| { readonly kind: "attribute"; readonly name: string }
	| { readonly kind: "text"; readonly text: string }
	| { readonly kind: "call"; readonly name: TemplateFunction };

/** What is wrong with a template; `at` counts characters from 0. */
export interface TemplateProblem {
	readonly kind: "problem";
	readonly at: number;
	readonly message: string;
	readonly remedy: string;
}

export const templateFunctions = ["lower", "upper", "trim", "first"] as const;
export type TemplateFunction = (typeof templateFunctions)[number];

type Attributes = ReadonlyMap<string, readonly string[]>;
type Values = readonly string[];

/** An attribute description (RFC 4512 §2.5): a name or an OID, with options. */
const ATTRIBUTE = /^(?:[A-Za-z][A-Za-z0-9_-]*|\d+(?:\.\d+)+)(?:;[A-Za-z0-9_-]+)*/;
const NONE: Values = [];

/** Reads a template, or says where and why it cannot be read. */
export function parseTemplate(text: string): Template | TemplateProblem {
	const parts: Part[] = [];
	let literal = "";
	let at = 0;
	while (at < text.length) {
		const two = text.slice(at, at + 2);
		if (two === "{{" || two === "}}") {
			literal += text.charAt(at);
			at += 2;
		} else if (text[at] === "}") {
			return problem(at, "a closing brace without an opening one", "write }} for a brace in the text");
		} else if (text[at] === "{") {
			const placeholder = parsePlaceholder(text, at + 1);
			if (placeholder.kind === "problem") return placeholder;
			if (literal !== "") parts.push({ kind: "literal", text: literal });
			literal = "";
			parts.push({ kind: "placeholder", steps: placeholder.steps });
			at = placeholder.end;
		} else {
			literal += text.charAt(at);
			at += 1;
		}
	}
	if (literal !== "") parts.push({ kind: "literal", text: literal });
	return { kind: "template", text, parts };
}

/** Names of the attributes a template asks for, in lower case. */
export function attributesIn(template: Template): readonly string[] {
	return template.parts.flatMap((part) =>
		part.kind === "placeholder" ? part.steps.flatMap((step) => (step.kind === "attribute" ? [step.name] : [])) : [],
	);
}

/** The template as a function to one value. */
export function compileSingle(template: Template): (attributes: Attributes) => string | undefined {
	const parts = template.parts.map((part) => (part.kind === "literal" ? part.text : firstOf(compileSteps(part.steps))));
	const [only] = parts;
	if (only === undefined) return () => undefined;
	if (parts.length === 1) return typeof only === "string" ? () => only : only;
	return (attributes) => {
		let text = "";
		for (const part of parts) {
			const value = typeof part === "string" ? part : part(attributes);
			if (value === undefined) return undefined;
			text += value;
		}
		return text;
	};
}

/** The template as a function to all values: one for each value of its placeholder; with several placeholders, one in all. */
export function compileMultiple(template: Template): (attributes: Attributes) => Values {
	const placeholders = template.parts.filter((part) => part.kind === "placeholder");
	const [only] = placeholders;
	if (placeholders.length !== 1 || only === undefined) {
		const single = compileSingle(template);
		return (attributes) => {
			const value = single(attributes);
			return value === undefined ? NONE : [value];
		};
	}
	const values = compileSteps(only.steps);
	if (template.parts.length === 1) return values;
	const before = literalText(template.parts.slice(0, template.parts.indexOf(only)));
	const after = literalText(template.parts.slice(template.parts.indexOf(only) + 1));
	return (attributes) => values(attributes).map((value) => before + value + after);
}

type Placeholder = { readonly kind: "placeholder"; readonly steps: readonly Step[]; readonly end: number };

/** `start` is behind the opening brace; `end` of the result behind the closing one. */
function parsePlaceholder(text: string, start: number): Placeholder | TemplateProblem {
	const steps: Step[] = [];
	let at = skipSpace(text, start);
	if (text[at] === "}") return problem(start - 1, "an empty placeholder", "name an attribute between the braces, as in {mail}");
	let wanted: "operand" | "function" = "operand";
	for (;;) {
		const read: { step: Step; end: number } | TemplateProblem = wanted === "operand" ? parseOperand(text, at) : parseCall(text, at);
		if ("kind" in read) return read;
		steps.push(read.step);
		at = skipSpace(text, read.end);
		if (text[at] === "}") return { kind: "placeholder", steps, end: at + 1 };
		if (at >= text.length)
			return problem(start - 1, "an opening brace that is never closed", "close it with }, or write {{ for a brace in the text");
		if (text.startsWith("??", at)) {
			wanted = "operand";
			at = skipSpace(text, at + 2);
		} else if (text[at] === "|") {
			wanted = "function";
			at = skipSpace(text, at + 1);
		} else {
			return problem(at, `${shown(text, at)} where ??, | or } belongs`, "write {attribute ?? fallback | function}");
		}
	}
}

function parseOperand(text: string, at: number): { step: Step; end: number } | TemplateProblem {
	const quote = text[at];
	if (quote === '"' || quote === "'") {
		const end = text.indexOf(quote, at + 1);
		if (end < 0) return problem(at, "a quoted text that is never closed", `close it with ${quote}`);
		return { step: { kind: "text", text: text.slice(at + 1, end) }, end: end + 1 };
	}
	const name = ATTRIBUTE.exec(text.slice(at))?.[0];
	if (name === undefined) {
		return problem(at, `${shown(text, at)} where an attribute's name belongs`, "write a name such as mail, or a text in quotes");
	}
	return { step: { kind: "attribute", name: name.toLowerCase() }, end: at + name.length };
}

function parseCall(text: string, at: number): { step: Step; end: number } | TemplateProblem {
	const word = /^\w*/.exec(text.slice(at))?.[0] ?? "";
	const name = templateFunctions.find((known) => known === word);
	const remedy = `the functions are ${templateFunctions.join(", ")}`;
	if (word === "") return problem(at, `${shown(text, at)} where a function's name belongs`, remedy);
	if (name === undefined) return problem(at, `there is no function "${word}"`, remedy);
	return { step: { kind: "call", name }, end: at + word.length };
}

/** Steps as one closure: an attribute or text after the first counts only when nothing had a value so far. */
function compileSteps(steps: readonly Step[]): (attributes: Attributes) => Values {
	let chain: ((attributes: Attributes) => Values) | undefined;
	for (const step of steps) {
		const before = chain;
		if (step.kind === "call") {
			const apply = functions[step.name];
			chain = (attributes) => {
				const values = before === undefined ? NONE : before(attributes);
				return values.length === 0 ? values : apply(values);
			};
		} else {
			const operand = compileOperand(step);
			chain = before === undefined ? operand : (attributes) => either(before(attributes), operand, attributes);
		}
	}
	return chain ?? (() => NONE);
}

function either(values: Values, fallback: (attributes: Attributes) => Values, attributes: Attributes): Values {
	return values.length === 0 ? fallback(attributes) : values;
}

function compileOperand(step: Exclude<Step, { kind: "call" }>): (attributes: Attributes) => Values {
	if (step.kind === "text") {
		const values = step.text === "" ? NONE : [step.text];
		return () => values;
	}
	const { name } = step;
	return (attributes) => {
		const values = attributes.get(name);
		if (values === undefined) return NONE;
		return values.includes("") ? withoutEmpty(values) : values;
	};
}

const functions: Readonly<Record<TemplateFunction, (values: Values) => Values>> = {
	lower: (values) => values.map((value) => value.toLowerCase()),
	upper: (values) => values.map((value) => value.toUpperCase()),
	trim: (values) => withoutEmpty(values.map((value) => value.trim())),
	first: (values) => (values.length > 1 ? values.slice(0, 1) : values),
};

/** An empty text is no value: a fallback takes its place. */
function withoutEmpty(values: Values): Values {
	return values.filter((value) => value !== "");
}

function firstOf(values: (attributes: Attributes) => Values): (attributes: Attributes) => string | undefined {
	return (attributes) => values(attributes)[0];
}

function literalText(parts: readonly Part[]): string {
	return parts.map((part) => (part.kind === "literal" ? part.text : "")).join("");
}

function skipSpace(text: string, at: number): number {
	let end = at;
	while (text[end] === " " || text[end] === "\t") end += 1;
	return end;
}

function shown(text: string, at: number): string {
	const sign = String.fromCodePoint(text.codePointAt(at) ?? 0x7d);
	return at >= text.length ? "the end" : `"${sign}"`;
}

function problem(at: number, message: string, remedy: string): TemplateProblem {
	return { kind: "problem", at, message, remedy };
}
