import Database from "better-sqlite3";
import { afterEach, describe, expect, it } from "vitest";
import { Failure } from "../../src/core/errors.ts";
import type { Rules } from "../../src/core/rules.ts";
import { type FakeSource, makeFakeSource } from "../support/fake-source.ts";
import { type Harness, type HarnessOptions, openHarness, testLifecycle } from "../support/harness.ts";
import { makeRemoteDouble } from "../support/remote-double.ts";

const PEOPLE = "OU=People,DC=corp,DC=example,DC=test";
const BOSSES = `OU=Bosses,${PEOPLE}`;
const SALES = "CN=Sales,OU=Groups";

const searchForSales: Rules = { features: [{ name: "search", when: { group: SALES } }], policies: [] };

let fake: FakeSource;
let open: Harness[] = [];

function world(rules: Rules, more: HarnessOptions = {}): Harness {
	fake = makeFakeSource();
	fake.settings.groups = "named alone";
	fake.settings.attributes = ["cn", "department", "mail", "manager", "title", "upn"];
	open = [];
	return openWith(rules, more);
}

/** The same people and database under other rules. */
function openWith(rules: Rules, more: HarnessOptions = {}): Harness {
	const file = open.at(-1)?.file;
	const harness = openHarness(fake, { rules, ...(file !== undefined && { file }), ...more });
	fake.settings.ruleGroups = [...harness.context.sync.entitling.groups.values()];
	open.push(harness);
	return harness;
}

afterEach(() => {
	for (const harness of open.reverse()) harness.close();
	open = [];
});

function person(number: number, attributes: Record<string, string> = {}, where = PEOPLE): void {
	const own = Object.entries(attributes).map(([name, value]) => [name, [value]] as const);
	fake.put({
		anchor: fake.anchorOf(number),
		cn: `P${number}`,
		where,
		standing: "enabled",
		attributes: { cn: [`P${number}`], upn: [`p${number}@corp`], ...Object.fromEntries(own) },
	});
}

function group(number: number, cn: string, members: readonly number[]): void {
	fake.putGroup({ anchor: fake.anchorOf(number), cn, isInScope: false, members: members.map(fake.anchorOf) });
}

/** Features and policies at the target, by the numbers of people. */
async function given(harness: Harness): Promise<Record<number, string>> {
	const accounts = await harness.accounts();
	return Object.fromEntries(
		Object.entries(accounts).map(([anchor, { active, features = [], policies = {} }]) => [
			Number.parseInt(anchor.slice(0, 8), 16),
			[...(active ? [] : ["disabled"]), ...features, ...Object.entries(policies).map(([name, value]) => `${name}=${value}`)].join(" "),
		]),
	);
}

