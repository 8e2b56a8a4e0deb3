import { attributesOf, parseFilter } from "./filter-text.ts";

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

/** Names of the attributes that a condition asks about, in lower case. Throws CONFIG_INVALID for a filter that cannot be read. */
export function attributesOfCondition(condition: Condition): readonly string[] {
	if ("filter" in condition) return [...attributesOf(parseFilter(condition.filter))];
	if ("not" in condition) return attributesOfCondition(condition.not);
	if ("all" in condition) return condition.all.flatMap(attributesOfCondition);
	return "any" in condition ? condition.any.flatMap(attributesOfCondition) : [];
}
