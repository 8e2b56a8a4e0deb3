import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Rules } from "../../src/core/rules.ts";
import { type FakeSource, makeFakeSource } from "../support/fake-source.ts";
import { type Harness, type HarnessOptions, openHarness, testLifecycle, testMapping } from "../support/harness.ts";
import { makeRemoteDouble } from "../support/remote-double.ts";

const PEOPLE = "OU=People,DC=corp,DC=example,DC=test";
const LEAVERS = "OU=Leavers,DC=corp,DC=example,DC=test";
const HOUR = 3_600_000;

let fake: FakeSource;
let harness: Harness;
beforeEach(() => {
	fake = makeFakeSource();
	fake.settings.attributes = ["cn", "department", "mail", "manager", "title", "upn"];
});
afterEach(() => harness.close());

const mapping = { ...testMapping, department: "{department}", title: "{title}" };

interface Look {
	readonly where?: string;
	readonly isEnabled?: boolean;
	readonly expiresAt?: number;
	readonly department?: string;
	readonly title?: string;
	readonly upn?: string;
}

function put(number: number, { where = PEOPLE, isEnabled = true, expiresAt, department, title, upn }: Look = {}): void {
	fake.put({
		anchor: fake.anchorOf(number),
		cn: `P${number}`,
		where,
		standing: isEnabled ? "enabled" : "disabled",
		...(expiresAt !== undefined && { expiresAt }),
		attributes: {
			cn: [`P${number}`],
			upn: [upn ?? `p${number}@corp`],
			department: department === undefined ? [] : [department],
			title: title === undefined ? [] : [title],
		},
	});
}

/** A company of ten, read once. */
async function company(options: HarnessOptions = {}): Promise<void> {
	harness = openHarness(fake, { mapping, ...options });
	for (let number = 1; number <= 10; number++) put(number, { department: "Sales" });
	await run("full");
}

/** An hour later. */
async function run(mode: "full" | "delta" = "delta") {
	harness.time.now += HOUR;
	return harness.sync(mode);
}

async function revert(number: number, only: Parameters<Harness["revert"]>[1] = {}) {
	harness.time.now += HOUR;
	return harness.revert(number, only);
}

async function expectThreeQuietRuns(): Promise<void> {
	const before = await harness.accounts();
	for (const mode of ["delta", "full", "delta"] as const) {
		const report = await run(mode);
		expect({ ...counts(report), outcome: report.outcome }).toEqual({ outcome: "succeeded" });
	}
	expect(await harness.accounts()).toEqual(before);
}

function counts({ created, updated, disabled, enabled, deleted, entitlements, held, quarantined }: Awaited<ReturnType<typeof run>>) {
	const all = { created, updated, disabled, enabled, deleted, entitlements, held, quarantined };
	return Object.fromEntries(Object.entries(all).filter(([, count]) => (count ?? 0) > 0));
}

async function account(number: number) {
	return (await harness.accounts())[fake.anchorOf(number)];
}

const pins = () => harness.views((views) => [...views.pins()].map(({ name, part, kept, run, by }) => [name, part, kept, run, by]));

const ends = [
	{ end: "disabled in the directory", strike: (number: number) => put(number, { isEnabled: false, department: "Sales" }) },
	{ end: "moved out of scope", strike: (number: number) => put(number, { where: LEAVERS, department: "Sales" }) },
	{ end: "deleted", strike: (number: number) => fake.remove(fake.anchorOf(number)) },
	{ end: "expired", strike: (number: number) => put(number, { expiresAt: 1, department: "Sales" }) },
];
const back = (number: number) => put(number, { department: "Sales" });