describe("a group whose members are hidden", () => {
	it("and that is nested in the group of a rule takes nothing from anybody", async () => {
		const harness = world(searchForSales);
		for (const number of [1, 2]) person(number);
		group(1001, "Sales", [1, 1002]);
		group(1002, "Team", [2]);
		await harness.sync("full");
		fake.faults.membersHiddenOf.add(fake.anchorOf(1002));
		for (const mode of ["full", "delta", "full"] as const) {
			expect(await harness.sync(mode)).toMatchObject({ entitlements: 0, held: 1, heldKinds: [{ limit: "its members cannot be read" }] });
			expect(await given(harness)).toEqual({ 1: "search", 2: "search" });
		}
		fake.faults.membersHiddenOf.clear();
		expect(await harness.sync("full")).toMatchObject({ held: 0, entitlements: 0, outcome: "succeeded" });
	});

	it("and that is nested in a group of users.groups disables nobody", async () => {
		const harness = world({ features: [], policies: [] });
		fake.settings.scopeGroups = [fake.anchorOf(1001)];
		for (const number of [1, 2]) person(number);
		group(1001, "Sales", [1, 1002]);
		group(1002, "Team", [2]);
		await harness.sync("full");
		fake.faults.membersHiddenOf.add(fake.anchorOf(1002));
		for (const mode of ["full", "delta"] as const) {
			expect(await harness.sync(mode)).toMatchObject({ disabled: 0, held: 1, heldKinds: [{ limit: "its members cannot be read" }] });
			expect(await given(harness)).toEqual({ 1: "", 2: "" });
		}
	});

	it("and that is nested in the group of a target's scope ends nobody there", async () => {
		const remote = makeRemoteDouble();
		const harness = world(
			{ features: [], policies: [] },
			{
				targets: (local) => [local, remote.target],
				views: { remote: { when: { group: SALES } } },
			},
		);
		fake.settings.ruleGroups = [SALES];
		for (const number of [1, 2]) person(number);
		group(1001, "Sales", [1, 1002]);
		group(1002, "Team", [2]);
		await harness.sync("full");
		fake.faults.membersHiddenOf.add(fake.anchorOf(1002));
		expect(await harness.sync("full")).toMatchObject({ held: 1, heldKinds: [{ kind: "disable", limit: "its members cannot be read" }] });
		expect([...remote.accounts.values()].map(({ account }) => account.active)).toEqual([true, true]);
	});

	it("lets nobody into the scope of a target that is for those who are not in it", async () => {
		const remote = makeRemoteDouble();
		const harness = world(
			{ features: [], policies: [] },
			{ targets: (local) => [local, remote.target], views: { remote: { when: { not: { group: "Restricted" } } } } },
		);
		fake.settings.ruleGroups = ["Restricted"];
		for (const number of [1, 2]) person(number);
		group(1001, "Restricted", [1]);
		await harness.sync("full");
		fake.faults.membersHidden = true;
		for (const mode of ["full", "delta", "full"] as const) {
			expect(await harness.sync(mode)).toMatchObject({ held: 1, heldKinds: [{ kind: "create", limit: "its members cannot be read" }] });
			expect(remote.creates()).toBe(1);
		}
		// An end that has nothing to do with it is none of its matter.
		const other = fake.people.get(fake.anchorOf(2)) as NonNullable<ReturnType<typeof fake.people.get>>;
		fake.put({ ...other, standing: "disabled" });
		expect(await harness.sync("delta")).toMatchObject({ held: 1, disabled: 1 });
		expect([...remote.accounts.values()].map(({ account }) => account.active)).toEqual([false]);
		fake.faults.membersHidden = false;
		expect(await harness.sync("full")).toMatchObject({ held: 0, outcome: "succeeded" });
		expect(remote.creates()).toBe(1);
	});

	it("and that is nested in another takes nobody out of that one at the targets", async () => {
		const harness = world({ features: [], policies: [] });
		const put = (number: number, cn: string, members: readonly number[]) =>
			fake.putGroup({ anchor: fake.anchorOf(number), cn, isInScope: true, members: members.map(fake.anchorOf) });
		for (const number of [1, 2]) person(number);
		put(1001, "Sales", [1, 1002]);
		put(1002, "Team", [2]);
		await harness.sync("full");
		fake.faults.membersHiddenOf.add(fake.anchorOf(1002));
		for (const mode of ["full", "delta", "full"] as const) {
			expect(await harness.sync(mode)).toMatchObject({ held: 2 });
			expect(await harness.groups()).toMatchObject({ Sales: [fake.anchorOf(1), fake.anchorOf(2)], Team: [fake.anchorOf(2)] });
		}
		fake.faults.membersHiddenOf.clear();
		expect(await harness.sync("full")).toMatchObject({ held: 0, outcome: "succeeded" });
	});

	it("gives nothing by a rule that asks who is not in it", async () => {
		const harness = world({ features: [{ name: "all", when: { not: { group: "Restricted" } } }], policies: [] });
		for (const number of [1, 2]) person(number);
		group(1001, "Restricted", [1]);
		await harness.sync("full");
		fake.faults.membersHidden = true;
		for (const mode of ["full", "delta", "full"] as const) {
			expect(await harness.sync(mode)).toMatchObject({ entitlements: 0, held: 1 });
			expect(await given(harness)).toEqual({ 1: "", 2: "all" });
		}
		fake.faults.membersHidden = false;
		expect(await harness.sync("full")).toMatchObject({ held: 0, entitlements: 0, outcome: "succeeded" });
	});

	it("keeps nothing back that has nothing to do with it", async () => {
		const harness = world({
			features: [
				{ name: "search", when: { group: SALES } },
				{ name: "archive", when: { filter: "(department=Legal)" } },
			],
			policies: [],
		});
		person(1);
		person(2, { department: "Legal" });
		group(1001, "Sales", [1]);
		await harness.sync("full");
		fake.faults.membersHidden = true;
		person(2, { department: "Sales" });
		expect(await harness.sync("full")).toMatchObject({ entitlements: 1, held: 1 });
		expect(await given(harness)).toEqual({ 1: "search", 2: "" });
	});

	it("keeps nothing of the same person back any more, once its members are seen again", async () => {
		const harness = world({
			features: [
				{ name: "search", when: { group: SALES } },
				{ name: "archive", when: { filter: "(department=Legal)" } },
			],
			policies: [],
		});
		person(1);
		group(1001, "Sales", [1]);
		await harness.sync("full");
		fake.faults.membersHidden = true;
		expect(await harness.sync("full")).toMatchObject({ held: 1 });
		fake.faults.membersHidden = false;
		group(1001, "Sales", [1]);
		person(1, { department: "Legal" });
		expect(await harness.sync("delta")).toMatchObject({ held: 0, entitlements: 1 });
		expect(await given(harness)).toEqual({ 1: "archive search" });
	});
});

