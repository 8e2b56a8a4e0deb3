import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FakeSource, makeFakeSource } from "../support/fake-source.ts";
import { type Harness, openHarness } from "../support/harness.ts";

const PEOPLE = "OU=People,DC=corp,DC=example,DC=test";
const LEAVERS = "OU=Leavers,DC=corp,DC=example,DC=test";

let fake: FakeSource;
let harness: Harness;

beforeEach(() => {
	fake = makeFakeSource();
	harness = openHarness(fake);
});
afterEach(() => harness.close());

function person(
	number: number,
	more: {
		cn?: string;
		where?: string;
		standing?: "enabled" | "disabled" | "unknown";
		mail?: string;
		expiresAt?: number;
		manager?: string;
	} = {},
) {
	const cn = more.cn ?? `Person ${number}`;
	fake.put({
		anchor: fake.anchorOf(number),
		cn,
		where: more.where ?? PEOPLE,
		standing: more.standing ?? "enabled",
		...(more.expiresAt !== undefined && { expiresAt: more.expiresAt }),
		attributes: {
			cn: [cn],
			upn: [`p${number}@corp.example.test`],
			mail: [more.mail ?? `p${number}@corp.example.test`],
			...(more.manager && { manager: [more.manager] }),
		},
	});
	return fake.anchorOf(number);
}

async function company(count: number): Promise<string[]> {
	const anchors = Array.from({ length: count }, (_, index) => person(index + 1));
	await harness.sync("full");
	return anchors;
}

describe("a run", () => {
	it("creates an account for each person in scope and none for those outside", async () => {
		person(1);
		person(2, { standing: "disabled" });
		person(3, { where: LEAVERS });
		const report = await harness.sync();
		expect(report).toMatchObject({ outcome: "succeeded", mode: "full", sealed: true, read: 2, created: 2, delivered: 2, pending: 0 });
		expect(await harness.accounts()).toEqual({
			[fake.anchorOf(1)]: {
				userName: "p1@corp.example.test",
				displayName: "Person 1",
				emails: [{ value: "p1@corp.example.test", type: "work", primary: true }],
				active: true,
			},
			[fake.anchorOf(2)]: expect.objectContaining({ userName: "p2@corp.example.test", active: false }),
		});
	});

	it("plans nothing right after a committed plan, full or delta", async () => {
		await company(7);
		expect((await harness.plan("full")).changes).toEqual([]);
		expect((await harness.plan("delta")).changes).toEqual([]);
		expect(await harness.sync("full")).toMatchObject({ outcome: "succeeded", read: 7, unchanged: 7, created: 0, updated: 0 });
	});

	it("follows a person through rename and move, as the same account", async () => {
		const [anna] = await company(3);
		person(1, { cn: "Anna Holm", where: `OU=Sales,${PEOPLE}` });
		expect(await harness.sync()).toMatchObject({ mode: "delta", updated: 1, created: 0, disabled: 0 });
		expect(Object.keys(await harness.accounts())).toHaveLength(3);
		expect((await harness.accounts())[anna as string]).toMatchObject({ displayName: "Anna Holm", active: true });
	});

	it.each([
		{
			title: "disabled in the directory",
			change: () => person(1, { standing: "disabled" }),
			mode: "delta",
			why: "disabled in the directory",
		},
		{ title: "moved out of scope", change: () => person(1, { where: LEAVERS }), mode: "delta", why: "left the scope: now in OU=Leavers" },
		{ title: "moved out of scope", change: () => person(1, { where: LEAVERS }), mode: "full", why: "left the scope: now in OU=Leavers" },
		{
			title: "deleted",
			change: () => fake.remove(fake.anchorOf(1)),
			mode: "full",
			why: "not in the directory any more (sealed reading of 4 entries)",
		},
		{
			title: "expired",
			change: () => person(1, { expiresAt: Date.UTC(2026, 9, 31) }),
			mode: "delta",
			why: "account expired on 2026-10-31",
		},
	] as const)("disables who was $title ($mode), says why, and gives the same account back on return", async ({ change, mode, why }) => {
		const [anna] = await company(5);
		change();
		const { changes } = await harness.plan(mode);
		expect(changes).toMatchObject([{ kind: "disable", anchor: anna, why, before: { active: true }, after: { active: false } }]);
		expect(await harness.sync(mode)).toMatchObject({ outcome: "succeeded", disabled: 1 });
		expect((await harness.accounts())[anna as string]).toMatchObject({ active: false });
		expect((await harness.plan("full")).changes).toEqual([]);
		person(1);
		expect(await harness.sync("full")).toMatchObject({ enabled: 1, created: 0 });
		expect((await harness.accounts())[anna as string]).toMatchObject({ active: true });
	});

	it("disables when the time of expiry passes although the directory does not change", async () => {
		const expiry = harness.time.now + 86_400_000;
		await company(2);
		person(1, { expiresAt: expiry });
		await harness.sync();
		expect((await harness.accounts())[fake.anchorOf(1)]).toMatchObject({ active: true });
		harness.time.now = expiry;
		expect(await harness.sync("delta")).toMatchObject({ read: 0, disabled: 1 });
	});

	it("leaves a person whose state cannot be read as they were, and makes no account for a new one", async () => {
		const [anna] = await company(5);
		person(1, { standing: "unknown", cn: "Still Anna" });
		person(9, { standing: "unknown" });
		expect(await harness.sync()).toMatchObject({ outcome: "partial", disabled: 0, updated: 1, created: 0, quarantined: 1 });
		expect((await harness.accounts())[anna as string]).toMatchObject({ active: true, displayName: "Still Anna" });
	});

	it("names a manager by anchor, through rename, leaving and return", async () => {
		const boss = person(1, { cn: "Boss" });
		const report = person(2, { manager: `CN=Boss,${PEOPLE}` });
		await harness.sync();
		const managerOf = async () => (await harness.accounts())[report]?.manager;
		expect(await managerOf()).toBe(boss);
		person(1, { cn: "Boss Married" });
		await harness.sync("delta");
		expect(await managerOf()).toBe(boss);
		person(1, { cn: "Boss Married", where: LEAVERS });
		await harness.sync("delta");
		expect(await managerOf()).toBeUndefined();
		person(1, { cn: "Boss Returned", where: `OU=Other,${PEOPLE}` });
		await harness.sync("delta");
		expect(await managerOf()).toBe(boss);
		expect((await harness.plan("full")).changes).toEqual([]);
	});
});

