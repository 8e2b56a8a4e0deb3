import { afterEach, describe, expect, it } from "vitest";
import type { Rules } from "../../src/core/rules.ts";
import { type FakeSource, makeFakeSource } from "../support/fake-source.ts";
import { type Harness, type HarnessOptions, openHarness } from "../support/harness.ts";
import { makeRemoteDouble } from "../support/remote-double.ts";

const PEOPLE = "OU=People,DC=corp,DC=example,DC=test";
const SALES = "CN=Sales,OU=Groups";
const TEAM = "CN=Team,OU=Groups";

const searchForSales: Rules = { features: [{ name: "search", when: { group: SALES } }], policies: [] };

let fake: FakeSource;
let open: Harness[] = [];

function world(rules: Rules, more: HarnessOptions = {}): Harness {
	fake = makeFakeSource();
	fake.settings.groups = "named alone";
	fake.settings.attributes = ["cn", "department", "mail", "manager", "upn"];
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

function person(number: number, department?: string, mail = `p${number}@corp`, primaryId?: string): void {
	fake.put({
		anchor: fake.anchorOf(number),
		cn: `Person ${number}`,
		where: PEOPLE,
		standing: "enabled",
		attributes: {
			cn: [`Person ${number}`],
			upn: [`p${number}@corp`],
			department: department === undefined ? [] : [department],
			mail: [mail],
			primarygroupid: primaryId === undefined ? [] : [primaryId],
		},
	});
}

function group(number: number, cn: string, members: readonly number[], primaryId?: string): void {
	const anchors = members.map(fake.anchorOf);
	fake.putGroup({ anchor: fake.anchorOf(number), cn, isInScope: false, members: anchors, ...(primaryId !== undefined && { primaryId }) });
}

/** Features and policies at the target, by the numbers of people. */
async function given(harness: Harness): Promise<Record<number, string>> {
	const accounts = await harness.accounts();
	return Object.fromEntries(
		Object.entries(accounts).map(([anchor, { features = [], policies = {} }]) => [
			Number.parseInt(anchor.slice(0, 8), 16),
			[...features, ...Object.entries(policies).map(([name, value]) => `${name}=${value}`)].join(" "),
		]),
	);
}

function reasons(harness: Harness): readonly string[] {
	return harness.views((views) => [...views.changes(views.runs(1)[0]?.run ?? 0)].map(({ kind, name, why }) => `${kind} ${name}: ${why}`));
}

describe("features and policies", () => {
	it("come with an account, follow nested groups and properties, and say why", async () => {
		const harness = world({
			features: [{ name: "search", when: { group: SALES } }],
			policies: [
				{ name: "mail", value: "block", when: { filter: "(department=treasury)" } },
				{ name: "mail", value: "allow", when: undefined },
			],
		});
		for (const number of [1, 2, 3]) person(number, number === 3 ? "Treasury" : undefined);
		group(1001, "Sales", [1, 1002]);
		group(1002, "Team", [2]);
		expect(await harness.sync("full")).toMatchObject({ outcome: "succeeded", created: 3, entitlements: 0 });
		expect(await given(harness)).toEqual({ 1: "search mail=allow", 2: "search mail=allow", 3: "mail=block" });
		expect(reasons(harness)[2]).toBe('create p3@corp: new in the directory; policy mail set to "block": (department=treasury)');

		group(1002, "Team", [3]);
		person(3, "Sales");
		expect(await harness.sync("delta")).toMatchObject({ updated: 0, entitlements: 2 });
		expect(await given(harness)).toEqual({ 1: "search mail=allow", 2: "mail=allow", 3: "search mail=allow" });
		expect(reasons(harness)).toEqual([
			`entitlement p2@corp: feature search off: not in group ${SALES}`,
			'entitlement p3@corp: feature search on: group Sales; policy mail from "block" to "allow": everybody',
		]);
		expect(harness.views((views) => views.featureCounts())).toEqual([{ feature: "search", count: 2 }]);
	});

	it("change when the rules do, everywhere, without anybody being read again", async () => {
		world({ features: [{ name: "search", when: { group: SALES } }], policies: rulesOf("block", "allow") });
		for (const number of [1, 2, 3]) person(number);
		group(1001, "Sales", [1, 2]);
		await open[0]?.sync("full");
		const turned = openWith({ features: [{ name: "archive", when: { group: SALES } }], policies: rulesOf("allow", "block") });
		expect(await turned.sync("delta")).toMatchObject({ read: 0, entitlements: 3, updated: 0, outcome: "succeeded" });
		expect(await given(turned)).toEqual({ 1: "archive mail=allow", 2: "archive mail=allow", 3: "mail=allow" });
		expect(turned.views((views) => views.featureCounts())).toEqual([{ feature: "archive", count: 2 }]);
		expect(await turned.sync("delta")).toMatchObject({ entitlements: 0 });
		const none = openWith({ features: [], policies: [] });
		expect(await none.sync("delta")).toMatchObject({ read: 0, entitlements: 3 });
		expect(await given(none)).toEqual({ 1: "", 2: "", 3: "" });
		expect(reasons(none)[2]).toBe('entitlement p3@corp: policy mail cleared, was "allow": no rule gives it any more');
	});

	it("wait for a person when they change for too many, and keep no other change of the same people back", async () => {
		const limits = { entitlement: { count: 1, floor: 0 } };
		world(searchForSales, { limits });
		for (const number of [1, 2, 3]) person(number);
		group(1001, "Sales", [1, 2]);
		await open[0]?.sync("full");
		const harness = openWith({ features: [], policies: [] }, { limits });
		person(1, undefined, "new@corp");
		const report = await harness.sync("delta");
		expect(report).toMatchObject({ outcome: "held", held: 2, updated: 1, entitlements: 0 });
		expect(report.heldKinds).toEqual([{ subject: "account", target: undefined, kind: "entitlement", count: 2, limit: "limit 1" }]);
		expect(await given(harness)).toEqual({ 1: "search", 2: "search", 3: "" });
		expect((await harness.accounts())[fake.anchorOf(1)]?.emails?.[0]?.value).toBe("new@corp");
		// Other fields move on under the same name; what was approved is what was shown.
		person(2, undefined, "newer@corp");
		expect(await harness.sync("delta")).toMatchObject({ plan: report.plan, held: 2, updated: 1 });
		expect(await harness.approve(report.plan ?? "")).toMatchObject({ outcome: "succeeded", entitlements: 2 });
		expect(await given(harness)).toEqual({ 1: "", 2: "", 3: "" });
	});

	it("stay as they are after a no, until the rules want something else", async () => {
		const limits = { entitlement: { count: 0, floor: 0 } };
		world(searchForSales);
		person(1);
		group(1001, "Sales", [1]);
		await open[0]?.sync("full");
		const harness = openWith({ features: [], policies: [] }, { limits });
		const { plan } = await harness.sync("delta");
		expect(harness.reject(plan ?? "")).toBe(1);
		expect(await harness.sync("full")).toMatchObject({ outcome: "succeeded", held: 0 });
		expect(await given(harness)).toEqual({ 1: "search" });
		const other = openWith({ features: [], policies: rulesOf("block") }, { limits });
		expect(await other.sync("delta")).toMatchObject({ held: 1 });
	});

	it("stay with everybody when the group of a rule is renamed", async () => {
		const harness = world(searchForSales);
		person(1);
		group(1001, "Sales", [1]);
		await harness.sync("full");
		group(1001, "Selling", [1]);
		for (const mode of ["delta", "full", "delta"] as const) {
			expect(await harness.sync(mode)).toMatchObject({ entitlements: 0, held: 0, outcome: "succeeded" });
		}
		expect(await given(harness)).toEqual({ 1: "search" });
		group(1001, "Selling", []);
		expect(await harness.sync("delta")).toMatchObject({ entitlements: 1 });
	});

	it.each([
		{ limit: 1, outcome: "held", left: { 1: "search", 2: "search" } },
		{ limit: 2, outcome: "succeeded", left: { 1: "", 2: "" } },
	])("whose group is deleted are held past the limit ($limit), else they end, and that is said", async ({ limit, outcome, left }) => {
		const harness = world(searchForSales, { limits: { entitlement: { count: limit, floor: 0 } } });
		person(1);
		person(2);
		group(1001, "Sales", [1, 2]);
		await harness.sync("full");
		fake.removeGroup(fake.anchorOf(1001));
		const report = await harness.sync("delta");
		expect(report).toMatchObject({ outcome });
		expect(report.warnings).toEqual([
			`features[0]: the group "${SALES}" of feature search is not there any more, or not visible to this account; where that is certain nobody is in it, else who was still is`,
		]);
		expect(await given(harness)).toEqual(left);
		expect(await harness.sync("full")).toMatchObject({ outcome });
		expect(await given(harness)).toEqual(left);
	});

	it("stay with everybody when the group of a rule cannot be seen any more", async () => {
		const harness = world(searchForSales);
		person(1);
		group(1001, "Sales", [1]);
		await harness.sync("full");
		fake.faults.doubt = "its container cannot be looked into";
		fake.groups.delete(fake.anchorOf(1001));
		for (const mode of ["full", "delta", "full"] as const) {
			person(1, undefined, `${mode}@corp`);
			expect(await harness.sync(mode)).toMatchObject({ entitlements: 0 });
			expect(await given(harness)).toEqual({ 1: "search" });
		}
		fake.faults.doubt = undefined;
		expect(await harness.sync("full")).toMatchObject({ entitlements: 1 });
	});

	it("that a hidden member list would end are held for a doubt, until the members are seen again", async () => {
		const harness = world(searchForSales);
		person(1);
		group(1001, "Sales", [1]);
		await harness.sync("full");
		fake.faults.membersHidden = true;
		for (const mode of ["full", "delta", "full"] as const) {
			expect(await harness.sync(mode)).toMatchObject({ entitlements: 0, held: 1, heldKinds: [{ limit: "its members cannot be read" }] });
			expect(await given(harness)).toEqual({ 1: "search" });
		}
		fake.faults.membersHidden = false;
		expect(await harness.sync("full")).toMatchObject({ held: 0, entitlements: 0 });
		expect(await given(harness)).toEqual({ 1: "search" });
	});

	it("of a rule whose group was never there go to nobody, take nothing away, and that is said in every reading", async () => {
		world({ features: [{ name: "search", when: undefined }], policies: [] });
		person(1);
		await open[0]?.sync("full");
		const harness = openWith({ features: [{ name: "search", when: { not: { group: "CN=Nowhere,OU=Groups" } } }], policies: [] });
		person(2);
		const report = await harness.sync("delta");
		expect(report).toMatchObject({ entitlements: 0, created: 1 });
		expect(report.warnings).toEqual([
			'features[0]: the group "CN=Nowhere,OU=Groups" of feature search is not there, or not visible to this account; who has search keeps it, and nobody gets it by this rule',
		]);
		expect(await given(harness)).toEqual({ 1: "search", 2: "" });
		group(1009, "Nowhere", [1]);
		expect(await harness.sync("delta")).toMatchObject({ entitlements: 2, warnings: [] });
		expect(await given(harness)).toEqual({ 1: "", 2: "search" });
	});

	it("that ask for an attribute that was not read yet are planned by a full reading", async () => {
		world({ features: [], policies: [] });
		fake.settings.attributes = ["cn", "mail", "manager", "upn"];
		person(1, "Sales");
		await open[0]?.sync("full");
		const harness = openWith({ features: [{ name: "search", when: { filter: "(!(department=Treasury))" } }], policies: [] });
		fake.settings.attributes = ["cn", "department", "mail", "manager", "upn"];
		expect(await harness.sync("delta")).toMatchObject({ mode: "full", entitlements: 1, warnings: [] });
	});

	it("that another domain controller takes away wait for one that knows everything, and what it gives does not", async () => {
		const harness = world(searchForSales);
		for (const number of [1, 2]) person(number);
		group(1001, "Sales", [1]);
		await harness.sync("full");
		fake.faults.serverChanged = "another domain controller was read than before";
		group(1001, "Sales", [2]);
		for (let run = 0; run < 2; run++) {
			const report = await harness.sync("delta");
			expect(report).toMatchObject({
				held: 1,
				heldKinds: [{ kind: "entitlement", limit: "another domain controller was read than before" }],
			});
			expect(await given(harness)).toEqual({ 1: "search", 2: "search" });
		}
		fake.faults.serverChanged = undefined;
		expect(await harness.sync("delta")).toMatchObject({ held: 1 });
		fake.faults.isCurrent = true;
		expect(await harness.sync("delta")).toMatchObject({ held: 0, entitlements: 1 });
		expect(await given(harness)).toEqual({ 1: "", 2: "search" });
	});

	it("on an attribute that nobody shows are said in every full reading, and when the rules are new", async () => {
		world({ features: [], policies: [] });
		person(1, "Sales");
		await open[0]?.sync("full");
		const harness = openWith({ features: [{ name: "search", when: { filter: "(!(departmnt=Sales))" } }], policies: [] });
		fake.settings.attributes = ["cn", "department", "departmnt", "mail", "manager", "upn"];
		const says = [expect.stringContaining("features[0]: nobody shows the attribute departmnt")];
		expect((await harness.sync("delta")).warnings).toEqual(says);
		expect((await harness.sync("delta")).warnings).toEqual([]);
		expect((await harness.sync("full")).warnings).toEqual(says);
		fake.put({ anchor: fake.anchorOf(2), cn: "P", where: PEOPLE, standing: "enabled", attributes: { upn: ["p@corp"], departmnt: ["x"] } });
		expect((await harness.sync("full")).warnings).toEqual([]);
	});

	it("that only another view takes away, of scope or service account, wait for a person", async () => {
		const harness = world({ features: [{ name: "search", when: { filter: "(department=Sales)" } }], policies: [] });
		for (const number of [1, 2, 3, 4]) person(number, "Sales");
		await harness.sync("full");
		fake.settings.identity = "another account";
		person(1);
		person(2, "Treasury");
		expect(await harness.sync("full")).toMatchObject({ entitlements: 0, held: 2 });
		expect(await harness.sync("delta")).toMatchObject({ entitlements: 0, held: 2 });
		person(1, "Sales");
		expect(await harness.sync("delta")).toMatchObject({ entitlements: 0, held: 1 });
		expect(await given(harness)).toEqual({ 1: "search", 2: "search", 3: "search", 4: "search" });
	});

	it("are asked of nobody but whom a change of memberships can touch", async () => {
		const harness = world(searchForSales);
		for (let number = 1; number <= 20; number++) person(number);
		group(1001, "Sales", [1002, 1003]);
		group(1002, "Team", [1, 2, 3]);
		group(1003, "Other", [4, 5, 6, 7, 8]);
		await harness.sync("full");
		const asked: number[] = [];
		const { entitling } = harness.context.sync;
		const { entitle } = entitling;
		Object.assign(entitling, {
			entitle: (...args: Parameters<typeof entitle>) => {
				asked.push(args.length);
				return entitle(...args);
			},
		});
		group(1002, "Team", [1, 2, 3, 9]);
		expect(await harness.sync("delta")).toMatchObject({ entitlements: 1 });
		expect(asked).toHaveLength(1);
		group(1003, "Other", [4, 5, 6, 7]);
		expect(await harness.sync("delta")).toMatchObject({ entitlements: 1 });
		expect(asked).toHaveLength(2);
	});

	it("go to a target with a view of its own as far as they go out, and keep none of its other fields back", async () => {
		const remote = makeRemoteDouble();
		const views = { remote: { when: { filter: "(department=*)" }, mapping: { title: "{department}" } } };
		const more: HarnessOptions = { targets: (local) => [local, remote.target], views, limits: { entitlement: { count: 0, floor: 0 } } };
		const there = () => [...remote.accounts.values()].map(({ account: { title, features } }) => ({ title, features }));
		world(searchForSales, more);
		person(1, "Sales");
		person(2);
		group(1001, "Sales", [1, 2]);
		await open[0]?.sync("full");
		expect(there()).toEqual([{ title: "Sales", features: ["search"] }]);
		const harness = openWith({ features: [], policies: [] }, more);
		person(1, "Legal");
		const report = await harness.sync("delta");
		expect(report).toMatchObject({ outcome: "held", held: 2, heldKinds: [{ kind: "entitlement", target: undefined, count: 2 }] });
		expect(there()).toEqual([{ title: "Legal", features: ["search"] }]);
		expect(await harness.approve(report.plan ?? "")).toMatchObject({ outcome: "succeeded", entitlements: 2 });
		expect(there()).toEqual([{ title: "Legal", features: undefined }]);
		expect((await harness.plan("full")).changes).toEqual([]);
	});

	it("follow whom people report to, to the top, and change when somebody on the way does", async () => {
		const dnOf = (number: number) => `CN=Person ${number},${PEOPLE}`;
		const reporting = (number: number, to: number | undefined) => {
			const manager = to === undefined ? [] : [to === 0 ? "CN=Nobody,OU=Elsewhere" : dnOf(to)];
			const cn = `Person ${number}`;
			const attributes = { cn: [cn], upn: [`p${number}@corp`], manager };
			fake.put({ anchor: fake.anchorOf(number), cn, where: PEOPLE, standing: "enabled", attributes });
		};
		const harness = world({
			features: [{ name: "staff", when: { filter: `(manager:1.2.840.113556.1.4.1941:=${dnOf(1).toLowerCase()})` } }],
			policies: [],
		});
		// 1 is the head; 4 reports to 3, and 3 to 2. 6 and 7 report to each other, 8 to somebody who is not ours to see.
		for (const [number, to] of [
			[1, undefined],
			[2, 1],
			[3, 2],
			[4, 3],
			[5, undefined],
			[6, 7],
			[7, 6],
			[8, 0],
		] as const)
			reporting(number, to);
		const report = await harness.sync("full");
		expect(await given(harness)).toEqual({ 1: "", 2: "staff", 3: "staff", 4: "staff", 5: "", 6: "", 7: "", 8: "" });
		expect(report.warnings).toEqual([expect.stringContaining("features[0]: of 1 people it cannot be told whether they get feature staff")]);
		reporting(2, 5);
		expect(await harness.sync("delta")).toMatchObject({ entitlements: 3 });
		expect(await given(harness)).toMatchObject({ 2: "", 3: "", 4: "" });
		reporting(6, 1);
		expect(await harness.sync("delta")).toMatchObject({ entitlements: 2 });
		expect(await given(harness)).toMatchObject({ 6: "staff", 7: "staff" });
		expect((await harness.plan("full")).changes).toEqual([]);
	});

	it("follow a direct membership, and one in chain, as memberOf has them", async () => {
		const harness = world({
			features: [
				{ name: "direct", when: { filter: `(memberOf=${SALES})` } },
				{ name: "chain", when: { filter: `(memberOf:1.2.840.113556.1.4.1941:=${SALES})` } },
				{ name: "team", when: { filter: `(&(memberOf=${TEAM})(!(memberOf=${SALES})))` } },
			],
			policies: [],
		});
		person(1);
		person(2);
		person(3, undefined, "p3@corp", "513");
		group(1001, "Sales", [1, 1002, 1003]);
		group(1002, "Team", [2]);
		group(1003, "Everybody", [], "513");
		await harness.sync("full");
		// As in the directory, whom only a primary group brings in is not in `memberOf`.
		expect(await given(harness)).toEqual({ 1: "chain direct", 2: "chain team", 3: "" });
		const nested = openWith(searchForSales);
		await nested.sync("delta");
		expect(await given(nested)).toEqual({ 1: "search", 2: "search", 3: "search" });
	});
});

function rulesOf(...values: readonly string[]): Rules["policies"] {
	return values.map((value) => ({ name: "mail", value, when: undefined }));
}
