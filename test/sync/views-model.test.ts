import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import type { Condition } from "../../src/core/condition.ts";
import { type FakeSource, makeFakeSource } from "../support/fake-source.ts";
import { type HarnessOptions, testLifecycle } from "../support/harness.ts";
import { openMortal } from "../support/mortal.ts";

const PEOPLE = "OU=People,DC=corp,DC=example,DC=test";
const LEAVERS = "OU=Leavers,DC=corp,DC=example,DC=test";
const SALES = "CN=Sales,OU=Groups";
const DEPARTMENTS = ["Sales", "Treasury", undefined];

/** What the remote target may be told to have: a view, and whom it selects by a naive look at the directory. */
interface Choice {
	readonly view: NonNullable<HarnessOptions["views"]>[string];
	selects(fake: FakeSource, anchor: string): boolean;
}

const inSales: Condition = { group: SALES };
const ofSales: Condition = { filter: "(department=Sales)" };
const isOfSales = (fake: FakeSource, anchor: string) => fake.people.get(anchor)?.attributes["department"]?.[0] === "Sales";
const isInSales = (fake: FakeSource, anchor: string) => beneath(fake, fake.anchorOf(1001)).has(anchor);

const choices: readonly Choice[] = [
	{ view: {}, selects: () => true },
	{ view: { when: ofSales }, selects: isOfSales },
	{ view: { when: inSales, lifecycle: { ...testLifecycle, onOutOfScope: "delete" } }, selects: isInSales },
	{
		view: { when: { any: [{ not: inSales }, ofSales] }, lifecycle: { ...testLifecycle, onDisabled: "delete" } },
		selects: (fake, anchor) => !isInSales(fake, anchor) || isOfSales(fake, anchor),
	},
	{
		view: { when: { all: [inSales, ofSales] }, mapping: { title: "{department}" } },
		selects: (fake, anchor) => isInSales(fake, anchor) && isOfSales(fake, anchor),
	},
];

/** People are 1 to 6, groups 1001 (Sales) to 1003. */
const who = fc.integer({ min: 1, max: 6 });
const which = fc.integer({ min: 1001, max: 1003 });
const mode = fc.constantFrom("full" as const, "delta" as const);
const step = fc.oneof(
	fc.record({
		do: fc.constant("person" as const),
		who,
		isInside: fc.boolean(),
		isEnabled: fc.boolean(),
		department: fc.nat(2),
		name: fc.nat(2),
	}),
	fc.record({ do: fc.constant("remove" as const), who }),
	fc.record({ do: fc.constant("group" as const), which, members: fc.uniqueArray(fc.oneof(who, which), { maxLength: 4 }) }),
	fc.record({ do: fc.constant("configure" as const), choice: fc.nat(choices.length - 1) }),
	fc.record({ do: mode }),
	fc.record({ do: mode, killAt: fc.nat(20) }),
);

it.each([
	{ configured: "for good", isReconfigured: false },
	{ configured: "anew and anew", isReconfigured: true },
])(
	"any sequence of changes and kills, with a target's scope configured $configured, leaves there just those who a naive look selects",
	async ({ isReconfigured }) => {
		await fc.assert(
			fc.asyncProperty(fc.nat(choices.length - 1), fc.array(step, { maxLength: 30 }), async (first, steps) => {
				const folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-views-"));
				const fake = makeFakeSource();
				Object.assign(fake.settings, { groups: "all", ruleGroups: [SALES] });
				fake.settings.attributes = ["cn", "department", "mail", "manager", "upn"];
				putPerson(fake, { who: 99, isInside: true, isEnabled: true, department: 0, name: 0 });
				putGroup(fake, 1001, [99]);
				let choice = choices[first] as Choice;
				const mortal = openMortal(fake, path.join(folder, "dirsyncd.db"), { views: { remote: choice.view } });
				try {
					for (const each of steps) {
						if (each.do === "person") putPerson(fake, each);
						else if (each.do === "remove") fake.remove(fake.anchorOf(each.who));
						else if (each.do === "group") putGroup(fake, each.which, each.members);
						else if (each.do === "configure") {
							if (!isReconfigured) continue;
							choice = choices[each.choice] as Choice;
							mortal.configure({ remote: choice.view });
						} else await mortal.sync(each.do, "killAt" in each ? each.killAt : undefined);
					}
					await mortal.sync("delta");
					await mortal.settle();
					const harness = mortal.harness();
					const there = [...mortal.remote.accounts.values()];
					expect(new Set(there.map(({ anchor }) => anchor)).size).toBe(there.length);
					const isNow = (anchor: string) => isSignedIn(fake, anchor) && choice.selects(fake, anchor);
					expect(
						there
							.filter(({ account }) => account.active)
							.map(({ anchor }) => anchor)
							.sort(),
					).toEqual([...fake.people.keys()].filter(isNow).sort());
					const local = await harness.accounts();
					for (const { anchor, account } of there.filter((one) => one.account.active)) {
						const title = choice.view.mapping === undefined ? {} : { title: "Sales" };
						expect(account).toEqual({ ...local[anchor as string], ...title });
					}
					const remoteGroups = await harness.groups(mortal.remote.target);
					const anchors = new Set<string>(there.map(({ anchor }) => anchor as string));
					for (const [name, members] of Object.entries(await harness.groups())) {
						expect(remoteGroups[name]).toEqual(members.filter((one) => anchors.has(one)));
					}
					expect((await harness.plan("full")).changes).toEqual([]);
					expect(harness.views((views) => views.targets().map(({ pending }) => pending))).toEqual([0, 0]);
					expect((await harness.sync("delta")).pending).toBe(0);
				} finally {
					mortal.close();
					rmSync(folder, { recursive: true, force: true });
				}
			}),
			{ numRuns: Number(process.env["DIRSYNCD_TEST_RUNS"] ?? 40) },
		);
	},
	180_000,
);

interface Put {
	readonly who: number;
	readonly isInside: boolean;
	readonly isEnabled: boolean;
	readonly department: number;
	readonly name: number;
}

function putPerson(fake: FakeSource, { who: number, isInside, isEnabled, department, name }: Put): void {
	const of = DEPARTMENTS[department];
	fake.put({
		anchor: fake.anchorOf(number),
		cn: `P${number}`,
		where: isInside ? PEOPLE : LEAVERS,
		standing: isEnabled ? "enabled" : "disabled",
		attributes: { cn: [`P${number}`], upn: [`p${number}-${name}@corp`], department: of === undefined ? [] : [of] },
	});
}

/** Sales has somebody who stays: a group that is suddenly empty is another matter. */
function putGroup(fake: FakeSource, number: number, members: readonly number[]): void {
	const there = members.filter((one) => fake.people.has(fake.anchorOf(one)) || fake.groups.has(fake.anchorOf(one)) || one === number);
	const all = number === 1001 ? [99, ...there.filter((one) => one !== 99)] : there;
	fake.putGroup({
		anchor: fake.anchorOf(number),
		cn: number === 1001 ? "Sales" : `G${number}`,
		isInScope: true,
		members: all.map(fake.anchorOf),
	});
}

function isSignedIn(fake: FakeSource, anchor: string): boolean {
	const person = fake.people.get(anchor);
	return person !== undefined && person.where === PEOPLE && person.standing === "enabled";
}

/** Everyone beneath a group, by walking down again and again. */
function beneath(fake: FakeSource, start: string): ReadonlySet<string> {
	const seen = new Set([start]);
	for (const anchor of seen) for (const one of fake.groups.get(anchor)?.members ?? []) seen.add(one);
	return seen;
}