describe("a run that disabled people, taken back", () => {
	it.each(ends)("leaves who was $end active at the target, past any retention, and so do the next three runs", async ({ strike }) => {
		await company({ lifecycle: { ...testLifecycle, deleteAfterMs: 2 * HOUR } });
		const before = await harness.accounts();
		for (const number of [1, 2, 3]) strike(number);
		const struck = await run("full");
		expect(counts(struck)).toEqual({ disabled: 3 });
		const reverted = await revert(struck.run);
		expect({ ...counts(reverted), trigger: reverted.trigger, outcome: reverted.outcome }).toEqual({
			...{ enabled: 3, trigger: "revert", outcome: "succeeded" },
		});
		expect(await harness.accounts()).toEqual(before);
		harness.time.now += 24 * HOUR;
		await expectThreeQuietRuns();
		expect(await harness.accounts()).toEqual(before);
	});

	it.each(ends)("who was $end, came back and is $end again is disabled anew", async ({ strike }) => {
		await company();
		strike(1);
		await revert((await run("full")).run);
		expect(pins()).toEqual([["p1@corp", "state", '"active"', 2, "tester"]]);
		back(1);
		expect(counts(await run("full"))).toEqual({});
		expect(pins()).toEqual([]);
		strike(1);
		expect(counts(await run("full"))).toEqual({ disabled: 1 });
	});

	it("another reason of the directory counts, one of two that goes does not", async () => {
		await company();
		put(1, { isEnabled: false });
		put(2, { isEnabled: false, expiresAt: 1 });
		put(3, { isEnabled: false });
		await revert((await run()).run);
		put(1, { where: LEAVERS });
		put(2, { expiresAt: 1 });
		put(3, { isEnabled: false, expiresAt: harness.time.now + 3 * HOUR });
		expect(counts(await run("full"))).toEqual({ disabled: 1 });
		expect([(await account(1))?.active, (await account(2))?.active]).toEqual([false, true]);
		// The account of the third expires although nothing in the directory moves.
		await run();
		expect(counts(await run())).toEqual({ disabled: 1 });
		expect((await account(3))?.active).toBe(false);
	});

	it("who is unpinned follows the directory again with the next run, and nobody else", async () => {
		await company();
		for (const number of [1, 2]) put(number, { isEnabled: false, department: "Sales" });
		await revert((await run()).run);
		expect(harness.unpin("P1@corp")).toEqual({ accounts: 1, pins: 1 });
		expect(counts(await run())).toEqual({ disabled: 1 });
		expect([(await account(1))?.active, (await account(2))?.active]).toEqual([false, true]);
		expect(() => harness.unpin("p1@corp")).toThrow('nothing is pinned of "p1@corp"');
	});

	it("who was disabled and has left since is left alone, and so is who is active again", async () => {
		await company();
		for (const number of [1, 2, 3, 4]) put(number, { isEnabled: false, department: "Sales" });
		const struck = await run();
		put(1, { where: LEAVERS, department: "Sales" });
		back(2);
		back(3);
		await run("full");
		put(3, { isEnabled: false, department: "Sales" });
		const again = await run();
		const { changes, leftAlone } = await harness.planRevert(struck.run);
		expect(changes.map(({ kind, name }) => [kind, name])).toEqual([["enable", "p4@corp"]]);
		expect(leftAlone).toEqual([
			"p1@corp: it ended for another reason since",
			"p2@corp: it is active again",
			`p3@corp: run ${again.run} changed its state since`,
		]);
	});

	it("a revert is taken back like any run, and leaves no pin", async () => {
		await company();
		put(1, { isEnabled: false, department: "Sales" });
		const disabled = await harness.accounts();
		const reverted = await revert((await run()).run);
		expect(counts(await revert(reverted.run))).toEqual({ disabled: 1 });
		expect(pins()).toEqual([]);
		expect((await account(1))?.active).toBe(false);
		expect(disabled[fake.anchorOf(2)]).toEqual(await account(2));
		await expectThreeQuietRuns();
	});
});

