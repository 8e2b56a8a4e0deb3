import { afterEach, describe, expect, it } from "vitest";
import type { Lifecycle } from "../../src/core/lifecycle.ts";
import type { Rules } from "../../src/core/rules.ts";
import type { WhatIf } from "../../src/sync/whatif.ts";
import { type FakeSource, makeFakeSource } from "../support/fake-source.ts";
import { type Harness, type HarnessOptions, openHarness, testLifecycle, testMapping } from "../support/harness.ts";

const DOMAIN = "DC=corp,DC=example,DC=test";
const PEOPLE = `OU=People,${DOMAIN}`;
const SALES = "CN=Sales,OU=Groups";
const TEAM = "CN=Team,OU=Groups";
const none: Rules = { features: [], policies: [] };

let fake: FakeSource;
let open: Harness[] = [];

/** Six people, of whom 1 and 2 are in Sales, 2 and 3 in its Team; 4, 5 and 6 in OU=Away. */
async function world(options: HarnessOptions = {}): Promise<Harness> {
	fake = makeFakeSource();
	fake.settings.groups = "named alone";
	fake.settings.attributes = ["cn", "department", "mail", "manager", "upn"];
	for (const number of [1, 2, 3, 4, 5, 6]) person(number, number % 2 === 0 ? "Treasury" : "Sales");
	group(1001, "Sales", [1, 1002]);
	group(1002, "Team", [2]);
	const harness = openWith(options);
	await harness.sync("full");
	return harness;
}

/** Another configuration on the same people and database. */
function openWith(options: HarnessOptions = {}): Harness {
	const file = open.at(-1)?.file;
	const harness = openHarness(fake, { ...(file !== undefined && { file }), ...options });
	fake.settings.ruleGroups = [...harness.context.sync.entitling.groups.values()];
	open.push(harness);
	return harness;
}

afterEach(() => {
	for (const harness of open.reverse()) harness.close();
	open = [];
});

function person(number: number, department?: string, more: Record<string, string[]> = {}): void {
	fake.put({
		anchor: fake.anchorOf(number),
		cn: `Person ${number}`,
		where: number > 3 ? `OU=Away,${PEOPLE}` : PEOPLE,
		standing: "enabled",
		attributes: {
			cn: [`Person ${number}`],
			upn: [`p${number}@corp`],
			department: department === undefined ? [] : [department],
			mail: [`p${number}@corp`],
			...more,
		},
	});
}

function group(number: number, cn: string, members: readonly number[]): void {
	fake.putGroup({ anchor: fake.anchorOf(number), cn, isInScope: false, members: members.map(fake.anchorOf) });
}

function disable(number: number): void {
	const known = fake.people.get(fake.anchorOf(number));
	if (known !== undefined) fake.put({ ...known, standing: "disabled" });
}

const keeping: Lifecycle = { ...testLifecycle, onDisabled: "keep" };

/** "disable 3 (3 held)" */
function inShort({ changes }: WhatIf): readonly string[] {
	return changes.map(({ target, kind, count, held, waiting }) => {
		const marks = [...(held > 0 ? [`${held} held`] : []), ...(waiting > 0 ? [`${waiting} waiting`] : [])];
		return `${kind}${target === undefined ? "" : ` at ${target}`} ${count}${marks.length > 0 ? ` (${marks.join(", ")})` : ""}`;
	});
}

const searchForSales: Rules = { features: [{ name: "search", when: { group: SALES } }], policies: [] };

