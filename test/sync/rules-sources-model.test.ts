import fc from "fast-check";
import { expect, it } from "vitest";
import { type Period, periodsOf } from "../../src/core/history.ts";
import type { Lifecycle } from "../../src/core/lifecycle.ts";
import type { Mapping } from "../../src/core/mapping.ts";
import { openReadOnly } from "../../src/store/database.ts";
import { type FakeSource, makeFakeSource } from "../support/fake-source.ts";
import { type Harness, type HarnessOptions, openHarness, testLifecycle } from "../support/harness.ts";
import { asRules, type NaiveRule, naively } from "../support/naive-rules.ts";

const PEOPLE = "OU=People,DC=corp,DC=example,DC=test";
const mapping: Mapping = { userName: "{upn}", displayName: "{cn}", employeeNumber: "{number}" };
const DEPARTMENTS = ["Sales", "Treasury", "Legal"] as const;

interface Who {
	readonly fake: FakeSource;
	readonly anchor: string;
}

const inGroup = (number: number): Pick<NaiveRule<Who>, "when" | "holds"> => ({
	when: { group: `G${number}` },
	holds: ({ fake, anchor }) => fake.groups.get(fake.anchorOf(number))?.members.includes(anchor) === true,
});
const ofDepartment = (name: string): Pick<NaiveRule<Who>, "when" | "holds"> => ({
	when: { filter: `(department=${name})` },
	holds: ({ fake, anchor }) => fake.people.get(anchor)?.attributes["department"]?.[0] === name,
});
const everybody = { when: undefined, holds: () => true };

/** Rules that may be in force at each of the two sources. */
const sets: readonly (readonly NaiveRule<Who>[])[] = [
	[],
	[
		{ name: "a", value: undefined, ...inGroup(1001) },
		{ name: "p", value: "x", ...ofDepartment("Sales") },
	],
	[
		{ name: "a", value: undefined, ...ofDepartment("Treasury") },
		{ name: "b", value: undefined, ...everybody },
		{ name: "p", value: "y", ...inGroup(1002) },
		{ name: "p", value: "x", ...everybody },
	],
];

const side = fc.nat(1);
const who = fc.integer({ min: 1, max: 4 });
const step = fc.oneof(
	{
		weight: 4,
		arbitrary: fc.record({
			do: fc.constant("person" as const),
			side,
			who,
			department: fc.nat(2),
			is: fc.constantFrom("enabled", "enabled", "disabled", "elsewhere", "deleted"),
		}),
	},
	{ weight: 2, arbitrary: fc.record({ do: fc.constant("group" as const), side, which: fc.nat(1), members: fc.uniqueArray(who) }) },
	fc.record({ do: fc.constant("rules" as const), side, set: fc.nat(sets.length - 1) }),
	fc.record({ do: fc.constant("days" as const), side }),
	{ weight: 2, arbitrary: fc.record({ do: fc.constantFrom("approve" as const, "reject" as const), side }) },
	{ weight: 4, arbitrary: fc.record({ do: fc.constantFrom("full" as const, "delta" as const), side }) },
);
const lifecycles: readonly Lifecycle[] = [
	testLifecycle,
	{ ...testLifecycle, onDeleted: "delete" },
	{ ...testLifecycle, onDisabled: "keep", onOutOfScope: "keep" },
	{ ...testLifecycle, onDisabled: "delete" },
	{ ...testLifecycle, deleteAfterMs: 86_400_000 },
];

it("after any history of two sources the counts are a recount, history is what was, and everybody has what a naive look gives", async () => {
	await fc.assert(
		fc.asyncProperty(
			fc.array(step, { minLength: 10, maxLength: 40, size: "max" }),
			fc.constantFrom(...lifecycles),
			fc.boolean(),
			async (steps, lifecycle, isLimited) => {
				const world = openWorld(lifecycle, isLimited);
				try {
					for (const each of beginning) await world.take(each);
					for (const each of steps) await world.take(each);
					await world.settle();
				} finally {
					world.close();
				}
			},
		),
		// Before the time is up: a history that fails is named then, however long it would take to make it shorter.
		{
			numRuns: Number(process.env["DIRSYNCD_TEST_RUNS"] ?? 25),
			...{ interruptAfterTimeLimit: 120_000, markInterruptAsFailure: true },
		},
	);
}, 180_000);

