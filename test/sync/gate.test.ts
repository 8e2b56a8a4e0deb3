import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Cursor } from "../../src/core/cursor.ts";
import { type FakeSource, makeFakeSource } from "../support/fake-source.ts";
import { type Harness, openHarness, testLifecycle } from "../support/harness.ts";

const PEOPLE = "OU=People,DC=corp,DC=example,DC=test";
const LIMITS = {
	disable: { count: 50, percent: 5, floor: 3 },
	delete: { count: 10, percent: 1, floor: 3 },
	update: { percent: 50, floor: 10 },
};

let fake: FakeSource;
let harness: Harness;

beforeEach(() => {
	fake = makeFakeSource();
	harness = openHarness(fake, { limits: LIMITS });
});
afterEach(() => harness.close());

function person(number: number, more: Record<string, string[]> = {}, standing: "enabled" | "disabled" = "enabled"): string {
	const cn = `Person ${number}`;
	fake.put({ anchor: fake.anchorOf(number), cn, where: PEOPLE, standing, attributes: { cn: [cn], upn: [`p${number}@corp`], ...more } });
	return fake.anchorOf(number);
}

async function company(count: number): Promise<void> {
	for (let number = 1; number <= count; number++) person(number);
	await harness.sync("full");
}

const active = async () => Object.values(await harness.accounts()).filter((account) => account.active).length;

describe("removing many people at once", () => {
	it("is held, shown, and released exactly as shown", async () => {
		await company(1000);
		for (let number = 1; number <= 300; number++) fake.remove(fake.anchorOf(number));
		person(500, { cn: ["Renamed meanwhile"] });
		const report = await harness.sync("full");
		expect(report).toMatchObject({
			outcome: "held",
			held: 300,
			disabled: 0,
			updated: 1,
			heldKinds: [{ kind: "disable", count: 300, limit: "limit 50" }],
		});
		expect(await active()).toBe(1000);

		const shown = await harness.plan("full");
		expect(shown.name).toBe(report.plan);
		expect(shown.changes.filter((change) => change.held !== undefined)).toHaveLength(300);

		expect(await harness.approve(shown.name)).toMatchObject({ outcome: "succeeded", disabled: 300, held: 0, pending: 0 });
		expect(await active()).toBe(700);
		expect((await harness.plan("full")).changes).toEqual([]);
	});

	it("stays held over runs that see nothing new, and dissolves when they are back", async () => {
		await company(100);
		for (let number = 1; number <= 20; number++) fake.remove(fake.anchorOf(number));
		const { plan } = await harness.sync("full");
		expect(await harness.sync("delta")).toMatchObject({ outcome: "held", held: 20, plan });
		for (let number = 1; number <= 20; number++) person(number);
		expect(await harness.sync("delta")).toMatchObject({ outcome: "succeeded", held: 0, disabled: 0 });
		expect(await active()).toBe(100);
		await expect(harness.approve(plan as string)).rejects.toThrow();
	});

	it("is refused under an old name when something else would be done by now", async () => {
		await company(100);
		for (let number = 1; number <= 20; number++) fake.remove(fake.anchorOf(number));
		const { plan } = await harness.sync("full");
		fake.remove(fake.anchorOf(21));
		const next = await harness.sync("full");
		expect(next.plan).not.toBe(plan);
		await expect(harness.approve(plan as string)).rejects.toThrow("unknown plan");
		expect(await active()).toBe(100);
		expect(await harness.approve(next.plan as string)).toMatchObject({ disabled: 21 });
	});

	it("can be approved from what plan showed, without a run before it", async () => {
		await company(100);
		for (let number = 1; number <= 20; number++) fake.remove(fake.anchorOf(number));
		const { name } = await harness.plan("full");
		expect(await harness.approve(name)).toMatchObject({ disabled: 20, held: 0 });
	});

	it("is dropped by a rejection until something else is wanted of them", async () => {
		await company(100);
		for (let number = 1; number <= 20; number++) fake.remove(fake.anchorOf(number));
		const { plan } = await harness.sync("full");
		expect(harness.reject(plan as string)).toBe(20);
		expect(await harness.sync("full")).toMatchObject({ outcome: "succeeded", held: 0, disabled: 0 });
		expect(await active()).toBe(100);
		person(1);
		await harness.sync("delta");
		fake.remove(fake.anchorOf(1));
		expect(await harness.sync("full")).toMatchObject({ disabled: 1, held: 0 });
	});
});

