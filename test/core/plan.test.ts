import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Account } from "../../src/core/account.ts";
import type { Anchor, Standing } from "../../src/core/entry.ts";
import type { EndAction } from "../../src/core/lifecycle.ts";
import { outcomeOf } from "../../src/core/outcome.ts";
import { type AccountState, planAccount, type Situation } from "../../src/core/plan.ts";
import type { Presence } from "../../src/core/presence.ts";

const AT = Date.UTC(2026, 10, 1);
const DAY = 86_400_000;
const account: Account = { userName: "anna@corp", displayName: "Anna", active: true };

function present(standing: Standing, expiresAt?: number): Presence {
	return { kind: "present", entry: { anchor: "a" as Anchor, dn: "CN=Anna", attributes: new Map(), standing, expiresAt } };
}

function situation(presence: Presence, before: AccountState | undefined, more: Partial<Situation> = {}): Situation {
	const { active: _, ...fields } = account;
	return {
		before,
		presence,
		mapped: presence.kind === "present" ? { kind: "account", account: fields } : undefined,
		entitled: undefined,
		lifecycle: { onDisabled: "disable", onOutOfScope: "disable", onDeleted: "disable", deleteAfterMs: undefined },
		at: AT,
		...more,
	};
}

const active: AccountState = { account, cause: undefined, endedAt: undefined };
const disabled: AccountState = { account: { ...account, active: false }, cause: "disabled", endedAt: AT - DAY };
const gone: Presence = { kind: "deleted", evidence: "sealed reading of 10 entries", doubt: undefined };
const moved: Presence = { kind: "out-of-scope", where: "now in OU=Leavers", doubt: undefined };

describe("the plan for one account", () => {
	it.each([
		{ who: "a new person", presence: present("enabled"), before: undefined, kinds: ["create"], why: "new in the directory" },
		{
			who: "a new person who is disabled",
			presence: present("disabled"),
			before: undefined,
			kinds: ["create"],
			why: "new in the directory, disabled in the directory",
		},
		{ who: "a new person whose state cannot be read", presence: present("unknown"), before: undefined, kinds: [], why: undefined },
		{ who: "someone unchanged", presence: present("enabled"), before: active, kinds: [], why: undefined },
		{ who: "someone disabled", presence: present("disabled"), before: active, kinds: ["disable"], why: "disabled in the directory" },
		{
			who: "someone whose account expires now",
			presence: present("enabled", AT),
			before: active,
			kinds: ["disable"],
			why: "account expired on 2026-11-01",
		},
		{ who: "someone whose account expires later", presence: present("enabled", AT + 1), before: active, kinds: [], why: undefined },
		{ who: "someone whose state cannot be read", presence: present("unknown"), before: active, kinds: [], why: undefined },
		{ who: "a disabled one whose state cannot be read", presence: present("unknown"), before: disabled, kinds: [], why: undefined },
		{ who: "someone enabled again", presence: present("enabled"), before: disabled, kinds: ["enable"], why: "enabled in the directory" },
		{
			who: "someone deleted",
			presence: gone,
			before: active,
			kinds: ["disable"],
			why: "not in the directory any more (sealed reading of 10 entries)",
		},
		{ who: "someone moved out", presence: moved, before: active, kinds: ["disable"], why: "left the scope: now in OU=Leavers" },
		{ who: "someone gone who was disabled already", presence: gone, before: disabled, kinds: [], why: undefined },
		{ who: "someone gone who never had an account", presence: gone, before: undefined, kinds: [], why: undefined },
	])("$who: $kinds ($why)", ({ presence, before, kinds, why }) => {
		const planned = planAccount(situation(presence, before));
		expect(planned.changes.map(({ kind }) => kind)).toEqual(kinds);
		expect(planned.changes[0]?.why).toBe(why);
	});

	it("keeps fields and state apart, so that one can be held without the other", () => {
		const mapped = { kind: "account", account: { userName: "anna@corp", displayName: "Anna Holm" } } as const;
		const planned = planAccount(situation(present("disabled"), active, { mapped }));
		expect(planned.changes.map(({ kind, why }) => [kind, why])).toEqual([
			["update", 'displayName from "Anna" to "Anna Holm"'],
			["disable", "disabled in the directory"],
		]);
		expect(outcomeOf(account, planned.desired, new Set(["update"]))).toEqual({
			userName: "anna@corp",
			displayName: "Anna Holm",
			active: true,
		});
		expect(outcomeOf(account, planned.desired, new Set(["disable"]))).toEqual({ ...account, active: false });
	});

	it("wakes up for the hour of expiry, also while disabled for another reason", () => {
		expect(planAccount(situation(present("enabled", AT + DAY), active)).dueAt).toBe(AT + DAY);
		expect(planAccount(situation(present("disabled", AT + DAY), disabled)).dueAt).toBe(AT + DAY);
	});
});

const presences = fc.oneof(
	fc
		.record({
			standing: fc.constantFrom<Standing>("enabled", "disabled", "unknown"),
			expires: fc.option(fc.integer({ min: -9, max: 9 }), { nil: undefined }),
		})
		.map(({ standing, expires }) => present(standing, expires === undefined ? undefined : AT + expires * DAY)),
	fc.constantFrom(gone, moved),
);
const actions = fc.constantFrom<EndAction>("disable", "keep", "delete");
const lifecycles = fc.record({
	onDisabled: actions,
	onOutOfScope: actions,
	onDeleted: actions,
	deleteAfterMs: fc.option(fc.integer({ min: 0, max: 20 * DAY }), { nil: undefined }),
});

it("planning again what a committed plan left behind plans nothing", () => {
	fc.assert(
		fc.property(presences, lifecycles, fc.constantFrom(undefined, active, disabled), (presence, lifecycle, before) => {
			const first = planAccount(situation(presence, before, { lifecycle }));
			const after = outcomeOf(before?.account, first.desired, new Set(first.changes.map(({ kind }) => kind)));
			const state = after && {
				account: after,
				cause: after.active ? undefined : first.cause,
				endedAt: after.active ? undefined : first.endedAt,
			};
			// A retention of nothing deletes at the next look, which is not the same look.
			if (lifecycle.deleteAfterMs === 0) return;
			expect(planAccount(situation(presence, state, { lifecycle })).changes).toEqual([]);
		}),
	);
});
