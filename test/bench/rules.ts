import type { Account, Entitlements } from "../../src/core/account.ts";
import type { Anchor } from "../../src/core/entry.ts";
import { openChains } from "../../src/sync/chains.ts";
import { makeEntitling } from "../../src/sync/entitling.ts";
import { makeNamedGroups, openMembership } from "../../src/sync/membership.ts";
import { rulesNow } from "../../src/sync/rules.ts";
import { type FakeSource, makeFakeSource } from "../support/fake-source.ts";
import { type Harness, openHarness } from "../support/harness.ts";
import { asRules, type NaiveRule, naively } from "../support/naive-rules.ts";
import { median, table } from "./measure.ts";

interface Sizes {
	readonly people: number;
	readonly groups: number;
}

interface Person {
	readonly department: string;
	readonly title: string;
	/** Numbers of the groups, nested ones included. */
	readonly groups: ReadonlySet<number>;
}

const DEPARTMENTS = ["Sales", "Treasury", "Research", "Legal", "Support"];
const never = new AbortController().signal;

/**
 * 20 features and 20 policies over people in nested groups, a circle among them: everybody evaluated from the snapshot, and one person
 * more in a group of a group that all the others are beneath. Both must give what a naive look at everybody gives.
 */
export async function reportRules(sizes: Sizes, rounds: number): Promise<string> {
	const world = makeWorld(sizes);
	const rules = makeRules(sizes.groups);
	world.fake.settings.ruleGroups = [...new Set(rules.flatMap(({ when }) => groupsIn(when)))];
	const harness = openHarness(world.fake, { rules: asRules(rules) });
	try {
		const first = await harness.sync("full");
		expectEqual("created", first.created, sizes.people);
		await expectNaive(harness, world, rules);
		const evaluations: number[] = [];
		const changes: number[] = [];
		for (let round = 0; round < rounds; round++) {
			evaluations.push(evaluateEverybody(harness, sizes.people));
			world.join(world.people.length - 1 - round, sizes.groups);
			const from = performance.now();
			const report = await harness.sync("delta");
			changes.push(performance.now() - from);
			expectEqual("entitlements changed by one membership", report.entitlements, 1);
		}
		await expectNaive(harness, world, rules);
		const rows = [
			["everybody by 20 features and 20 policies", median(evaluations), "≤ 3000 ms"],
			["one membership more, the whole delta", median(changes), "≤ 50 ms"],
		] as const;
		return table(
			["", "ms", "aim"],
			rows.map(([title, ms, aim]) => [title, ms.toFixed(ms < 100 ? 1 : 0), aim]),
		);
	} finally {
		harness.close();
	}
}

/** What a run does of rules when all of them are new, and nothing else: groups closed, entries decoded, every rule asked. */
function evaluateEverybody({ context: { session, sync } }: Harness, people: number): number {
	const from = performance.now();
	const state = session.snapshot.source(sync.source.name);
	const membership = openMembership(session, state);
	const rules = rulesNow(session, sync, state, undefined);
	const ruled = makeNamedGroups(session, state, membership, rules.pinned);
	const { entitle } = makeEntitling(sync.entitling, {
		asked: rules.asked,
		unreadable: new Set(),
		chains: openChains(session, sync.source, state),
		ruled,
	});
	let count = 0;
	for (let after = 0; ; ) {
		const page = session.snapshot.allIds(state.id, after, 1000);
		for (const id of page) {
			const bytes = session.snapshot.bytes(id)?.bytes;
			if (bytes === undefined) continue;
			entitle({ id, isRead: false, primaryId: undefined }, sync.source.decode(bytes), undefined);
			count++;
		}
		const last = page.at(-1);
		if (last === undefined) break;
		after = last;
	}
	expectEqual("people evaluated", count, people);
	return performance.now() - from;
}

interface World {
	readonly fake: FakeSource;
	readonly people: readonly Anchor[];
	person(index: number): Person;
	/** Makes somebody a member of a group. */
	join(index: number, group: number): void;
}

/**
 * Group 1 is at the top; each other is in the one of a third of its number, so that groups lie some seven deep. Groups 2, 3 and 4
 * contain each other as well. People are in four groups each; nobody is in the last group.
 */