describe("a run that changed fields, taken back", () => {
	it("gives them back, and each stays until the directory gives that one another value", async () => {
		await company();
		for (const number of [1, 2]) put(number, { department: "Treasury", title: "Clerk" });
		const moved = await run();
		await revert(moved.run);
		expect(await account(1)).toMatchObject({ department: "Sales" });
		expect(await account(1)).not.toHaveProperty("title");
		await expectThreeQuietRuns();
		put(1, { department: "Treasury", title: "Head" });
		put(2, { department: "Sales", title: "Clerk" });
		expect(counts(await run())).toEqual({ updated: 1 });
		expect(await account(1)).toMatchObject({ department: "Sales", title: "Head" });
		put(1, { department: "Legal", title: "Head" });
		put(2, { department: "Treasury", title: "Clerk" });
		expect(counts(await run())).toEqual({ updated: 2 });
		expect(await account(1)).toMatchObject({ department: "Legal", title: "Head" });
		// It had come back, so that this is news; the other field is as it was.
		expect(await account(2)).toMatchObject({ department: "Treasury" });
		expect(await account(2)).not.toHaveProperty("title");
	});

	it("what has changed since is left alone and listed", async () => {
		await company();
		put(1, { department: "Treasury", title: "Clerk" });
		const moved = await run();
		put(1, { department: "Legal", title: "Clerk" });
		await run();
		const { changes, leftAlone } = await harness.planRevert(moved.run);
		expect(changes.map(({ kind, why }) => [kind, why])).toEqual([["update", `revert of run ${moved.run}: title cleared, was "Clerk"`]]);
		expect(leftAlone).toEqual(['p1@corp: department: changed since, now "Legal"']);
		await revert(moved.run);
		expect(await account(1)).toMatchObject({ department: "Legal" });
	});

	it("does nothing of what else the directory wants: an expiry meanwhile waits for the next run", async () => {
		await company();
		put(1, { department: "Treasury", expiresAt: harness.time.now + 2 * HOUR });
		const moved = await run();
		harness.time.now += 12 * HOUR;
		expect(counts(await revert(moved.run))).toEqual({ updated: 1 });
		expect((await account(1))?.active).toBe(true);
		expect(counts(await run())).toEqual({ disabled: 1 });
		expect(await account(1)).toMatchObject({ department: "Sales", active: false });
	});

	it("leaves a rejection of another change standing", async () => {
		await company({ limits: { disable: { count: 0, floor: 0 } } });
		put(1, { department: "Treasury" });
		const moved = await run();
		put(1, { department: "Treasury", isEnabled: false });
		const held = await run();
		expect(counts(await revert(moved.run))).toEqual({ held: 1 });
		expect((await harness.planRevert(moved.run)).leftAlone).toEqual(["p1@corp: a change of it is held: approve or reject that first"]);
		harness.reject(held.plan as string);
		expect(counts(await revert(moved.run))).toEqual({ updated: 1 });
		await expectThreeQuietRuns();
		expect(await account(1)).toMatchObject({ department: "Sales", active: true });
	});

	it("does nothing to who was unpinned", async () => {
		await company();
		put(1, { department: "Treasury" });
		const moved = await run();
		put(2, { isEnabled: false, department: "Sales" });
		await revert((await run()).run);
		harness.unpin("p2@corp");
		expect(counts(await revert(moved.run))).toEqual({ updated: 1 });
		expect((await account(2))?.active).toBe(true);
		expect(counts(await run())).toEqual({ disabled: 1 });
	});

	it("leaves an account that a person keeps disabled its reason", async () => {
		await company({ limits: { enable: { count: 0, floor: 0 } } });
		put(1, { department: "Treasury" });
		const moved = await run();
		put(1, { department: "Treasury", isEnabled: false });
		await run();
		put(1, { department: "Treasury" });
		harness.reject((await run()).plan as string);
		const why = () => harness.views((views) => [...views.accounts("p1@corp")].map(({ because }) => because));
		expect(why()).toEqual(["disabled in the directory"]);
		expect(counts(await revert(moved.run))).toEqual({ updated: 1 });
		expect(why()).toEqual(["disabled in the directory"]);
		await expectThreeQuietRuns();
		expect(await account(1)).toMatchObject({ department: "Sales", active: false });
	});

	it("of one kind, or of one account alone", async () => {
		await company();
		for (const number of [1, 2]) put(number, { isEnabled: false, department: "Treasury" });
		const struck = await run();
		expect(counts(await revert(struck.run, { kind: "disable", user: "p1@corp" }))).toEqual({ enabled: 1 });
		expect(await account(1)).toMatchObject({ department: "Treasury", active: true });
		expect((await account(2))?.active).toBe(false);
		await expect(revert(struck.run, { user: "p7@corp" })).rejects.toThrow(`run ${struck.run} changed nothing of "p7@corp"`);
	});
});

