import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Account } from "../../src/core/account.ts";
import type { Anchor } from "../../src/core/entry.ts";
import { Failure } from "../../src/core/errors.ts";
import { type FakeSource, makeFakeSource } from "../support/fake-source.ts";
import { type Harness, type HarnessOptions, openHarness } from "../support/harness.ts";
import { makeRemoteDouble, type RemoteDoubleOptions } from "../support/remote-double.ts";

const PEOPLE = "OU=People,DC=corp,DC=example,DC=test";
let fake: FakeSource;
let remote: ReturnType<typeof makeRemoteDouble>;
let harness: Harness;

beforeEach(() => {
	fake = makeFakeSource();
	open({});
});
afterEach(() => harness.close());

/** A harness on a new database, with the local target and the double of a remote one. */
function open(options: RemoteDoubleOptions, more: Partial<HarnessOptions> = {}): void {
	harness?.close();
	remote = makeRemoteDouble({ batch: 1, lanes: 4, ...options });
	harness = openHarness(fake, { ...more, targets: (local) => [local, remote.target] });
}

function put(who: number, more: { name?: string; manager?: number; standing?: "enabled" | "disabled" } = {}): void {
	const cn = `P${who}`;
	fake.put({
		...{ anchor: fake.anchorOf(who), cn, where: PEOPLE, standing: more.standing ?? "enabled" },
		attributes: {
			cn: [cn],
			upn: [more.name ?? `p${who}@corp`],
			...(more.manager !== undefined && { manager: [`CN=P${more.manager},${PEOPLE}`] }),
		},
	});
}

const anchor = (who: number) => fake.anchorOf(who) as Anchor;
const idOf = (who: number) => [...remote.accounts].find(([, kept]) => kept.anchor === anchor(who))?.[0];
const at = (who: number) => remote.accounts.get(idOf(who) ?? "")?.account;
const there = (userName: string, externalId?: Anchor) => {
	const account: Account = { userName, displayName: "Was there", active: true };
	remote.accounts.set("old", { anchor: externalId, account });
};
const logged = (result: string) =>
	harness.views((views) => {
		const runs = [...views.runs(100)].map(({ run }) => run);
		return runs.flatMap((run) => [...views.changes(run)]).filter((change) => change.result === result);
	});
const stateOf = (who: number) => harness.views((views) => [...views.accounts(anchor(who))][0]?.targets["remote"]);
const later = (ms: number) => {
	harness.time.now += ms;
	return harness.sync("delta");
};

describe("an account that is there already", () => {
	it("is adopted with adopt: exact, by its name, and keeps its id; what it was is in the change log", async () => {
		open({}, { adopt: "exact" });
		put(1);
		there("P1@corp");
		await harness.sync("full");
		expect([...remote.accounts]).toEqual([
			["old", { anchor: anchor(1), account: { userName: "p1@corp", displayName: "P1", active: true } }],
		]);
		expect(logged("adopted")).toMatchObject([
			{ kind: "create", target: "remote", anchor: anchor(1), before: { displayName: "Was there" }, after: { displayName: "P1" } },
		]);
		expect(stateOf(1)).toEqual({ state: "applied", remoteId: "old" });
	});

	it.each([
		{ adopt: "report", says: 'userName "p1@corp" is there already, as old, and would be adopted with adopt: exact' },
		{ adopt: "never", says: 'userName "p1@corp" is there already, as old, and is not ours (adopt: never)' },
	] as const)("is left alone with adopt: $adopt, and said once", async ({ adopt, says }) => {
		open({}, { adopt });
		put(1);
		put(2);
		there("p1@corp");
		const report = await harness.sync("full");
		expect(report.outcome).toBe("partial");
		expect(remote.accounts.get("old")?.account.displayName).toBe("Was there");
		expect(at(2)).toBeDefined();
		expect(stateOf(1)).toMatchObject({ state: "failed", error: says });
		await later(60_000);
		await later(3_600_000);
		expect(logged("left alone")).toHaveLength(1);
		expect(remote.sent.filter((delivery) => delivery.anchor === anchor(1))).toEqual([]);
	});

	it.each(["exact", "report"] as const)("is never taken from whoever it has the externalId of, with adopt: %s", async (adopt) => {
		open({}, { adopt });
		put(1);
		there("p1@corp", "somebody-else" as Anchor);
		await harness.sync("full");
		expect(stateOf(1)).toMatchObject({ state: "failed", error: expect.stringContaining("has another externalId: somebody-else") });
		expect(remote.accounts.get("old")?.account.displayName).toBe("Was there");
	});

	it("is the account of another person of ours: nobody takes it from them, even if it does not say so", async () => {
		open({}, { adopt: "exact" });
		put(1);
		await harness.sync("full");
		const kept = remote.accounts.get(idOf(1) ?? "");
		if (kept !== undefined) kept.anchor = undefined;
		// The first one is renamed and refused: its old name, which is free here, is still its own there.
		remote.faults.refuse.add(anchor(1));
		put(1, { name: "new@corp" });
		put(2, { name: "p1@corp" });
		await harness.sync("delta");
		expect(stateOf(2)).toMatchObject({ state: "failed", error: expect.stringContaining(`which is the account of ${anchor(1)}`) });
	});

	it("has our externalId without our having made it: the configuration decides here, too", async () => {
		open({}, { adopt: "report" });
		put(1);
		there("other@corp", anchor(1));
		await harness.sync("full");
		expect(stateOf(1)).toMatchObject({ state: "failed", error: expect.stringContaining("would be adopted") });
	});

	it("was found taken only when it was sent: it is looked up at once", async () => {
		open({}, { adopt: "exact" });
		put(1);
		remote.faults.answer.set(anchor(1), { kind: "conflict", error: "409 taken" });
		await harness.sync("full");
		expect(at(1)).toBeDefined();
		expect(remote.creates()).toBe(1);
	});
});

