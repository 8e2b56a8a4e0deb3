import fc from "fast-check";
import { expect, it } from "vitest";
import type { Entitlements } from "../../src/core/account.ts";
import { type FakeSource, makeFakeSource } from "../support/fake-source.ts";
import { openHarness } from "../support/harness.ts";
import { asRules, type NaiveRule, naively } from "../support/naive-rules.ts";

const PEOPLE = "OU=People,DC=corp,DC=example,DC=test";
const DEPARTMENTS = ["Sales", "Treasury", undefined];

interface Who {
	readonly fake: FakeSource;
	readonly anchor: string;
}

const inGroup = (number: number): Pick<NaiveRule<Who>, "when" | "holds"> => ({
	when: { group: `G${number}` },
	holds: ({ fake, anchor }) => beneath(fake, fake.anchorOf(number)).has(anchor),
});
const ofDepartment = (name: string): Pick<NaiveRule<Who>, "when" | "holds"> => ({
	when: { filter: `(department=${name.toUpperCase()})` },
	holds: ({ fake, anchor }) => fake.people.get(anchor)?.attributes["department"]?.[0] === name,
});
const beneathBoss: Pick<NaiveRule<Who>, "when" | "holds"> = {
	when: { filter: `(manager:1.2.840.113556.1.4.1941:=CN=P1,${PEOPLE})` },
	holds: ({ fake, anchor }) => {
		const seen = new Set<string>();
		for (let at = managerOf(fake, anchor); at !== undefined && !seen.has(at); at = managerOf(fake, at)) seen.add(at);
		return seen.has(fake.anchorOf(1));
	},
};

/** Rules that may be in force, one set after the other. */
const sets: readonly (readonly NaiveRule<Who>[])[] = [
	[],
	[
		{ name: "a", value: undefined, ...inGroup(1001) },
		{ name: "p", value: "x", ...ofDepartment("Sales") },
	],
	[
		{ name: "a", value: undefined, ...inGroup(1002) },
		{ name: "a", value: undefined, ...ofDepartment("Treasury") },
		{ name: "p", value: "y", ...inGroup(1001) },
		{ name: "p", value: "x", ...beneathBoss },
		{ name: "p", value: "z", when: undefined, holds: () => true },
	],
	[
		{ name: "p", value: "x", ...beneathBoss },
		{ name: "b", value: undefined, when: { not: inGroup(1003).when ?? { filter: "" } }, holds: (who) => !inGroup(1003).holds(who) },
	],
];

/** People are 1 to 6, groups 1001 to 1003; the last two of these are renamed and deleted, and come back. */
const who = fc.integer({ min: 1, max: 6 });
const which = fc.integer({ min: 1001, max: 1003 });
const step = fc.oneof(
	{
		weight: 3,
		arbitrary: fc.record({ do: fc.constant("person" as const), who, department: fc.nat(2), manager: fc.integer({ min: 0, max: 6 }) }),
	},
	{
		weight: 3,
		arbitrary: fc.record({ do: fc.constant("group" as const), which, members: fc.uniqueArray(fc.oneof(who, which), { maxLength: 4 }) }),
	},
	fc.record({ do: fc.constant("rename" as const), which }),
	fc.record({ do: fc.constant("rules" as const), set: fc.nat(sets.length - 1) }),
	{ weight: 3, arbitrary: fc.record({ do: fc.constantFrom("full" as const, "delta" as const) }) },
);