describe("a run that made or deleted accounts, taken back", () => {
	it("takes away whom it made until the directory lets them go and come again; their names are free", async () => {
		await company();
		put(11, { department: "Sales" });
		const made = await run();
		expect(counts(await revert(made.run))).toEqual({ deleted: 1 });
		expect(await account(11)).toBeUndefined();
		await expectThreeQuietRuns();
		put(11, { department: "Legal" });
		expect(counts(await run())).toEqual({});
		put(12, { upn: "p11@corp" });
		expect(counts(await run())).toEqual({ created: 1 });
		put(11, { where: LEAVERS });
		await run("full");
		put(11, { upn: "p11b@corp" });
		expect(counts(await run("full"))).toEqual({ created: 1 });
	});

	it.each(ends)("makes again who was $end and deleted, as it was, and not a second time", async ({ strike }) => {
		await company({ lifecycle: { onDisabled: "delete", onDeleted: "delete", onOutOfScope: "delete", deleteAfterMs: undefined } });
		const before = await harness.accounts();
		strike(1);
		const struck = await run("full");
		expect(counts(struck)).toEqual({ deleted: 1 });
		expect(counts(await revert(struck.run))).toEqual({ created: 1 });
		expect(await harness.accounts()).toEqual(before);
		await expectThreeQuietRuns();
		expect((await revert(struck.run)).revert?.leftAlone).toEqual([{ name: "p1@corp", why: "it is there again" }]);
	});

	it("makes again with everything it had whom the run also gave another name", async () => {
		await company({ lifecycle: { ...testLifecycle, onDisabled: "delete" } });
		const before = await harness.accounts();
		put(1, { isEnabled: false, upn: "other@corp", title: "Clerk" });
		await revert((await run()).run);
		expect(await harness.accounts()).toEqual(before);
		await expectThreeQuietRuns();
	});

	it("whose name another account has taken waits in quarantine until it is freed", async () => {
		await company({ lifecycle: { ...testLifecycle, onDeleted: "delete" } });
		fake.remove(fake.anchorOf(1));
		const struck = await run("full");
		put(11, { upn: "p1@corp" });
		await run();
		expect(await revert(struck.run)).toMatchObject({ outcome: "partial", created: 0, quarantined: 1 });
		put(11, { upn: "p11@corp" });
		await run();
		expect(counts(await run())).toEqual({});
		expect((await account(1))?.userName).toBe("p1@corp");
	});
});

describe("the gate", () => {
	it("holds a revert past a limit until a person approves it by its hash", async () => {
		await company({ limits: { delete: { count: 2, floor: 0 } } });
		for (const number of [11, 12, 13]) put(number);
		const made = await run();
		const held = await revert(made.run);
		expect(held).toMatchObject({ outcome: "held", deleted: 0, held: 3, heldKinds: [{ kind: "delete", limit: "limit 2" }] });
		expect(counts(await run("full"))).toEqual({ held: 3 });
		expect(await harness.approve(held.plan as string)).toMatchObject({ outcome: "succeeded", deleted: 3 });
		await expectThreeQuietRuns();
		expect(Object.keys(await harness.accounts())).toHaveLength(10);
	});

	it("forgets a revert that a person rejects", async () => {
		await company({ limits: { delete: { count: 0, floor: 0 } } });
		put(11);
		const held = await revert((await run()).run);
		harness.reject(held.plan as string);
		expect(pins()).toEqual([]);
		expect(await revert(held.revert?.run as number)).toMatchObject({ outcome: "held", held: 1 });
		harness.reject((await run("full")).plan as string);
		put(11, { department: "Legal" });
		expect(counts(await run())).toEqual({ updated: 1 });
		await expectThreeQuietRuns();
	});

	it("forgets rejected fields, too", async () => {
		await company({ limits: { update: { count: 1, floor: 0 } } });
		for (const number of [1, 2]) put(number, { department: "Treasury" });
		const moved = await harness.approve((await run()).plan as string);
		const held = await revert(moved.run);
		expect(held).toMatchObject({ outcome: "held", held: 2 });
		harness.reject(held.plan as string);
		expect(pins()).toEqual([]);
		await expectThreeQuietRuns();
		expect(await account(1)).toMatchObject({ department: "Treasury" });
	});

	it("never ends a protected person without approval, by what the last reading said of protection", async () => {
		await company();
		put(11);
		fake.faults.protectedDns = [`CN=P11,${PEOPLE}`];
		const made = await run();
		expect(await revert(made.run)).toMatchObject({ outcome: "held", deleted: 0, heldKinds: [{ kind: "delete", limit: "protected" }] });
	});
});