describe("an attribute that cannot be read any more", () => {
	it("takes nothing away because somebody shows another one that they had not", async () => {
		const harness = world({ features: [{ name: "search", when: { filter: "(department=Sales)" } }], policies: [] });
		for (let number = 1; number <= 20; number++) person(number, { department: "Sales" });
		await harness.sync("full");
		fake.faults.unreadable.add("department");
		expect(await harness.sync("full")).toMatchObject({ entitlements: 0, held: 20 });
		person(1, { department: "Sales", title: "Head" });
		expect(await harness.sync("delta")).toMatchObject({ entitlements: 0, held: 20 });
		expect((await given(harness))[1]).toBe("search");
		fake.faults.unreadable.clear();
		person(1, { department: "Treasury", title: "Head" });
		expect(await harness.sync("delta")).toMatchObject({ entitlements: 1, held: 19 });
	});

	it("takes nothing from those beneath somebody whom it led on from", async () => {
		const dnOf = (number: number) => `CN=P${number},${number < 10 ? BOSSES : PEOPLE}`;
		const reporting = (number: number, to?: number) =>
			person(number, to === undefined ? {} : { manager: dnOf(to) }, number < 10 ? BOSSES : PEOPLE);
		const harness = world({
			features: [{ name: "staff", when: { filter: `(manager:1.2.840.113556.1.4.1941:=${dnOf(1)})` } }],
			policies: [],
		});
		reporting(1);
		for (const boss of [2, 3, 4, 5]) reporting(boss, 1);
		for (let number = 10; number < 30; number++) reporting(number, 2 + (number % 4));
		await harness.sync("full");
		fake.faults.unreadableIn = { attribute: "manager", where: BOSSES };
		expect(await harness.sync("full")).toMatchObject({ entitlements: 0 });
		expect(Object.values(await given(harness)).filter((has) => has === "staff")).toHaveLength(24);
		fake.faults.unreadableIn = undefined;
		expect(await harness.sync("full")).toMatchObject({ entitlements: 0, held: 0 });
	});

	it("takes nothing from anybody although it is a link", async () => {
		const harness = world({
			features: [{ name: "staff", when: { filter: `(manager:1.2.840.113556.1.4.1941:=CN=P1,${PEOPLE})` } }],
			policies: [],
		});
		person(1);
		for (let number = 2; number < 30; number++) person(number, { manager: `CN=P1,${PEOPLE}` });
		await harness.sync("full");
		fake.faults.unreadable.add("manager");
		expect(await harness.sync("full")).toMatchObject({ entitlements: 0 });
		expect(await harness.sync("full")).toMatchObject({ entitlements: 0 });
		expect(Object.values(await given(harness)).filter((has) => has === "staff")).toHaveLength(28);
	});
});

