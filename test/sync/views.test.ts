import { afterEach, describe, expect, it } from "vitest";
import type { Account } from "../../src/core/account.ts";
import type { Condition } from "../../src/core/condition.ts";
import type { Lifecycle } from "../../src/core/lifecycle.ts";
import type { Mapping } from "../../src/core/mapping.ts";
import { type FakeSource, makeFakeSource } from "../support/fake-source.ts";
import { type Harness, type HarnessOptions, openHarness, testLifecycle } from "../support/harness.ts";
import { makeRemoteDouble } from "../support/remote-double.ts";

const PEOPLE = "OU=People,DC=corp,DC=example,DC=test";
const LEAVERS = "OU=Leavers,DC=corp,DC=example,DC=test";
const SALES = "CN=Sales,OU=Groups";
const inSales: Condition = { group: SALES };
const ofSales: Condition = { filter: "(department=Sales)" };

type View = NonNullable<HarnessOptions["views"]>[string];

let fake: FakeSource;
let remote: ReturnType<typeof makeRemoteDouble>;
let open: Harness[];

function world(view: View | undefined, more: HarnessOptions = {}): Harness {
	fake = makeFakeSource();
	fake.settings.groups = "named alone";
	fake.settings.attributes = ["cn", "department", "mail", "manager", "title", "upn"];
	fake.settings.ruleGroups = [SALES];
	remote = makeRemoteDouble();
	open = [];
	return openWith(view, more);
}

/** The same people, targets and database under another configuration. */
function openWith(view: View | undefined, more: HarnessOptions = {}): Harness {
	const file = open.at(-1)?.file;
	const harness = openHarness(fake, {
		targets: (local) => [local, remote.target],
		...(view !== undefined && { views: { remote: view } }),
		...(file !== undefined && { file }),
		...more,
	});
	open.push(harness);
	return harness;
}

afterEach(() => {
	for (const harness of open.reverse()) harness.close();
});

interface More {
	readonly department?: string;
	readonly title?: string;
	readonly standing?: "enabled" | "disabled";
	readonly where?: string;
	readonly upn?: string;
	readonly mail?: string;
}

function person(number: number, { department, title, standing, where, upn, mail }: More = {}): string {
	const value = (text: string | undefined) => (text === undefined ? [] : [text]);
	fake.put({
		anchor: fake.anchorOf(number),
		cn: `Person ${number}`,
		where: where ?? PEOPLE,
		standing: standing ?? "enabled",
		attributes: {
			cn: [`Person ${number}`],
			upn: [upn ?? `p${number}@corp`],
			department: value(department),
			title: value(title),
			mail: value(mail),
		},
	});
	return fake.anchorOf(number);
}

/** Groups have numbers from 1000 on; 1001 is Sales. */
function group(number: number, members: readonly number[], isInScope = false): void {
	const cn = number === 1001 ? "Sales" : `Group ${number}`;
	fake.putGroup({ anchor: fake.anchorOf(number), cn, isInScope, members: members.map(fake.anchorOf) });
}

/** The remote accounts by their numbers: "active" or "disabled". */
function there(): Record<number, string> {
	const states = [...remote.accounts.values()].map(({ anchor, account }) => [numberOf(anchor), account.active ? "active" : "disabled"]);
	return Object.fromEntries(states);
}

function accountThere(number: number): Account | undefined {
	return [...remote.accounts.values()].find(({ anchor }) => numberOf(anchor) === number)?.account;
}

function numberOf(anchor: string | undefined): number {
	return Number.parseInt((anchor ?? "").slice(0, 8), 16);
}