it.each([
	{ of: 10, leave: 2, outcome: "succeeded", why: "2 of 10 leaving is no disaster" },
	{ of: 10, leave: 3, outcome: "succeeded", why: "the floor is 3" },
	{ of: 10, leave: 4, outcome: "held", why: "past the floor, 4 is more than 5 % of 10" },
	{ of: 100, leave: 5, outcome: "succeeded", why: "5 % of 100 active accounts" },
	{ of: 100, leave: 6, outcome: "held", why: "one past 5 %" },
] as const)("$leave of $of leaving: $outcome, because $why", async ({ of, leave, outcome }) => {
	await company(of);
	for (let number = 1; number <= leave; number++) fake.remove(fake.anchorOf(number));
	expect(await harness.sync("full")).toMatchObject({ outcome });
});

it("counts percentages against active accounts, not against all there ever were", async () => {
	for (let number = 1; number <= 100; number++) person(number, {}, number <= 80 ? "disabled" : "enabled");
	await harness.sync("full");
	for (let number = 91; number <= 94; number++) person(number, {}, "disabled");
	expect(await harness.sync("delta")).toMatchObject({
		outcome: "held",
		heldKinds: [{ kind: "disable", count: 4, limit: "limit 5 % of 20" }],
	});
});

it("lets changes of other kinds go on while one kind is held, also those of the same person", async () => {
	await company(20);
	for (let number = 1; number <= 5; number++) person(number, { mail: [`new${number}@corp`] }, "disabled");
	person(21);
	expect(await harness.sync("delta")).toMatchObject({ outcome: "held", held: 5, updated: 5, created: 1, disabled: 0 });
	expect((await harness.accounts())[fake.anchorOf(1)]).toMatchObject({ active: true, emails: [{ value: "new1@corp" }] });
});

describe("a protected account", () => {
	it("is never disabled without approval, not even alone", async () => {
		await company(100);
		fake.faults.protectedDns = [`CN=Person 7,${PEOPLE}`];
		await harness.sync("full");
		fake.remove(fake.anchorOf(7));
		fake.remove(fake.anchorOf(8));
		fake.faults.protectedDns = [];
		const report = await harness.sync("full");
		expect(report).toMatchObject({ outcome: "held", disabled: 1, held: 1, heldKinds: [{ kind: "disable", count: 1, limit: "protected" }] });
		expect(await harness.approve(report.plan as string)).toMatchObject({ disabled: 1 });
	});

	it("is anyone, while the protected groups cannot be resolved", async () => {
		await company(10);
		fake.faults.unresolved = ["the protected group CN=Domain Admins cannot be found"];
		person(1, {}, "disabled");
		expect(await harness.sync("delta")).toMatchObject({ outcome: "held", disabled: 0, held: 1 });
	});
});

describe("the lifecycle", () => {
	it.each([
		{ cause: "onDisabled", change: () => person(1, {}, "disabled") },
		{ cause: "onDeleted", change: () => fake.remove(fake.anchorOf(1)) },
		{
			cause: "onOutOfScope",
			change: () => fake.put({ anchor: fake.anchorOf(1), cn: "Gone", where: "OU=Else,DC=x", standing: "enabled", attributes: {} }),
		},
	] as const)("keeps or deletes for $cause as it is told", async ({ cause, change }) => {
		const base = { onDisabled: "disable", onOutOfScope: "disable", onDeleted: "disable", deleteAfterMs: undefined } as const;
		await company(5);
		const keeping = openHarness(fake, { file: harness.file, lifecycle: { ...base, [cause]: "keep" } });
		change();
		expect(await keeping.sync("full")).toMatchObject({ disabled: 0, deleted: 0 });
		keeping.close();
		const deleting = openHarness(fake, { file: harness.file, lifecycle: { ...base, [cause]: "delete" } });
		expect(await deleting.sync("delta")).toMatchObject({ deleted: 1 });
		expect(Object.keys(await deleting.accounts())).not.toContain(fake.anchorOf(1));
		expect((await deleting.plan("full")).changes).toEqual([]);
		deleting.close();
	});

	it("deletes after the retention, counted from the day the person left", async () => {
		const lifecycle = { onDisabled: "disable", onOutOfScope: "disable", onDeleted: "disable", deleteAfterMs: 30 * 86_400_000 } as const;
		const again = openHarness(fake, { file: harness.file, lifecycle });
		for (let number = 1; number <= 5; number++) person(number);
		await again.sync("full");
		fake.remove(fake.anchorOf(1));
		person(2, {}, "disabled");
		expect(await again.sync("full")).toMatchObject({ disabled: 2 });
		again.time.now += 29 * 86_400_000;
		expect(await again.sync("delta")).toMatchObject({ deleted: 0 });
		again.time.now += 86_400_000;
		expect(await again.sync("delta")).toMatchObject({ deleted: 1 });
		expect(Object.keys(await again.accounts())).toHaveLength(4);
		again.close();
	});
});

