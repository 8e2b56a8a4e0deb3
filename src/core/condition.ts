import { dnKey, parseDn } from "./dn.ts";
import { Failure } from "./errors.ts";
import { attributesOf, parseFilter, printFilter } from "./filter-text.ts";
import { type Lookup, makeMatcher, plainSchema, type Schema, type Truth } from "./matching.ts";

/** What a rule asks of one person, as the configuration has it: exactly one of these in each place. */
export type Condition =
	/** A member of this group, nested groups included: its DN. */
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
	/** Whether the person is in the group of this DN (see `dnKey`); undefined: the group cannot be found. */
	isIn(group: string): Truth;
}

/** Undefined is the third value: the condition can neither be said to hold nor not to. `why` is a phrase: "not in group CN=Sales". */
export interface Verdict {
	readonly truth: Truth;
	readonly why: string;
}

/** A condition made ready to be asked about many people. */
export interface CompiledCondition {
	/** The DNs of the groups it names, as written, by their keys. */
	readonly groups: ReadonlyMap<string, string>;
	judge(subject: Subject): Verdict;
}

/**
 * Compiles a condition. Throws CONFIG_INVALID for a filter that cannot be read, and for a group that is not named by its DN: the
 * group must be found before anybody's entry is read, and a name may be that of several.
 */
export function compileCondition(condition: Condition, schema: Schema = plainSchema): CompiledCondition {
	const groups = new Map<string, string>();
	return { groups, judge: compile(condition) };

	function compile(part: Condition): (subject: Subject) => Verdict {
		if ("group" in part) return compileGroup(part.group);
		if ("filter" in part) return compileFilter(part.filter);
		if ("not" in part) {
			const inner = compile(part.not);
			return (subject) => negated(inner(subject));
		}
		return "all" in part ? combined(part.all.map(compile), false) : combined(part.any.map(compile), true);
	}

	function compileGroup(dn: string): (subject: Subject) => Verdict {
		if (!isDn(dn))
			throw new Failure("CONFIG_INVALID", `the group "${dn}" of a condition is not named by its DN`, {
				hint: "Name it as in CN=Sales,OU=Groups,DC=corp,DC=example,DC=com; `dirsyncd groups` shows the groups that are known.",
			});
		const key = dnKey(dn);
		groups.set(key, dn);
		const verdicts = sentences(`in group ${dn}`, `not in group ${dn}`, `whether in group ${dn} cannot be told`);
		return (subject) => verdicts(subject.isIn(key));
	}

	function compileFilter(text: string): (subject: Subject) => Verdict {
		const filter = parseFilter(text);
		const matches = makeMatcher(filter, schema);
		const shown = printFilter(filter);
		const verdicts = sentences(`matches ${shown}`, `does not match ${shown}`, `whether ${shown} matches cannot be told`);
		return ({ lookup }) => verdicts(matches(lookup));
	}
}

/** Names of the attributes that a condition asks about, in lower case. Throws CONFIG_INVALID for a filter that cannot be read. */
export function attributesOfCondition(condition: Condition): readonly string[] {
	if ("filter" in condition) return [...attributesOf(parseFilter(condition.filter))];
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
	return { truth: truth === undefined ? undefined : !truth, why };
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

function isDn(text: string): boolean {
	try {
		return parseDn(text).length > 0;
	} catch {
		return false; // The caller says what it should have been.
	}
}

/** The groups that a condition names, as written. */
export function groupsOfCondition(condition: Condition): readonly string[] {
	if ("group" in condition) return [condition.group];
	if ("not" in condition) return groupsOfCondition(condition.not);
	if ("all" in condition) return condition.all.flatMap(groupsOfCondition);
	return "any" in condition ? condition.any.flatMap(groupsOfCondition) : [];
}