type Step = typeof step extends fc.Arbitrary<infer One> ? One : never;

/** Everybody is at one of them, and the first of them at the other as well. */
const beginning: readonly Step[] = [
	...[1, 2, 3, 4].map((who) => ({ do: "person" as const, side: who % 2, who, department: who % 3, is: "enabled" as const })),
	{ do: "person", side: 0, who: 1, department: 1, is: "enabled" },
	{ do: "group", side: 0, which: 0, members: [1, 2, 4] },
	{ do: "full", side: 0 },
	{ do: "full", side: 1 },
];

function openWorld(lifecycle: Lifecycle, isLimited: boolean) {
	const fakes = [makeFakeSource(PEOPLE, "one"), makeFakeSource(PEOPLE, "other")] as const;
	const rules = [sets[1], sets[2]] as [(typeof sets)[number], (typeof sets)[number]];
	const limits = isLimited ? { entitlement: { count: 1, floor: 0 }, disable: { count: 1, floor: 0 } } : {};
	const options: HarnessOptions = { lifecycle, limits, mapping, match: "employeeNumber" };
	for (const fake of fakes) {
		fake.settings.groups = "all";
		fake.settings.attributes = ["cn", "department", "number", "upn"];
		fake.settings.ruleGroups = ["G1001", "G1002"];
		for (const number of [1001, 1002]) fake.putGroup({ anchor: fake.anchorOf(number), cn: `G${number}`, isInScope: false, members: [] });
	}
	const first = openHarness(fakes[0], { ...options, rules: asRules(rules[0]) });
	const opened = [first];
	const openAt = (at: 0 | 1): Harness => {
		const harness = openHarness(fakes[at], { ...options, rules: asRules(rules[at]), beside: first });
		harness.time.now = first.time.now;
		opened.push(harness);
		return harness;
	};
	const sides: [Harness, Harness] = [first, openAt(1)];
	/** What each employee had after each run. */
	const seen = new Map<number, readonly string[]>();

	const look = async (at: 0 | 1, run: number): Promise<void> => {
		const accounts = await first.accounts();
		const had = Object.values(accounts).flatMap(({ employeeNumber, features = [], policies = {} }) => [
			...features.map((name) => `${employeeNumber} feature ${name}`),
			...Object.entries(policies).map(([name, value]) => `${employeeNumber} policy ${name}=${value}`),
		]);
		seen.set(run, had.sort());
		expect(countsIn(first.file)).toEqual(recount(had));
		if (isLimited) return;
		const fake = fakes[at];
		for (const [anchor, account] of Object.entries(accounts)) {
			if (fake.people.get(anchor)?.where !== PEOPLE) continue;
			const { features, policies } = account;
			expect({ ...(features && { features }), ...(policies && { policies }) }, anchor).toEqual(naively(rules[at], { fake, anchor }));
		}
	};

	const sync = async (at: 0 | 1, mode: "full" | "delta"): Promise<string | undefined> => {
		const report = await sides[at].sync(mode);
		expect(report.error).toBeUndefined();
		await look(at, report.run);
		return report.plan;
	};

	return {
		take: async (each: Step): Promise<void> => {
			const at = each.side as 0 | 1;
			const fake = fakes[at];
			const anchorOf = (number: number): string => fake.anchorOf(number + at * 100);
			if (each.do === "person") {
				const anchor = anchorOf(each.who);
				if (each.is === "deleted") return fake.remove(anchor, true);
				// No group's mark moves with a deletion. Whoever comes back in between is told of with the groups that they were in.
				if (!fake.people.has(anchor)) for (const { history: _, usn: __, ...group } of [...fake.groups.values()]) fake.putGroup(group);
				fake.put({
					...{ anchor, cn: `P${each.who}`, where: each.is === "elsewhere" ? "OU=Elsewhere" : PEOPLE },
					standing: each.is === "disabled" ? "disabled" : "enabled",
					attributes: {
						cn: [`P${each.who}`],
						upn: [`p${each.who}@corp`],
						number: [`E${each.who}`],
						department: [DEPARTMENTS[each.department] as string],
					},
				});
			} else if (each.do === "group") {
				const members = each.members.map(anchorOf).filter((anchor) => fake.people.has(anchor));
				fake.putGroup({ anchor: fake.anchorOf(1001 + each.which), cn: `G${1001 + each.which}`, isInScope: false, members });
			} else if (each.do === "rules") {
				rules[at] = sets[each.set] as (typeof sets)[number];
				sides[at] = openAt(at);
			} else if (each.do === "days") for (const harness of opened) harness.time.now += 2 * 86_400_000;
			else if (each.do === "approve" || each.do === "reject") {
				const plan = await sync(at, "delta");
				if (plan === undefined) return;
				if (each.do === "reject") sides[at].reject(plan);
				else await look(at, (await sides[at].approve(plan)).run);
			} else await sync(at, each.do);
		},
		settle: async (): Promise<void> => {
			for (const at of [0, 1, 0, 1] as const) await sync(at, "full");
			if (!isLimited) for (const harness of sides) expect((await harness.plan("full")).changes).toEqual([]);
			expect(toldOf(first, [...seen.keys()])).toEqual(Object.fromEntries(seen));
		},
		close: (): void => {
			for (const harness of opened.reverse()) harness.close();
		},
	};
}

