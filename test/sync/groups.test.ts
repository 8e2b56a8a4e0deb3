import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Anchor } from "../../src/core/entry.ts";
import { type FakeSource, makeFakeSource } from "../support/fake-source.ts";
import { type Harness, openHarness } from "../support/harness.ts";
import { makeRemoteDouble } from "../support/remote-double.ts";

const PEOPLE = "OU=People,DC=corp,DC=example,DC=test";
const LEAVERS = "OU=Leavers,DC=corp,DC=example,DC=test";

let fake: FakeSource;
let harness: Harness;
let remote: ReturnType<typeof makeRemoteDouble>;

function open(options: Parameters<typeof openHarness>[1] = {}): void {
	fake = makeFakeSource();
	fake.settings.groups = "all";
	remote = makeRemoteDouble();
	harness = openHarness(fake, { targets: (local) => [local, remote.target], ...options });
}

beforeEach(() => open());
afterEach(() => harness.close());

function person(number: number, more: { where?: string; primary?: string; standing?: "enabled" | "disabled" } = {}): string {
	fake.put({
		anchor: fake.anchorOf(number),
		cn: `Person ${number}`,
		where: more.where ?? PEOPLE,
		standing: more.standing ?? "enabled",
		attributes: {
			cn: [`Person ${number}`],
			upn: [`p${number}@corp.example.test`],
			...(more.primary !== undefined && { primarygroupid: [more.primary] }),
		},
	});
	return fake.anchorOf(number);
}

/** Groups have numbers from 1000 on. */
function group(number: number, members: readonly string[], more: { cn?: string; isInScope?: boolean; primaryId?: string } = {}): string {
	const anchor = fake.anchorOf(number);
	fake.putGroup({
		anchor,
		cn: more.cn ?? `Group ${number}`,
		isInScope: more.isInScope ?? true,
		members: [...members],
		...(more.primaryId !== undefined && { primaryId: more.primaryId }),
	});
	return anchor;
}

/** Both targets have the same; says what. */
async function groups(): Promise<Record<string, string[]>> {
	const local = await harness.groups();
	expect(await harness.groups(remote.target)).toEqual(local);
	return local;
}

const [one, two, three, four] = [1, 2, 3, 4].map((number) => makeFakeSource().anchorOf(number)) as [string, string, string, string];

