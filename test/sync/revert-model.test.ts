import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import type { Account } from "../../src/core/account.ts";
import type { Condition } from "../../src/core/condition.ts";
import { type FakeSource, makeFakeSource } from "../support/fake-source.ts";
import { type Harness, type HarnessOptions, openHarness, testLifecycle, testMapping } from "../support/harness.ts";
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
					const fake = openFake();
					const mortal = openMortal(fake, path.join(folder, "dirsyncd.db"), { ...options, lifecycle, views: { remote: {} } });
					// Time stands still once the last run is over: whose retention ends is no matter of reverts.
					const go = async (how: "full" | "delta", hours = 0.25) => {
						mortal.harness().time.now += hours * HOUR;
						await mortal.sync(how);
					};
					try {
						for (const each of history) {
							if (each.do === "full" || each.do === "delta") await go(each.do);
							else change(fake, each, false);
						}
						await go("full");
						const before = await accountsOf(mortal.harness());
						for (const each of last) change(fake, each, false);
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

/** Reverts of any run, unpinning, approvals and kills in the middle of a history, with names that people contend for. */
const muddle = fc.oneof(
	{ weight: 6, arbitrary: step },
	{ weight: 2, arbitrary: fc.record({ do: fc.constant("revert" as const), back: fc.nat(3), killAt: fc.nat(30) }) },
	{ weight: 1, arbitrary: fc.record({ do: fc.constant("unpin" as const), who }) },
);

it.each(lifecycles)(
	"any history with reverts of any run under $of settles, and follows the directory once everybody is unpinned",
	async ({ lifecycle }) => {
		await fc.assert(
			fc.asyncProperty(fc.array(muddle, { maxLength: 30 }), async (steps) => {
				const folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-muddle-"));
				const fake = openFake();
				const views = { remote: { when: { not: { filter: "(department=Treasury)" } } } };
				const limits = { delete: { count: 1, floor: 0 } };
				const mortal = openMortal(fake, path.join(folder, "dirsyncd.db"), { ...options, lifecycle, views, limits });
				try {
					await mortal.sync("full");
					for (const each of steps) {
						mortal.harness().time.now += HOUR / 4;
						if (each.do === "full" || each.do === "delta") await mortal.sync(each.do);
						else if (each.do === "revert")
							await mortal.revert(Math.max(1, lastRun(mortal.harness()) - each.back), each.killAt).catch(expectNotFound);
						else if (each.do === "unpin") unpin(mortal.harness(), fake.anchorOf(each.who));
						else change(fake, each, true);
					}
					await mortal.settle();
					const settled = await mortal.harness().accounts();
					for (const how of ["delta", "full", "delta"] as const) await mortal.sync(how);
					expect(await mortal.harness().accounts()).toEqual(settled);
					expect((await mortal.harness().plan("full")).changes).toEqual([]);
					for (const number of [1, 2, 3, 4, 5, 99]) unpin(mortal.harness(), fake.anchorOf(number));
					expect(mortal.harness().views((views) => [...views.pins()])).toEqual([]);
					await mortal.settle();
					await mortal.settle();
					await expectAsFresh(mortal.harness(), fake, { ...options, lifecycle });
				} finally {
					mortal.close();
					rmSync(folder, { recursive: true, force: true });
				}
			}),
			{ numRuns: Number(process.env["DIRSYNCD_TEST_RUNS"] ?? 40) },
		);
	},
	240_000,
);

/** Whoever a database has that reads this directory for the first time is just so in this one. Names that two want, or that somebody who has left keeps, are left out. */
async function expectAsFresh(harness: Harness, fake: FakeSource, how: HarnessOptions): Promise<void> {
	const fresh = openHarness(fake, how);
	try {
		await fresh.sync("full");
		const [is, shouldBe] = [await harness.accounts(), await fresh.accounts()];
		const names = [...fake.people.values()].map(({ attributes }) => attributes["upn"]?.[0]);
		for (const [anchor, account] of Object.entries(shouldBe)) {
			const isKept = Object.entries(is).some(([other, { userName }]) => other !== anchor && userName === account.userName);
			const isContended = isKept || names.filter((name) => name === account.userName).length > 1;
			if (!isContended) expect(is[anchor]).toEqual(account);
		}
		for (const [anchor, account] of Object.entries(is))
			if (!(anchor in shouldBe)) expect({ anchor, active: account.active }).toEqual({ anchor, active: false });
	} finally {
		fresh.close();
	}
}

function unpin(harness: Harness, anchor: string): void {
	try {
		harness.unpin(anchor);
	} catch (error) {
		expectNotFound(error);
	}
}

function expectNotFound(error: unknown): void {
	expect(error).toMatchObject({ code: "NOT_FOUND" });
}

function accountsOf(harness: Harness): Promise<Record<string, Account>> {
	return harness.accounts();
}

function lastRun(harness: Harness): number {
	return harness.views((views) => views.runs(1)[0]?.run ?? 0);
}

function openFake(): FakeSource {
	const fake = makeFakeSource();
	Object.assign(fake.settings, { groups: "all", ruleGroups: [SALES] });
	fake.settings.attributes = ["cn", "department", "mail", "manager", "upn"];
	put(fake, { do: "person", who: 99, isInside: true, isEnabled: true, isExpired: false, department: 0, name: 0 }, false);
	putGroup(fake, []);
	return fake;
}

function change(fake: FakeSource, each: Step, isContended: boolean): void {
	if (each.do === "person") put(fake, each, isContended);
	else if (each.do === "remove") fake.remove(fake.anchorOf(each.who));
	else if (each.do === "group") putGroup(fake, each.members);
}

function put(
	fake: FakeSource,
	{ who: number, isInside, isEnabled, isExpired, department, name }: Extract<Step, { do: "person" }>,
	isContended: boolean,
): void {
	const of = DEPARTMENTS[department];
	const upn = isContended && number < 99 ? `n${name}@corp` : `p${number}-${name}@corp`;
	fake.put({
		anchor: fake.anchorOf(number),
		cn: `P${number}`,
		where: isInside ? PEOPLE : LEAVERS,
		standing: isEnabled ? "enabled" : "disabled",
		...(isExpired && { expiresAt: 1 }),
		attributes: { cn: [`P${number}`], upn: [upn], department: of === undefined ? [] : [of] },
	});
}

function putGroup(fake: FakeSource, members: readonly number[]): void {
	const there = [99, ...members].map(fake.anchorOf).filter((anchor) => fake.people.has(anchor));
	fake.putGroup({ anchor: fake.anchorOf(1001), cn: "Sales", isInScope: true, members: there });
}