it("after any history everybody has what a naive look at the directory and the rules gives, and the counts are right", async () => {
	await fc.assert(
		fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
			const fake = makeFakeSource();
			fake.settings.groups = "all";
			fake.settings.attributes = ["cn", "department", "mail", "manager", "upn"];
			fake.settings.ruleGroups = ["G1001", "G1002", "G1003"];
			for (let number = 1; number <= 3; number++) putPerson(fake, number, number % 3, number - 1);
			for (const number of [1001, 1002, 1003]) putGroup(fake, number, `G${number}`, []);
			let set = sets[1] as (typeof sets)[number];
			let harness = openHarness(fake, { rules: asRules(set) });
			const first = harness;
			try {
				// What a group is called counts until it is found for the first time.
				await harness.sync("full");
				for (const each of [...steps, { do: "delta" as const }]) {
					if (each.do === "person") putPerson(fake, each.who, each.department, each.manager);
					else if (each.do === "group") putGroup(fake, each.which, fake.groups.get(fake.anchorOf(each.which))?.cn ?? "", each.members);
					else if (each.do === "rename") rename(fake, each.which);
					else if (each.do === "rules") {
						set = sets[each.set] as (typeof sets)[number];
						if (harness !== first) harness.close();
						harness = openHarness(fake, { rules: asRules(set), file: first.file });
					} else {
						expect(await harness.sync(each.do)).toMatchObject({ outcome: "succeeded", held: 0 });
						const accounts = await harness.accounts();
						const wanted = Object.fromEntries([...fake.people.keys()].map((anchor) => [anchor, naively(set, { fake, anchor })]));
						const given = Object.entries(accounts).map(([anchor, { features, policies }]) => [
							anchor,
							{ ...(features !== undefined && { features }), ...(policies !== undefined && { policies }) },
						]);
						expect(Object.fromEntries(given)).toEqual(wanted);
						expect(harness.views((views) => views.featureCounts())).toEqual(countsOf(Object.values(wanted)));
					}
				}
				expect((await harness.plan("full")).changes).toEqual([]);
			} finally {
				if (harness !== first) harness.close();
				first.close();
			}
		}),
		{ numRuns: Number(process.env["DIRSYNCD_TEST_RUNS"] ?? 60) },
	);
}, 180_000);

function putPerson(fake: FakeSource, number: number, department: number, manager: number): void {
	const of = DEPARTMENTS[department];
	fake.put({
		anchor: fake.anchorOf(number),
		cn: `P${number}`,
		where: PEOPLE,
		standing: "enabled",
		attributes: {
			cn: [`P${number}`],
			upn: [`p${number}@corp`],
			department: of === undefined ? [] : [of],
			manager: fake.people.has(fake.anchorOf(manager)) ? [`CN=P${manager},${PEOPLE}`] : [],
		},
	});
}

function putGroup(fake: FakeSource, number: number, cn: string, members: readonly number[]): void {
	const there = members.filter((one) => one > 1000 || fake.people.has(fake.anchorOf(one)));
	fake.putGroup({ anchor: fake.anchorOf(number), cn, isInScope: false, members: there.map(fake.anchorOf) });
}

function rename(fake: FakeSource, number: number): void {
	const group = fake.groups.get(fake.anchorOf(number));
	if (group !== undefined) fake.putGroup({ anchor: group.anchor, cn: `${group.cn}x`, isInScope: false, members: group.members });
}

function managerOf(fake: FakeSource, anchor: string): string | undefined {
	const cn = /^CN=(P\d+),/.exec(fake.people.get(anchor)?.attributes["manager"]?.[0] ?? "")?.[1];
	return [...fake.people.values()].find((person) => person.cn === cn)?.anchor;
}

/** Everybody in a group, nested groups included. */
function beneath(fake: FakeSource, start: string): ReadonlySet<string> {
	const seen = new Set([start]);
	for (const anchor of seen) for (const member of fake.groups.get(anchor)?.members ?? []) seen.add(member);
	return seen;
}

function countsOf(all: readonly Entitlements[]): readonly { readonly feature: string; readonly count: number }[] {
	const counts = new Map<string, number>();
	for (const { features = [] } of all) for (const name of features) counts.set(name, (counts.get(name) ?? 0) + 1);
	return [...counts].map(([feature, count]) => ({ feature, count })).sort((one, other) => (one.feature < other.feature ? -1 : 1));
}