describe("a target with a scope of its own", () => {
	it("gets those whom its filter selects, while every other target gets everybody", async () => {
		const harness = world({ when: ofSales });
		person(1, { department: "Sales" });
		person(2, { department: "Treasury" });
		person(3);
		expect(await harness.sync("full")).toMatchObject({ outcome: "succeeded", created: 3, pending: 0 });
		expect(there()).toEqual({ 1: "active" });
		expect(Object.keys(await harness.accounts())).toHaveLength(3);
		expect(harness.views((views) => views.targets())).toMatchObject([
			{ target: "accounts", accounts: 3 },
			{ target: "remote", accounts: 1 },
		]);
		const [first, second] = harness.views((views) => [...views.accounts()]);
		expect([first, second].map((view) => Object.keys(view?.targets ?? {}))).toEqual([["accounts", "remote"], ["accounts"]]);
		expect((await harness.plan("full")).changes).toEqual([]);
	});

	it("gets the members of its group, those of nested groups too, and follows who comes and goes by a delta", async () => {
		const harness = world({ when: inSales });
		for (const number of [1, 2, 3]) person(number);
		group(1002, [2]);
		group(1001, [1, 1002]);
		await harness.sync("full");
		expect(there()).toEqual({ 1: "active", 2: "active" });
		group(1002, [3]);
		expect(await harness.sync("delta")).toMatchObject({ mode: "delta", created: 0, disabled: 0, pending: 0 });
		expect(there()).toEqual({ 1: "active", 2: "disabled", 3: "active" });
		group(1002, [2, 3]);
		await harness.sync("delta");
		expect(there()).toEqual({ 1: "active", 2: "active", 3: "active" });
		expect(Object.values(await harness.accounts()).every(({ active }) => active)).toBe(true);
	});

	it.each<{ when: Condition; gets: number[]; what: string }>([
		{ when: { not: inSales }, gets: [2, 4], what: "not" },
		{ when: { any: [inSales, ofSales] }, gets: [1, 2, 3], what: "any" },
		{ when: { all: [inSales, ofSales] }, gets: [1], what: "all" },
		{ when: { all: [{ any: [inSales, ofSales] }, { not: { filter: "(title=Clerk)" } }] }, gets: [1, 2], what: "not within all" },
	])("takes conditions together: $what", async ({ when, gets }) => {
		const harness = world({ when });
		person(1, { department: "Sales" });
		person(2, { department: "sales" });
		person(3, { title: "Clerk" });
		person(4);
		group(1001, [1, 3]);
		await harness.sync("full");
		expect(there()).toEqual(Object.fromEntries(gets.map((number) => [number, "active"])));
	});

	it.each<{ onOutOfScope: Lifecycle["onOutOfScope"]; left: Record<number, string>; kind: string }>([
		{ onOutOfScope: "disable", left: { 1: "disabled", 2: "active" }, kind: "disable" },
		{ onOutOfScope: "delete", left: { 2: "active" }, kind: "delete" },
		{ onOutOfScope: "keep", left: { 1: "active", 2: "active" }, kind: "none" },
	])("does with who leaves its scope what its lifecycle says: $onOutOfScope", async ({ onOutOfScope, left, kind }) => {
		const harness = world({ when: ofSales, lifecycle: { ...testLifecycle, onOutOfScope } });
		person(1, { department: "Sales" });
		person(2, { department: "Sales" });
		await harness.sync("full");
		person(1, { department: "Treasury" });
		const { changes } = await harness.plan("delta");
		const own = changes.filter((change) => change.subject === "account" && change.target === "remote");
		expect(own.map((change) => change.kind)).toEqual(kind === "none" ? [] : [kind]);
		if (kind !== "none") expect(own[0]?.why).toBe("left the scope of target remote: does not match (department=Sales)");
		const report = await harness.sync("delta");
		expect(report).toMatchObject({ outcome: "succeeded", disabled: 0, deleted: 0, pending: 0 });
		expect(there()).toEqual(left);
		expect((await harness.accounts())[fake.anchorOf(1)]?.active).toBe(true);
		const logged = harness.views((views) => [...views.changes(report.run)]).filter(({ why }) => why.includes("target remote"));
		expect(logged.map((row) => row.kind)).toEqual(kind === "none" ? [] : [kind]);
		expect(logged.every((row) => row.subject === "account" && row.target === "remote")).toBe(true);
		// And takes them back.
		person(1, { department: "Sales" });
		await harness.sync("delta");
		expect(there()).toEqual({ 1: "active", 2: "active" });
		expect((await harness.plan("full")).changes).toEqual([]);
	});

	it("disables whom the directory disables, and takes names from who goes before who comes", async () => {
		const harness = world({ when: ofSales, lifecycle: { ...testLifecycle, onOutOfScope: "delete" } });
		person(1, { department: "Sales", upn: "shared@corp" });
		person(2, { department: "Treasury" });
		await harness.sync("full");
		person(1, { department: "Treasury", upn: "other@corp" });
		person(2, { department: "Sales", upn: "shared@corp" });
		expect(await harness.sync("delta")).toMatchObject({ outcome: "succeeded", pending: 0 });
		expect(there()).toEqual({ 2: "active" });
		person(2, { department: "Sales", upn: "shared@corp", standing: "disabled" });
		await harness.sync("delta");
		expect(there()).toEqual({ 2: "disabled" });
	});

	it("leaves what is kept there as it was, but does not let who is disabled sign in", async () => {
		const harness = world({ when: ofSales, lifecycle: { ...testLifecycle, onOutOfScope: "keep" } });
		person(1, { department: "Sales" });
		await harness.sync("full");
		person(1, { department: "Treasury" });
		await harness.sync("delta");
		person(1, { department: "Treasury", upn: "renamed@corp" });
		await harness.sync("delta");
		expect(accountThere(1)).toMatchObject({ userName: "p1@corp", active: true });
		person(1, { department: "Treasury", upn: "renamed@corp", standing: "disabled" });
		await harness.sync("delta");
		expect(accountThere(1)).toMatchObject({ userName: "p1@corp", active: false });
		person(1, { department: "Sales", upn: "renamed@corp" });
		await harness.sync("delta");
		expect(accountThere(1)).toMatchObject({ userName: "renamed@corp", active: true });
	});

	it("ends who leaves the source's scope or the directory, and makes nothing of who was never there", async () => {
		const harness = world({ when: ofSales });
		for (const number of [1, 2, 3, 4]) person(number, { department: number === 3 ? "Treasury" : "Sales" });
		await harness.sync("full");
		person(1, { department: "Sales", where: LEAVERS });
		fake.remove(fake.anchorOf(2));
		fake.remove(fake.anchorOf(3));
		expect(await harness.sync("full")).toMatchObject({ disabled: 3 });
		expect(there()).toEqual({ 1: "disabled", 2: "disabled", 4: "active" });
	});
});

