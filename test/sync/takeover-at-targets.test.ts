import { afterEach, beforeEach, expect, it } from "vitest";
import { Failure } from "../../src/core/errors.ts";
import type { Lifecycle } from "../../src/core/lifecycle.ts";
import type { Mapping } from "../../src/core/mapping.ts";
import type { Target } from "../../src/target/target.ts";
import { type FakeSource, makeFakeSource } from "../support/fake-source.ts";
import { type Harness, type HarnessOptions, openHarness } from "../support/harness.ts";
import { makeRemoteDouble } from "../support/remote-double.ts";

const mapping: Mapping = { userName: "{upn}", displayName: "{cn}", employeeNumber: "{number}" };
const PEOPLE = "OU=People,DC=corp,DC=example,DC=test";
const LEAVERS = "OU=Leavers,DC=corp,DC=example,DC=test";

let old: FakeSource;
let now: FakeSource;
let oldSide: Harness;
let newSide: Harness;
let remote: ReturnType<typeof makeRemoteDouble>;
/** Whether the target gives up, before it does what it is asked, or after. */
let losing: "before" | "after" | undefined;

function open(lifecycle: Lifecycle): void {
	old = makeFakeSource(PEOPLE, "old-forest");
	now = makeFakeSource(PEOPLE, "new-forest");
	old.settings.groups = "all";
	remote = makeRemoteDouble();
	losing = undefined;
	const target: Target = {
		...remote.target,
		apply: async (deliveries, signal) => {
			if (losing === "before") throw new Failure("TARGET_UNREACHABLE", "died before doing the work");
			const results = await remote.target.apply(deliveries, signal);
			if (losing === "after") throw new Failure("TARGET_UNREACHABLE", "died after doing the work");
			return results;
		},
	};
	const options: HarnessOptions = { mapping, lifecycle, match: "employeeNumber", adopt: "report", targets: (local) => [local, target] };
	oldSide = openHarness(old, options);
	newSide = openHarness(now, { ...options, beside: oldSide });
}

beforeEach(() => open({ onDisabled: "disable", onOutOfScope: "disable", onDeleted: "disable", deleteAfterMs: undefined }));
afterEach(() => {
	newSide.close();
	oldSide.close();
});

function put(
	fake: FakeSource,
	number: number,
	name: string,
	more: { standing?: "disabled"; where?: string; employee?: string } = {},
): string {
	const anchor = fake.anchorOf(number);
	const attributes = { cn: [name], upn: [`${name}@corp`], number: [more.employee ?? "E7"] };
	fake.put({ anchor, cn: name, where: more.where ?? PEOPLE, standing: more.standing ?? "enabled", attributes });
	return anchor;
}

const down = new Failure("TARGET_UNREACHABLE", "no route");
const later = async (): Promise<void> => {
	for (let round = 0; round < 2; round++) {
		for (const side of [oldSide, newSide]) {
			side.time.now += 24 * 3_600_000;
			await side.sync("full");
		}
	}
};

it("who moved while the old source's removal from a group was not delivered yet is out of that group in the end", async () => {
	put(old, 1, "anna");
	put(old, 2, "stays", { employee: "E1" });
	old.putGroup({ anchor: old.anchorOf(1001), cn: "Admins", isInScope: true, members: [old.anchorOf(1), old.anchorOf(2)] });
	await oldSide.sync("full");
	expect([...remote.groups.values()][0]?.members.size).toBe(2);
	remote.faults.down = down;
	old.remove(old.anchorOf(1), true);
	await oldSide.sync("full");
	put(now, 11, "anna.new");
	await newSide.sync("full");
	remote.faults.down = undefined;
	await later();
	expect([...remote.accounts.values()].map(({ account }) => `${account.userName} ${account.active}`).sort()).toEqual([
		"anna.new@corp true",
		"stays@corp true",
	]);
	expect([...remote.groups.values()][0]?.members.size).toBe(1);
});

it("who moved while the answer to their create was lost has one account", async () => {
	put(old, 2, "stays", { employee: "E1" });
	await oldSide.sync("full");
	put(old, 1, "anna");
	losing = "after";
	await oldSide.sync("full");
	losing = undefined;
	remote.faults.down = down;
	put(old, 1, "anna", { where: LEAVERS });
	await oldSide.sync("full");
	put(now, 11, "anna.new");
	await newSide.sync("full");
	remote.faults.down = undefined;
	await later();
	expect([...remote.accounts.values()].map(({ account }) => account.userName).sort()).toEqual(["anna.new@corp", "stays@corp"]);
});

it("who comes back to an entry whose account is to be deleted at a target out of reach does not make every run fail", async () => {
	oldSide.close();
	newSide.close();
	open({ onDisabled: "disable", onOutOfScope: "disable", onDeleted: "delete", deleteAfterMs: undefined });
	put(old, 1, "anna");
	put(old, 2, "stays", { employee: "E1" });
	await oldSide.sync("full");
	remote.faults.down = down;
	// Deleted there, and made anew in the new forest, which disables her.
	old.remove(old.anchorOf(1), true);
	await oldSide.sync("full");
	put(now, 11, "anna");
	await newSide.sync("full");
	put(now, 11, "anna", { standing: "disabled" });
	await newSide.sync("full");
	// Restored from the recycle bin.
	put(old, 1, "anna");
	expect((await oldSide.sync("full")).outcome).not.toBe("failed");
	remote.faults.down = undefined;
	await later();
	expect([...remote.accounts.values()].map(({ account }) => `${account.userName} ${account.active}`).sort()).toEqual([
		"anna@corp true",
		"stays@corp true",
	]);
});

it("who took over an account whose create was announced and never arrived does not get the new account of the old entry", async () => {
	put(old, 2, "stays", { employee: "E1" });
	await oldSide.sync("full");
	put(old, 1, "anna");
	losing = "before";
	await oldSide.sync("full");
	losing = undefined;
	remote.faults.down = down;
	put(old, 1, "anna", { where: LEAVERS });
	await oldSide.sync("full");
	put(now, 11, "anna.new");
	await newSide.sync("full");
	// The old entry is somebody else's now, and others come, too.
	for (let who = 3; who <= 9; who++) put(old, who, `n${who}`, { employee: `N${who}` });
	put(old, 1, "bert", { employee: "E99" });
	await oldSide.sync("full");
	remote.faults.down = undefined;
	await later();
	expect(
		[...remote.accounts.values()]
			.map(({ account }) => account.userName)
			.filter((name) => !name.startsWith("n"))
			.sort(),
	).toEqual(["anna.new@corp", "bert@corp", "stays@corp"]);
});

it("who took over such an account does not get that of the old entry either when tried after it", async () => {
	put(old, 2, "stays", { employee: "E1" });
	await oldSide.sync("full");
	put(old, 1, "anna");
	losing = "before";
	await oldSide.sync("full");
	losing = undefined;
	remote.faults.down = down;
	put(old, 1, "anna", { where: LEAVERS });
	await oldSide.sync("full");
	put(now, 11, "anna.new");
	put(now, 12, "x12", { employee: "X12" });
	await newSide.sync("full");
	put(old, 1, "bert", { employee: "E99" });
	await oldSide.sync("full");
	remote.faults.down = undefined;
	// The taker is put off once.
	remote.faults.answer.set(now.anchorOf(11), { kind: "later", error: "busy" });
	await later();
	await later();
	expect([...remote.accounts.values()].map(({ account }) => account.userName).sort()).toEqual([
		"anna.new@corp",
		"bert@corp",
		"stays@corp",
		"x12@corp",
	]);
});