function countsIn(file: string): Record<string, number> {
	const db = openReadOnly(file);
	try {
		const rows = db.prepare<[], { kind: string; name: string; value: string; accounts: number }>(
			"SELECT kind, name, value, accounts FROM entitlement_counts",
		);
		return Object.fromEntries(
			rows.all().map(({ kind, name, value, accounts }) => [kind === "feature" ? `feature ${name}` : `policy ${name}=${value}`, accounts]),
		);
	} finally {
		db.close();
	}
}

function recount(had: readonly string[]): Record<string, number> {
	const counts: Record<string, number> = {};
	for (const each of had) {
		const what = each.slice(each.indexOf(" ") + 1);
		counts[what] = (counts[what] ?? 0) + 1;
	}
	return counts;
}

/** What employees had after each of these runs, as `history` tells it. */
function toldOf(harness: Harness, runs: readonly number[]): Record<number, readonly string[]> {
	return harness.views((views) => {
		const told: Record<number, string[]> = Object.fromEntries(runs.map((run) => [run, []]));
		for (const [kind, name] of [
			["feature", "a"],
			["feature", "b"],
			["policy", "p"],
		] as const) {
			const today = { accounts: views.accountsWith(kind, name), logStart: views.logStart() ?? 0 };
			for (const period of periodsOf(views.historyWith(name), today, (is, called) => is === kind && called === name)) {
				const { begin, end, holder } = period;
				expect(begin.kind, JSON.stringify(period)).toBe("known");
				expect(end.kind, JSON.stringify(period)).not.toBe("unknown");
				for (const run of runs) {
					const isAfter = begin.kind === "known" && run >= begin.run;
					const isBefore = end.kind === "still" || (end.kind === "known" && run < end.run);
					if (isAfter && isBefore) told[run]?.push(`E${holder.userName.slice(1, 2)} ${whatOf(period)}`);
				}
			}
		}
		for (const list of Object.values(told)) list.sort();
		return told;
	});
}

function whatOf({ kind, name, value }: Period): string {
	return kind === "feature" ? `feature ${name}` : `policy ${name}=${value}`;
}
