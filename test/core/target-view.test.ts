import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Account } from "../../src/core/account.ts";
import type { Cause, ChangeKind } from "../../src/core/change.ts";
import type { Truth } from "../../src/core/matching.ts";
import { type EndActions, outcomeAtTarget, planAtTarget, type TargetSituation } from "../../src/core/target-view.ts";

const account: Account = { userName: "anna@corp", active: true };
const off: Account = { ...account, active: false };
const renamed: Account = { ...account, userName: "bell@corp" };
const disabled = { cause: "disabled", why: "disabled in the directory" } as const;
const deleted = { cause: "deleted", why: "not in the directory any more (sealed reading)" } as const;
const ends: EndActions = { onDisabled: "disable", onOutOfScope: "disable", onDeleted: "disable" };
const says = (truth: Truth) => ({ truth, why: truth === true ? "in group Sales" : "not in group Sales" });
const at = (where: Account, isOutside = false) => ({ account: where, isOutside });
const passed = (...kinds: ChangeKind[]): ReadonlySet<ChangeKind> => new Set(kinds);

/** Somebody who is there, active and in scope, and of whom nothing changes. */
const usual: TargetSituation = {
	target: "mail",
	before: at(account),
	account,
	passed: passed(),
	end: undefined,
	fields: account,
	verdict: says(true),
	lifecycle: undefined,
	onOutside: "disable",
};

interface Row {
	who: string;
	situation: Partial<TargetSituation>;
	kinds: string[];
	desired: Account | undefined;
	why?: string;
}

/** Own changes by their kind, those that follow from the account's in parentheses. */
const shown = (situation: TargetSituation) => planAtTarget(situation).changes.map(({ kind, isOwn }) => (isOwn ? kind : `(${kind})`));

