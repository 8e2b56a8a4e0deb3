import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Mapping } from "../../src/core/mapping.ts";
import type { Target } from "../../src/target/target.ts";
import { type FakePerson, type FakeSource, makeFakeSource } from "../support/fake-source.ts";
import { type Harness, openHarness, testLifecycle } from "../support/harness.ts";
import { makeRemoteDouble } from "../support/remote-double.ts";

const mapping: Mapping = { userName: "{upn}", displayName: "{cn}", employeeNumber: "{number}" };
const PEOPLE = "OU=People,DC=corp,DC=example,DC=test";
const LEAVERS = "OU=Leavers,DC=corp,DC=example,DC=test";

let old: FakeSource;
let now: FakeSource;
let oldSide: Harness;
let newSide: Harness;
let remote: ReturnType<typeof makeRemoteDouble>;

beforeEach(() => {
	old = makeFakeSource(PEOPLE, "old-forest");
	now = makeFakeSource(PEOPLE, "new-forest");
	remote = makeRemoteDouble();
	const targets: Parameters<typeof openHarness>[1] = { mapping, match: "employeeNumber", targets: (local) => [local, remote.target] };
	oldSide = openHarness(old, targets);
	newSide = openHarness(now, { ...targets, beside: oldSide });
});
afterEach(() => {
	newSide.close();
	oldSide.close();
});

function put(
	fake: FakeSource,
	number: number,
	userName: string,
	more: { standing?: "disabled"; where?: string; employee?: string } = {},
): string {
	const anchor = fake.anchorOf(number);
	fake.put({
		anchor,
		cn: userName,
		where: more.where ?? PEOPLE,
		standing: more.standing ?? "enabled",
		attributes: { cn: [userName], upn: [`${userName}@corp`], number: [more.employee ?? "E7"] },
	});
	return anchor;
}

/** Both targets, by anchor: userName and whether active; and the remote ids that there ever were. */
async function accounts(): Promise<Record<string, string>> {
	const local = Object.entries(await oldSide.accounts());
	const shown = Object.fromEntries(
		local.map(([anchor, { userName, active }]) => [anchor, `${userName} ${active ? "active" : "disabled"}`]),
	);
	expect(Object.fromEntries([...remote.accounts.values()].map(({ anchor, account }) => [anchor, account]))).toEqual(
		Object.fromEntries(local),
	);
	return shown;
}

