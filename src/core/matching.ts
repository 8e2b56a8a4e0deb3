import { type Syntax, syntaxOf } from "./attribute-syntax.ts";
import { dnKey } from "./dn.ts";
import { unreachable } from "./errors.ts";
import type { Filter } from "./filter.ts";
import { bytesOf, foldText, integerOf, textOf, type Value, valueKey } from "./syntax.ts";

/** A filter's verdict. Undefined is the third value of RFC 4511 §4.5.1.7: neither it nor its negation selects an entry. */
export type Truth = boolean | undefined;

/** Values of an attribute (lower-case name) of one entry: none = absent, undefined = it may not be read. */
export type Lookup = (attribute: string) => readonly Value[] | undefined;

/** What a matcher must be told of the directory it judges for. */
export interface Schema {
	/** Undefined: no such attribute there, so nothing can be said of it. */
	syntaxOf(attribute: string): Syntax | undefined;
	/** Follows links for rule 1.2.840.113556.1.4.1941: whether the target (a DN's key) is reached from these values of `attribute`. */
	inChain?(attribute: string, values: readonly Value[], target: string): Truth;
	/** The DN meant by "<GUID=…>" or "<SID=…>" in an assertion; undefined when there is none. */
	resolve?(reference: string): string | undefined;
}

/** AD's attributes as far as they are not plain text; every other name counts as a text attribute. Entries do not show numbers (OIDs). */
export const plainSchema: Schema = { syntaxOf: (attribute) => (/^\d/.test(attribute) ? undefined : syntaxOf(attribute)) };

type Matcher = (lookup: Lookup) => Truth;
type Test = (value: Value) => Truth;

const BIT_AND = "1.2.840.113556.1.4.803";
const BIT_OR = "1.2.840.113556.1.4.804";
/** Follows links to any depth (LDAP_MATCHING_RULE_TRANSITIVE_EVAL, MS-ADTS §3.1.1.3.4.4). */
export const IN_CHAIN = "1.2.840.113556.1.4.1941";

/** Attributes that ambiguous name resolution, `(anr=…)`, looks into (MS-ADTS §3.1.1.3.1.3.2; legacyExchangeDN is equality there). */
const ANR = ["displayname", "givenname", "sn", "name", "samaccountname", "proxyaddresses", "physicaldeliveryofficename", "mail"];

/** Class names whose objects carry the category of another class (schema: defaultObjectCategory). */
const CATEGORIES: ReadonlyMap<string, string> = new Map([
	["user", "person"],
	["contact", "person"],
	["inetorgperson", "person"],
	["organizationalperson", "person"],
	["organizationalunit", "organizational-unit"],
	["domaindns", "domain-dns"],
	["ntdsdsa", "ntds-dsa"],
	["msds-groupmanagedserviceaccount", "ms-ds-group-managed-service-account"],
	["msds-managedserviceaccount", "ms-ds-managed-service-account"],
]);

/** Whether an entry is selected, with AD's matching rules. For many entries, make the matcher once. */
export function matches(filter: Filter, lookup: Lookup, schema: Schema = plainSchema): boolean {
	return makeMatcher(filter, schema)(lookup) === true;
}

/**
 * A filter made ready to judge many entries: assertions are decoded once. An absent attribute is False, so that its negation
 * selects, as AD does; an attribute that is unknown or may not be read, and an assertion that is no value of the attribute's
 * syntax, are Undefined.
 */
export function makeMatcher(filter: Filter, schema: Schema = plainSchema): Matcher {
	switch (filter.kind) {
		case "and":
			return makeAnd(filter.parts.map((part) => makeMatcher(part, schema)));
		case "or":
			return makeOr(filter.parts.map((part) => makeMatcher(part, schema)));
		case "not": {
			const part = makeMatcher(filter.part, schema);
			return (lookup) => negate(part(lookup));
		}
		case "present":
			return makePresent(filter.attribute.toLowerCase(), schema);
		case "equal":
		case "approx":
			return makeEqual(filter.attribute.toLowerCase(), filter.value, schema);
		case "greaterOrEqual":
			return makeOrder(filter.attribute.toLowerCase(), filter.value, schema, (order) => order >= 0);
		case "lessOrEqual":
			return makeOrder(filter.attribute.toLowerCase(), filter.value, schema, (order) => order <= 0);
		case "substrings":
			return makeSubstrings(filter, schema);
		case "extensible":
			return makeExtensible(filter, schema);
		default:
			return unreachable(filter);
	}
}