describe("what is not known", () => {
	it("moves nobody: a group that is not there is warned of, and everybody stays as they were", async () => {
		const harness = world({ when: inSales });
		for (const number of [1, 2]) person(number);
		const report = await harness.sync("full");
		expect(report.warnings).toEqual([expect.stringContaining(`target remote: the group "${SALES}" is not there`)]);
		expect(there()).toEqual({});
		group(1001, [1]);
		expect(await harness.sync("delta")).toMatchObject({ warnings: [] });
		expect(there()).toEqual({ 1: "active" });
		fake.removeGroup(fake.anchorOf(1001));
		expect((await harness.sync("delta")).warnings).toHaveLength(1);
		expect(await harness.sync("full")).toMatchObject({ outcome: "succeeded" });
		expect(there()).toEqual({ 1: "active" });
		person(1, { standing: "disabled" });
		await harness.sync("delta");
		expect(there()).toEqual({ 1: "disabled" });
	});

	it("plans those who are in none of its groups, too, once the group is there", async () => {
		const harness = world({ when: { not: inSales } });
		for (const number of [1, 2]) person(number);
		await harness.sync("full");
		expect(there()).toEqual({});
		group(1001, [1]);
		await harness.sync("delta");
		expect(there()).toEqual({ 2: "active" });
	});

	it("follows its group through a rename", async () => {
		const harness = world({ when: inSales });
		for (const number of [1, 2]) person(number);
		group(1001, [1]);
		await harness.sync("full");
		fake.putGroup({ anchor: fake.anchorOf(1001), cn: "Sales renamed", isInScope: false, members: [fake.anchorOf(2)] });
		expect(await harness.sync("delta")).toMatchObject({ warnings: [] });
		expect(there()).toEqual({ 1: "disabled", 2: "active" });
	});

	it("is not what an attribute says that was never asked for", async () => {
		const harness = world(undefined);
		fake.settings.attributes = ["cn", "mail", "manager", "upn"];
		person(1, { department: "Sales" });
		person(2);
		await harness.sync("full");
		expect(there()).toEqual({ 1: "active", 2: "active" });
		fake.settings.attributes = ["cn", "department", "mail", "manager", "upn"];
		fake.faults.unsealed = ["a referral was not followed"];
		// The entries come with the same bytes: of these nobody knows whether the attribute was asked for.
		const changed = openWith({ when: ofSales });
		const report = await changed.sync("full");
		expect(report.warnings).toEqual([expect.stringContaining("of 1 people it cannot be told whether they are in its scope")]);
		expect(there()).toEqual({ 1: "active", 2: "active" });
		fake.faults.unsealed = [];
		expect(await changed.sync("full")).toMatchObject({ outcome: "held", held: 1 });
	});

	it("holds who would leave because the group shows no members that it may still have", async () => {
		const harness = world({ when: inSales });
		for (const number of [1, 2]) person(number);
		group(1001, [1, 2]);
		await harness.sync("full");
		fake.faults.membersHidden = true;
		const held = await harness.sync("full");
		expect(held).toMatchObject({ outcome: "held", held: 2, heldKinds: [{ target: "remote", kind: "disable", count: 2 }] });
		expect(there()).toEqual({ 1: "active", 2: "active" });
		fake.faults.membersHidden = false;
		expect(await harness.sync("full")).toMatchObject({ outcome: "succeeded", held: 0 });
	});

	it.each([
		{ eyes: "another server", look: () => Object.assign(fake.faults, { serverChanged: "dc2 was read instead of dc1" }) },
		{ eyes: "another account", look: () => Object.assign(fake.settings, { identity: "another" }) },
	])("holds what $eyes tells of who is out of scope there", async ({ look }) => {
		const harness = world({ when: inSales });
		for (const number of [1, 2]) person(number);
		group(1001, [1, 2]);
		await harness.sync("full");
		group(1001, [1]);
		look();
		expect(await harness.sync("full")).toMatchObject({ outcome: "held", held: 1 });
		expect(there()).toEqual({ 1: "active", 2: "active" });
	});

	it("holds what follows from an attribute that many lost at once", async () => {
		const harness = world({ when: { not: ofSales } });
		for (let number = 1; number <= 12; number++) person(number, { department: number <= 10 ? "Sales" : "Treasury" });
		await harness.sync("full");
		fake.faults.unreadable = new Set(["department"]);
		const report = await harness.sync("full");
		expect(report).toMatchObject({ sealed: false, outcome: "held" });
		expect(there()).toEqual({ 11: "active", 12: "active" });
		fake.faults.unreadable = new Set();
		expect(await harness.sync("full")).toMatchObject({ outcome: "succeeded", held: 0 });
	});
});