describe("an account that is gone at the target", () => {
	it("is matched again and made anew, in the groups it was in", async () => {
		fake.settings.groups = "all";
		open({});
		put(1);
		fake.putGroup({ anchor: fake.anchorOf(1001), cn: "G", isInScope: true, members: [anchor(1)] });
		await harness.sync("full");
		const first = idOf(1) ?? "";
		expect([...([...remote.groups.values()][0]?.members ?? [])]).toEqual([first]);
		remote.accounts.delete(first);
		for (const group of remote.groups.values()) group.members.delete(first);
		put(1, { name: "renamed@corp" });
		await harness.sync("delta");
		expect(at(1)?.userName).toBe("renamed@corp");
		expect(idOf(1)).not.toBe(first);
		expect([...([...remote.groups.values()][0]?.members ?? [])]).toEqual([idOf(1)]);
		expect(logged("lost")).toHaveLength(1);
	});

	it("is not made over and over when it goes as often", async () => {
		put(1);
		await harness.sync("full");
		for (let round = 0; round < 20; round++) {
			remote.accounts.clear();
			put(1, { name: `n${round % 2}@corp` });
			await later(1000);
		}
		// Each change of the directory makes it once, and none of them twice.
		expect(remote.creates()).toBeLessThanOrEqual(21);
	});
});

describe("a manager at a target that has ids of its own", () => {
	beforeEach(() => open({ managerBy: "remote-id" }));

	it("is there for everyone in the end, whoever was made first, and round in a circle", async () => {
		put(1, { manager: 3 });
		put(2, { manager: 1 });
		put(3, { manager: 2 });
		put(4, { manager: 4 });
		await harness.sync("full");
		expect([1, 2, 3, 4].map((who) => at(who)?.manager)).toEqual([3, 1, 2, 4].map(idOf));
		expect((await harness.sync("full")).delivered).toBe(0);
	});

	it("who is refused is left out until they are there; nobody waits for them", async () => {
		put(1, { manager: 2 });
		put(2);
		remote.faults.refuse.add(anchor(2));
		const { pending } = await harness.sync("full");
		expect(at(1)).toBeDefined();
		expect(at(1)?.manager).toBeUndefined();
		expect(pending).toBe(1);
		remote.faults.refuse.clear();
		await later(3_600_000);
		expect(at(1)?.manager).toBe(idOf(2));
	});

	it("who was lost and made anew has another id, which is told", async () => {
		put(1, { manager: 2 });
		put(2);
		await harness.sync("full");
		remote.accounts.delete(idOf(2) ?? "");
		put(2, { name: "renamed@corp" });
		await harness.sync("delta");
		expect(at(1)?.manager).toBe(idOf(2));
	});
});