function negate(truth: Truth): Truth {
	return truth === undefined ? undefined : !truth;
}

function makeAnd(parts: readonly Matcher[]): Matcher {
	return (lookup) => {
		let truth: Truth = true;
		for (const part of parts) {
			const found = part(lookup);
			if (found === false) return false;
			if (found === undefined) truth = undefined;
		}
		return truth;
	};
}

function makeOr(parts: readonly Matcher[]): Matcher {
	return (lookup) => {
		let truth: Truth = false;
		for (const part of parts) {
			const found = part(lookup);
			if (found === true) return true;
			if (found === undefined) truth = undefined;
		}
		return truth;
	};
}

const cannotTell: Matcher = () => undefined;

function makePresent(attribute: string, schema: Schema): Matcher {
	if (schema.syntaxOf(attribute) === undefined) return cannotTell;
	return (lookup) => {
		const values = lookup(attribute);
		return values === undefined ? undefined : values.length > 0;
	};
}

/** One value that passes is enough. */
function anyValue(attribute: string, test: Test): Matcher {
	return (lookup) => {
		const values = lookup(attribute);
		if (values === undefined) return undefined;
		let truth: Truth = false;
		for (const value of values) {
			const found = test(value);
			if (found === true) return true;
			if (found === undefined) truth = undefined;
		}
		return truth;
	};
}

function makeEqual(attribute: string, assertion: Uint8Array, schema: Schema): Matcher {
	if (attribute === "anr") return makeAnr(textOf(assertion), schema);
	const syntax = schema.syntaxOf(attribute);
	if (syntax === undefined) return cannotTell;
	if (syntax === "category") {
		const text = textOf(assertion);
		if (!text.includes("=")) return anyValue(attribute, isOfCategory(text));
	}
	// A class by its number: entries show names.
	if (syntax === "class" && /^\d+(?:\.\d+)+$/.test(textOf(assertion))) return cannotTell;
	if (syntax === "text" || syntax === "class") {
		const spelled = textOf(assertion);
		const wanted = foldText(spelled);
		return anyValue(attribute, (value) => value === spelled || foldText(textOf(value)) === wanted);
	}
	const wanted = valueKey(syntax === "dn" ? dereference(assertion, schema) : assertion, syntax);
	return wanted === undefined ? cannotTell : anyValue(attribute, (value) => valueKey(value, syntax) === wanted);
}

function dereference(assertion: Uint8Array, schema: Schema): Value {
	const text = textOf(assertion);
	return text.startsWith("<") ? (schema.resolve?.(text) ?? text) : text;
}

/** `(objectCategory=person)`: the class's name stands for the DN of its category. */
function isOfCategory(className: string): Test {
	const wanted = foldText(className);
	const leaf = `,cn=${CATEGORIES.get(wanted) ?? wanted},`;
	return remembering((value) => dnKey(textOf(value)).endsWith(leaf));
}

/** A directory has few categories: the last value's verdict is nearly always the next one's too. */
function remembering(test: Test): Test {
	let last: Value | undefined;
	let verdict: Truth;
	return (value) => {
		if (value !== last) {
			verdict = test(value);
			last = value;
		}
		return verdict;
	};
}

function makeAnr(text: string, schema: Schema): Matcher {
	const exact = text.startsWith("=");
	const wanted = foldText(exact ? text.slice(1) : text);
	const parts = ANR.filter((attribute) => schema.syntaxOf(attribute) !== undefined).map((attribute) =>
		anyValue(attribute, (value) => {
			const found = foldText(textOf(value)).replace(/^smtp:/, "");
			return exact ? found === wanted : found.startsWith(wanted);
		}),
	);
	const [first = "", last = ""] = wanted.split(/\s+(.*)/);
	if (!exact && last !== "") parts.push(makeBothNames(first, last), makeBothNames(last, first));
	return makeOr(parts);
}