describe("groups", () => {
	it("come with their members, nested ones included, and each account says which it is in", async () => {
		for (const number of [1, 2, 3, 4]) person(number);
		const inner = group(1001, [two, three]);
		group(1002, [one, inner], { cn: "Outer" });
		const report = await harness.sync("full");
		expect(report).toMatchObject({ outcome: "succeeded", groups: { created: 2, updated: 0, deleted: 0, joined: 5, left: 0 }, pending: 0 });
		expect(await groups()).toEqual({ "Group 1001": [two, three], Outer: [one, two, three] });
		const views = harness.views((open) => [...open.accounts()].map(({ account, groups }) => [account.userName, groups]));
		expect(views).toEqual([
			["p1@corp.example.test", ["Outer"]],
			["p2@corp.example.test", ["Group 1001", "Outer"]],
			["p3@corp.example.test", ["Group 1001", "Outer"]],
			["p4@corp.example.test", []],
		]);
	});

	it("may contain each other: all are in all, and the circle is told", async () => {
		for (const number of [1, 2, 3, 4]) person(number);
		const anchors = [1001, 1002, 1003, 1004].map((number) => fake.anchorOf(number)) as [string, string, string, string];
		for (const [index, member] of [one, two, three, four].entries()) group(1001 + index, [member, anchors[(index + 1) % 4] as string]);
		const report = await harness.sync("full");
		expect(Object.values(await groups())).toEqual(Array(4).fill([one, two, three, four]));
		expect(report.warnings).toEqual([expect.stringMatching(/groups contain each other: CN=Group 100\d( > CN=Group 100\d){4}/)]);
	});

	it("have as members whoever names them as primary group, and their groups have them, too", async () => {
		person(1, { primary: "513" });
		person(2, { primary: "514" });
		const users = group(1001, [two], { cn: "Users", primaryId: "513" });
		group(1002, [users], { cn: "All" });
		await harness.sync("full");
		expect(await groups()).toEqual({ Users: [one, two], All: [one, two] });
		person(1, { primary: "514" });
		person(2, { primary: "513" });
		await harness.sync("delta");
		expect(await groups()).toEqual({ Users: [two], All: [two] });
	});

	it.each([{ isIncremental: false }, { isIncremental: true }])(
		"follow who comes and goes by a delta (members told alone: $isIncremental)",
		async ({ isIncremental }) => {
			fake.settings.isIncremental = isIncremental;
			for (const number of [1, 2, 3]) person(number);
			const inner = group(1001, [one]);
			group(1002, [inner], { cn: "Outer" });
			await harness.sync("full");
			group(1001, [two, three]);
			const report = await harness.sync("delta");
			expect(report).toMatchObject({ mode: "delta", groups: { created: 0, updated: 2, deleted: 0, joined: 4, left: 2 } });
			expect(await groups()).toEqual({ "Group 1001": [two, three], Outer: [two, three] });
			expect(await harness.sync("delta")).toMatchObject({ groups: { updated: 0, joined: 0, left: 0 } });
			expect(await harness.sync("full")).toMatchObject({ groups: { updated: 0, joined: 0, left: 0 } });
		},
	);

	it("take an account in again, by all its memberships, that was gone at one target", async () => {
		for (const number of [1, 2]) person(number);
		group(1001, [one, two]);
		await harness.sync("full");
		const { session, sync } = harness.context;
		const id = session.snapshot.byAnchor(session.snapshot.source(sync.source.name).id, one as Anchor)?.id as number;
		for (const { members } of remote.groups.values()) members.clear();
		session.transaction(() => session.groupLedger.reopenMembers("remote", id));
		expect(await harness.sync("delta")).toMatchObject({ pending: 0 });
		expect(await harness.groups(remote.target)).toEqual({ "Group 1001": [one] });
		expect(await harness.groups()).toEqual({ "Group 1001": [one, two] });
	});

	it("let nobody in through a group that was deleted, as soon as that is known", async () => {
		for (const number of [1, 2]) person(number);
		const inner = group(1001, [two], { cn: "Inner" });
		const middle = group(1002, [inner], { cn: "Middle" });
		group(1003, [one, middle], { cn: "Outer" });
		await harness.sync("full");
		expect(await groups()).toEqual({ Inner: [two], Middle: [two], Outer: [one, two] });
		fake.removeGroup(middle);
		await harness.sync("delta");
		expect(await groups()).toEqual({ Inner: [two], Outer: [one] });
	});

	it("take in and let go whole groups within them, and those that are only within are none of ours", async () => {
		for (const number of [1, 2, 3]) person(number);
		const followed = group(1001, [two, three], { isInScope: false });
		group(1002, [one, followed], { cn: "Ours" });
		await harness.sync("full");
		expect(await groups()).toEqual({ Ours: [one, two, three] });
		group(1001, [three], { isInScope: false });
		await harness.sync("delta");
		expect(await groups()).toEqual({ Ours: [one, three] });
		group(1002, [one], { cn: "Ours" });
		await harness.sync("delta");
		expect(await groups()).toEqual({ Ours: [one] });
	});

	it("keep in mind members that are none of ours, and have them as soon as they are", async () => {
		person(1);
		person(2, { where: LEAVERS });
		group(1001, [one, two, fake.anchorOf(900)]);
		await harness.sync("full");
		expect(await groups()).toEqual({ "Group 1001": [one] });
		const [view] = harness.views((open) => [...open.groups()].map((each) => open.strangers(each, 5)));
		expect(view).toHaveLength(2);
		person(2);
		await harness.sync("delta");
		expect(await groups()).toEqual({ "Group 1001": [one, two] });
	});

	it("lose who was deleted, although no mark of theirs moves, and keep who left the scope or was disabled", async () => {
		for (const number of [1, 2, 3, 4]) person(number);
		group(1001, [one, two, three, four]);
		await harness.sync("full");
		fake.remove(one, true);
		person(2, { where: LEAVERS });
		person(3, { standing: "disabled" });
		await harness.sync("full");
		expect(await groups()).toEqual({ "Group 1001": [two, three, four] });
		expect(await harness.sync("full")).toMatchObject({ groups: { updated: 0, joined: 0, left: 0 } });
	});

	it("are renamed and go", async () => {
		person(1);
		group(1001, [one]);
		group(1002, [one]);
		await harness.sync("full");
		group(1001, [one], { cn: "Renamed" });
		fake.removeGroup(fake.anchorOf(1002));
		const report = await harness.sync("delta");
		expect(report).toMatchObject({ groups: { updated: 1, deleted: 1 }, pending: 0 });
		expect(await groups()).toEqual({ Renamed: [one] });
		group(1001, [one], { cn: "Renamed", isInScope: false });
		await harness.sync("full");
		expect(await groups()).toEqual({});
	});

	it("are all delivered when they come into the configuration late, and stay when they leave it", async () => {
		fake.settings.groups = undefined;
		person(1, { primary: "513" });
		group(1001, [], { primaryId: "513" });
		await harness.sync("full");
		expect(await groups()).toEqual({});
		fake.settings.groups = "all";
		Object.assign(harness.context.sync, { rules: "with groups" });
		await harness.sync("full");
		expect(await groups()).toEqual({ "Group 1001": [one] });
		fake.settings.groups = undefined;
		Object.assign(harness.context.sync, { rules: "without groups" });
		await harness.sync("full");
		expect(await groups()).toEqual({ "Group 1001": [one] });
	});

	it("wait with a member until its account is there", async () => {
		for (const number of [1, 2]) person(number);
		group(1001, [one, two]);
		remote.faults.refuse.add(two);
		await harness.sync("full");
		expect(await harness.groups(remote.target)).toEqual({ "Group 1001": [one] });
		remote.faults.refuse.clear();
		harness.time.now += 24 * 3_600_000;
		await harness.sync("delta");
		expect(await groups()).toEqual({ "Group 1001": [one, two] });
	});
});