describe("a held change", () => {
	it("of fields keeps no feature back at a target with a mapping of its own", async () => {
		const remote = makeRemoteDouble();
		const more: HarnessOptions = {
			targets: (local) => [local, remote.target],
			views: { remote: { mapping: { title: "{department}" } } },
			limits: { update: { count: 0, floor: 0 } },
		};
		const there = () => [...remote.accounts.values()].map(({ account: { title, features } }) => ({ title, features }));
		const harness = world(searchForSales, more);
		person(1, { department: "Sales" });
		group(1001, "Sales", [1]);
		await harness.sync("full");
		expect(there()).toEqual([{ title: "Sales", features: ["search"] }]);
		person(1, { department: "Legal", mail: "new@corp" });
		group(1001, "Sales", []);
		expect(await harness.sync("delta")).toMatchObject({ entitlements: 1, held: 1 });
		expect(await given(harness)).toEqual({ 1: "" });
		expect(there()).toEqual([{ title: "Sales", features: undefined }]);
	});
});

describe("the group of a rule", () => {
	it("is one group under two names, whatever it is called later, and another one under its old name is not it", async () => {
		const harness = world({
			features: [
				{ name: "by-dn", when: { group: SALES } },
				{ name: "by-guid", when: { group: makeFakeSource().anchorOf(1001) } },
				{ name: "by-name", when: { group: "sales" } },
			],
			policies: [],
		});
		for (const number of [1, 2]) person(number);
		group(1001, "Sales", [1]);
		await harness.sync("full");
		group(1001, "Selling", [1]);
		group(1002, "Sales", [2]);
		for (const mode of ["delta", "full", "delta"] as const) {
			expect(await harness.sync(mode)).toMatchObject({ entitlements: 0, held: 0 });
			expect(await given(harness)).toEqual({ 1: "by-dn by-guid by-name", 2: "" });
		}
		// Gone for certain: then the name is the other one's.
		fake.removeGroup(fake.anchorOf(1001));
		expect(await harness.sync("delta")).toMatchObject({ entitlements: 2 });
		expect(await given(harness)).toEqual({ 1: "", 2: "by-dn by-name" });
		expect((await harness.plan("full")).changes).toEqual([]);
	});

	it("takes in again at once whom a group brings that left and came back, without that one changing itself", async () => {
		const harness = world(searchForSales);
		for (const number of [1, 2]) person(number);
		group(1001, "Sales", [1, 1002]);
		group(1002, "Team", [2]);
		await harness.sync("full");
		group(1001, "Sales", [1]);
		expect(await harness.sync("full")).toMatchObject({ entitlements: 1 });
		group(1001, "Sales", [1, 1002]);
		expect(await harness.sync("delta")).toMatchObject({ entitlements: 1 });
		expect(await given(harness)).toEqual({ 1: "search", 2: "search" });
		group(1001, "Sales", [1]);
		await harness.sync("full");
		const other = openWith({
			features: [
				{ name: "team", when: { group: "Team" } },
				{ name: "rest", when: { not: { group: "Team" } } },
			],
			policies: [],
		});
		await other.sync("delta");
		expect(await given(other)).toEqual({ 1: "rest", 2: "team" });
	});

	it.each(["rule", "scope"] as const)("is no other one of its name while it may be there and only not be seen (%s)", async (by) => {
		const harness = world(by === "rule" ? searchForSales : { features: [], policies: [] });
		if (by === "scope") fake.settings.scopeGroups = ["Sales"];
		const had = by === "rule" ? { 1: "search", 2: "" } : { 1: "" };
		for (const number of [1, 2]) person(number);
		group(1001, "Sales", [1]);
		await harness.sync("full");
		expect(await given(harness)).toEqual(had);
		const hidden = fake.groups.get(fake.anchorOf(1001)) as NonNullable<ReturnType<typeof fake.groups.get>>;
		fake.groups.delete(hidden.anchor);
		fake.faults.doubt = "its container cannot be looked into";
		group(1002, "Sales", [2]);
		for (const mode of ["full", "delta", "full"] as const) {
			expect(await harness.sync(mode)).toMatchObject({ disabled: 0, created: 0, held: 0 });
			expect(await given(harness)).toEqual(had);
		}
		fake.faults.doubt = undefined;
		await harness.sync("full");
		expect(await given(harness)).toEqual(by === "rule" ? { 1: "", 2: "search" } : { 1: "disabled", 2: "" });
	});

	it("that is somebody's primary group gives and takes with it", async () => {
		const harness = world(searchForSales);
		fake.settings.attributes = ["cn", "primarygroupid", "upn"];
		for (const number of [1, 2]) person(number, { primarygroupid: "513" });
		fake.putGroup({ anchor: fake.anchorOf(1001), cn: "Sales", isInScope: false, members: [], primaryId: "514" });
		fake.putGroup({ anchor: fake.anchorOf(1002), cn: "Domain Users", isInScope: false, members: [], primaryId: "513" });
		await harness.sync("full");
		expect(await given(harness)).toEqual({ 1: "", 2: "" });
		person(1, { primarygroupid: "514" });
		expect(await harness.sync("delta")).toMatchObject({ entitlements: 1 });
		expect(await given(harness)).toEqual({ 1: "search", 2: "" });
		person(1, { primarygroupid: "513" });
		expect(await harness.sync("delta")).toMatchObject({ entitlements: 1 });
		fake.putGroup({ anchor: fake.anchorOf(1001), cn: "Sales", isInScope: false, members: [fake.anchorOf(1002)], primaryId: "514" });
		// Now by their own primary group, which is in this one.
		expect(await harness.sync("delta")).toMatchObject({ entitlements: 2 });
		expect((await harness.plan("full")).changes).toEqual([]);
	});

	it("that makes the scope as well gives what it gives to whom it lets in, and takes back with them", async () => {
		const harness = world({
			features: [
				{ name: "search", when: { group: SALES } },
				{ name: "archive", when: { group: "CN=Archive,OU=Groups" } },
			],
			policies: [],
		});
		fake.settings.scopeGroups = [fake.anchorOf(1001)];
		for (const number of [1, 2]) person(number);
		group(1001, "Sales", [1]);
		group(1002, "Archive", [1, 2]);
		await harness.sync("full");
		expect(await given(harness)).toEqual({ 1: "archive search" });
		group(1001, "Sales", [2]);
		group(1002, "Archive", [2]);
		expect(await harness.sync("delta")).toMatchObject({ disabled: 1, created: 1, entitlements: 0 });
		expect(await given(harness)).toEqual({ 1: "disabled archive search", 2: "archive search" });
		group(1001, "Sales", [1, 2]);
		expect(await harness.sync("delta")).toMatchObject({ enabled: 1, entitlements: 1 });
		expect(await given(harness)).toEqual({ 1: "search", 2: "archive search" });
		expect(harness.views((views) => views.featureCounts())).toEqual([
			{ feature: "archive", count: 1 },
			{ feature: "search", count: 2 },
		]);
	});
});