describe("the gate of a target", () => {
	const limits = { disable: { count: 2, floor: 0 } };

	async function company(more: HarnessOptions = {}): Promise<Harness> {
		const harness = world({ when: ofSales, limits }, more);
		for (let number = 1; number <= 6; number++) person(number, { department: "Sales" });
		await harness.sync("full");
		return harness;
	}

	const leave = (numbers: readonly number[]) => {
		for (const number of numbers) person(number, { department: "Treasury" });
	};

	it("holds what is too much there, shows it with the target's name, and carries out just that when it is approved", async () => {
		const harness = await company();
		leave([1, 2, 3]);
		person(7, { department: "Sales" });
		const report = await harness.sync("delta");
		expect(report).toMatchObject({
			...{ outcome: "held", held: 3, created: 1, disabled: 0 },
			heldKinds: [{ subject: "account", target: "remote", kind: "disable", count: 3, limit: "limit 2" }],
		});
		expect(there()).toMatchObject({ 1: "active", 2: "active", 3: "active", 7: "active" });
		const [waiting] = harness.views((views) => views.held());
		expect(waiting).toMatchObject({ plan: report.plan, kinds: [{ target: "remote", kind: "disable", count: 3 }] });
		expect(waiting?.changes[0]).toMatchObject({ target: "remote", kind: "disable", before: { active: true }, after: { active: false } });
		// For a glance: the same, but of the changes only the first, and without their sides.
		const { changes = [], ...told } = waiting ?? {};
		const first = changes.slice(0, 2).map(({ before, after, ...change }) => change);
		expect(harness.views((views) => views.heldBriefly(2))).toEqual([{ ...told, count: 3, first }]);
		const states = harness.views((views) => [...views.accounts("p1@corp")][0]?.targets);
		expect(states).toMatchObject({ accounts: { state: "applied" }, remote: { state: "held" } });
		expect((await harness.plan("full")).name).toBe(report.plan);
		expect(await harness.approve(report.plan as string)).toMatchObject({ outcome: "succeeded", held: 0, pending: 0 });
		expect(there()).toMatchObject({ 1: "disabled", 2: "disabled", 3: "disabled", 4: "active" });
		expect((await harness.plan("full")).changes).toEqual([]);
	});

	it("forgets a hold when the people are back", async () => {
		const harness = await company();
		leave([1, 2, 3]);
		await harness.sync("delta");
		for (const number of [1, 2, 3]) person(number, { department: "Sales" });
		expect(await harness.sync("delta")).toMatchObject({ outcome: "succeeded", held: 0 });
	});

	it("keeps to a no until something else is wanted", async () => {
		const harness = await company();
		leave([1, 2, 3]);
		const { plan } = await harness.sync("delta");
		expect(harness.reject(plan as string)).toBe(3);
		const noes = harness.views((views) => [...views.changes(0)]);
		expect(noes.map((change) => change.subject === "account" && change.target)).toEqual(["remote", "remote", "remote"]);
		expect(await harness.sync("full")).toMatchObject({ outcome: "succeeded", held: 0 });
		// Something of them changes, and they are planned again.
		person(1, { department: "Treasury", upn: "renamed@corp" });
		expect(await harness.sync("delta")).toMatchObject({ outcome: "succeeded", held: 0, updated: 1 });
		expect(accountThere(1)).toMatchObject({ userName: "renamed@corp", active: true });
		person(1, { department: "Treasury", upn: "renamed again@corp" });
		expect(await harness.sync("delta")).toMatchObject({ held: 0 });
		expect(accountThere(1)).toMatchObject({ userName: "renamed again@corp", active: true });
		person(1, { department: "Sales" });
		await harness.sync("delta");
		leave([1]);
		await harness.sync("delta");
		expect(there()[1]).toBe("disabled");
		// A no to the end at one target is none to the end everywhere.
		person(2, { department: "Treasury", where: LEAVERS });
		expect(await harness.sync("delta")).toMatchObject({ disabled: 1 });
		expect(there()[2]).toBe("disabled");
	});

	it("does not judge again what follows from the account's own change, and never keeps that back", async () => {
		const harness = await company();
		for (const number of [1, 2, 3]) person(number, { department: "Sales", standing: "disabled" });
		expect(await harness.sync("delta")).toMatchObject({ outcome: "succeeded", disabled: 3 });
		expect(there()).toMatchObject({ 1: "disabled", 2: "disabled", 3: "disabled" });
		for (const number of [7, 8]) person(number, { department: "Sales" });
		await harness.sync("delta");
		leave([4, 5, 6, 7]);
		expect(await harness.sync("delta")).toMatchObject({ held: 4 });
		person(4, { department: "Treasury", standing: "disabled" });
		expect(await harness.sync("delta")).toMatchObject({ held: 3, disabled: 1 });
		expect(there()).toMatchObject({ 4: "disabled", 5: "active", 6: "active" });
	});

	it("does nothing there that is held everywhere", async () => {
		const harness = await company({ limits: { disable: { count: 1, floor: 0 }, update: { count: 1, floor: 0 } } });
		for (const number of [1, 2]) person(number, { department: "Sales", standing: "disabled", mail: `new${number}@corp` });
		expect(await harness.sync("delta")).toMatchObject({ outcome: "held", held: 4 });
		expect(there()).toMatchObject({ 1: "active", 2: "active" });
		expect(accountThere(1)?.emails).toBeUndefined();
	});

	it("does nothing there that is held everywhere, also by a mapping and a lifecycle of its own", async () => {
		const view = { mapping: { title: "{title}" }, lifecycle: { ...testLifecycle, onDisabled: "delete" } } as const;
		const harness = world(view, { limits: { disable: { count: 1, floor: 0 }, update: { count: 1, floor: 0 } } });
		for (const number of [1, 2, 3]) person(number);
		await harness.sync("full");
		for (const number of [1, 2]) person(number, { title: "Dr", upn: `renamed${number}@corp`, standing: "disabled" });
		const report = await harness.sync("delta");
		expect(report).toMatchObject({ outcome: "held", held: 4 });
		expect(there()).toEqual({ 1: "active", 2: "active", 3: "active" });
		expect(accountThere(1)).toEqual({ userName: "p1@corp", displayName: "Person 1", active: true });
		await harness.approve(report.plan as string);
		expect(there()).toEqual({ 3: "active" });
	});

	it("judges what its lifecycle makes of the end of an account, and disables it meanwhile", async () => {
		const harness = world({ lifecycle: { ...testLifecycle, onDisabled: "delete" }, limits: { delete: { count: 1, floor: 0 } } });
		for (let number = 1; number <= 4; number++) person(number);
		await harness.sync("full");
		for (const number of [1, 2]) person(number, { standing: "disabled" });
		const report = await harness.sync("delta");
		expect(report).toMatchObject({ outcome: "held", held: 2, disabled: 2, heldKinds: [{ target: "remote", kind: "delete" }] });
		expect(there()).toEqual({ 1: "disabled", 2: "disabled", 3: "active", 4: "active" });
		await harness.approve(report.plan as string);
		expect(there()).toEqual({ 3: "active", 4: "active" });
		person(1);
		await harness.sync("delta");
		expect(there()).toEqual({ 1: "active", 3: "active", 4: "active" });
	});

	it("ends nobody who is protected", async () => {
		const harness = await company();
		fake.faults.protectedDns = [`CN=Person 1,${PEOPLE}`];
		await harness.sync("full");
		leave([1, 2]);
		expect(await harness.sync("full")).toMatchObject({ outcome: "held", held: 1, heldKinds: [{ limit: "protected" }] });
		expect(there()).toMatchObject({ 1: "active", 2: "disabled" });
	});
});