describe("a reading that is not proven complete", () => {
	it("commits nothing when it breaks in the middle, and the next good one heals", async () => {
		const [anna] = await company(9);
		person(2, { cn: "Renamed" });
		fake.faults.cutAfter = 3;
		const broken = await harness.sync("full");
		expect(broken).toMatchObject({
			outcome: "failed",
			sealed: false,
			updated: 0,
			disabled: 0,
			unsealed: ["the connection closed in the middle of a page"],
		});
		expect((await harness.accounts())[anna as string]).toMatchObject({ active: true });
		fake.faults.cutAfter = undefined;
		expect(await harness.sync("delta")).toMatchObject({ outcome: "succeeded", updated: 1 });
	});

	it("disables nobody for absence, and keeps the cursor where it was", async () => {
		await company(5);
		fake.remove(fake.anchorOf(1));
		fake.faults.unsealed = ["the server did not answer with a paged-results control"];
		expect(await harness.sync("full")).toMatchObject({ sealed: false, disabled: 0 });
		fake.faults.unsealed = [];
		expect(await harness.sync("full")).toMatchObject({ sealed: true, disabled: 1 });
	});

	it("is no place to go on from: the next one is a full reading again", async () => {
		person(1);
		fake.faults.unsealed = ["the server did not answer with a paged-results control"];
		expect(await harness.sync("auto")).toMatchObject({ mode: "full", sealed: false, created: 1 });
		fake.faults.unsealed = [];
		expect(await harness.sync("auto")).toMatchObject({ mode: "full", sealed: true });
		expect(await harness.sync("auto")).toMatchObject({ mode: "delta" });
	});

	it("still believes a tombstone and an entry seen elsewhere", async () => {
		await company(5);
		fake.remove(fake.anchorOf(1), true);
		person(2, { where: LEAVERS });
		fake.remove(fake.anchorOf(3));
		fake.faults.unsealed = ["a referral was not followed"];
		expect(await harness.sync("full")).toMatchObject({ disabled: 2 });
	});

	it("takes a directory that is suddenly empty for lost rights", async () => {
		await company(6);
		for (const { anchor } of [...fake.people.values()]) fake.faults.hidden.add(anchor);
		expect(await harness.sync("full")).toMatchObject({
			sealed: false,
			disabled: 0,
			read: 0,
			unsealed: [expect.stringContaining("no entries at all")],
		});
	});

	it("believes that it is empty when everybody was seen somewhere else", async () => {
		await company(3);
		for (const number of [1, 2, 3]) person(number, { where: LEAVERS });
		expect(await harness.sync("full")).toMatchObject({ sealed: true, unsealed: [], disabled: 3, read: 0 });
	});

	it("holds who vanished together with the sight of their container, and lets go when they are back", async () => {
		await company(6);
		fake.faults.hidden.add(fake.anchorOf(4));
		fake.faults.doubt = "its container OU=Sales cannot be seen either";
		expect(await harness.sync("full")).toMatchObject({ outcome: "held", sealed: true, disabled: 0, held: 1 });
		expect(await harness.sync("delta")).toMatchObject({ outcome: "held", held: 1 });
		fake.faults.hidden.clear();
		expect(await harness.sync("full")).toMatchObject({ outcome: "succeeded", held: 0 });
	});

	it("takes an attribute that many lost at once for lost rights, and holds what follows from it", async () => {
		await company(10);
		fake.faults.unreadable.add("mail");
		const report = await harness.sync("full");
		expect(report).toMatchObject({
			outcome: "held",
			sealed: false,
			updated: 0,
			held: 10,
			unsealed: [expect.stringContaining("attribute mail is missing from 10 of the 10")],
		});
		expect(await harness.sync("full")).toMatchObject({ outcome: "held", sealed: false, updated: 0 });
		fake.faults.unreadable.clear();
		expect(await harness.sync("full")).toMatchObject({ outcome: "succeeded", sealed: true, held: 0, updated: 0 });
	});

	it.each(["full", "delta"] as const)(
		"takes an attribute that is gone from everyone in one OU for lost rights, however few they are (%s)",
		async (mode) => {
			await company(60);
			const berlin = `OU=Berlin,${PEOPLE}`;
			for (const number of [1, 2, 3, 4]) person(number, { where: berlin });
			await harness.sync();
			fake.faults.unreadableIn = { attribute: "mail", where: berlin };
			for (const number of [1, 2, 3, 4]) person(number, { where: berlin, cn: `Changed ${number}` });
			const report = await harness.sync(mode);
			expect(report).toMatchObject({ outcome: "held", sealed: true, updated: 0, held: 4 });
			expect(report.heldKinds[0]?.limit).toMatch(/^mail is gone from everyone in OU=Berlin at once/);
			expect(await harness.sync("full")).toMatchObject({ outcome: "held", updated: 0, held: 4 });
			fake.faults.unreadableIn = undefined;
			expect(await harness.sync("full")).toMatchObject({ outcome: "succeeded", updated: 4, held: 0 });
		},
	);

	it("believes that three of an OU have no mail any more while a fourth has", async () => {
		await company(60);
		for (const number of [1, 2, 3]) {
			person(number);
			(fake.people.get(fake.anchorOf(number)) as { attributes: Record<string, string[]> }).attributes["mail"] = [];
		}
		expect(await harness.sync("delta")).toMatchObject({ outcome: "succeeded", updated: 3, held: 0 });
	});

	it("holds an attribute lost in a delta when nobody shows it any more", async () => {
		await company(10);
		fake.faults.unreadable.add("mail");
		person(1, { cn: "Changed" });
		expect(await harness.sync("delta")).toMatchObject({ outcome: "held", updated: 0, held: 1 });
	});

	it("disables nobody when the state of all cannot be read any more", async () => {
		await company(10);
		fake.faults.unreadable.add("useraccountcontrol");
		person(1, { standing: "disabled" });
		expect(await harness.sync("full")).toMatchObject({ disabled: 0 });
	});
});