function makeWorld({ people: count, groups: groupCount }: Sizes): World {
	const fake = makeFakeSource();
	fake.settings.groups = "all";
	// What the double itself does is not measured.
	fake.settings.asksForGroups = false;
	fake.settings.attributes = ["cn", "department", "mail", "manager", "title", "upn"];
	const people: Anchor[] = [];
	const direct: number[][] = [];
	const members = new Map<number, Anchor[]>(Array.from({ length: groupCount }, (_, index) => [index + 1, []]));
	for (let index = 0; index < count; index++) {
		const anchor = fake.anchorOf(index + 1);
		const department = DEPARTMENTS[index % DEPARTMENTS.length] as string;
		const attributes = { cn: [`P${index}`], upn: [`p${index}@corp`], department: [department], title: [`Title ${index % 7}`] };
		fake.put({ anchor, cn: `P${index}`, where: "OU=People,DC=corp,DC=example,DC=test", standing: "enabled", attributes });
		people.push(anchor as Anchor);
		direct.push([1, 7, 31, 101].map((step) => ((index * step) % (groupCount - 1)) + 1));
		for (const group of new Set(direct[index])) members.get(group)?.push(anchor as Anchor);
	}
	const parentsOf = (group: number): readonly number[] => {
		const circle = { 2: [3], 3: [4], 4: [2] }[group] ?? [];
		return group === 1 ? circle : [Math.max(1, Math.floor(group / 3)), ...circle];
	};
	const groupAnchor = (group: number): Anchor => fake.anchorOf(1_000_000 + group) as Anchor;
	for (let group = 2; group <= groupCount; group++) for (const parent of parentsOf(group)) members.get(parent)?.push(groupAnchor(group));
	const put = (group: number): void => {
		fake.putGroup({ anchor: groupAnchor(group), cn: `G${group}`, isInScope: true, members: members.get(group) ?? [] });
	};
	for (let group = 1; group <= groupCount; group++) put(group);
	return {
		fake,
		people,
		person: (index) => {
			const all = new Set(direct[index]);
			for (const group of all) for (const parent of parentsOf(group)) all.add(parent);
			const department = DEPARTMENTS[index % DEPARTMENTS.length] as string;
			return { department, title: `Title ${index % 7}`, groups: all };
		},
		join: (index, group) => {
			direct[index]?.push(group);
			members.get(group)?.push(people[index] as Anchor);
			put(group);
		},
	};
}

/** Half by groups, from the top to the bottom, half by properties; two rules for each policy. */
function makeRules(groupCount: number): readonly NaiveRule<Person>[] {
	const nameOf = (group: number): string => `CN=G${group},OU=Groups`;
	const rules: NaiveRule<Person>[] = [];
	for (let number = 0; number < 20; number++) {
		const group = number === 0 ? groupCount : Math.max(1, Math.floor((groupCount * number) / 20));
		const department = DEPARTMENTS[number % DEPARTMENTS.length] as string;
		const inGroup = { when: { group: nameOf(group) }, holds: (person: Person) => person.groups.has(group) };
		const inDepartment = {
			when: { filter: `(&(department=${department.toLowerCase()})(!(title=Title 3)))` },
			holds: (person: Person) => person.department === department && person.title !== "Title 3",
		};
		const neither = {
			when: { all: [{ not: inGroup.when }, { any: [inDepartment.when, { filter: "(title=*5)" }] }] },
			holds: (person: Person) => !inGroup.holds(person) && (inDepartment.holds(person) || person.title.endsWith("5")),
		};
		rules.push({ name: `f${number}`, value: undefined, ...(number % 2 === 0 ? inGroup : inDepartment) });
		rules.push({ name: `p${number}`, value: "first", ...neither });
		rules.push({ name: `p${number}`, value: "second", ...(number % 2 === 0 ? inDepartment : inGroup) });
	}
	return rules;
}

function groupsIn(when: NaiveRule<Person>["when"]): readonly string[] {
	return [...JSON.stringify(when).matchAll(/"group":"([^"]+)"/g)].map(([, name]) => name as string);
}

/** Every account of the target beside the naive look at its person. */
async function expectNaive(harness: Harness, world: World, rules: readonly NaiveRule<Person>[]): Promise<void> {
	const accounts = new Map<Anchor | undefined, Account>();
	for await (const { anchor, account } of harness.local.reader?.list(never) ?? []) accounts.set(anchor, account);
	for (const [index, anchor] of world.people.entries()) {
		const { features, policies } = accounts.get(anchor) ?? {};
		const given: Entitlements = { ...(features !== undefined && { features }), ...(policies !== undefined && { policies }) };
		expectEqual(`what P${index} has`, JSON.stringify(given), JSON.stringify(naively(rules, world.person(index))));
	}
}

function expectEqual(what: string, is: unknown, should: unknown): void {
	if (is !== should) throw new Error(`${what}: ${String(is)} instead of ${String(should)}`);
}
