import type { Entitlements } from "../../src/core/account.ts";
import type { Rules } from "../../src/core/rules.ts";

/** A condition of a made-up world, with what it means there said twice: for the rules, and by hand. */
export interface NaiveCondition<Person> {
	readonly when: NonNullable<Rules["features"][number]["when"]> | undefined;
	holds(person: Person): boolean;
}

export interface NaiveRule<Person> extends NaiveCondition<Person> {
	readonly name: string;
	/** Undefined: a feature. */
	readonly value: string | undefined;
}

export function asRules(rules: readonly NaiveRule<never>[]): Rules {
	return {
		features: rules.flatMap(({ name, value, when }) => (value === undefined ? [{ name, when }] : [])),
		policies: rules.flatMap(({ name, value, when }) => (value === undefined ? [] : [{ name, value, when }])),
	};
}

/** What somebody gets, as a person would read the configuration from top to bottom. */
export function naively<Person>(rules: readonly NaiveRule<Person>[], person: Person): Entitlements {
	const features = new Set<string>();
	const policies = new Map<string, string>();
	for (const rule of rules) {
		if (!rule.holds(person)) continue;
		if (rule.value === undefined) features.add(rule.name);
		else if (!policies.has(rule.name)) policies.set(rule.name, rule.value);
	}
	return {
		...(features.size > 0 && { features: [...features].sort() }),
		...(policies.size > 0 && { policies: Object.fromEntries([...policies].sort(([one], [other]) => (one < other ? -1 : 1))) }),
	};
}