describe("the gate", () => {
	beforeEach(() => {
		harness.close();
		open({ groupLimits: { deleted: { count: 1, floor: 0 }, removed: { percent: 20, floor: 2 } } });
	});

	async function ten(): Promise<string[]> {
		const anchors = Array.from({ length: 10 }, (_, index) => person(index + 1));
		group(1001, anchors);
		await harness.sync("full");
		return anchors;
	}

	it("holds memberships that end in too great a number until they are approved, and lets those that begin through", async () => {
		const anchors = await ten();
		const late = person(11);
		group(1001, [...anchors.slice(0, 7), late]);
		const report = await harness.sync("delta");
		expect(report).toMatchObject({ outcome: "held", held: 1, heldKinds: [{ subject: "group", kind: "remove", count: 1 }] });
		expect(await groups()).toEqual({ "Group 1001": [...anchors, late].sort() });
		// The next run plans the same again, under the same name.
		const again = await harness.sync("full");
		expect(again.plan).toBe(report.plan);
		expect(await harness.approve(report.plan as string)).toMatchObject({ groups: { left: 3 } });
		expect(await groups()).toEqual({ "Group 1001": [...anchors.slice(0, 7), late].sort() });
		expect(await harness.sync("full")).toMatchObject({ outcome: "succeeded", held: 0 });
	});

	it("lets a hold go when they are back", async () => {
		const anchors = await ten();
		group(1001, anchors.slice(0, 5));
		expect(await harness.sync("delta")).toMatchObject({ outcome: "held" });
		group(1001, anchors);
		expect(await harness.sync("delta")).toMatchObject({ outcome: "succeeded", held: 0 });
		expect(await groups()).toEqual({ "Group 1001": anchors });
	});

	it("remembers a no to memberships that end", async () => {
		const anchors = await ten();
		group(1001, anchors.slice(0, 5));
		const report = await harness.sync("delta");
		expect(harness.reject(report.plan as string)).toBe(1);
		expect(await harness.sync("full")).toMatchObject({ outcome: "succeeded", held: 0 });
		expect(await groups()).toEqual({ "Group 1001": anchors });
	});

	it("holds groups that go in too great a number, with all their members", async () => {
		const anchors = await ten();
		group(1002, [anchors[0] as string]);
		await harness.sync("delta");
		fake.removeGroup(fake.anchorOf(1001));
		fake.removeGroup(fake.anchorOf(1002));
		const report = await harness.sync("delta");
		expect(report).toMatchObject({ outcome: "held", heldKinds: [{ subject: "group", kind: "delete", count: 2 }] });
		expect(Object.keys(await groups())).toHaveLength(2);
		expect(await harness.sync("full")).toMatchObject({ outcome: "held", plan: report.plan });
		await harness.approve(report.plan as string);
		expect(await groups()).toEqual({});
	});

	it("holds what follows when a group shows no members that it may still have", async () => {
		harness.close();
		open();
		const anchors = await ten();
		fake.faults.membersHidden = true;
		// Not for the first reading alone.
		for (const mode of ["full", "delta", "full", "full"] as const) {
			expect(await harness.sync(mode)).toMatchObject({
				outcome: "held",
				heldKinds: [{ subject: "group", kind: "remove", limit: "its members cannot be read" }],
			});
			expect(await groups()).toEqual({ "Group 1001": anchors });
		}
		fake.faults.membersHidden = false;
		expect(await harness.sync("full")).toMatchObject({ outcome: "succeeded", held: 0 });
		expect(await groups()).toEqual({ "Group 1001": anchors });
	});

	it("leaves memberships of accounts alone whose end is held", async () => {
		harness.close();
		open({ limits: { disable: { count: 1, floor: 0 } } });
		const anchors = await ten();
		for (const anchor of anchors.slice(0, 3)) fake.remove(anchor);
		const report = await harness.sync("full");
		expect(report).toMatchObject({ outcome: "held", heldKinds: [{ subject: "account", kind: "disable", count: 3 }] });
		expect(await groups()).toEqual({ "Group 1001": anchors });
		await harness.approve(report.plan as string);
		expect(await groups()).toEqual({ "Group 1001": anchors.slice(3) });
	});

	it("ends no membership when the groups' scope in the configuration is another", async () => {
		const anchors = await ten();
		fake.settings.groups = "others";
		group(1001, anchors, { isInScope: false });
		const report = await harness.sync("full");
		expect(report).toMatchObject({
			outcome: "held",
			heldKinds: [{ subject: "group", kind: "delete", limit: expect.stringContaining("scope of groups") }],
		});
		expect(await groups()).toEqual({ "Group 1001": anchors });
	});
});

