import { describe, expect, it } from "vitest";
import type { Account } from "../../src/core/account.ts";
import { type AccountNow, type LoggedStep, undoOf } from "../../src/core/revert.ts";

const ada: Account = { userName: "ada@corp", active: true, department: "Sales", features: ["archive"], policies: { mail: "allow" } };
const moved: Account = { ...ada, department: "Treasury", title: "Clerk" };
const disabled: Account = { ...ada, active: false };
const given: Account = { ...ada, features: ["archive", "search"], policies: { mail: "block", share: "none" } };

function now(account: Account | undefined, more: Partial<AccountNow> = {}): AccountNow {
	return { account, endedAt: account?.active === false ? 10 : undefined, changedBy: undefined, isHeld: false, ...more };
}

function step(kind: LoggedStep["kind"], before: Account | undefined, after: Account | undefined): LoggedStep {
	return { kind, at: 10, before, after };
}

const keepsOf = (steps: readonly LoggedStep[], is: AccountNow) => {
	const { keeps, leftAlone } = undoOf(steps, is);
	return { keeps: Object.fromEntries(keeps.map(({ part, kept }) => [part, JSON.parse(kept)])), leftAlone };
};

describe("what a run did to an account", () => {
	it.each([
		{ what: "made it", steps: [step("create", undefined, ada)], is: now(ada), keeps: { state: "none" } },
		{ what: "made it, and it moved since", steps: [step("create", undefined, ada)], is: now(moved), keeps: { state: "none" } },
		{ what: "made it, and it is gone", steps: [step("create", undefined, ada)], is: now(undefined), alone: ["it is not there any more"] },
		{
			what: "made it, and it was disabled since",
			steps: [step("create", undefined, ada)],
			is: now(disabled, { changedBy: 13 }),
			alone: ["run 13 changed its state since"],
		},
		{ what: "disabled it", steps: [step("disable", ada, disabled)], is: now(disabled), keeps: { state: "active" } },
		{ what: "disabled it, and it is active", steps: [step("disable", ada, disabled)], is: now(ada), alone: ["it is active again"] },
		{
			what: "disabled it, and it left since",
			steps: [step("disable", ada, disabled)],
			is: now(disabled, { endedAt: 20 }),
			alone: ["it ended for another reason since"],
		},
		{
			what: "disabled it, and another run did so again",
			steps: [step("disable", ada, disabled)],
			is: now(disabled, { endedAt: 20, changedBy: 13 }),
			alone: ["run 13 changed its state since"],
		},
		{
			what: "disabled it, and it was deleted",
			steps: [step("disable", ada, disabled)],
			is: now(undefined),
			alone: ["it is not there any more"],
		},
		{ what: "enabled it", steps: [step("enable", disabled, ada)], is: now(ada), keeps: { state: "disabled" } },
		{ what: "enabled it, and it is disabled", steps: [step("enable", disabled, ada)], is: now(disabled), alone: ["it is disabled again"] },
		{ what: "deleted it", steps: [step("delete", ada, undefined)], is: now(undefined), keeps: { state: "active" } },
		{
			what: "deleted it when it was disabled",
			steps: [step("delete", disabled, undefined)],
			is: now(undefined),
			keeps: { state: "disabled" },
		},
		{ what: "deleted it, and it is there", steps: [step("delete", ada, undefined)], is: now(ada), alone: ["it is there again"] },
		{ what: "changed fields", steps: [step("update", ada, moved)], is: now(moved), keeps: { department: "Sales", title: null } },
		{
			what: "changed fields, one of which changed since",
			steps: [step("update", ada, moved)],
			is: now({ ...moved, department: "Legal" }),
			keeps: { title: null },
			alone: ['department: changed since, now "Legal"'],
		},
		{ what: "changed fields that are back", steps: [step("update", ada, moved)], is: now(ada), keeps: {} },
		{
			what: "changed features and policies",
			steps: [step("entitlement", ada, given)],
			is: now(given),
			keeps: { "feature search": false, "policy mail": "allow", "policy share": null },
		},
		{
			what: "changed features and policies, one of which changed since",
			steps: [step("entitlement", ada, given)],
			is: now({ ...given, policies: { mail: "ask", share: "none" } }),
			keeps: { "feature search": false, "policy share": null },
			alone: ['policy mail: changed since, now "ask"'],
		},
		{
			what: "changed its fields and disabled it",
			steps: [step("disable", moved, { ...moved, active: false }), step("update", ada, moved)],
			is: now({ ...moved, active: false }),
			keeps: { state: "active", department: "Sales", title: null },
		},
		{
			what: "changed fields, and a change of it is held",
			steps: [step("update", ada, moved)],
			is: now(moved, { isHeld: true }),
			alone: ["a change of it is held: approve or reject that first"],
		},
	])("when it $what, is taken back as far as it still is so", ({ steps, is, keeps, alone }) => {
		expect(keepsOf(steps, is)).toEqual({ keeps: keeps ?? {}, leftAlone: alone ?? [] });
	});

	it("is remembered whole where the account is to be made again", () => {
		expect(undoOf([step("delete", ada, undefined)], now(undefined)).keeps).toEqual([{ part: "state", kept: '"active"', body: ada }]);
	});
});