describe("deliveries", () => {
	it("go side by side, as many as the target takes, and never two of one account", async () => {
		for (let who = 1; who <= 40; who++) put(who);
		await harness.sync("full");
		expect(remote.most()).toBe(4);
		expect(remote.accounts.size).toBe(40);
		for (let who = 1; who <= 40; who++) put(who, { name: `p${who % 40}.new@corp` });
		await harness.sync("delta");
		expect(new Set([...remote.accounts.values()].map(({ account }) => account.userName)).size).toBe(40);
	});

	it("swap names in the end, though nobody may have a name twice, and keep everybody's addresses", async () => {
		const mapping = { userName: "{upn}", displayName: "{cn}", "emails.primary": "{upn}" };
		open({}, { mapping });
		for (let who = 1; who <= 6; who++) put(who);
		await harness.sync("full");
		for (let who = 1; who <= 6; who++) put(who, { name: `p${(who % 6) + 1}@corp` });
		await harness.sync("delta");
		for (let who = 1; who <= 6; who++) {
			const name = `p${(who % 6) + 1}@corp`;
			expect(at(who)).toMatchObject({ userName: name, emails: [{ value: name, type: "work", primary: true }] });
		}
	});

	it("have the same key for every retry, and another one for every change, also back and forth", async () => {
		put(1);
		remote.faults.answer.set(anchor(1), { kind: "later", error: "503" });
		await harness.sync("full");
		await later(60_000);
		for (const name of ["a@corp", "b@corp", "a@corp", "b@corp"]) {
			put(1, { name });
			await harness.sync("delta");
		}
		const keys = remote.sent.map(({ key }) => key);
		expect(keys[0]).toBe(keys[1]);
		expect(new Set(keys).size).toBe(keys.length - 1);
	});

	it("of who leaves do not wait for a first delivery to end", async () => {
		put(1);
		await harness.sync("full");
		for (let who = 100; who < 300; who++) put(who);
		put(1, { standing: "disabled" });
		await harness.sync("delta");
		const order = remote.sent.map((delivery) => delivery.anchor);
		// The create of the first run, then the disable, before everybody else.
		expect(order.indexOf(anchor(1), 1)).toBe(1);
	});

	it("go on beside the run that wanted them when it has no patience left, and the next run can begin", async () => {
		const { promise, resolve } = Promise.withResolvers<void>();
		const { apply } = remote.target;
		Object.assign(remote.target, { apply: async (...given: Parameters<typeof apply>) => promise.then(() => apply(...given)) });
		harness.close();
		harness = openHarness(fake, { targets: (local) => [local, remote.target], patienceMs: 20 });
		put(1);
		expect(await harness.sync("full")).toMatchObject({ outcome: "succeeded", delivered: 1, pending: 1 });
		put(2);
		expect(await harness.sync("delta")).toMatchObject({ created: 1, pending: 2 });
		resolve();
		await harness.context.deliveries.settle(new AbortController().signal, () => {});
		expect(remote.accounts.size).toBe(2);
	});

	it("are told as they come, and how much is open still", async () => {
		for (let who = 1; who <= 3; who++) put(who);
		remote.faults.refuse.add(anchor(2));
		await harness.sync("full");
		const news = harness.news.filter(({ target }) => target === "remote");
		expect(news.flatMap(({ counts }) => counts)).toMatchObject([
			{ kind: "create", result: "applied", count: 2 },
			{ kind: "create", result: "refused", count: 1 },
		]);
		expect(news.at(-1)).toMatchObject({ pending: 1, end: { kind: "done" } });
	});
});

