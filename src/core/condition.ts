import { Failure } from "./errors.ts";
import type { Filter } from "./filter.ts";
import { attributesOf, parseFilter, printFilter } from "./filter-text.ts";
import { groupKey, parseGroupName } from "./group-name.ts";
import { IN_CHAIN, type Lookup, makeMatcher, plainSchema, type Schema, type Truth } from "./matching.ts";
import { textOf } from "./syntax.ts";

/** What a rule asks of one person, as the configuration has it: exactly one of these in each place. */
export type Condition =
	/** A member of this group, nested groups included: its DN, GUID, SID or name. */
	| { readonly group: string }
	/** An LDAP filter (RFC 4515) on the entry's attributes, evaluated here by Active Directory's matching rules. */
	| { readonly filter: string }
	| { readonly all: readonly Condition[] }
	| { readonly any: readonly Condition[] }
	| { readonly not: Condition };

export const conditionKinds = ["group", "filter", "all", "any", "not"] as const;

/** Whom a condition is asked about. */
export interface Subject {
	readonly lookup: Lookup;
	/**
	 * Whether the person is in the group of this name (see `groupKey`); undefined: the group cannot be found. `nested`: by any way;
	 * `direct`: named by the group itself, as `memberOf` has it; `chain`: by groups in groups, but not by the primary group, as
	 * `memberOf` followed by rule 1.2.840.113556.1.4.1941 has it.
	 */
	isIn(group: string, how: "nested" | "direct" | "chain"): Truth;
	/** Whether an attribute leads to the entry of a DN (see `dnKey`), from entry to entry. */
	inChain(attribute: string, target: string): Truth;
}

/** Undefined is the third value: the condition can neither be said to hold nor not to. `why` is a phrase: "not in group CN=Sales". */
export interface Verdict {
	readonly truth: Truth;
	readonly why: string;
}

/** A condition made ready to be asked about many people. */
export interface CompiledCondition {
	/** The names of the groups it names, as written, by their keys. */
	readonly groups: ReadonlyMap<string, string>;
	/** The attributes that it asks of the entry, lower case. */
	readonly attributes: ReadonlySet<string>;
	/** The attributes that it follows from entry to entry, lower case: what it says changes with other people's entries. */
	readonly chains: ReadonlySet<string>;
	judge(subject: Subject): Verdict;
}

/**
 * Compiles a condition. Throws CONFIG_INVALID for a filter that cannot be read, and for what is no name of a group. What a filter asks
 * of `memberOf` is answered by the groups that were read, so that a membership that comes or goes is seen without the entry changing.
 */
export function compileCondition(condition: Condition, schema: Schema = plainSchema): CompiledCondition {
	const groups = new Map<string, string>();
	const chains = new Set<string>();
	return { groups, chains, attributes: new Set(attributesOfCondition(condition)), judge: compile(condition) };

	function compile(part: Condition): (subject: Subject) => Verdict {
		if ("group" in part) return compileGroup(part.group);
		if ("filter" in part) return compileFilter(part.filter);
		if ("not" in part) {
			const inner = compile(part.not);
			return (subject) => negated(inner(subject));
		}
		return "all" in part ? combined(part.all.map(compile), false) : combined(part.any.map(compile), true);
	}

	function compileGroup(name: string): (subject: Subject) => Verdict {
		const key = noteGroup(name);
		const verdicts = sentences(`in group ${name}`, `not in group ${name}`, `whether in group ${name} cannot be told`);
		return (subject) => verdicts(subject.isIn(key, "nested"));
	}

	function compileFilter(text: string): (subject: Subject) => Verdict {
		const filter = parseFilter(text);
		const matches = compileParts(filter);
		const shown = printFilter(filter);
		const verdicts = sentences(`matches ${shown}`, `does not match ${shown}`, `whether ${shown} matches cannot be told`);
		return (subject) => verdicts(matches(subject));
	}

	/** A filter about the entry alone is judged as a whole, which is faster. */
	function compileParts(filter: Filter): (subject: Subject) => Truth {
		const chain = chainOf(filter, schema);
		if (chain !== undefined) {
			chains.add(chain.attribute);
			return (subject) => subject.inChain(chain.attribute, chain.target);
		}
		const membership = membershipOf(filter);
		if (membership !== undefined) {
			const key = noteGroup(membership.group);
			return (subject) => subject.isIn(key, membership.how);
		}
		if (!asksOthers(filter, schema)) {
			const matches = makeMatcher(filter, schema);
			return ({ lookup }) => matches(lookup);
		}
		if (filter.kind === "not") {
			const part = compileParts(filter.part);
			return (subject) => negatedTruth(part(subject));
		}
		const parts = "parts" in filter ? filter.parts.map(compileParts) : [];
		const decisive = filter.kind === "or";
		return (subject) => combinedTruth(parts, subject, decisive);
	}

	function noteGroup(name: string): string {
		if (parseGroupName(name) === undefined)
			throw new Failure("CONFIG_INVALID", `"${name}" in a condition is not the name of a group`, {
				hint: "Name it by its DN, GUID, SID or name, as in CN=Sales,OU=Groups,DC=corp,DC=example,DC=com; `dirsyncd groups` shows the groups that are known.",
			});
		const key = groupKey(name);
		groups.set(key, name);
		return key;
	}
}

