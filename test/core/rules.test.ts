import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Entitlements } from "../../src/core/account.ts";
import type { Condition, Subject } from "../../src/core/condition.ts";
import { groupKey } from "../../src/core/group-name.ts";
import { compileRules, type Rules } from "../../src/core/rules.ts";
import { asRules, type NaiveCondition, naively } from "../support/naive-rules.ts";

/** Somebody in these groups, by name, with this title; of the group "Lost" nothing is known. */
function someone(groups: readonly string[], title?: string): Subject {
	return {
		lookup: (name) => (name === "title" ? (title === undefined ? [] : [title]) : undefined),
		isIn: (key) => (key === groupKey("Lost") ? undefined : groups.some((group) => groupKey(group) === key)),
		inChain: () => undefined,
	};
}

const inSales: Condition = { group: "Sales" };
const lost: Condition = { group: "Lost" };
const clerk: Condition = { filter: "(title=Clerk)" };

describe("rules", () => {
	it.each<{ says: string; rules: Partial<Rules>; gives: Entitlements; before?: Entitlements }>([
		{
			says: "a feature to whom one of its rules selects",
			rules: { features: [feature("a", clerk), feature("a", inSales)] },
			gives: on("a"),
		},
		{ says: "features in the order of their names", rules: { features: [feature("b"), feature("a", inSales)] }, gives: on("a", "b") },
		{ says: "nothing where no rule selects", rules: { features: [feature("a", clerk)], policies: [policy("p", "x", clerk)] }, gives: {} },
		{
			says: "a policy its first value that matches",
			rules: { policies: [policy("p", "x", clerk), policy("p", "y", inSales), policy("p", "z")] },
			gives: { policies: { p: "y" } },
		},
		{ says: "what is doubted to who has it", rules: { features: [feature("a", lost)] }, before: on("a"), gives: on("a") },
		{ says: "what is doubted to nobody else", rules: { features: [feature("a", lost)] }, before: on("b"), gives: {} },
		{ says: "what another rule gives for certain", rules: { features: [feature("a", lost), feature("a", inSales)] }, gives: on("a") },
		{
			says: "the policy of before where an earlier rule may be the one",
			rules: { policies: [policy("p", "x", lost), policy("p", "y")] },
			before: { policies: { p: "w" } },
			gives: { policies: { p: "w" } },
		},
		{
			says: "no policy to somebody new where an earlier rule may be the one",
			rules: { policies: [policy("p", "x", lost), policy("p", "y")] },
			gives: {},
		},
		{
			says: "a policy whose rule comes before the doubted one",
			rules: { policies: [policy("p", "x", inSales), policy("p", "y", lost)] },
			gives: { policies: { p: "x" } },
		},
	])("give $says", ({ rules, gives, before }) => {
		const { entitle } = compileRules({ features: [], policies: [], ...rules });
		expect(entitle(someone(["Sales"]), before ?? {}).entitlements).toEqual(gives);
	});

	it("say through what somebody gets something, and why somebody loses it", () => {
		const { entitle } = compileRules({
			features: [feature("a", inSales), feature("b", clerk)],
			policies: [policy("p", "x", { all: [inSales, { not: clerk }] }), policy("p", "y")],
		});
		const { words } = entitle(someone(["Sales"]), {});
		expect(words({ features: ["b", "c"], policies: { p: "y", q: "z" } })).toBe(
			[
				"feature a on: group Sales",
				"feature b off: does not match (title=Clerk)",
				"feature c off: no rule gives it any more",
				'policy p from "y" to "x": group Sales and not (title=Clerk)',
				'policy q cleared, was "z": no rule gives it any more',
			].join("; "),
		);
		expect(entitle(someone([]), {}).words({})).toBe('policy p set to "y": everybody');
	});

	it("tell of which rule nothing certain can be said", () => {
		const { entitle } = compileRules({ features: [feature("a"), feature("b", lost)], policies: [policy("p", "x", lost)] });
		expect(entitle(someone([]), {}).untold.map(({ rule, why }) => `${rule.place}: ${why}`)).toEqual([
			"features[1]: whether in group Lost cannot be told",
			"policies[0]: whether in group Lost cannot be told",
		]);
	});

	it("give to anybody what a naive look at them gives", () => {
		interface Person {
			readonly groups: readonly string[];
			readonly title: string | undefined;
		}
		const groups = ["Sales", "Legal", "Staff"];
		const titles = ["Clerk", "CLERK", "Clerks", undefined];
		const leaf = fc.oneof(
			fc.constantFrom(...groups).map((group): NaiveCondition<Person> => {
				return { when: { group }, holds: (person) => person.groups.includes(group) };
			}),
			fc.constant<NaiveCondition<Person>>({ when: { filter: "(title=clerk)" }, holds: ({ title }) => title?.toLowerCase() === "clerk" }),
			fc.constant<NaiveCondition<Person>>({ when: { filter: "(!(title=*))" }, holds: ({ title }) => title === undefined }),
		);
		const { tree } = fc.letrec<{ tree: NaiveCondition<Person> }>((tie) => ({
			tree: fc.oneof(
				{ maxDepth: 3 },
				leaf,
				tie("tree").map((inner): NaiveCondition<Person> => ({ when: { not: whenOf(inner) }, holds: (who) => !inner.holds(who) })),
				fc.array(tie("tree"), { minLength: 1, maxLength: 3 }).map((inner): NaiveCondition<Person> => {
					return { when: { all: inner.map(whenOf) }, holds: (who) => inner.every((each) => each.holds(who)) };
				}),
				fc.array(tie("tree"), { minLength: 1, maxLength: 3 }).map((inner): NaiveCondition<Person> => {
					return { when: { any: inner.map(whenOf) }, holds: (who) => inner.some((each) => each.holds(who)) };
				}),
			),
		}));
		const everybody: NaiveCondition<Person> = { when: undefined, holds: () => true };
		const rule = fc
			.record({
				condition: fc.oneof({ weight: 9, arbitrary: tree }, fc.constant(everybody)),
				name: fc.constantFrom("a", "b", "c"),
				value: fc.option(fc.constantFrom("x", "y"), { nil: undefined }),
			})
			.map(({ condition, name, value }) => ({ ...condition, name, value }));
		const person = fc.record({ groups: fc.subarray(groups), title: fc.constantFrom(...titles) });
		fc.assert(
			fc.property(fc.array(rule, { maxLength: 10 }), person, (rules, who) => {
				const { entitle } = compileRules(asRules(rules));
				expect(entitle(someone(who.groups, who.title), {}).entitlements).toEqual(naively(rules, who));
			}),
			{ numRuns: 500 },
		);
	});
});

function feature(name: string, when?: Condition): Rules["features"][number] {
	return { name, when };
}

function policy(name: string, value: string, when?: Condition): Rules["policies"][number] {
	return { name, value, when };
}

function on(...features: string[]): Entitlements {
	return { features };
}

function whenOf({ when }: NaiveCondition<never>): Condition {
	return when as Condition;
}