describe("changes of several kinds of one person", () => {
	const limits = { entitlement: { count: 0, floor: 0 }, disable: { count: 0, floor: 0 }, update: { count: 0, floor: 0 } };

	it("are held under one plan, approved together, and each is logged as what it alone does", async () => {
		const harness = world(searchForSales, { limits });
		person(1, { department: "Sales" });
		group(1001, "Sales", [1]);
		await harness.sync("full");
		group(1001, "Sales", []);
		const disabled = fake.people.get(fake.anchorOf(1));
		fake.put({
			...(disabled as NonNullable<typeof disabled>),
			standing: "disabled",
			cn: "Q1",
			attributes: { cn: ["Q1"], upn: ["p1@corp"] },
		});
		const report = await harness.sync("delta");
		expect(report).toMatchObject({ held: 3, disabled: 0, updated: 0, entitlements: 0 });
		expect(await harness.approve(report.plan ?? "")).toMatchObject({ held: 0, disabled: 1, updated: 1, entitlements: 1 });
		const sides = harness.views((views) => [...views.changes(views.runs(1)[0]?.run ?? 0)]);
		expect(sides.map(({ kind, before, after }) => [kind, shortly(before), shortly(after)])).toEqual([
			["disable", "Q1 active ", "Q1 disabled "],
			["entitlement", "Q1 active search", "Q1 active "],
			["update", "P1 active search", "Q1 active search"],
		]);
		expect((await harness.plan("full")).changes).toEqual([]);
	});

	it("are not approved as they were shown once the rules want something else", async () => {
		const harness = world(searchForSales, { limits });
		person(1, { department: "Sales" });
		group(1001, "Sales", [1]);
		await harness.sync("full");
		group(1001, "Sales", []);
		const { plan } = await harness.sync("delta");
		const other = openWith({ features: [{ name: "archive", when: undefined }], policies: [] }, { limits });
		expect(await other.approve(plan ?? "")).toMatchObject({ outcome: "failed", error: { code: "PLAN_CHANGED" } });
		expect(await given(other)).toEqual({ 1: "search" });
		const anew = await other.sync("delta");
		expect(await other.approve(anew.plan ?? "")).toMatchObject({ entitlements: 1 });
		expect(await given(other)).toEqual({ 1: "archive" });
	});

	it("go their ways: what is held of one is no matter to the other, over the whole life of an account", async () => {
		const { update: _, entitlement: __, ...only } = limits;
		const harness = world(searchForSales, { limits: only, lifecycle: { ...testLifecycle, deleteAfterMs: 86_400_000 } });
		person(1);
		group(1001, "Sales", [1]);
		await harness.sync("full");
		fake.put({ anchor: fake.anchorOf(1), cn: "P1", where: PEOPLE, standing: "disabled", attributes: { cn: ["P1"], upn: ["p1@corp"] } });
		group(1001, "Sales", []);
		const report = await harness.sync("delta");
		expect(report).toMatchObject({ held: 1, entitlements: 1 });
		expect(await given(harness)).toEqual({ 1: "" });
		group(1001, "Sales", [1]);
		expect(await harness.sync("delta")).toMatchObject({ plan: report.plan, entitlements: 1 });
		await harness.approve(report.plan ?? "");
		expect(await given(harness)).toEqual({ 1: "disabled search" });
		fake.remove(fake.anchorOf(1), true);
		await harness.sync("full");
		harness.time.now += 2 * 86_400_000;
		expect(await harness.sync("full")).toMatchObject({ deleted: 1 });
		expect(harness.views((views) => views.featureCounts())).toEqual([]);
	});
});