describe("what is no account's own", () => {
	it("follows the account at a target with a scope of its own, and is listed where it does not", async () => {
		const remote = makeRemoteDouble();
		await company({ targets: (local) => [local, remote.target], views: { remote: { when: { filter: "(title=Clerk)" } } } });
		for (const number of [1, 2]) put(number, { department: "Sales", title: "Clerk" });
		await run();
		put(1, { isEnabled: false, department: "Sales", title: "Clerk" });
		put(3, { department: "Sales", title: "Clerk" });
		const struck = await run();
		const there = () => Object.fromEntries([...remote.accounts.values()].map(({ account }) => [account.userName, account.active]));
		expect(there()).toEqual({ "p1@corp": false, "p2@corp": true, "p3@corp": true });
		const reverted = await revert(struck.run);
		expect(there()).toEqual({ "p1@corp": true, "p2@corp": true, "p3@corp": true });
		expect(reverted.revert?.leftAlone.map(({ why }) => why)).toEqual([
			"create at target remote alone: it follows from the target's own scope, mapping or lifecycle",
		]);
		await expectThreeQuietRuns();
		expect(there()).toEqual({ "p1@corp": true, "p2@corp": true, "p3@corp": true });
	});

	it("is given back at a target with a mapping of its own, but for what that makes of other attributes", async () => {
		const remote = makeRemoteDouble();
		await company({ targets: (local) => [local, remote.target], views: { remote: { mapping: { title: "{department}" } } } });
		put(1, { department: "Treasury" });
		await revert((await run()).run);
		const there = () => [...remote.accounts.values()].find(({ account }) => account.userName === "p1@corp")?.account;
		expect(there()).toMatchObject({ department: "Sales", title: "Treasury" });
		await expectThreeQuietRuns();
		expect(there()).toMatchObject({ department: "Sales", title: "Treasury" });
	});

	it("members of groups are as the directory has them, and are listed", async () => {
		fake.settings.groups = "all";
		await company();
		fake.putGroup({ anchor: fake.anchorOf(1001), cn: "G", isInScope: true, members: [1, 2].map(fake.anchorOf) });
		const made = await run();
		expect((await revert(made.run)).revert).toMatchObject({
			leftAlone: [{ name: "G", why: "create of a group: groups and their members are as the directory has them" }],
			leftAloneCount: 1,
		});
		expect(await harness.groups()).toEqual({ G: [1, 2].map(fake.anchorOf) });
	});

	it("a run that is not known, or that changed nothing, is refused", async () => {
		await company();
		const quiet = await run();
		await expect((async () => harness.revert(99))()).rejects.toThrow("there is no run 99");
		await expect((async () => harness.revert(quiet.run))()).rejects.toThrow(`run ${quiet.run} changed nothing`);
	});
});

describe("features and policies", () => {
	it("taken back stay as they were, one by one, and the log says of which run", async () => {
		const rules: Rules = {
			features: [
				{ name: "archive", when: { filter: "(department=Sales)" } },
				{ name: "search", when: { filter: "(title=Clerk)" } },
			],
			policies: [{ name: "mail", value: "block", when: { filter: "(department=Treasury)" } }],
		};
		await company({ rules });
		put(1, { department: "Treasury" });
		const moved = await run();
		expect(await account(1)).toMatchObject({ policies: { mail: "block" } });
		const reverted = await revert(moved.run, { kind: "entitlement" });
		expect(await account(1)).toMatchObject({ department: "Treasury", features: ["archive"] });
		expect(await account(1)).not.toHaveProperty("policies");
		const said = harness.views((views) => [...views.changes(reverted.run)].map(({ why, result }) => [why, result]));
		expect(said).toEqual([
			[
				`feature archive on: revert of run ${moved.run}; policy mail cleared, was "block": revert of run ${moved.run}`,
				`reverted run ${moved.run} by tester`,
			],
		]);
		await expectThreeQuietRuns();
		put(1, { department: "Treasury", title: "Clerk" });
		await run();
		expect(await account(1)).toMatchObject({ features: ["archive", "search"] });
		expect(await account(1)).not.toHaveProperty("policies");
		put(1, { department: "Sales", title: "Clerk" });
		await run();
		put(1, { department: "Treasury", title: "Clerk" });
		await run();
		expect(await account(1)).toMatchObject({ features: ["search"], policies: { mail: "block" } });
	});
});