describe("a changed view", () => {
	it.each(["identity", "scope"] as const)("holds every end when the %s changed, also a single one, until it is approved", async (which) => {
		await company(5);
		fake.settings[which] = "another";
		fake.remove(fake.anchorOf(1));
		const report = await harness.sync("delta");
		expect(report).toMatchObject({ mode: "full", outcome: "held", disabled: 0, held: 1 });
		expect(report.fullBecause).toMatch(/another/);
		expect(await harness.sync("full")).toMatchObject({ outcome: "held", disabled: 0, held: 1 });
		expect(await harness.approve(report.plan as string)).toMatchObject({ outcome: "succeeded", disabled: 1, held: 0 });
	});

	it("is still a changed view after a first reading through it that was not sealed", async () => {
		await company(10);
		fake.settings.identity = "another";
		fake.faults.unsealed = ["a referral was not followed"];
		expect(await harness.sync("full")).toMatchObject({ sealed: false, held: 0 });
		fake.faults.unsealed = [];
		fake.remove(fake.anchorOf(1));
		expect(await harness.sync("full")).toMatchObject({ sealed: true, outcome: "held", disabled: 0, held: 1 });
	});

	it("plans a changed mapping against the snapshot, without waiting for entries to change", async () => {
		await company(4);
		const again = openHarness(fake, {
			file: harness.file,
			mapping: { userName: "{upn | lower}", displayName: "Dr. {cn}", "emails.primary": "{mail}" },
		});
		expect(await again.sync("delta")).toMatchObject({ mode: "delta", read: 0, updated: 4 });
		again.close();
	});
});

describe("a server that breaks in the middle of a reading", () => {
	beforeEach(() => {
		for (const number of [1, 2, 3, 4, 5]) person(number);
		fake.faults.cutAfter = 3;
	});

	it("is left for another one, on which the reading starts again from nothing", async () => {
		Object.assign(fake.settings, { canFailOver: true });
		fake.faults.cuts = 1;
		const report = await harness.sync("full");
		expect(report).toMatchObject({ outcome: "succeeded", sealed: true, read: 5, created: 5 });
		expect(report.warnings).toEqual([expect.stringMatching(/closed in the middle of a page; the reading was started again/)]);
	});

	it("fails the run where there is no other, and where all of them break", async () => {
		expect(await harness.sync("full")).toMatchObject({ outcome: "failed", error: { code: "SOURCE_BROKE" } });
		Object.assign(fake.settings, { canFailOver: true });
		expect(await harness.sync("full")).toMatchObject({ outcome: "failed", error: { code: "SOURCE_BROKE" } });
		expect(await harness.accounts()).toEqual({});
	});
});