describe("two people who claim one name", () => {
	it("leave it to its holder, and the newcomer waits until it is freed", async () => {
		await company(3);
		const late = person(4, { upn: ["P1@corp"] });
		const report = await harness.sync("delta");
		expect(report).toMatchObject({ outcome: "partial", quarantined: 1, created: 0 });
		expect(harness.views((views) => views.quarantine())).toMatchObject([
			{
				anchor: late,
				reason: expect.stringMatching(/^userName p1@corp belongs to the account p1@corp \(00000001-.*waits until it is freed$/),
			},
		]);
		const first = harness.views((views) => views.quarantine());
		expect(harness.views((views) => views.quarantineBriefly(1))).toEqual({ count: 1, first });
		expect(harness.views((views) => views.quarantineBriefly(0))).toEqual({ count: 1, first: [] });
		person(1, { upn: ["freed@corp"] });
		expect(await harness.sync("delta")).toMatchObject({ outcome: "succeeded", quarantined: 0, created: 1, updated: 1 });
	});

	it("swap names in one run", async () => {
		await company(3);
		person(1, { upn: ["p2@corp"] });
		person(2, { upn: ["p1@corp"] });
		expect(await harness.sync("delta")).toMatchObject({ outcome: "succeeded", updated: 2, delivered: 2, pending: 0 });
		expect(await harness.accounts()).toMatchObject({
			[fake.anchorOf(1)]: { userName: "p2@corp" },
			[fake.anchorOf(2)]: { userName: "p1@corp" },
		});
	});

	it("pass names on along a chain and in a ring, whatever the order", async () => {
		await company(6);
		for (let number = 1; number <= 6; number++) person(number, { upn: [`p${(number % 6) + 1}@corp`] });
		expect(await harness.sync("delta")).toMatchObject({ outcome: "succeeded", delivered: 6, pending: 0 });
		for (let number = 1; number <= 6; number++) person(number, { upn: [number === 6 ? "last@corp" : `p${number + 2}@corp`] });
		expect(await harness.sync("delta")).toMatchObject({ outcome: "succeeded", delivered: 6, pending: 0 });
	});

	it("get the same outcome in any order of reading", async () => {
		person(2, { upn: ["same@corp"] });
		person(1, { upn: ["same@corp"] }, "disabled");
		await harness.sync("full");
		expect(Object.keys(await harness.accounts())).toEqual([fake.anchorOf(2)]);
	});

	it("cannot take the name of someone whose rename was set aside", async () => {
		await company(3);
		person(2, { upn: ["p1@corp"] });
		person(3, { upn: ["p2@corp"] });
		expect(await harness.sync("delta")).toMatchObject({ outcome: "partial", quarantined: 2, updated: 0 });
		expect(
			Object.values(await harness.accounts())
				.map((account) => account.userName)
				.sort(),
		).toEqual(["p1@corp", "p2@corp", "p3@corp"]);
	});
});

it("sets an entry without a userName aside, keeps its account, and still disables it when the directory does", async () => {
	const strict = openHarness(fake, { mapping: { userName: "{upn}", "emails.primary": "{mail}" } });
	for (let number = 1; number <= 4; number++) person(number);
	await strict.sync("full");
	person(1, { upn: [] });
	expect(await strict.sync("delta")).toMatchObject({ outcome: "partial", quarantined: 1, updated: 0 });
	person(1, { upn: [] }, "disabled");
	expect(await strict.sync("delta")).toMatchObject({ outcome: "partial", disabled: 1 });
	expect((await strict.accounts())[fake.anchorOf(1)]).toMatchObject({ userName: "p1@corp", active: false });
	strict.close();
});

describe("what was held must not be forgotten", () => {
	const lifecycle = { onDisabled: "disable", onOutOfScope: "disable", onDeleted: "disable", deleteAfterMs: 30 * 86_400_000 } as const;

	it("holds deletes whose retention is over until they are approved", async () => {
		const again = openHarness(fake, { file: harness.file, lifecycle, limits: { delete: { count: 2, floor: 0 } } });
		for (let number = 1; number <= 9; number++) person(number);
		await again.sync("full");
		for (let number = 1; number <= 4; number++) fake.remove(fake.anchorOf(number));
		await again.sync("full");
		again.time.now += 31 * 86_400_000;
		const { plan, ...report } = await again.sync("delta");
		expect(report).toMatchObject({ outcome: "held", held: 4, deleted: 0 });
		expect(await again.sync("delta")).toMatchObject({ outcome: "held", held: 4, plan });
		expect(await again.approve(plan as string)).toMatchObject({ deleted: 4, held: 0 });
		again.close();
	});

	it("deletes nobody by time in a run that is not sealed, and asks for them first", async () => {
		const again = openHarness(fake, { file: harness.file, lifecycle });
		for (let number = 1; number <= 9; number++) person(number);
		await again.sync("full");
		fake.remove(fake.anchorOf(1));
		fake.remove(fake.anchorOf(2));
		await again.sync("full");
		again.time.now += 31 * 86_400_000;
		fake.faults.unsealed = ["a referral was not followed"];
		expect(await again.sync("full")).toMatchObject({ sealed: false, deleted: 0 });
		fake.faults.unsealed = [];
		// Back in the directory, with its old mark: only asking for it can tell.
		fake.put({
			anchor: fake.anchorOf(1),
			cn: "Person 1",
			where: PEOPLE,
			standing: "enabled",
			attributes: { cn: ["Person 1"], upn: ["p1@corp"] },
		});
		(fake.people.get(fake.anchorOf(1)) as { usn: number }).usn = 0;
		expect(await again.sync("delta")).toMatchObject({ deleted: 1, enabled: 1 });
		again.close();
	});

	it("leaves the name of a rejected rename with its holder", async () => {
		const strict = openHarness(fake, { file: harness.file, limits: { update: { count: 0, floor: 0 } } });
		for (let number = 1; number <= 5; number++) person(number);
		await strict.sync("full");
		person(1, { upn: ["renamed@corp"] });
		const { plan } = await strict.sync("delta");
		strict.reject(plan as string);
		// Read anew, wanting the same: the rejection is met again.
		person(1, { upn: ["renamed@corp"], unmapped: ["changed"] });
		person(6, { upn: ["p1@corp"] });
		expect(await strict.sync("delta")).toMatchObject({ outcome: "partial", quarantined: 1, created: 0 });
		strict.close();
	});

	it("holds ends and returns that another server tells of, and lets the next full reading of the usual one decide", async () => {
		await company(20);
		person(3, {}, "disabled");
		await harness.sync("delta");
		fake.faults.serverChanged = "dc2 was read instead of dc1, and may not have everything yet";
		fake.faults.hidden = new Set([fake.anchorOf(1), fake.anchorOf(2)]);
		person(3);
		expect(await harness.sync("full")).toMatchObject({ outcome: "held", disabled: 0, enabled: 0, held: 3 });
		fake.faults.serverChanged = undefined;
		fake.faults.hidden = new Set([fake.anchorOf(2)]);
		person(3, {}, "disabled");
		expect(await harness.sync("full")).toMatchObject({ outcome: "succeeded", held: 0, disabled: 1, enabled: 0 });
		expect((await harness.accounts())[fake.anchorOf(1)]).toMatchObject({ active: true });
	});

	it("lets a delta decide as well, once its server is known to know everything; but not about who is gone without a trace", async () => {
		await company(20);
		person(3, {}, "disabled");
		await harness.sync("delta");
		fake.faults.serverChanged = "dc2 has not heard yet of all that was written on dc1";
		fake.faults.hidden = new Set([fake.anchorOf(1)]);
		person(2, {}, "disabled");
		person(3);
		expect(await harness.sync("full")).toMatchObject({ outcome: "held", held: 3 });
		person(4, {}, "disabled");
		expect(await harness.sync("delta")).toMatchObject({ outcome: "held", held: 4, disabled: 0 });
		fake.faults.serverChanged = undefined;
		expect(await harness.sync("delta")).toMatchObject({ outcome: "held", held: 4, disabled: 0, enabled: 0 });
		fake.faults.isCurrent = true;
		expect(await harness.sync("delta")).toMatchObject({ outcome: "held", held: 1, disabled: 2, enabled: 1 });
		expect((await harness.accounts())[fake.anchorOf(1)]).toMatchObject({ active: true });
	});

	it("makes no account anew for one who had left, because a server that may not know yet has them", async () => {
		await company(5);
		const strict = openHarness(fake, { file: harness.file, limits: LIMITS, lifecycle: { ...testLifecycle, onDisabled: "delete" } });
		person(1, {}, "disabled");
		expect(await strict.sync("delta")).toMatchObject({ deleted: 1 });
		fake.faults.serverChanged = "dc2 has not heard yet of all that was written on dc1";
		person(1);
		person(6);
		expect(await strict.sync("full")).toMatchObject({ outcome: "held", held: 1, created: 1 });
		fake.faults.serverChanged = undefined;
		fake.faults.isCurrent = true;
		expect(await strict.sync("delta")).toMatchObject({ outcome: "succeeded", held: 0, created: 1 });
		strict.close();
	});

	it("keeps what a reading that was not whole has to say of the cursor, and the cursor itself where it has nothing to say", async () => {
		await company(3);
		const { session, sync } = harness.context;
		const cursor = () => session.snapshot.source(sync.source.name).cursor;
		const before = cursor();
		fake.faults.unsealed = ["a page is missing"];
		expect(await harness.sync("delta")).toMatchObject({ outcome: "partial" });
		expect(cursor()).toBe(before);
		fake.faults.cursorIfPartial = "0" as Cursor;
		expect(await harness.sync("delta")).toMatchObject({ outcome: "partial" });
		expect(cursor()).toBe("0");
	});

	it("settles a doubt when the next full reading can", async () => {
		await company(10);
		fake.faults.hidden.add(fake.anchorOf(1));
		fake.faults.doubt = "its container cannot be seen";
		expect(await harness.sync("full")).toMatchObject({ outcome: "held", held: 1 });
		fake.faults.doubt = undefined;
		expect(await harness.sync("full")).toMatchObject({ outcome: "succeeded", held: 0, disabled: 1 });
	});

	it("takes a link to someone who is gone, and a lost value among others, for what they are", async () => {
		const boss = `CN=Person 1,${PEOPLE}`;
		person(1);
		for (let number = 2; number <= 40; number++) person(number, { manager: [boss], mail: [`m${number}@corp`] });
		await harness.sync("full");
		person(2, { manager: [boss] });
		expect(await harness.sync("delta")).toMatchObject({ outcome: "succeeded", updated: 1 });
		fake.remove(fake.anchorOf(1));
		expect(await harness.sync("full")).toMatchObject({ sealed: true, disabled: 1 });
	});

	it("keeps a manager who is only doubted", async () => {
		person(1);
		const report = person(2, { manager: [`CN=Person 1,${PEOPLE}`] });
		for (let number = 3; number <= 9; number++) person(number);
		await harness.sync("full");
		fake.faults.hidden.add(fake.anchorOf(1));
		fake.faults.doubt = "its container cannot be seen";
		await harness.sync("full");
		person(2, { manager: [`CN=Person 1,${PEOPLE}`], mail: ["new@corp"] });
		await harness.sync("delta");
		expect((await harness.accounts())[report]).toMatchObject({ manager: fake.anchorOf(1), emails: [{ value: "new@corp" }] });
	});

	it("protects who is in protection's reach where they are now", async () => {
		await company(20);
		fake.faults.protectedDns = ["CN=Moved,OU=Leavers,DC=x"];
		fake.put({ anchor: fake.anchorOf(4), cn: "Moved", where: "OU=Leavers,DC=x", standing: "enabled", attributes: {} });
		expect(await harness.sync("delta")).toMatchObject({ outcome: "held", disabled: 0, heldKinds: [{ limit: "protected" }] });
	});
});