describe("scope by group", () => {
	beforeEach(() => {
		fake.settings.scopeGroups = [fake.anchorOf(1001)];
		fake.settings.groups = undefined;
		// Read for the scope alone: none is kept.
		fake.settings.groups = "scope only";
	});

	const active = async (): Promise<string[]> =>
		Object.entries(await harness.accounts())
			.filter(([, account]) => account.active)
			.map(([anchor]) => anchor);

	it("gives an account to whoever is in the group, nested, and to nobody else", async () => {
		for (const number of [1, 2, 3]) person(number);
		const inner = group(1002, [two], { isInScope: false });
		group(1001, [one, inner], { isInScope: false });
		expect(await harness.sync("full")).toMatchObject({ created: 2, read: 3 });
		expect(await active()).toEqual([one, two]);
		expect(await groups()).toEqual({});
	});

	it("follows who comes and goes, also by a group within, and says why", async () => {
		for (const number of [1, 2, 3]) person(number);
		const inner = group(1002, [two], { isInScope: false });
		group(1001, [one, inner], { isInScope: false });
		await harness.sync("full");
		group(1002, [three], { isInScope: false });
		expect(await harness.sync("delta")).toMatchObject({ created: 1, disabled: 1 });
		expect(await active()).toEqual([one, three]);
		const [gone] = harness.views((open) => [...open.accounts("p2@corp.example.test")]);
		expect(gone?.because).toBe("left the scope: in none of the groups of users.groups");
		group(1002, [two, three], { isInScope: false });
		expect(await harness.sync("delta")).toMatchObject({ enabled: 1 });
		expect(await active()).toEqual([one, two, three]);
	});

	it("disables nobody when the group shows no members that it may still have", async () => {
		person(1);
		group(1001, [one], { isInScope: false });
		await harness.sync("full");
		fake.faults.membersHidden = true;
		for (const mode of ["full", "delta", "full", "full"] as const) {
			expect(await harness.sync(mode)).toMatchObject({ outcome: "held", disabled: 0 });
			expect(await active()).toEqual([one]);
		}
		fake.faults.membersHidden = false;
		expect(await harness.sync("full")).toMatchObject({ outcome: "succeeded", held: 0 });
		expect(await active()).toEqual([one]);
	});
});