describe("a target that is out of reach", () => {
	const down = (retryAfterMs?: number) =>
		new Failure("TARGET_UNREACHABLE", "no answer from https://scim.example.test", {
			hint: "Check the network.",
			...(retryAfterMs !== undefined && { retryAfterMs }),
		});

	it("delays only itself, is tried again by and by, and is said once until it is back", async () => {
		put(1);
		remote.faults.down = down();
		const report = await harness.sync("full");
		expect(report.outcome).toBe("succeeded");
		expect(report.warnings).toEqual([expect.stringContaining("target remote: no answer from https://scim.example.test")]);
		expect(Object.keys(await harness.accounts())).toHaveLength(1);
		const trouble = harness.views((views) => views.targets().find(({ target }) => target === "remote")?.trouble);
		expect(trouble).toMatchObject({ because: "no answer from https://scim.example.test", hint: "Check the network.", failures: 1 });
		// Not before its time.
		remote.faults.down = undefined;
		await later(1);
		expect(remote.accounts.size).toBe(0);
		await later(60_000);
		expect(remote.accounts.size).toBe(1);
		const ends = harness.news.filter(({ target, end }) => target === "remote" && end !== undefined).map(({ end }) => end);
		expect(ends).toMatchObject([{ kind: "trouble", isNew: true }, { kind: "recovered" }, { kind: "done", hasRecovered: false }]);
		expect(harness.views((views) => views.targets().find(({ target }) => target === "remote")?.trouble)).toBeUndefined();
	});

	it("is left alone for as long as it says", async () => {
		put(1);
		remote.faults.down = down(3_600_000);
		await harness.sync("full");
		remote.faults.down = undefined;
		await later(3_590_000);
		expect(remote.accounts.size).toBe(0);
		await later(20_000);
		expect(remote.accounts.size).toBe(1);
	});

	it("counts nothing against the accounts: they are delivered at once when it is back", async () => {
		put(1);
		remote.faults.down = down();
		for (let round = 0; round < 5; round++) await later(3_600_000);
		remote.faults.down = undefined;
		await later(3_600_000);
		expect(at(1)).toBeDefined();
		expect(stateOf(1)).toEqual({ state: "applied", remoteId: idOf(1) });
	});
});

describe("members at a target", () => {
	beforeEach(() => {
		fake.settings.groups = "all";
		open({ memberBatch: 8 });
		for (let who = 1; who <= 20; who++) put(who);
		fake.putGroup({
			anchor: fake.anchorOf(1001),
			cn: "G",
			isInScope: true,
			members: Array.from({ length: 20 }, (_, index) => anchor(index + 1)),
		});
	});
	const members = () => [...remote.groups.values()][0]?.members.size;

	it("who are refused are set aside by themselves; the others come in", async () => {
		remote.faults.refuse.add(anchor(7));
		open({ memberBatch: 8 });
		const { apply } = remote.target.groups ?? expect.fail();
		// Refused as a member only.
		Object.assign(remote.target.groups ?? {}, {
			apply: async (...given: Parameters<typeof apply>) =>
				given[0].added.some((member) => member.anchor === anchor(7)) ? { kind: "refused", error: "400 no seventh" } : apply(...given),
		});
		await harness.sync("full");
		expect(members()).toBe(19);
		const group = harness.views((views) => [...views.groups("G")][0]);
		expect(group?.targets["remote"]).toMatchObject({ state: "failed", error: `member ${anchor(7)}: 400 no seventh` });
	});

	it("who are not there yet come in when they are", async () => {
		remote.faults.refuse.add(anchor(3));
		await harness.sync("full");
		expect(members()).toBe(19);
		remote.faults.refuse.clear();
		await later(3_600_000);
		expect(members()).toBe(20);
		expect((await harness.sync("full")).pending).toBe(0);
	});

	it("are all there again when the group was gone", async () => {
		await harness.sync("full");
		remote.groups.clear();
		fake.putGroup({
			...{ anchor: fake.anchorOf(1001), cn: "H", isInScope: true },
			members: Array.from({ length: 19 }, (_, index) => anchor(index + 1)),
		});
		await harness.sync("delta");
		expect(members()).toBe(19);
	});
});

describe("a target of the configuration", () => {
	const reopen = (targets: NonNullable<HarnessOptions["targets"]>) => {
		const { file, time } = harness;
		const again = openHarness(fake, { file, targets });
		again.time.now = time.now;
		return again;
	};

	it("that comes later gets everything it should have", async () => {
		for (let who = 1; who <= 5; who++) put(who);
		await harness.sync("full");
		const second = makeRemoteDouble({ name: "second" });
		const again = reopen((local) => [local, remote.target, second.target]);
		await again.sync("delta");
		expect(second.accounts.size).toBe(5);
		again.context.session.close();
	});

	it("that goes is left alone, and has missed nothing when it comes back", async () => {
		put(1);
		put(2);
		await harness.sync("full");
		const without = reopen((local) => [local]);
		put(1, { standing: "disabled" });
		put(3);
		await without.sync("delta");
		expect(at(1)?.active).toBe(true);
		expect(without.views((views) => views.targets().map(({ target }) => target))).toContain("remote");
		without.context.session.close();
		const again = reopen((local) => [local, remote.target]);
		await again.sync("delta");
		expect(at(1)?.active).toBe(false);
		expect(at(3)).toBeDefined();
		again.context.session.close();
	});
});
