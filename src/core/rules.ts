import type { Entitlements } from "./account.ts";
import { type CompiledCondition, type Condition, compileCondition, describeCondition, type Subject, type Verdict } from "./condition.ts";
import { wordsOfEntitlements } from "./entitlement-words.ts";
import { plainSchema, type Schema } from "./matching.ts";
import type { Entitled } from "./plan.ts";

/** Gives a feature to whom the condition selects; several rules may give the same one. */
export interface FeatureRule {
	readonly name: string;
	/** Undefined: everybody. */
	readonly when: Condition | undefined;
}

/** Gives a policy its value for whom the condition selects; of several rules for one policy the first that matches counts. */
export interface PolicyRule extends FeatureRule {
	readonly value: string;
}

export interface Rules {
	readonly features: readonly FeatureRule[];
	readonly policies: readonly PolicyRule[];
}

/** One rule ready to be asked, with its place in the configuration: "features[3]". */
export interface CompiledRule {
	readonly kind: "feature" | "policy";
	readonly name: string;
	/** Of a policy. */
	readonly value: string | undefined;
	readonly place: string;
	/** Its condition in a few words. */
	readonly through: string;
	readonly condition: CompiledCondition | undefined;
}

export interface CompiledRules {
	/** In the order of the configuration, features first. */
	readonly all: readonly CompiledRule[];
	/** The names of the groups that they name, as written, by their keys. */
	readonly groups: ReadonlyMap<string, string>;
	/** The attributes that they follow from entry to entry. */
	readonly chains: ReadonlySet<string>;
	/** What one person gets. `before`: what stays where nothing certain can be said. */
	entitle(subject: Subject, before: Entitlements): EntitledBy;
}

/** What rules give, with the rules that do. */
export interface EntitledBy extends Entitled {
	readonly untold: readonly Untold[];
	/** The rules that count, each for what it gives. */
	given(): Iterable<CompiledRule>;
	/** Every rule that selects the person, whether or not an earlier one counts. Asks all of them. */
	selecting(): readonly CompiledRule[];
}

/** A rule of which it cannot be told whether it selects somebody. */
export interface Untold {
	readonly rule: CompiledRule;
	readonly why: string;
}

/** Compiles rules. Throws CONFIG_INVALID for a condition that cannot be read. */
export function compileRules({ features, policies }: Rules, schema: Schema = plainSchema): CompiledRules {
	const groups = new Map<string, string>();
	const chains = new Set<string>();
	const compile = (kind: "feature" | "policy", { name, when }: FeatureRule, value: string | undefined, place: string): CompiledRule => {
		const condition = when && compileCondition(when, schema);
		for (const [key, group] of condition?.groups ?? []) groups.set(key, group);
		for (const attribute of condition?.chains ?? []) chains.add(attribute);
		return { kind, name, value, place, through: when === undefined ? "everybody" : describeCondition(when), condition };
	};
	const ofFeatures = features.map((rule, index) => compile("feature", rule, undefined, `features[${index}]`));
	const ofPolicies = policies.map((rule, index) => compile("policy", rule, rule.value, `policies[${index}]`));
	const byFeature = grouped(ofFeatures);
	const byPolicy = grouped(ofPolicies);
	return { all: [...ofFeatures, ...ofPolicies], groups, chains, entitle };

	function entitle(subject: Subject, before: Entitlements) {
		const untold: Untold[] = [];
		const given = new Map<string, CompiledRule>();
		const names: string[] = [];
		for (const [name, rules] of byFeature) {
			const found = firstOf(rules, subject, untold);
			if (found === undefined ? before.features?.includes(name) === true : found !== "none") names.push(name);
			if (typeof found === "object") given.set(`feature ${name}`, found);
		}
		const values: [string, string][] = [];
		for (const [name, rules] of byPolicy) {
			const found = firstOf(rules, subject, untold, "stop");
			const value = found === undefined ? before.policies?.[name] : found === "none" ? undefined : found.value;
			if (value !== undefined) values.push([name, value]);
			if (typeof found === "object") given.set(`policy ${name}`, found);
		}
		const entitlements: Entitlements = {
			...(names.length > 0 && { features: names }),
			...(values.length > 0 && { policies: Object.fromEntries(values) }),
		};
		return {
			entitlements,
			untold,
			given: () => given.values(),
			selecting: () => [...ofFeatures, ...ofPolicies].filter((rule) => judgeRule(rule, subject).truth === true),
			words: (had: Entitlements) => wordsOfEntitlements(had, entitlements, (kind, name) => throughOf(subject, given, kind, name)),
		};
	}

	function throughOf(subject: Subject, given: ReadonlyMap<string, CompiledRule>, kind: "feature" | "policy", name: string): string {
		const rule = given.get(`${kind} ${name}`);
		if (rule !== undefined) return rule.through;
		const rules = (kind === "feature" ? byFeature : byPolicy).get(name) ?? [];
		if (rules.length === 0) return "no rule gives it any more";
		return rules.map((each) => judgeRule(each, subject).why).join(", ");
	}
}

const always: Verdict = { truth: true, why: "given to everybody" };

/** What one rule says of one person. */
export function judgeRule({ condition }: CompiledRule, subject: Subject): Verdict {
	return condition === undefined ? always : condition.judge(subject);
}

/**
 * The first rule that selects the person; "none": not one does, for certain; undefined: that cannot be told. `atDoubt` "stop": a rule in
 * doubt may be the one, so that none after it counts.
 */
function firstOf(
	rules: readonly CompiledRule[],
	subject: Subject,
	untold: Untold[],
	atDoubt: "stop" | "go on" = "go on",
): CompiledRule | "none" | undefined {
	let isCertain = true;
	for (const rule of rules) {
		const { truth, why } = judgeRule(rule, subject);
		if (truth === true) return rule;
		if (truth === false) continue;
		untold.push({ rule, why });
		isCertain = false;
		if (atDoubt === "stop") return undefined;
	}
	return isCertain ? "none" : undefined;
}

/** Rules by name, names sorted, in their order. */
function grouped(rules: readonly CompiledRule[]): ReadonlyMap<string, readonly CompiledRule[]> {
	const names = [...new Set(rules.map(({ name }) => name))].sort();
	return new Map(names.map((name) => [name, rules.filter((rule) => rule.name === name)]));
}