describe("a mapping of its own", () => {
	it("takes the place of the source's line by line, and follows what it asks for alone", async () => {
		const harness = world({ mapping: { displayName: "{title} {cn}", title: "{title}" } });
		person(1, { title: "Dr", mail: "anna@corp" });
		person(2, { title: "Prof" });
		Object.assign(fake.people.get(fake.anchorOf(1))?.attributes ?? {}, { manager: [`CN=Person 2,${PEOPLE}`] });
		await harness.sync("full");
		expect(accountThere(1)).toEqual({
			...{ userName: "p1@corp", displayName: "Dr Person 1", emails: [{ value: "anna@corp", type: "work", primary: true }] },
			...{ active: true, title: "Dr", manager: fake.anchorOf(2) },
		});
		expect((await harness.accounts())[fake.anchorOf(1)]).not.toHaveProperty("title");
		person(1, { title: "Prof", mail: "anna@corp" });
		Object.assign(fake.people.get(fake.anchorOf(1))?.attributes ?? {}, { manager: [`CN=Person 2,${PEOPLE}`] });
		const { changes } = await harness.plan("delta");
		expect(changes.filter(({ why }) => why.includes("target remote"))).toMatchObject([{ kind: "update", target: "remote" }]);
		await harness.sync("delta");
		expect(accountThere(1)).toMatchObject({ displayName: "Prof Person 1", title: "Prof" });
	});

	it("does not make us forget whom the account itself names as manager", async () => {
		const harness = world({ mapping: { manager: "{mail}" } });
		for (const number of [2, 3, 4]) person(number);
		person(1, { mail: `CN=Person 3,${PEOPLE}` });
		Object.assign(fake.people.get(fake.anchorOf(1))?.attributes ?? {}, { manager: [`CN=Person 2,${PEOPLE}`] });
		await harness.sync("full");
		expect(accountThere(1)?.manager).toBe(fake.anchorOf(3));
		// The entry that names the one who is gone is as before: it is found by what was remembered.
		fake.faults.hidden.add(fake.anchorOf(2));
		await harness.sync("full");
		expect((await harness.accounts())[fake.anchorOf(1)]?.manager).toBeUndefined();
	});

	it("passes its own names on in a ring, more of them than the target takes at once", async () => {
		const harness = world({ mapping: { userName: "{title}@corp" } });
		for (let number = 1; number <= 7; number++) person(number, { title: `t${number}` });
		await harness.sync("full");
		for (let number = 1; number <= 7; number++) person(number, { title: `t${(number % 7) + 1}` });
		expect(await harness.sync("delta")).toMatchObject({ outcome: "succeeded", pending: 0 });
		expect(accountThere(7)).toMatchObject({ userName: "t1@corp" });
	});

	it("keeps the fields of who is gone, and disables them", async () => {
		const harness = world({ mapping: { displayName: "{title} {cn}" } });
		for (const number of [1, 2]) person(number, { title: "Dr" });
		await harness.sync("full");
		fake.remove(fake.anchorOf(1));
		await harness.sync("full");
		expect(accountThere(1)).toMatchObject({ displayName: "Dr Person 1", active: false });
	});

	it("sets aside who cannot be mapped there, with a reason that names the target, and leaves the others alone", async () => {
		const harness = world({ mapping: { userName: "{mail}" } });
		person(1, { mail: "anna@corp" });
		person(2);
		expect(await harness.sync("full")).toMatchObject({ outcome: "partial", quarantined: 1, created: 2 });
		expect(there()).toEqual({ 1: "active" });
		expect(harness.views((views) => views.quarantine())).toMatchObject([
			{ reason: expect.stringContaining("at target remote: no value for userName") },
		]);
		person(2, { mail: "bert@corp" });
		expect(await harness.sync("delta")).toMatchObject({ outcome: "succeeded", quarantined: 0 });
		expect(accountThere(2)).toMatchObject({ userName: "bert@corp" });
	});
});