/** A condition in a few words, for a reason: a group by the first part of its name. */
export function describeCondition(condition: Condition): string {
	if ("group" in condition) {
		const name = parseGroupName(condition.group);
		return `group ${name?.kind === "dn" ? firstPart(name.dn) : condition.group}`;
	}
	if ("filter" in condition) return condition.filter;
	if ("not" in condition) return `not ${parenthesized(condition.not)}`;
	const [parts, word] = "all" in condition ? [condition.all, " and "] : [condition.any, " or "];
	return parts.map((part) => (parts.length > 1 ? parenthesized(part) : describeCondition(part))).join(word);
}

function parenthesized(part: Condition): string {
	const text = describeCondition(part);
	return ("all" in part && part.all.length > 1) || ("any" in part && part.any.length > 1) ? `(${text})` : text;
}

function firstPart(dn: string): string {
	const first = dn.split(/(?<!\\),/, 1)[0] ?? dn;
	return first.slice(first.indexOf("=") + 1).trim();
}

/** Names of the attributes that a condition asks about, in lower case: memberships are asked of groups, not of `memberOf`. Throws CONFIG_INVALID for a filter that cannot be read. */
export function attributesOfCondition(condition: Condition): readonly string[] {
	if ("filter" in condition) return [...new Set(attributesAsked(parseFilter(condition.filter)))];
	if ("not" in condition) return attributesOfCondition(condition.not);
	if ("all" in condition) return condition.all.flatMap(attributesOfCondition);
	return "any" in condition ? condition.any.flatMap(attributesOfCondition) : [];
}

/** Made once: a full reading asks about everyone. */
function sentences(ifTrue: string, ifFalse: string, ifUnknown: string): (truth: Truth) => Verdict {
	const yes: Verdict = { truth: true, why: ifTrue };
	const no: Verdict = { truth: false, why: ifFalse };
	const unknown: Verdict = { truth: undefined, why: ifUnknown };
	return (truth) => (truth === undefined ? unknown : truth ? yes : no);
}

function negated({ truth, why }: Verdict): Verdict {
	return { truth: negatedTruth(truth), why };
}

/** Three-valued "all" (one false part decides) or "any" (one true part does). The part that decides says why, else all of them do. */
function combined(parts: readonly ((subject: Subject) => Verdict)[], decisive: boolean): (subject: Subject) => Verdict {
	return (subject) => {
		let verdict: Verdict = { truth: !decisive, why: "" };
		for (const part of parts) {
			const found = part(subject);
			if (found.truth === decisive) return found;
			if (verdict.truth === undefined) continue;
			verdict = found.truth === undefined ? found : { truth: !decisive, why: joined(verdict.why, found.why) };
		}
		return verdict;
	};
}

function joined(before: string, after: string): string {
	return before === "" ? after : `${before} and ${after}`;
}

interface Membership {
	readonly group: string;
	readonly how: "direct" | "chain";
}

/** `(memberOf=DN)` and `(memberOf:1.2.840.113556.1.4.1941:=DN)`; undefined: something else. */
function membershipOf(filter: Filter): Membership | undefined {
	if (filter.kind !== "equal" && filter.kind !== "extensible") return undefined;
	if (filter.attribute?.toLowerCase() !== "memberof") return undefined;
	if (filter.kind === "extensible" && filter.rule !== undefined && filter.rule !== IN_CHAIN) return undefined;
	const reference = /^<(?:GUID|SID)=([^>]+)>$/i.exec(textOf(filter.value))?.[1];
	const group = reference ?? textOf(filter.value);
	if (parseGroupName(group) === undefined || (reference === undefined && parseGroupName(group)?.kind !== "dn")) return undefined;
	return { group, how: filter.kind === "extensible" && filter.rule === IN_CHAIN ? "chain" : "direct" };
}

/** `(manager:1.2.840.113556.1.4.1941:=DN)`; undefined: something else. */
function chainOf(filter: Filter, schema: Schema): { readonly attribute: string; readonly target: string } | undefined {
	if (filter.kind !== "extensible" || filter.rule !== IN_CHAIN || filter.attribute === undefined) return undefined;
	const attribute = filter.attribute.toLowerCase();
	const target = parseGroupName(textOf(filter.value));
	if (attribute === "memberof" || schema.syntaxOf(attribute) !== "dn" || target?.kind !== "dn") return undefined;
	return { attribute, target: groupKey(target.dn) };
}

/** Whether more is asked than what the entry says itself. */
function asksOthers(filter: Filter, schema: Schema): boolean {
	if (filter.kind === "and" || filter.kind === "or") return filter.parts.some((part) => asksOthers(part, schema));
	if (filter.kind === "not") return asksOthers(filter.part, schema);
	return membershipOf(filter) !== undefined || chainOf(filter, schema) !== undefined;
}

function attributesAsked(filter: Filter): readonly string[] {
	if (filter.kind === "and" || filter.kind === "or") return filter.parts.flatMap(attributesAsked);
	if (filter.kind === "not") return attributesAsked(filter.part);
	return membershipOf(filter) === undefined ? [...attributesOf(filter)] : [];
}

function negatedTruth(truth: Truth): Truth {
	return truth === undefined ? undefined : !truth;
}

function combinedTruth(parts: readonly ((subject: Subject) => Truth)[], subject: Subject, decisive: boolean): Truth {
	let truth: Truth = !decisive;
	for (const part of parts) {
		const found = part(subject);
		if (found === decisive) return found;
		if (found === undefined) truth = undefined;
	}
	return truth;
}