function makeBothNames(given: string, family: string): Matcher {
	return makeAnd([
		anyValue("givenname", (value) => foldText(textOf(value)).startsWith(given)),
		anyValue("sn", (value) => foldText(textOf(value)).startsWith(family)),
	]);
}

function makeOrder(attribute: string, assertion: Uint8Array, schema: Schema, passes: (order: number) => boolean): Matcher {
	const syntax = schema.syntaxOf(attribute);
	// AD has no order for DNs, categories, classes and booleans.
	if (syntax === undefined || syntax === "dn" || syntax === "category" || syntax === "class" || syntax === "boolean") return cannotTell;
	if (syntax === "text") {
		// Windows' sort keys have signs before digits before letters, as the collation of Unicode does, and unlike their codes.
		const { compare } = new Intl.Collator("en");
		const wanted = foldText(textOf(assertion));
		return anyValue(attribute, (value) => passes(compare(foldText(textOf(value)), wanted)));
	}
	const wanted = valueKey(assertion, syntax);
	if (wanted === undefined) return cannotTell;
	return anyValue(attribute, (value) => {
		const found = valueKey(value, syntax);
		if (found === undefined) return undefined;
		return passes(found < wanted ? -1 : found > wanted ? 1 : 0);
	});
}

function makeSubstrings(filter: Filter & { kind: "substrings" }, schema: Schema): Matcher {
	const attribute = filter.attribute.toLowerCase();
	const syntax = schema.syntaxOf(attribute);
	// AD takes no wildcards in numbers, DNs and times; a GUID's bytes are searched as bytes.
	if (syntax !== "text" && syntax !== "exact" && syntax !== "class" && syntax !== "bytes" && syntax !== "guid" && syntax !== "sid")
		return cannotTell;
	const fold = (value: Value): string => {
		if (syntax === "exact") return textOf(value);
		return syntax === "text" || syntax === "class" ? foldText(textOf(value)) : Buffer.from(bytesOf(value, syntax)).toString("latin1");
	};
	const initial = filter.initial === undefined ? "" : fold(filter.initial);
	const any = filter.any.map(fold);
	const final = filter.final === undefined ? "" : fold(filter.final);
	return anyValue(attribute, (value) => hasParts(fold(value), initial, any, final));
}

function hasParts(text: string, initial: string, any: readonly string[], final: string): boolean {
	if (!text.startsWith(initial)) return false;
	let at = initial.length;
	for (const part of any) {
		const found = text.indexOf(part, at);
		if (found === -1) return false;
		at = found + part.length;
	}
	return text.length - at >= final.length && text.endsWith(final);
}

function makeExtensible(filter: Filter & { kind: "extensible" }, schema: Schema): Matcher {
	if (filter.attribute === undefined) return cannotTell;
	const attribute = filter.attribute.toLowerCase();
	if (filter.rule === undefined) return makeEqual(attribute, filter.value, schema);
	const syntax = schema.syntaxOf(attribute);
	if (filter.rule === IN_CHAIN && syntax === "dn" && schema.inChain !== undefined) {
		const target = dnKey(textOf(dereference(filter.value, schema)));
		return (lookup) => {
			const values = lookup(attribute);
			return values === undefined ? undefined : schema.inChain?.(attribute, values, target);
		};
	}
	const mask = integerOf(textOf(filter.value));
	if (syntax !== "integer" || mask === undefined || (filter.rule !== BIT_AND && filter.rule !== BIT_OR)) return cannotTell;
	// A negative number (groupType) counts in two's complement.
	const bits = BigInt.asUintN(64, mask);
	const every = filter.rule === BIT_AND;
	return anyValue(attribute, (value) => {
		const found = integerOf(textOf(value));
		if (found === undefined) return undefined;
		const common = BigInt.asUintN(64, found) & bits;
		return every ? common === bits : common !== 0n;
	});
}
