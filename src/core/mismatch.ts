import type { Filter } from "./filter.ts";
import { printFilter } from "./filter-text.ts";
import { type Lookup, makeMatcher, plainSchema, type Schema } from "./matching.ts";
import { guidText, sidText, type Value } from "./syntax.ts";

/** Values and letters of each that a person needs to see what is wrong. */
const VALUES = 3;
const LETTERS = 80;

/**
 * Why a filter does not select an entry, in sentences: "(mail=*) does not match: mail has no value". Of a filter that wants several
 * things at once only those that fail; where none does, those of which it cannot be told. None at all: it selects the entry.
 */
export function explainMismatch(filter: Filter, lookup: Lookup, schema: Schema = plainSchema): readonly string[] {
	const demands = demandsOf(filter).map((part) => ({ part, truth: makeMatcher(part, schema)(lookup) }));
	const sentence = (part: Filter, verdict: string): string => {
		const facts = attributesIn(part).map((attribute) => fact(attribute, lookup(attribute.toLowerCase()), schema));
		return `${printFilter(part)} ${verdict}${facts.length === 0 ? "" : `: ${facts.join(", ")}`}`;
	};
	const refuted = demands.filter(({ truth }) => truth === false);
	if (refuted.length > 0) return refuted.map(({ part }) => sentence(part, "does not match"));
	return demands.filter(({ truth }) => truth === undefined).map(({ part }) => sentence(part, "cannot be told"));
}

/** What must all hold for a filter to select an entry: the parts of an "and", and of those within it. */
export function demandsOf(filter: Filter): readonly Filter[] {
	return filter.kind === "and" ? filter.parts.flatMap(demandsOf) : [filter];
}

/** As they are spelled there, each once; not `anr`, which no entry has. */
function attributesIn(filter: Filter): readonly string[] {
	const names = new Map<string, string>();
	const visit = (part: Filter): void => {
		if (part.kind === "and" || part.kind === "or") for (const inner of part.parts) visit(inner);
		else if (part.kind === "not") visit(part.part);
		else if (part.attribute !== undefined && !names.has(part.attribute.toLowerCase()))
			names.set(part.attribute.toLowerCase(), part.attribute);
	};
	visit(filter);
	names.delete("anr");
	return [...names.values()];
}

function fact(attribute: string, values: readonly Value[] | undefined, schema: Schema): string {
	if (values === undefined) return `${attribute} is not known`;
	if (values.length === 0) return `${attribute} has no value`;
	const shown = values.slice(0, VALUES).map((value) => `"${shortened(readable(attribute, value, schema))}"`);
	const more = values.length > VALUES ? ` and ${values.length - VALUES} more` : "";
	return `${attribute} is ${shown.join(", ")}${more}`;
}

function readable(attribute: string, value: Value, schema: Schema): string {
	if (typeof value === "string") return value;
	const syntax = schema.syntaxOf(attribute.toLowerCase());
	if (syntax === "guid" && value.length === 16) return guidText(value);
	if (syntax === "sid") return sidText(value);
	const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
	const text = bytes.toString("utf8");
	return syntax === "bytes" || text.includes("\ufffd") ? `${value.length} octets` : text;
}

function shortened(text: string): string {
	const letters = Array.from(text.replace(/\p{Cc}+/gu, " "));
	return letters.length > LETTERS ? `${letters.slice(0, LETTERS).join("")}…` : letters.join("");
}