describe("whatif", () => {
	it("says that nothing changes by the same configuration, and what its rules give", async () => {
		const harness = await world({ rules: searchForSales });
		const found = await harness.whatIf();
		expect(found).toMatchObject({ asOf: harness.time.now, people: 6, isSame: true, changes: [], held: [], unknown: [], entitlements: [] });
		expect(found.rules).toEqual([
			{
				...{ place: "features[0]", kind: "feature", name: "search", value: undefined, through: "group Sales" },
				...{ selects: 2, gives: 2, gains: 0, examples: [], unknown: 0 },
			},
		]);
	});

	it("shows who gains and who loses features and values, by rule, with examples", async () => {
		await world({ rules: { ...searchForSales, policies: [{ name: "mail", value: "allow", when: undefined }] } });
		const rules: Rules = {
			features: [
				{ name: "search", when: { filter: "(department=sales)" } },
				{ name: "search", when: { group: SALES } },
				{ name: "archive", when: { filter: "(department=treasury)" } },
			],
			policies: [
				{ name: "mail", value: "block", when: { filter: "(department=treasury)" } },
				{ name: "mail", value: "allow", when: undefined },
			],
		};
		const found = await openWith({ rules }).whatIf();
		expect(inShort(found)).toEqual(["entitlement 5"]);
		expect(found.isSame).toBe(false);
		expect(found.rules.map(({ place, selects, gives, gains, examples }) => [place, selects, gives, gains, examples])).toEqual([
			["features[0]", 3, 3, 2, ["p3@corp", "p5@corp"]],
			["features[1]", 2, 1, 0, []],
			["features[2]", 3, 3, 3, ["p2@corp", "p4@corp", "p6@corp"]],
			["policies[0]", 3, 3, 3, ["p2@corp", "p4@corp", "p6@corp"]],
			["policies[1]", 6, 3, 0, []],
		]);
		expect(found.entitlements.map(({ kind, name, value, gained, lost }) => [kind, name, value, gained, lost])).toEqual([
			["feature", "archive", undefined, 3, 0],
			["feature", "search", undefined, 2, 0],
			["policy", "mail", "allow", 0, 3],
			["policy", "mail", "block", 3, 0],
		]);
		expect(found.entitlements[0]?.gaining[0]).toEqual({
			name: "p2@corp",
			why: "feature archive on: (department=treasury)",
		});
	});

	it("holds who would go out of another scope whatever their number, and says that whom it has newly is not known", async () => {
		await world();
		fake.settings.base = `OU=Away,${PEOPLE}`;
		fake.settings.scope = "away alone";
		const found = await openWith().whatIf();
		expect(inShort(found)).toEqual(["disable 3 (3 held)"]);
		expect(found.held).toMatchObject([
			{ kind: "disable", count: 3, limit: "the scope in the configuration is another than at the last reading" },
		]);
		expect(found.changes[0]?.examples[0]).toEqual({ name: "p1@corp", why: `left the scope: in ${PEOPLE}, beneath none of the bases` });
		expect(found.unknown).toEqual(["the scope is another than at the last reading: whom it has newly is known only after the next one"]);
	});

	it("leaves those where they are of whom the snapshot cannot tell whether they are in scope", async () => {
		await world();
		fake.settings.scope = "by a filter on what was not read";
		const why = "whether (l=Bergen) matches cannot be told";
		fake.source.placeOf = ({ dn }) =>
			dn.startsWith("CN=Person 1") ? { kind: "unknown", why } : { kind: "filtered", why: "l has no value" };
		const found = await openWith().whatIf();
		expect(inShort(found)).toEqual(["disable 5 (5 held)"]);
		expect(found.unknown[1]).toBe(`of 1 people it cannot be told whether they are in scope (${why}); they stay`);
	});

	it("holds ends because another account would read, unless it cannot be told which", async () => {
		await world();
		fake.settings.identity = "somebody else";
		const views = { accounts: { when: { filter: "(department=sales)" } } } as const;
		expect((await openWith({ views }).whatIf()).held).toMatchObject([
			{ target: "accounts", count: 3, limit: "another account reads the directory than at the last reading" },
		]);
		const found = await openWith({ views }).whatIf({ knowsIdentity: false });
		// The target's own scope changed as well.
		expect(found.held).toMatchObject([
			{ count: 3, limit: "the scope of target accounts in the configuration is another than at the last run" },
		]);
		expect(found.unknown).toEqual(["as whom the directory would be read: the client certificate's key cannot be read"]);
	});

	it("follows users.groups as far as the snapshot has them, and puts nobody out of scope by one that it has not", async () => {
		await world({ rules: searchForSales });
		fake.settings.scope = "by groups";
		const scoped = openWith({ rules: searchForSales });
		const found = await scoped.whatIf({ scopeGroups: ["Sales"] });
		expect(inShort(found)).toEqual(["disable 4 (4 held)"]);
		expect(found.changes[0]?.examples[0]).toEqual({ name: "p3@corp", why: "left the scope: in none of the groups of users.groups" });
		const unknown = await scoped.whatIf({ scopeGroups: ["Sales", "CN=Marketing,OU=Groups"] });
		expect(unknown.changes).toEqual([]);
		expect(unknown.unknown[1]).toBe(
			'users.groups: the group "CN=Marketing,OU=Groups" is not in the snapshot: who is in it is known only after the next reading; nobody is put out of scope by it until then',
		);
	});

	it("finds a group of a rule by DN, GUID or name in the snapshot, and says which it does not have", async () => {
		await world({ rules: searchForSales });
		const names = [TEAM, fake.anchorOf(1002), "team", "S-1-5-21-1-2-3-1002", "Marketing"];
		const rules: Rules = { features: names.map((name, index) => ({ name: `f${index}`, when: { group: name } })), policies: [] };
		const found = await openWith({ rules }).whatIf();
		expect(found.rules.map(({ gives, unknown }) => [gives, unknown])).toEqual([
			[1, 0],
			[1, 0],
			[1, 0],
			[0, 6],
			[0, 6],
		]);
		expect(found.unknown).toEqual([
			'features[3]: the group "S-1-5-21-1-2-3-1002" is not in the snapshot: who is in it is known only after the next reading',
			'features[4]: the group "Marketing" is not in the snapshot: who is in it is known only after the next reading',
		]);
		// What nobody is known to be in gives nothing, and takes nothing: search goes, since no rule gives it any more.
		expect(found.entitlements.map(({ name, gained, lost }) => `${name} +${gained} -${lost}`)).toEqual([
			"f0 +1 -0",
			"f1 +1 -0",
			"f2 +1 -0",
			"search +0 -2",
		]);
	});

	it("keeps fields and features that stand on attributes which were not read until now, and says so", async () => {
		const title = { ...testMapping, title: "{department}" };
		await world({ mapping: title, rules: searchForSales });
		fake.settings.attributes = ["cn", "department", "mail", "manager", "nick", "position", "upn"];
		const mapping = { ...testMapping, userName: "{nick}", displayName: "{upn}", title: "{position ?? department}" };
		const rules: Rules = { features: [{ name: "search", when: { filter: "(position=Clerk)" } }], policies: [] };
		const found = await openWith({ mapping, rules }).whatIf();
		expect(inShort(found)).toEqual(["update 6"]);
		expect(found.changes[0]?.examples[0]).toEqual({ name: "p1@corp", why: 'displayName from "Person 1" to "p1@corp"' });
		expect(found.quarantined.count).toBe(0);
		expect(found.unknown).toEqual([
			"userName is mapped from nick, not read until now: it stays as it is until the next reading",
			"title is mapped from position, not read until now: it stays as it is until the next reading",
			"features[0]: of 6 people it cannot be told (whether (position=Clerk) matches cannot be told); they keep what they have",
		]);
	});

	it("shows who would be set aside, and why", async () => {
		await world();
		const found = await openWith({ mapping: { ...testMapping, userName: "{department}@corp" } }).whatIf();
		expect(found.quarantined.count).toBe(4);
		expect(found.quarantined.examples[0]?.why).toContain("sales@corp");
	});

	it("counts nobody who cannot have an account, and does not set aside anew who is so already", async () => {
		const rules: Rules = { features: [{ name: "search", when: undefined }], policies: [] };
		const harness = await world({ rules });
		fake.put({ anchor: fake.anchorOf(7), cn: "", where: PEOPLE, standing: "enabled", attributes: {} });
		expect(await harness.sync("delta")).toMatchObject({ quarantined: 1 });
		const found = await openWith({ rules: { features: [...rules.features, { name: "archive", when: undefined }], policies: [] } }).whatIf();
		expect(found.quarantined.count).toBe(0);
		expect(found.rules.map(({ selects, gives }) => [selects, gives])).toEqual([
			[6, 6],
			[6, 6],
		]);
	});

	it("shows who comes to and who goes from a target with a condition of its own, by its limits", async () => {
		await world();
		const views = { accounts: { when: { filter: "(department=sales)" }, limits: { disable: { count: 2, floor: 0 } } } };
		const found = await openWith({ views }).whatIf();
		expect(inShort(found)).toEqual(["disable at accounts 3 (3 held)"]);
		expect(found.changes[0]?.examples[0]?.why).toContain("left the scope of target accounts");
	});

	it("judges by the new limits", async () => {
		await world({ rules: searchForSales });
		const limits = { entitlement: { count: 1, floor: 0 } };
		expect((await openWith({ rules: none, limits }).whatIf()).held).toMatchObject([{ kind: "entitlement", count: 2, limit: "limit 1" }]);
		expect((await openWith({ rules: none }).whatIf()).held).toEqual([]);
	});

	it.each([
		{ what: "a person", dn: () => `CN=Person 1,${PEOPLE}`, held: 1 },
		{ what: "a group, by its nested members", dn: () => SALES, held: 2 },
		{ what: "a container", dn: () => `OU=Away,${PEOPLE}`, held: 3 },
		{ what: "a container above one that is known", dn: () => PEOPLE, held: 6 },
	])("holds the end of $what under protection", async ({ dn, held }) => {
		await world({ rules: searchForSales });
		for (const number of [1, 2, 3, 4, 5, 6]) disable(number);
		fake.settings.containers = [`OU=Away,${PEOPLE}`];
		await openWith({ rules: searchForSales, lifecycle: keeping }).sync("full");
		const found = await openWith({ rules: searchForSales }).whatIf({ protect: [dn()] });
		expect(inShort(found)).toEqual([`disable 6 (${held} held)`]);
		expect(found.held).toMatchObject([{ count: held, limit: "protected" }]);
		expect(found.unknown).toEqual([]);
	});

	it("protects by an unknown name whoever was protected until now", async () => {
		await world();
		fake.faults.protectedDns = [`CN=Person 1,${PEOPLE}`];
		const harness = openWith();
		await harness.sync("full");
		for (const number of [1, 2]) disable(number);
		await openWith({ lifecycle: keeping }).sync("delta");
		const found = await openWith().whatIf({ protect: ["CN=Board,OU=Elsewhere"] });
		expect(inShort(found)).toEqual(["disable 2 (1 held)"]);
		expect(found.unknown).toEqual([
			'protect: "CN=Board,OU=Elsewhere" is not in the snapshot: whom it protects is known only after the next reading',
		]);
	});

	it("tells what waits for a person already from what the configuration adds", async () => {
		const limits = { entitlement: { count: 1, floor: 0 } };
		await world({ rules: searchForSales });
		const lost = openWith({ rules: none, limits });
		expect(await lost.sync("delta")).toMatchObject({ held: 2 });
		expect(inShort(await lost.whatIf())).toEqual(["entitlement 2 (2 held, 2 waiting)"]);
		expect((await lost.whatIf()).isSame).toBe(true);
		const more = openWith({ rules: { features: [{ name: "archive", when: { filter: "(department=sales)" } }], policies: [] }, limits });
		// 1 waits with less than is planned now.
		expect(inShort(await more.whatIf())).toEqual(["entitlement 4 (4 held, 1 waiting)"]);
	});

	it("blames nobody's expiry on the configuration", async () => {
		const harness = await world();
		const known = fake.people.get(fake.anchorOf(1));
		if (known !== undefined) fake.put({ ...known, expiresAt: harness.time.now + 1000 });
		await harness.sync("delta");
		harness.time.now += 5000;
		expect((await harness.whatIf()).changes).toEqual([]);
	});

	it("says that a source is not in the database", async () => {
		await world();
		const other = makeFakeSource(PEOPLE, "other");
		const harness = openHarness(other, { file: open[0]?.file ?? "" });
		open.push(harness);
		expect(await harness.whatIf()).toMatchObject({
			asOf: undefined,
			changes: [],
			unknown: ["source other is not in the database: who is in it is known only after its first reading"],
		});
	});

	it("goes on meaning the group that a rule named before it was renamed, and says which is not there any more", async () => {
		const harness = await world({ rules: searchForSales });
		group(1001, "Selling", [1, 1002]);
		await harness.sync("delta");
		const rules: Rules = { features: [...searchForSales.features, { name: "archive", when: { group: "selling" } }], policies: [] };
		const found = await openWith({ rules }).whatIf();
		expect(found.rules.map(({ gives }) => gives)).toEqual([2, 2]);
		expect(found.unknown).toEqual([]);
		fake.removeGroup(fake.anchorOf(1001));
		fake.settings.ruleGroups = [SALES];
		await harness.sync("full");
		expect((await harness.whatIf()).unknown).toEqual([
			'features[0]: the group "CN=Sales,OU=Groups" was not there any more at the last reading',
		]);
	});

	it("warns of a rule on an attribute that nobody shows", async () => {
		await world();
		fake.settings.attributes = ["cn", "department", "mail", "manager", "room", "upn"];
		await open[0]?.sync("full");
		const rules: Rules = { features: [{ name: "f", when: { filter: "(room=1)" } }], policies: [] };
		const found = await openWith({ rules }).whatIf();
		expect(found.warnings).toEqual([expect.stringContaining("features[0]: nobody shows the attribute room")]);
		expect(found.unknown).toEqual([]);
	});

	it("means none of several groups of one name", async () => {
		await world({ rules: searchForSales });
		fake.putGroup({ anchor: fake.anchorOf(1003), cn: "Team", isInScope: true, members: [fake.anchorOf(3)] });
		await open[0]?.sync("delta");
		const rules: Rules = { features: [{ name: "f", when: { group: "team" } }], policies: [] };
		const found = await openWith({ rules }).whatIf();
		expect(found.unknown).toEqual(['features[0]: the group "team" may be any of several that are called so']);
		expect(found.rules[0]).toMatchObject({ gives: 0, unknown: 6 });
	});

	it("keeps what a target has by its own mapping where that stands on attributes which were not read until now", async () => {
		const views = { accounts: { mapping: { title: "{department}" } } };
		await world({ views });
		fake.settings.attributes = ["cn", "department", "mail", "manager", "position", "upn"];
		const found = await openWith({ views: { accounts: { mapping: { title: "{position}", displayName: "{upn}" } } } }).whatIf();
		expect(inShort(found)).toEqual(["update at accounts 6"]);
		expect(found.changes[0]?.examples[0]?.why).toContain('displayName from "Person 1" to "p1@corp"');
		expect(found.changes[0]?.examples[0]?.why).not.toContain("title");
		expect(found.unknown).toEqual([
			"at target accounts: title is mapped from position, not read until now: it stays as it is until the next reading",
		]);
	});

	it("deletes whose time is shorter by the configuration, and nobody by the passing of time alone", async () => {
		const day = 86_400_000;
		const deletingAfter = (days: number): HarnessOptions => ({ lifecycle: { ...testLifecycle, deleteAfterMs: days * day } });
		const harness = await world(deletingAfter(30));
		fake.remove(fake.anchorOf(1));
		await harness.sync("full");
		harness.time.now += 20 * day;
		await harness.sync("delta");
		harness.time.now += 20 * day;
		expect((await harness.whatIf()).changes).toEqual([]);
		const found = await openWith(deletingAfter(15)).whatIf();
		expect(inShort(found)).toEqual(["delete 1"]);
		expect(found.changes[0]?.examples[0]?.why).toContain("disabled since");
	});

	it("says that other groups would be kept than those of the last reading", async () => {
		await world();
		fake.settings.groups = "all of them";
		expect((await openWith().whatIf()).unknown).toEqual([
			"the scope of groups is another than at the last reading: which groups come and go is known only after the next one",
		]);
	});

	it("changes nothing in the database", async () => {
		const harness = await world({ rules: searchForSales });
		const before = harness.views((views) => [...views.accounts()].length + views.runs(100).length);
		await openWith({ rules: none }).whatIf();
		expect(harness.views((views) => [...views.accounts()].length + views.runs(100).length)).toBe(before);
		expect((await openWith({ rules: searchForSales }).whatIf()).isSame).toBe(true);
	});
});