describe("a lifecycle of its own", () => {
	it.each<{ onDeleted: Lifecycle["onDeleted"]; left: Record<number, string> }>([
		{ onDeleted: "keep", left: { 1: "active", 2: "active" } },
		{ onDeleted: "disable", left: { 1: "disabled", 2: "active" } },
		{ onDeleted: "delete", left: { 2: "active" } },
	])("does $onDeleted with who is deleted everywhere else, and knows them again", async ({ onDeleted, left }) => {
		const lifecycle: Lifecycle = { ...testLifecycle, onDeleted: "delete" };
		const harness = world({ lifecycle: { ...testLifecycle, onDeleted } }, { lifecycle });
		for (const number of [1, 2]) person(number);
		await harness.sync("full");
		fake.remove(fake.anchorOf(1));
		expect(await harness.sync("full")).toMatchObject({ outcome: "succeeded", deleted: 1, pending: 0 });
		expect(there()).toEqual(left);
		expect(Object.keys(await harness.accounts())).toHaveLength(1);
		expect((await harness.plan("full")).changes).toEqual([]);
		person(1, { upn: "back@corp" });
		expect(await harness.sync("delta")).toMatchObject({ created: 1, pending: 0 });
		expect(accountThere(1)).toMatchObject({ userName: "back@corp", active: true });
		expect(remote.creates()).toBe(onDeleted === "delete" ? 3 : 2);
	});

	it("ends there whom every other target keeps", async () => {
		const lifecycle: Lifecycle = { ...testLifecycle, onDisabled: "keep" };
		const harness = world({ lifecycle: { ...testLifecycle, onDisabled: "disable" } }, { lifecycle });
		person(1);
		await harness.sync("full");
		person(1, { standing: "disabled" });
		await harness.sync("delta");
		expect((await harness.accounts())[fake.anchorOf(1)]?.active).toBe(true);
		expect(there()).toEqual({ 1: "disabled" });
	});
});

