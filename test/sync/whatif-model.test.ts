import fc from "fast-check";
import { expect, it } from "vitest";
import type { Condition } from "../../src/core/condition.ts";
import { type FakePerson, type FakeSource, makeFakeSource } from "../support/fake-source.ts";
import { type Harness, type HarnessOptions, openHarness, testLifecycle, testMapping } from "../support/harness.ts";

const PEOPLE = "OU=People,DC=corp,DC=example,DC=test";
const AWAY = `OU=Away,${PEOPLE}`;
const DEPARTMENTS = ["Sales", "Treasury", undefined];
const GROUPS = ["Sales", "Team", "Board"];

/** People are 1 to 7, groups 1001 (Sales) to 1003. */
const who = fc.integer({ min: 1, max: 7 });
const person = fc.record({ isAway: fc.boolean(), isEnabled: fc.boolean(), department: fc.nat(2), isOld: fc.boolean() });
const directory = fc.record({
	people: fc.array(person, { minLength: 7, maxLength: 7 }),
	groups: fc.array(fc.uniqueArray(fc.oneof(who, fc.integer({ min: 1001, max: 1003 })), { maxLength: 4 }), { minLength: 3, maxLength: 3 }),
});

const leaf: fc.Arbitrary<Condition> = fc.oneof(
	fc.constantFrom(...GROUPS).map((group) => ({ group })),
	fc.constantFrom("(department=Sales)", "(department=*)", "(mail=p1*)").map((filter) => ({ filter })),
);
const condition: fc.Arbitrary<Condition> = fc.oneof(
	leaf,
	leaf.map((not) => ({ not })),
	fc.array(leaf, { minLength: 1, maxLength: 2 }).map((all) => ({ all })),
	fc.array(leaf, { minLength: 1, maxLength: 2 }).map((any) => ({ any })),
);
const when = fc.option(condition, { nil: undefined });
const limit = fc.option(
	fc.nat(3).map((count) => ({ count, floor: 0 })),
	{ nil: undefined },
);
const end = fc.constantFrom("disable" as const, "keep" as const, "delete" as const);
const configuration = fc.record({
	rules: fc.record({
		features: fc.array(fc.record({ name: fc.constantFrom("search", "archive"), when }), { maxLength: 3 }),
		policies: fc.array(fc.record({ name: fc.constantFrom("mail", "web"), value: fc.constantFrom("block", "allow"), when }), {
			maxLength: 3,
		}),
	}),
	limits: fc.record({ entitlement: limit, update: limit, disable: limit, enable: limit, delete: limit }),
	lifecycle: fc.record({ onDisabled: end, onOutOfScope: end, onDeleted: end }).map((ends) => ({ ...testLifecycle, ...ends })),
	mapping: fc.constantFrom(testMapping, { ...testMapping, title: "{department}" }, { ...testMapping, userName: "{mail}", displayName: "" }),
	view: fc.option(
		fc.record({ when, lifecycle: fc.option(fc.record({ onDisabled: end, onOutOfScope: end, onDeleted: end }), { nil: undefined }) }),
		{
			nil: undefined,
		},
	),
	scopeGroups: fc.option(fc.uniqueArray(fc.constantFrom(1001, 1002, 1003), { minLength: 1, maxLength: 2 }), { nil: undefined }),
	isAwayAlone: fc.boolean(),
});

type Directory = typeof directory extends fc.Arbitrary<infer T> ? T : never;
type Configuration = typeof configuration extends fc.Arbitrary<infer T> ? T : never;