describe("a person who moves to another source", () => {
	it("brings no account along to whose was taken back", async () => {
		put(now, 2, "ann");
		const made = await newSide.sync("full");
		expect(await newSide.revert(made.run)).toMatchObject({ deleted: 1 });
		put(old, 1, "ann", { standing: "disabled" });
		await oldSide.sync("full");
		now.put({ ...(now.people.get(now.anchorOf(2)) as FakePerson), cn: "Anna" });
		await newSide.sync();
		expect(await accounts()).toEqual({ [old.anchorOf(1)]: "ann@corp disabled" });
	});

	it("leaves what was pinned behind, and is nobody's a second time", async () => {
		const anchor = put(old, 1, "ann");
		await oldSide.sync("full");
		const rename = (more: Partial<FakePerson> = {}) =>
			old.put({ ...(old.people.get(anchor) as FakePerson), attributes: { cn: ["Anna"], upn: ["ann@corp"], number: ["E7"] }, ...more });
		rename();
		const renamed = await oldSide.sync();
		expect(await oldSide.revert(renamed.run)).toMatchObject({ updated: 1 });
		rename({ standing: "disabled" });
		expect(await oldSide.sync()).toMatchObject({ disabled: 1 });
		put(now, 2, "ann");
		const moved = await newSide.sync("full");
		expect(await accounts()).toEqual({ [now.anchorOf(2)]: "ann@corp active" });
		expect(oldSide.views((views) => [...views.pins()])).toEqual([]);
		rename({ standing: "disabled", where: `OU=Sales,${PEOPLE}` });
		expect(await oldSide.sync("full")).toMatchObject({ created: 0 });
		expect(await accounts()).toEqual({ [now.anchorOf(2)]: "ann@corp active" });
		expect((await newSide.planRevert(moved.run)).leftAlone).toContain("ann@corp: it came from source old-forest, and stays with this one");
	});

	it("brings the one account along, with a new name and a new anchor, and is never made twice", async () => {
		put(old, 1, "anna");
		put(old, 2, "stays", { employee: "E1" });
		await oldSide.sync("full");
		put(old, 1, "anna", { where: LEAVERS });
		await oldSide.sync("full");
		const anchor = put(now, 11, "anna.new");
		expect(await newSide.sync("full")).toMatchObject({ outcome: "succeeded", created: 0, updated: 1, enabled: 1, pending: 0 });
		expect(await accounts()).toEqual({ [anchor]: "anna.new@corp active", [old.anchorOf(2)]: "stays@corp active" });
		expect(remote.creates()).toBe(2);
		const [change] = newSide.views((views) => [...views.changes(views.runs(1)[0]?.run as number)]).filter(({ kind }) => kind === "update");
		expect(change?.why).toContain(`came from source old-forest (${old.anchorOf(1)})`);
		for (const side of [oldSide, newSide, oldSide])
			expect(await side.sync("full")).toMatchObject({ outcome: "succeeded", created: 0, updated: 0, disabled: 0 });
		expect(await accounts()).toEqual({ [anchor]: "anna.new@corp active", [old.anchorOf(2)]: "stays@corp active" });
	});

	it("keeps the account as it is when nothing but the source is another, and it is known by the new anchor from then on", async () => {
		put(old, 1, "anna");
		put(old, 2, "stays", { employee: "E1" });
		await oldSide.sync("full");
		put(old, 1, "anna", { where: LEAVERS });
		await oldSide.sync("delta");
		const anchor = put(now, 11, "anna");
		await newSide.sync("full");
		expect((await accounts())[anchor]).toBe("anna@corp active");
		expect(Object.keys(await accounts())).toHaveLength(2);
	});

	it("waits while the old source has the account active, with a reason, and comes as soon as it has not", async () => {
		put(old, 1, "anna");
		await oldSide.sync("full");
		const anchor = put(now, 11, "anna.new");
		expect(await newSide.sync("full")).toMatchObject({ outcome: "partial", created: 0, quarantined: 1 });
		const [waiting] = newSide.views((views) => views.quarantine());
		expect(waiting?.reason).toBe(
			`employeeNumber e7 belongs to the account anna@corp of source old-forest (${old.anchorOf(1)}), which is active there; it waits until it is not`,
		);
		put(old, 1, "anna", { standing: "disabled" });
		await oldSide.sync("delta");
		expect(await newSide.sync("delta")).toMatchObject({ outcome: "succeeded", updated: 1, enabled: 1, quarantined: 0 });
		expect(await accounts()).toEqual({ [anchor]: "anna.new@corp active" });
	});

	it("waits while a target still has a former account of theirs, whose end it refuses", async () => {
		newSide.close();
		const lifecycle = { ...testLifecycle, onDeleted: "delete" } as const;
		const targets = (local: Target) => [local, remote.target];
		newSide = openHarness(now, { mapping, match: "employeeNumber", lifecycle, targets, beside: oldSide });
		put(now, 12, "stays", { employee: "E1" });
		const anchor = put(now, 11, "anna.new");
		await newSide.sync("full");
		remote.faults.refuse.add(anchor);
		now.remove(anchor);
		await newSide.sync("full");
		put(old, 1, "anna", { standing: "disabled" });
		await oldSide.sync("full");
		put(now, 11, "anna.again");
		expect(await newSide.sync("full")).toMatchObject({ outcome: "partial", quarantined: 1 });
		expect(newSide.views((views) => views.quarantine())[0]?.reason).toContain("target remote still has a former account of this person");
		remote.faults.refuse.clear();
		newSide.time.now += 24 * 3_600_000;
		await newSide.sync("full");
		expect(await newSide.sync("full")).toMatchObject({ outcome: "succeeded", quarantined: 0 });
		expect((await accounts())[anchor]).toBe("anna.again@corp active");
	});

	it("does not go back and forth while the old source still knows the person as disabled, nor when it enables the person again", async () => {
		put(old, 1, "anna", { standing: "disabled" });
		await oldSide.sync("full");
		const anchor = put(now, 11, "anna.new");
		await newSide.sync("full");
		for (const side of [oldSide, newSide, oldSide]) expect(await side.sync("full")).toMatchObject({ outcome: "succeeded" });
		put(old, 1, "anna");
		expect(await oldSide.sync("full")).toMatchObject({ outcome: "partial", created: 0, quarantined: 1 });
		expect(await accounts()).toEqual({ [anchor]: "anna.new@corp active" });
		// And when the new one lets go, the account goes back.
		put(now, 11, "anna.new", { standing: "disabled" });
		await newSide.sync("full");
		expect(await oldSide.sync("full")).toMatchObject({ outcome: "succeeded", quarantined: 0 });
		expect(await accounts()).toEqual({ [old.anchorOf(1)]: "anna@corp active" });
		expect(remote.creates()).toBe(1);
	});

	it("stays where it is while its move is held, and moves when that is approved", async () => {
		for (const number of [1, 2, 3]) put(old, number, `old${number}`, { employee: `E${number}`, standing: "disabled" });
		await oldSide.sync("full");
		Object.assign(newSide.context.sync, { limits: { update: { count: 2, floor: 0 } } });
		const before = await accounts();
		for (const number of [1, 2, 3]) put(now, 10 + number, `new${number}`, { employee: `E${number}` });
		const report = await newSide.sync("full");
		expect(report).toMatchObject({ outcome: "held", held: 6, created: 0 });
		expect(await accounts()).toEqual(before);
		expect(await newSide.approve(report.plan as string)).toMatchObject({ updated: 3, enabled: 3 });
		expect(Object.values(await accounts()).sort()).toEqual(["new1@corp active", "new2@corp active", "new3@corp active"]);
	});

	it("leaves two of the same number alone, and makes accounts for those who have none", async () => {
		put(old, 1, "one", { standing: "disabled" });
		put(old, 2, "two", { standing: "disabled" });
		await oldSide.sync("full");
		put(now, 11, "three");
		put(now, 12, "four", { employee: "E8" });
		expect(await newSide.sync("full")).toMatchObject({ created: 1, quarantined: 1 });
		const [waiting] = newSide.views((views) => views.quarantine());
		expect(waiting?.reason).toMatch(/and to 1 more/);
	});

	it("leaves the old source's groups and may be in the new one's", async () => {
		for (const fake of [old, now]) fake.settings.groups = "all";
		const anna = put(old, 1, "anna");
		put(old, 2, "stays", { employee: "E1" });
		old.putGroup({ anchor: old.anchorOf(1001), cn: "Old", isInScope: true, members: [anna, old.anchorOf(2)] });
		await oldSide.sync("full");
		put(old, 1, "anna", { standing: "disabled" });
		await oldSide.sync("full");
		const anchor = put(now, 11, "anna");
		now.putGroup({ anchor: now.anchorOf(1011), cn: "New", isInScope: true, members: [anchor] });
		await newSide.sync("full");
		for (const target of [oldSide.local, remote.target])
			expect(await oldSide.groups(target)).toEqual({ Old: [old.anchorOf(2)], New: [anchor] });
		expect(await oldSide.sync("full")).toMatchObject({ outcome: "succeeded", groups: { left: 0, joined: 0 } });
	});
});
