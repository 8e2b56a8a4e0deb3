import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { type FakeSource, makeFakeSource } from "../support/fake-source.ts";
import { openMortal } from "../support/mortal.ts";

const PEOPLE = "OU=People,DC=corp,DC=example,DC=test";
const LEAVERS = "OU=Leavers,DC=corp,DC=example,DC=test";
const PRIMARY = "513";

/** People are 1 to 6, groups 1001 to 1005; 900 is nobody of ours. */
const who = fc.integer({ min: 1, max: 6 });
const which = fc.integer({ min: 1001, max: 1005 });
const member = fc.oneof(who, who, which, fc.constant(900));
const mode = fc.constantFrom("full" as const, "delta" as const);
const step = fc.oneof(
	fc.record({ do: fc.constant("person" as const), who, isInside: fc.boolean(), isEnabled: fc.boolean(), isPrimary: fc.boolean() }),
	fc.record({ do: fc.constant("remove" as const), who, tombstone: fc.boolean() }),
	fc.record({ do: fc.constant("group" as const), which, members: fc.uniqueArray(member, { maxLength: 5 }), isInScope: fc.boolean() }),
	fc.record({ do: fc.constant("ungroup" as const), which }),
	fc.record({ do: mode }),
	fc.record({ do: mode, killAt: fc.nat(20) }),
);

it.each([
	{ told: "as a whole", isIncremental: false, byScope: false },
	{ told: "one by one", isIncremental: true, byScope: false },
	{ told: "as a whole, with the scope made by a group", isIncremental: false, byScope: true },
	{ told: "one by one, with the scope made by a group", isIncremental: true, byScope: true },
])(
	"any sequence of changes to groups in groups, their members told $told, with kills between any two writes, ends as a naive closure has it",
	async ({ isIncremental, byScope }) => {
		await fc.assert(
			fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
				const folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-groups-"));
				const fake = makeFakeSource();
				Object.assign(fake.settings, { groups: "all", isIncremental, scopeGroups: byScope ? [fake.anchorOf(1001)] : undefined });
				// One stays for ever: a directory that is suddenly empty is another matter.
				putPerson(fake, 99, true, true, false);
				if (byScope) putGroup(fake, 1001, [99], false);
				const mortal = openMortal(fake, path.join(folder, "dirsyncd.db"));
				const turned = new Set<number>();
				try {
					for (const each of steps) {
						if (each.do === "person") {
							const before = primaryOf(fake, each.who);
							putPerson(fake, each.who, each.isInside, each.isEnabled, each.isPrimary);
							if (before !== undefined && before !== primaryOf(fake, each.who)) turned.add(each.who);
						} else if (each.do === "remove") fake.remove(fake.anchorOf(each.who), each.tombstone);
						else if (each.do === "group")
							putGroup(fake, each.which, byScope && each.which === 1001 ? [99, ...each.members] : each.members, each.isInScope);
						else if (each.do === "ungroup") {
							if (!byScope || each.which !== 1001) fake.removeGroup(fake.anchorOf(each.which));
						} else await mortal.sync(each.do, "killAt" in each ? each.killAt : undefined);
					}
					await mortal.sync("delta");
					await mortal.settle();
					const harness = mortal.harness();
					const accounts = await harness.accounts();
					const unseen = unseenPrimaries(fake, turned);
					const wanted = without(unseen, naive(fake, accounts));
					expect(without(unseen, await harness.groups())).toEqual(wanted);
					expect(without(unseen, await harness.groups(mortal.remote.target))).toEqual(wanted);
					expect(new Set([...mortal.remote.groups.values()].map(({ anchor }) => anchor)).size).toBe(mortal.remote.groups.size);
					if (byScope) {
						const active = Object.entries(accounts).filter(([, account]) => account.active);
						expect(active.map(([anchor]) => anchor).sort()).toEqual(scopeOf(fake));
					}
					expect((await harness.plan("full")).changes).toEqual([]);
					expect(harness.views((views) => views.proveChain())).toMatchObject({ kind: "whole" });
				} finally {
					mortal.close();
					rmSync(folder, { recursive: true, force: true });
				}
			}),
			{ numRuns: Number(process.env["DIRSYNCD_TEST_RUNS"] ?? 25) },
		);
	},
	120_000,
);

function putPerson(fake: FakeSource, number: number, isInside: boolean, isEnabled: boolean, isPrimary: boolean): void {
	fake.put({
		anchor: fake.anchorOf(number),
		cn: `P${number}`,
		where: isInside ? PEOPLE : LEAVERS,
		standing: isEnabled ? "enabled" : "disabled",
		attributes: { cn: [`P${number}`], upn: [`p${number}@corp`], primarygroupid: [isPrimary ? PRIMARY : "514"] },
	});
}

function primaryOf(fake: FakeSource, number: number): string | undefined {
	return fake.people.get(fake.anchorOf(number))?.attributes["primarygroupid"]?.[0];
}

/** Who is outside of the scope, and whose primary group changed at some time: nobody reads there what it is now. */
function unseenPrimaries(fake: FakeSource, turned: ReadonlySet<number>): ReadonlySet<string> {
	return new Set([...turned].map(fake.anchorOf).filter((anchor) => fake.people.get(anchor)?.where !== PEOPLE));
}

function without(people: ReadonlySet<string>, groups: Readonly<Record<string, readonly string[]>>): Record<string, string[]> {
	return Object.fromEntries(Object.entries(groups).map(([name, members]) => [name, members.filter((one) => !people.has(one))]));
}

function putGroup(fake: FakeSource, number: number, members: readonly number[], isInScope: boolean): void {
	// Nobody can be a member who is not there.
	const there = members.filter(
		(one) => one === 900 || fake.people.has(fake.anchorOf(one)) || fake.groups.has(fake.anchorOf(one)) || one === number,
	);
	fake.putGroup({
		anchor: fake.anchorOf(number),
		cn: `G${number}`,
		isInScope,
		members: there.map(fake.anchorOf),
		...(number === 1003 && { primaryId: PRIMARY }),
	});
}

/** Everyone beneath a group, by walking down again and again. */
function beneath(fake: FakeSource, start: string): ReadonlySet<string> {
	const seen = new Set([start]);
	for (const anchor of seen) {
		const group = fake.groups.get(anchor);
		for (const one of group?.members ?? []) seen.add(one);
		if (group?.primaryId === undefined) continue;
		for (const person of fake.people.values()) if (person.attributes["primarygroupid"]?.[0] === group.primaryId) seen.add(person.anchor);
	}
	return seen;
}

function naive(fake: FakeSource, accounts: Readonly<Record<string, unknown>>): Record<string, string[]> {
	const groups = [...fake.groups.values()].filter(({ isInScope }) => isInScope);
	const living = Object.keys(accounts).filter((anchor) => fake.people.has(anchor));
	return Object.fromEntries(groups.map(({ anchor, cn }) => [cn, living.filter((one) => beneath(fake, anchor).has(one)).sort()]));
}

function scopeOf(fake: FakeSource): string[] {
	const inside = beneath(fake, fake.anchorOf(1001));
	return [...fake.people.values()]
		.filter((person) => person.where === PEOPLE && person.standing === "enabled" && inside.has(person.anchor))
		.map(({ anchor }) => anchor)
		.sort();
}