it("what a configuration would do is what a run by it then does, where the directory stays as it is", async () => {
	await fc.assert(
		fc.asyncProperty(
			directory,
			fc.array(fc.tuple(configuration, directory), { maxLength: 2 }),
			configuration,
			async (first, earlier, last) => {
				const fake = makeFakeSource();
				Object.assign(fake.settings, { groups: "all", attributes: ["cn", "department", "mail", "manager", "upn"] });
				put(fake, first);
				const open: Harness[] = [];
				try {
					open.push(openWith(fake, {}, undefined));
					await open[0]?.sync("full");
					for (const [configured, next] of earlier) {
						open.push(configure(fake, { ...configured, isAwayAlone: false, scopeGroups: undefined }, open));
						await open.at(-1)?.sync("auto");
						put(fake, next);
						await open.at(-1)?.sync("full");
					}
					const harness = configure(fake, last, open);
					open.push(harness);
					const names = last.scopeGroups?.map((number) => GROUPS[number - 1001] as string) ?? [];
					const found = await harness.whatIf({ scopeGroups: names });
					const planned = await harness.plan("auto");
					const told = found.changes.flatMap(({ subject, target, kind, examples }) =>
						examples.map(({ name }) => [subject, target, kind, name]),
					);
					const waiting = found.changes.reduce((sum, kind) => sum + kind.waiting, 0);
					expect(told.length + waiting).toBe(planned.changes.length);
					const real = planned.changes.map((change) => [
						change.subject,
						change.subject === "account" ? change.target : undefined,
						change.kind,
						change.name,
					]);
					for (const each of told) expect(real).toContainEqual(each);
					const report = await harness.sync("auto");
					const sorted = (list: readonly object[]) => list.map((each) => JSON.stringify(each)).sort();
					expect(sorted(found.held)).toEqual(sorted(report.heldKinds));
					const done = (kind: string) => {
						const each = found.changes.find((one) => one.subject === "account" && one.target === undefined && one.kind === kind);
						return each === undefined ? 0 : each.count - each.held;
					};
					const { created, updated, disabled, enabled, deleted, entitlements = 0 } = report;
					expect({ created, updated, disabled, enabled, deleted, entitlements }).toEqual({
						...{ created: done("create"), updated: done("update"), disabled: done("disable") },
						...{ enabled: done("enable"), deleted: done("delete"), entitlements: done("entitlement") },
					});
					expect(report.quarantined).toBeGreaterThanOrEqual(found.quarantined.count);
				} finally {
					for (const harness of open.reverse()) harness.close();
				}
			},
		),
		{ numRuns: Number(process.env["DIRSYNCD_TEST_RUNS"] ?? 40) },
	);
}, 180_000);

function put(fake: FakeSource, { people, groups }: Directory): void {
	for (const [index, { isAway, isEnabled, department, isOld }] of people.entries()) {
		const number = index + 1;
		const of = DEPARTMENTS[department];
		fake.put({
			anchor: fake.anchorOf(number),
			cn: `P${number}`,
			where: isAway ? AWAY : PEOPLE,
			standing: isEnabled ? "enabled" : "disabled",
			attributes: {
				cn: [`P${number}`],
				upn: [`p${number}@corp`],
				mail: [isOld ? `p${number}@old` : `p${number}@corp`],
				department: of === undefined ? [] : [of],
				manager: number === 1 ? [] : [fake.dnOf(fake.people.get(fake.anchorOf(1)) as FakePerson)],
			},
		});
	}
	for (const [index, members] of groups.entries()) {
		const number = 1001 + index;
		fake.putGroup({
			anchor: fake.anchorOf(number),
			cn: GROUPS[index] as string,
			isInScope: true,
			members: [7, ...members.filter((one) => one !== 7)].map(fake.anchorOf),
		});
	}
}

function configure(
	fake: FakeSource,
	{ rules, limits, lifecycle, mapping, view, scopeGroups, isAwayAlone }: Configuration,
	open: readonly Harness[],
): Harness {
	fake.settings.base = isAwayAlone ? AWAY : PEOPLE;
	fake.settings.scopeGroups = scopeGroups?.map(fake.anchorOf);
	fake.settings.scope = `${fake.settings.base} ${scopeGroups ?? ""}`;
	const set = Object.fromEntries(Object.entries(limits).filter(([, each]) => each !== undefined));
	const views = view === undefined ? {} : { accounts: view };
	return openWith(fake, { rules, limits: set, lifecycle, mapping, views }, open[0]?.file);
}

function openWith(fake: FakeSource, options: HarnessOptions, file: string | undefined): Harness {
	const harness = openHarness(fake, { ...options, ...(file !== undefined && { file }) });
	const { entitling, views } = harness.context.sync;
	fake.settings.ruleGroups = [...entitling.groups.values(), ...views.flatMap(({ condition }) => [...(condition?.groups.values() ?? [])])];
	return harness;
}
