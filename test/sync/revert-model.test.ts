import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import type { Account } from "../../src/core/account.ts";
import type { Condition } from "../../src/core/condition.ts";
import { type FakeSource, makeFakeSource } from "../support/fake-source.ts";
import { type Harness, type HarnessOptions, testLifecycle, testMapping } from "../support/harness.ts";
import { openMortal } from "../support/mortal.ts";

const PEOPLE = "OU=People,DC=corp,DC=example,DC=test";
const LEAVERS = "OU=Leavers,DC=corp,DC=example,DC=test";
const SALES = "CN=Sales,OU=Groups";
const DEPARTMENTS = ["Sales", "Treasury", undefined];
const HOUR = 3_600_000;

const who = fc.integer({ min: 1, max: 5 });
const mode = fc.constantFrom("full" as const, "delta" as const);
const step = fc.oneof(
	fc.record({
		do: fc.constant("person" as const),
		who,
		isInside: fc.boolean(),
		isEnabled: fc.boolean(),
		isExpired: fc.boolean(),
		department: fc.nat(2),
		name: fc.nat(2),
	}),
	fc.record({ do: fc.constant("remove" as const), who }),
	fc.record({ do: fc.constant("group" as const), members: fc.uniqueArray(who, { maxLength: 4 }) }),
	fc.record({ do: mode }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const inSales: Condition = { group: SALES };
const options: HarnessOptions = {
	mapping: { ...testMapping, department: "{department}" },
	rules: {
		features: [{ name: "search", when: inSales }],
		policies: [
			{ name: "mail", value: "block", when: { filter: "(department=Treasury)" } },
			{ name: "mail", value: "allow", when: inSales },
		],
	},
};

const lifecycles = [
	{ of: "the default lifecycle", lifecycle: testLifecycle },
	{ of: "deletes at once", lifecycle: { ...testLifecycle, onDisabled: "delete", onDeleted: "delete", onOutOfScope: "delete" } },
	{ of: "a retention of an hour", lifecycle: { ...testLifecycle, deleteAfterMs: HOUR } },
] as const;

it.each(lifecycles)(
	"any history under $of: reverting its last run gives the accounts as they were before it, wherever it is killed, and three runs leave them so",
	async ({ lifecycle }) => {
		await fc.assert(
			fc.asyncProperty(
				fc.array(step, { maxLength: 20 }),
				fc.array(step, { minLength: 1, maxLength: 8 }),
				fc.nat(30),
				async (history, last, killAt) => {
					const folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-revert-"));
					const fake = makeFakeSource();
					Object.assign(fake.settings, { groups: "all", ruleGroups: [SALES] });
					fake.settings.attributes = ["cn", "department", "mail", "manager", "upn"];
					put(fake, { do: "person", who: 99, isInside: true, isEnabled: true, isExpired: false, department: 0, name: 0 });
					putGroup(fake, []);
					const mortal = openMortal(fake, path.join(folder, "dirsyncd.db"), { ...options, lifecycle, views: { remote: {} } });
					const change = (each: Step): void => {
						if (each.do === "person") put(fake, each);
						else if (each.do === "remove") fake.remove(fake.anchorOf(each.who));
						else if (each.do === "group") putGroup(fake, each.members);
					};
					// Time stands still once the last run is over: whose retention ends is no matter of reverts.
					const go = async (how: "full" | "delta", hours = 0.25) => {
						mortal.harness().time.now += hours * HOUR;
						await mortal.sync(how);
					};
					try {
						for (const each of history) {
							if (each.do === "full" || each.do === "delta") await go(each.do);
							else change(each);
						}
						await go("full");
						const before = await accountsOf(mortal.harness());
						for (const each of last) change(each);
						await go("full");
						const run = lastRun(mortal.harness());
						const changed = mortal.harness().views((views) => [...views.changes(run)].some(({ subject }) => subject === "account"));
						fc.pre(changed);
						await mortal.revert(run, killAt);
						// Killed before it was kept, it never was: then it is done now. Else there is nothing left to do.
						await mortal.revert(run);
						expect(await accountsOf(mortal.harness())).toEqual(before);
						for (const how of ["delta", "full", "delta"] as const) await go(how, 0);
						expect(await accountsOf(mortal.harness())).toEqual(before);
						expect((await mortal.harness().plan("full")).changes).toEqual([]);
						const there = Object.fromEntries([...mortal.remote.accounts.values()].map(({ anchor, account }) => [anchor, account]));
						expect(there).toEqual(before);
					} finally {
						mortal.close();
						rmSync(folder, { recursive: true, force: true });
					}
				},
			),
			{ numRuns: Number(process.env["DIRSYNCD_TEST_RUNS"] ?? 40) },
		);
	},
	180_000,
);

function accountsOf(harness: Harness): Promise<Record<string, Account>> {
	return harness.accounts();
}

function lastRun(harness: Harness): number {
	return harness.views((views) => views.runs(1)[0]?.run ?? 0);
}

function put(fake: FakeSource, { who: number, isInside, isEnabled, isExpired, department, name }: Extract<Step, { do: "person" }>): void {
	const of = DEPARTMENTS[department];
	fake.put({
		anchor: fake.anchorOf(number),
		cn: `P${number}`,
		where: isInside ? PEOPLE : LEAVERS,
		standing: isEnabled ? "enabled" : "disabled",
		...(isExpired && { expiresAt: 1 }),
		attributes: { cn: [`P${number}`], upn: [`p${number}-${name}@corp`], department: of === undefined ? [] : [of] },
	});
}

function putGroup(fake: FakeSource, members: readonly number[]): void {
	const there = [99, ...members].map(fake.anchorOf).filter((anchor) => fake.people.has(anchor));
	fake.putGroup({ anchor: fake.anchorOf(1001), cn: "Sales", isInScope: true, members: there });
}
