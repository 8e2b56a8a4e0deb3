import type { Account } from "../core/account.ts";
import type { CompiledRule, CompiledRules, EntitledBy } from "../core/rules.ts";

/** What one rule does to people, in numbers. */
export interface RuleCount {
	/** Whom its condition selects. */
	readonly selects: number;
	/** To whom it gives what it gives: the others have it by an earlier rule. */
	readonly gives: number;
	/** Those among them who have not had it, and the first of them, by name. */
	readonly gains: number;
	readonly examples: readonly string[];
}

/** Counts what rules do while people are planned. */
export interface RuleTally {
	add(entitled: EntitledBy, before: Account | undefined, desired: Account | undefined): void;
	/** In the order of the configuration. */
	counts(): readonly { readonly rule: CompiledRule; readonly count: RuleCount }[];
}

const noCount: RuleCount = { selects: 0, gives: 0, gains: 0, examples: [] };

export function makeRuleTally({ all }: CompiledRules, mostExamples: number): RuleTally {
	const counts = new Map<CompiledRule, { selects: number; gives: number; gains: number; examples: string[] }>(
		all.map((rule) => [rule, { selects: 0, gives: 0, gains: 0, examples: [] }]),
	);
	return {
		add: (entitled, before, desired) => {
			if (desired === undefined) return;
			for (const rule of entitled.selecting()) {
				const count = counts.get(rule);
				if (count !== undefined) count.selects++;
			}
			for (const rule of entitled.given()) {
				const count = counts.get(rule);
				if (count === undefined) continue;
				count.gives++;
				if (has(before, rule)) continue;
				count.gains++;
				if (count.examples.length < mostExamples) count.examples.push(desired.userName);
			}
		},
		counts: () => all.map((rule) => ({ rule, count: counts.get(rule) ?? noCount })),
	};
}

function has(account: Account | undefined, { name, value }: CompiledRule): boolean {
	return value === undefined ? account?.features?.includes(name) === true : account?.policies?.[name] === value;
}