describe("what a target is to have of an account", () => {
	it.each<Row>([
		{ who: "somebody there and in scope", situation: {}, kinds: [], desired: account },
		{
			who: "somebody who comes into the scope",
			...{ situation: { before: undefined }, kinds: ["create"], desired: account },
			why: "came into the scope of target mail: in group Sales",
		},
		{ who: "a new account in scope", situation: { before: undefined, passed: passed("create") }, kinds: ["(create)"], desired: account },
		{ who: "somebody out of scope and never there", situation: { before: undefined, verdict: says(false) }, kinds: [], desired: undefined },
		{
			who: "one of whom that cannot be told, never there",
			situation: { before: undefined, verdict: says(undefined) },
			kinds: [],
			desired: undefined,
		},
		{ who: "one of whom that cannot be told, there", situation: { verdict: says(undefined) }, kinds: [], desired: account },
		{
			who: "one who was outside, and now it cannot be told",
			situation: { before: at(off, true), verdict: says(undefined) },
			...{ kinds: [], desired: off },
		},
		{
			who: "somebody who leaves the scope",
			...{ situation: { verdict: says(false) }, kinds: ["disable"], desired: off },
			why: "left the scope of target mail: not in group Sales",
		},
		{
			who: "who leaves it where that deletes",
			situation: { verdict: says(false), onOutside: "delete" },
			kinds: ["delete"],
			desired: undefined,
		},
		{ who: "who leaves it where that keeps", situation: { verdict: says(false), onOutside: "keep" }, kinds: [], desired: account },
		{
			who: "who is back in it",
			...{ situation: { before: at(off, true) }, kinds: ["enable"], desired: account },
			why: "back in the scope of target mail: in group Sales",
		},
		{
			who: "who leaves with new fields",
			situation: { verdict: says(false), account: renamed, fields: renamed, passed: passed("update") },
			...{ kinds: ["(update)", "disable"], desired: { ...renamed, active: false } },
		},
		{
			who: "who is out already, with new fields",
			situation: { before: at(off, true), verdict: says(false), account: renamed, fields: renamed, passed: passed("update") },
			...{ kinds: [], desired: off },
		},
		{
			who: "a new name of the account's",
			situation: { account: renamed, fields: renamed, passed: passed("update") },
			kinds: ["(update)"],
			desired: renamed,
		},
		{
			who: "a new name by the target's own mapping",
			...{ situation: { fields: renamed }, kinds: ["update"], desired: renamed },
			why: 'at target mail: userName from "anna@corp" to "bell@corp"',
		},
		{
			who: "whose account is disabled",
			situation: { account: off, end: disabled, passed: passed("disable") },
			kinds: ["(disable)"],
			desired: off,
		},
		{ who: "whose account is enabled", situation: { before: at(off), passed: passed("enable") }, kinds: ["(enable)"], desired: account },
		{
			who: "a new account that is disabled",
			situation: { before: undefined, account: off, end: disabled, passed: passed("create") },
			kinds: ["(create)"],
			desired: off,
		},
		{
			who: "whose account is gone",
			situation: { account: undefined, fields: undefined, end: deleted, passed: passed("delete") },
			kinds: ["(delete)"],
			desired: undefined,
		},
		{
			who: "whose disable is a delete there",
			situation: { account: off, end: disabled, passed: passed("disable"), lifecycle: { ...ends, onDisabled: "delete" } },
			...{ kinds: ["(disable)", "delete"], desired: undefined, why: "at target mail: disabled in the directory" },
		},
		{
			who: "a new account that is disabled where that is a delete",
			situation: { before: undefined, account: off, end: disabled, passed: passed("create"), lifecycle: { ...ends, onDisabled: "delete" } },
			...{ kinds: [], desired: undefined },
		},
		{
			who: "whose disable keeps there, with a new name",
			situation: {
				...{ account: { ...renamed, active: false }, fields: renamed, end: disabled },
				...{ passed: passed("update", "disable"), lifecycle: { ...ends, onDisabled: "keep" } },
			},
			...{ kinds: ["(update)"], desired: renamed },
		},
		{
			who: "whose account is gone where that only disables",
			situation: { account: undefined, fields: undefined, end: deleted, passed: passed("delete"), lifecycle: ends },
			...{ kinds: ["(disable)"], desired: off },
		},
		{
			who: "who stays there though everywhere else gone, and is back with an account to come",
			...{ situation: { before: at(off), account: undefined, lifecycle: ends }, kinds: [], desired: off },
		},
		{
			who: "kept everywhere else, and ended there",
			...{ situation: { end: disabled, lifecycle: ends }, kinds: ["disable"], desired: off },
		},
		{
			who: "of two ends the stricter: disabled, and out of a scope that keeps",
			situation: { account: off, end: disabled, verdict: says(false), onOutside: "keep", passed: passed("disable") },
			...{ kinds: ["(disable)"], desired: off },
		},
		{
			who: "of two ends the stricter: disabled, and out of a scope that deletes",
			situation: { account: off, end: disabled, verdict: says(false), onOutside: "delete", passed: passed("disable") },
			...{ kinds: ["(disable)", "delete"], desired: undefined },
		},
		{
			who: "somebody gone who was never there",
			situation: { before: undefined, account: off, fields: undefined, end: deleted, verdict: says(undefined) },
			kinds: [],
			desired: undefined,
		},
		{
			who: "everybody, where there is no scope",
			situation: { before: undefined, verdict: undefined },
			kinds: ["create"],
			desired: account,
			why: "not yet at target mail",
		},
	])("$who: $kinds", ({ situation, kinds, desired, why }) => {
		const whole = { ...usual, ...situation };
		expect(shown(whole)).toEqual(kinds);
		const planned = planAtTarget(whole);
		expect(planned.desired).toEqual(desired);
		if (why !== undefined) expect(planned.changes.at(-1)?.why).toBe(why);
	});

	it.each<{ before: Account | undefined; desired: Account | undefined; kinds: ChangeKind[]; outcome: Account | undefined; why: string }>([
		{ before: account, desired: undefined, kinds: ["disable"], outcome: off, why: "a held delete does not keep the disable back" },
		{ before: account, desired: undefined, kinds: [], outcome: account, why: "a held delete alone changes nothing" },
		{ before: account, desired: undefined, kinds: ["disable", "delete"], outcome: undefined, why: "both go out" },
		{
			before: account,
			desired: { ...renamed, active: false },
			kinds: ["update"],
			outcome: renamed,
			why: "a held disable does not keep fields back",
		},
		{ before: undefined, desired: account, kinds: [], outcome: undefined, why: "a held create makes nothing" },
	])("$why", ({ before, desired, kinds, outcome }) => {
		expect(outcomeAtTarget(before, desired, passed(...kinds))).toEqual(outcome);
	});

	const action = fc.constantFrom("disable" as const, "delete" as const, "keep" as const);
	const actions = fc.record({ onDisabled: action, onOutOfScope: action, onDeleted: action });
	const cause = fc.constantFrom<Cause>("disabled", "expired", "out-of-scope", "deleted");
	const accounts = fc.constantFrom(account, off, renamed);
	const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
	const situations = fc
		.record({
			before: maybe(fc.record({ account: accounts, isOutside: fc.boolean() })),
			account: maybe(accounts),
			end: maybe(fc.record({ cause, why: fc.constant("because") })),
			fields: maybe(accounts),
			verdict: maybe(fc.constantFrom(true, false, undefined).map(says)),
			lifecycle: maybe(actions),
			onOutside: action,
		})
		// Whoever is not active is so for a reason.
		.map((some): TargetSituation => ({ ...usual, ...some, end: some.account?.active === false ? (some.end ?? disabled) : some.end }));

	it("is the same when it is planned again", () => {
		fc.assert(
			fc.property(situations, (situation) => {
				const first = planAtTarget(situation);
				const before = first.desired && { account: first.desired, isOutside: first.isOutside };
				const again = planAtTarget({ ...situation, before });
				expect(again.changes).toEqual([]);
				expect(again.desired).toEqual(first.desired);
			}),
		);
	});

	it("is changed by nothing but the changes that are told, and lets nobody sign in whom the account does not let", () => {
		fc.assert(
			fc.property(situations, (situation) => {
				const { desired, changes } = planAtTarget(situation);
				const kinds = new Set(changes.map(({ kind }) => kind));
				expect(outcomeAtTarget(situation.before?.account, desired, kinds)).toEqual(desired);
				for (const { why } of changes) expect(why).toContain("target mail");
				if (desired?.active === true && situation.before?.account.active !== true) expect(situation.account?.active).toBe(true);
			}),
		);
	});
});