describe("another configuration", () => {
	it("is planned from the snapshot, and ends nobody without a person's word", async () => {
		const harness = world(undefined);
		person(1, { department: "Sales" });
		person(2, { department: "Treasury" });
		await harness.sync("full");
		const scoped = openWith({ when: ofSales });
		const report = await scoped.sync("delta");
		expect(report).toMatchObject({ mode: "delta", read: 0, outcome: "held", held: 1 });
		expect(report.heldKinds[0]?.limit).toBe("the scope of target remote in the configuration is another than at the last run");
		expect(there()).toEqual({ 1: "active", 2: "active" });
		expect(await scoped.sync("delta")).toMatchObject({ outcome: "held", held: 1 });
		await scoped.approve(report.plan as string);
		expect(there()).toEqual({ 1: "active", 2: "disabled" });
		// And back: everybody is to be there again.
		expect(await openWith(undefined).sync("delta")).toMatchObject({ outcome: "succeeded", read: 0 });
		expect(there()).toEqual({ 1: "active", 2: "active" });
	});

	it("ends nobody either when the group that it names is found only later", async () => {
		const harness = world(undefined);
		for (const number of [1, 2]) person(number);
		await harness.sync("full");
		const scoped = openWith({ when: inSales });
		expect(await scoped.sync("delta")).toMatchObject({ outcome: "succeeded" });
		expect(there()).toEqual({ 1: "active", 2: "active" });
		group(1001, [1]);
		expect(await scoped.sync("delta")).toMatchObject({ outcome: "held", held: 1 });
		expect(there()).toEqual({ 1: "active", 2: "active" });
	});

	it("of the mapping gives everybody their new fields without a reading", async () => {
		const harness = world({ when: ofSales });
		person(1, { department: "Sales", title: "Dr" });
		await harness.sync("full");
		await openWith({ when: ofSales, mapping: { title: "{title}" } }).sync("delta");
		expect(accountThere(1)).toMatchObject({ title: "Dr" });
		await openWith({ when: ofSales }).sync("delta");
		expect(accountThere(1)).not.toHaveProperty("title");
	});

	it("with a new target gives it those it should have, by the next run", async () => {
		const harness = world(undefined, { targets: (local) => [local] });
		person(1, { department: "Sales" });
		person(2);
		await harness.sync("full");
		expect(await openWith({ when: ofSales }).sync("delta")).toMatchObject({ outcome: "succeeded", created: 0, read: 0, pending: 0 });
		expect(there()).toEqual({ 1: "active" });
		expect(remote.creates()).toBe(1);
	});
});