describe("a no", () => {
	it("to what is taken away stands while it cannot be told whether it would be", async () => {
		const rules: Rules = { features: [{ name: "search", when: { filter: "(department=Sales)" } }], policies: [] };
		const harness = world(rules, { limits: { entitlement: { count: 1, floor: 0 } } });
		for (const number of [1, 2, 3]) person(number, { department: "Sales" });
		await harness.sync("full");
		for (const number of [1, 2]) person(number, { department: "Legal" });
		const { plan } = await harness.sync("delta");
		expect(harness.reject(plan ?? "")).toBe(2);
		const { source } = harness.context.sync;
		const { decode } = source;
		Object.assign(source, {
			decode: (bytes: Uint8Array) => {
				const entry = decode(bytes);
				if (entry.dn.startsWith("CN=P1,")) throw new Failure("ENTRY_UNREADABLE", "its bytes are broken");
				return entry;
			},
		});
		person(1, { department: "Legal", title: "Head" });
		expect(await harness.sync("delta")).toMatchObject({ quarantined: 1 });
		Object.assign(source, { decode });
		expect(await harness.sync("delta")).toMatchObject({ quarantined: 0, entitlements: 0 });
		expect(await given(harness)).toEqual({ 1: "search", 2: "search", 3: "search" });
	});

	it("to an end stands while the state of the person cannot be read", async () => {
		const harness = world({ features: [], policies: [] }, { limits: { disable: { count: 1, floor: 0 } } });
		const put = (number: number, standing: "enabled" | "disabled" | "unknown") =>
			fake.put({
				...{ anchor: fake.anchorOf(number), cn: `P${number}`, where: PEOPLE, standing },
				attributes: { cn: [`P${number}`], upn: [`p${number}@corp`] },
			});
		for (const number of [1, 2, 3]) put(number, "enabled");
		await harness.sync("full");
		for (const number of [1, 2]) put(number, "disabled");
		const { plan } = await harness.sync("delta");
		expect(harness.reject(plan ?? "")).toBe(2);
		for (const standing of ["unknown", "disabled"] as const) {
			put(1, standing);
			expect(await harness.sync("delta")).toMatchObject({ disabled: 0, held: 0 });
		}
		expect(await given(harness)).toEqual({ 1: "", 2: "", 3: "" });
		// Something else was wanted in between: then it is asked anew.
		put(1, "enabled");
		await harness.sync("delta");
		put(1, "disabled");
		expect(await harness.sync("delta")).toMatchObject({ disabled: 1 });
	});
});

