import { describe, expect, it } from "vitest";
import type { DaemonCall } from "../../src/cli/context.ts";
import type { Anchor } from "../../src/core/entry.ts";
import type { PinRecord } from "../../src/core/pin.ts";
import type { Engine, RevertPlan } from "../../src/engine.ts";
import type { JudgedChange } from "../../src/sync/judged.ts";
import { asAnswer, planOf, report, say, type World } from "./world.ts";

const hash = `sha256:${"ab".repeat(32)}`;
const holder = { pid: 1, command: "run", since: 0, url: "http://127.0.0.1:1" };

function plan(more: Partial<RevertPlan> = {}): RevertPlan {
	const account = { userName: "ada@corp", active: false };
	const change: JudgedChange = {
		id: 1,
		kind: "enable",
		subject: "account",
		target: undefined,
		anchor: "a" as Anchor,
		name: "ada@corp",
		cause: undefined,
		why: "revert of run 12: active again",
		before: account,
		after: { ...account, active: true },
		held: undefined,
		effect: "",
	};
	return {
		...planOf({
			mode: "delta",
			summary: { create: 0, update: 0, entitlement: 0, disable: 0, enable: 1, delete: 0 },
			changes: () => [change],
		}),
		revert: { run: 12, leftAlone: [{ name: "bob@corp", why: "it is active again" }], leftAloneCount: 3 },
		...more,
	};
}

describe("revert", () => {
	it("shows what it would do, what it leaves alone and how to do it, and changes nothing", async () => {
		const asked: unknown[] = [];
		const revert = async (request: unknown) => {
			asked.push(request);
			return plan();
		};
		const { code, out, config } = await say(["revert", "12", "--kind", "disable"], { planner: { revert } });
		expect(code).toBe(0);
		expect(asked).toEqual([{ run: 12, kind: "disable", user: undefined }]);
		expect(out.split("\n")).toEqual([
			"corp: revert of run 12",
			"",
			"enable 1",
			"  + ada@corp    revert of run 12: active again",
			"",
			`plan ${hash}`,
			"",
			"left alone 3",
			"  bob@corp  it is active again",
			"  and 2 more",
			"To do it:",
			"  dirsyncd revert 12 --apply --kind disable",
			"",
		]);
		expect(config).toContain("dirsyncd.yaml");
	});

	it("as JSON is a plan with its run and what is left alone", async () => {
		const { out } = await say(["revert", "12", "--json"], { planner: { revert: async () => plan() } });
		expect(JSON.parse(out)).toMatchObject({
			...{ reverts: 12, leftAlone: [{ name: "bob@corp", why: "it is active again" }], leftAloneCount: 3, plan: hash, source: "corp" },
			changes: [{ kind: "enable", name: "ada@corp", why: "revert of run 12: active again" }],
		});
	});

	it("ends with 3 where a person must approve, and says of what", async () => {
		const held = [{ subject: "account", target: undefined, kind: "enable", count: 60, limit: "limit 50" }] as const;
		const { code, out } = await say(["revert", "12"], { planner: { revert: async () => plan({ held }) } });
		expect(code).toBe(3);
		expect(out).toContain("Held until a person approves: 60 enable (limit 50).");
	});

	it("is done in this process, or by the daemon, with the name of who asked for it", async () => {
		const asked: unknown[] = [];
		const done = report({ run: 13, trigger: "revert", enabled: 40, created: 0, revert: plan().revert });
		const revert: Engine["revert"] = async (request, by) => {
			asked.push([request, by]);
			return done;
		};
		const daemon: World["daemon"] = (call: DaemonCall) => {
			asked.push([call.url, call.body]);
			return { status: 200, body: asAnswer(done) };
		};
		const here = await say(["revert", "12", "--apply"], { engine: { revert } });
		expect(here).toMatchObject({ code: 0 });
		expect(here.out).toContain("corp run 13: succeeded, revert of run 12, 40 enabled");
		expect(here.out).toContain("left alone 3");
		const there = await say(["revert", "12", "--apply", "--kind", "disable", "--account", "ada", "--json"], { holder, daemon });
		expect(JSON.parse(there.out)).toMatchObject({ run: 13, enabled: 40, reverts: 12, leftAloneCount: 3 });
		expect(asked).toEqual([
			[{ run: 12, kind: undefined, user: undefined }, "anna"],
			["http://127.0.0.1:1/api/v1/runs/12/revert", { kind: "disable", account: "ada", by: "anna" }],
		]);
	});

	it.each([
		{ argv: ["revert"], says: "revert wants one more word" },
		{ argv: ["revert", "twelve"], says: 'RUN is a whole number from 1 on, not "twelve"' },
		{ argv: ["revert", "12", "--kind", "remove"], says: '"remove" is no kind of change' },
	])("$argv is refused with what is wrong", async ({ argv, says }) => {
		const { code, err } = await say(argv);
		expect(code).toBe(2);
		expect(err).toContain(says);
	});
});

describe("unpin", () => {
	it("lets go in this process, or has the daemon let go", async () => {
		const asked: unknown[] = [];
		const unpin: Engine["unpin"] = async (...given) => {
			asked.push(given);
			return { accounts: 1, pins: 2 };
		};
		const daemon = (call: DaemonCall) => {
			asked.push([call.url, call.body]);
			return { status: 200, body: { accounts: 1, pins: 1 } };
		};
		expect(await say(["unpin", "ada@corp"], { engine: { unpin } })).toMatchObject({ code: 0, out: "ada@corp: let go of 2 pins\n" });
		expect(JSON.parse((await say(["unpin", "ada@corp", "--json"], { holder, daemon })).out)).toEqual({
			user: "ada@corp",
			accounts: 1,
			pins: 1,
		});
		expect(asked).toEqual([
			["ada@corp", "anna"],
			["http://127.0.0.1:1/api/v1/accounts/ada%40corp/unpin", { by: "anna" }],
		]);
	});
});

describe("what is pinned", () => {
	const pin: PinRecord = { part: "state", kept: '"active"', run: 12, by: "anna", at: 1_799_999_000_000 };

	it("is in status and with the account, and says since when and by whom", async () => {
		const named = { source: "corp", anchor: "a", name: "ada@corp", ...pin };
		const status = {
			...{ sources: () => [], targets: () => [], held: () => [], quarantine: () => [] },
			pins: () => [named].values(),
		};
		const { out } = await say(["status"], { views: status });
		expect(out).toContain("Pinned (1)");
		expect(out).toContain('ada@corp  state: "active", since run 12 was reverted by anna at 2027-01-15T07:43:20.000Z');
		expect(out).toContain("dirsyncd unpin USER");
		const json = { part: "state", kept: "active", run: 12, by: "anna", at: "2027-01-15T07:43:20.000Z" };
		expect(JSON.parse((await say(["status", "--json"], { views: status })).out)).toMatchObject({
			pins: [{ source: "corp", anchor: "a", name: "ada@corp", ...json }],
		});
		const account = {
			...{ source: "corp", anchor: "a", account: { userName: "ada@corp", active: true }, because: undefined },
			...{ groups: [], pins: [pin], targets: {} },
		};
		const accounts = () => [account].values();
		expect((await say(["accounts", "ada@corp"], { views: { accounts } })).out).toContain('pinned  state: "active", since run 12');
		expect(JSON.parse((await say(["accounts", "ada@corp", "--json"], { views: { accounts } })).out)).toMatchObject({ pins: [json] });
	});
});