describe("groups at a target with a scope of its own", () => {
	const members = async (harness: Harness) => (await harness.groups(remote.target))["Group 1003"]?.map(numberOf);

	it("have those members who are there, and take in and let go of who comes and goes", async () => {
		const harness = world({ when: ofSales, lifecycle: { ...testLifecycle, onOutOfScope: "delete" } });
		fake.settings.groups = "all";
		person(1, { department: "Sales" });
		for (const number of [2, 3]) person(number);
		group(1003, [1, 2, 3], true);
		group(1004, [2], true);
		expect(await harness.sync("full")).toMatchObject({ outcome: "succeeded", pending: 0 });
		expect(await members(harness)).toEqual([1]);
		person(2, { department: "Sales" });
		expect(await harness.sync("delta")).toMatchObject({ pending: 0 });
		expect(await members(harness)).toEqual([1, 2]);
		person(1);
		expect(await harness.sync("delta")).toMatchObject({ pending: 0 });
		group(1003, [2, 3], true);
		group(1004, [1, 2], true);
		expect(await harness.sync("delta")).toMatchObject({ pending: 0 });
		expect(await members(harness)).toEqual([2]);
		person(1, { department: "Sales" });
		expect(await harness.sync("delta")).toMatchObject({ pending: 0 });
		expect(await members(harness)).toEqual([2]);
		expect(await harness.groups(remote.target)).toMatchObject({ "Group 1004": [fake.anchorOf(1), fake.anchorOf(2)] });
	});

	it("wait for nobody who is not to be there any more", async () => {
		const harness = world({ when: ofSales, lifecycle: { ...testLifecycle, onOutOfScope: "delete" } });
		fake.settings.groups = "all";
		person(1, { department: "Sales" });
		person(2, { department: "Sales" });
		group(1003, [1, 2], true);
		remote.faults.refuse.add(fake.anchorOf(1));
		expect(await harness.sync("full")).toMatchObject({ outcome: "partial", pending: 1 });
		person(1);
		remote.faults.refuse.clear();
		expect(await harness.sync("delta")).toMatchObject({ outcome: "succeeded", pending: 0 });
		expect(await members(harness)).toEqual([2]);
	});
});

describe("a person who moves to another source", () => {
	it("keeps the account at a target with a scope of its own, in or out of it as the new entry says", async () => {
		const mapping: Mapping = { userName: "{upn}", employeeNumber: "{title}" };
		const harness = world({ when: ofSales }, { mapping, match: "employeeNumber" });
		const now = makeFakeSource(PEOPLE, "new-forest");
		now.settings.attributes = fake.settings.attributes;
		const newSide = openHarness(now, {
			...{ targets: (local) => [local, remote.target], views: { remote: { when: ofSales } } },
			...{ mapping, match: "employeeNumber", beside: harness },
		});
		for (const number of [1, 2, 3, 4]) person(number, { title: `E${number}`, ...(number !== 3 && { department: "Sales" }) });
		await harness.sync("full");
		for (const number of [1, 2, 3]) person(number, { title: `E${number}`, department: "Sales", standing: "disabled" });
		await harness.sync("delta");
		const attributes = (number: number, department: string[]) => ({ upn: [`new${number}@corp`], title: [`E${number}`], department });
		for (const number of [1, 2, 3]) {
			const anchor = now.anchorOf(10 + number);
			now.put({
				anchor,
				cn: `New ${number}`,
				where: PEOPLE,
				standing: "enabled",
				attributes: attributes(number, number === 2 ? [] : ["Sales"]),
			});
		}
		expect(await newSide.sync("full")).toMatchObject({ outcome: "succeeded", updated: 3, enabled: 3, created: 0, pending: 0 });
		expect(there()).toEqual({ 4: "active", 11: "active", 12: "disabled", 13: "active" });
		expect((await newSide.plan("full")).changes).toEqual([]);
		expect(await harness.sync("full")).toMatchObject({ outcome: "succeeded", pending: 0 });
		expect(there()).toEqual({ 4: "active", 11: "active", 12: "disabled", 13: "active" });
		newSide.close();
	});
});