describe("a database of the version before", () => {
	it("is taken over, and the rules that are new to it give to everybody", async () => {
		world({ features: [], policies: [] });
		for (const number of [1, 2]) person(number);
		group(1001, "Sales", [1]);
		const first = open[0] as Harness;
		fake.settings.ruleGroups = [SALES];
		await first.sync("full");
		const db = new Database(first.file);
		db.exec(`DROP TABLE entitlement_counts; DROP TABLE pins; DROP TABLE planned_anew; DROP TABLE matters; DROP TABLE notices; DROP TABLE reports; DROP INDEX held_counts; DROP INDEX held_names;
			DROP INDEX accounts_by_user_name; ALTER TABLE sources DROP COLUMN restored_at; ALTER TABLE targets DROP COLUMN restored_at;
			ALTER TABLE chain DROP COLUMN last_sequence; ALTER TABLE chain DROP COLUMN last_digest;
			DROP INDEX changes_by_anchor; ALTER TABLE changes DROP COLUMN target; ALTER TABLE entries DROP COLUMN read_run; ALTER TABLE runs DROP COLUMN reverts; ALTER TABLE runs DROP COLUMN entitlements;
			UPDATE sources SET rule_groups = replace(rule_groups, 'nameKey', 'dnKey'); DELETE FROM migrations WHERE version >= 6`);
		db.close();
		const harness = openWith(searchForSales);
		expect(await harness.sync("delta")).toMatchObject({ outcome: "succeeded", entitlements: 1, updated: 0 });
		expect(await given(harness)).toEqual({ 1: "search", 2: "" });
		expect(harness.views((views) => views.featureCounts())).toEqual([{ feature: "search", count: 1 }]);
		expect((await harness.plan("full")).changes).toEqual([]);
	});
});

describe("somebody who moves to another source", () => {
	it("and whose new name is another's is set aside, and nothing is said or counted of an account that is not theirs yet", async () => {
		const rules: Rules = { features: [{ name: "there", when: { filter: "(department=New)" } }], policies: [] };
		const oldSide = world({ features: [{ name: "here", when: undefined }], policies: [] }, { match: "employeeNumber", mapping });
		const now = makeFakeSource(PEOPLE, "new");
		now.settings.groups = "named alone";
		now.settings.attributes = ["cn", "department", "number", "upn"];
		const newSide = openHarness(now, { rules, match: "employeeNumber", mapping, beside: oldSide });
		open.push(newSide);
		person(1, { number: "E1" });
		await oldSide.sync("full");
		fake.put({
			anchor: fake.anchorOf(1),
			cn: "P1",
			where: PEOPLE,
			standing: "disabled",
			attributes: { cn: ["P1"], upn: ["p1@corp"], number: ["E1"] },
		});
		await oldSide.sync("full");
		const put = (number: number, upn: string, employee: string) =>
			now.put({
				...{ anchor: now.anchorOf(number), cn: `N${number}`, where: PEOPLE, standing: "enabled" },
				attributes: { cn: [`N${number}`], upn: [upn], number: [employee], department: ["New"] },
			});
		put(11, "taken@corp", "E9");
		await newSide.sync("full");
		put(12, "taken@corp", "E1");
		expect(await newSide.sync("full")).toMatchObject({ updated: 0, enabled: 0, entitlements: 0, quarantined: 1 });
		expect(newSide.views((views) => [...views.changes(views.runs(1)[0]?.run ?? 0)])).toEqual([]);
		put(12, "p1@corp", "E1");
		expect(await newSide.sync("delta")).toMatchObject({ updated: 1, enabled: 1, entitlements: 1, quarantined: 0 });
		expect(newSide.views((views) => views.featureCounts())).toEqual([{ feature: "there", count: 2 }]);
	});
});

const mapping = { userName: "{upn}", displayName: "{cn}", employeeNumber: "{number}" };

function shortly(side: unknown): string {
	const { displayName, active, features = [] } = side as { displayName: string; active: boolean; features?: string[] };
	return `${displayName} ${active ? "active" : "disabled"} ${features.join(" ")}`;
}
