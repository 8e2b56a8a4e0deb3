import { describe, expect, it } from "vitest";
import type { DaemonCall } from "../../src/cli/context.ts";
import { Failure } from "../../src/core/errors.ts";
import type { Drift, Engine, Planner } from "../../src/engine.ts";
import type { AccountView, LoggedChange } from "../../src/store/views.ts";
import { runView, say, wholeChain } from "./world.ts";

const ada: AccountView = {
	source: "corp",
	anchor: "0b7f5d7c-0000-4000-8000-000000000001",
	account: {
		userName: "ada@corp",
		displayName: "Ada",
		name: { givenName: "Ada", familyName: "L" },
		emails: [{ value: "ada@x", type: "work", primary: true }],
		active: true,
		employeeNumber: "7",
	},
	because: undefined,
	groups: [],
	targets: { accounts: { state: "applied", remoteId: "1" } },
};
const bob: AccountView = {
	...ada,
	anchor: "b",
	account: { userName: "bob@corp", active: false },
	because: "account expired on 2026-11-01",
	targets: { accounts: { state: "failed", error: "refused" } },
};

function* these(...accounts: AccountView[]): IterableIterator<AccountView> {
	yield* accounts;
}

describe("accounts", () => {
	it("prints JSON Lines with the fields of the contract in its order, those without a value left out", async () => {
		const said = await say(["accounts", "--json"], { views: { accounts: () => these(ada, bob) } });
		expect(said.code).toBe(0);
		expect(said.out.split("\n")).toEqual([
			'{"source":"corp","anchor":"0b7f5d7c-0000-4000-8000-000000000001","userName":"ada@corp","displayName":"Ada","name":{"givenName":"Ada","familyName":"L"},"emails":[{"value":"ada@x","type":"work","primary":true}],"active":true,"employeeNumber":"7","targets":{"accounts":{"state":"applied","remoteId":"1"}}}',
			'{"source":"corp","anchor":"b","userName":"bob@corp","active":false,"targets":{"accounts":{"state":"failed","error":"refused"}}}',
			"",
		]);
	});

	it("shows a person who is not active, and why", async () => {
		const { out } = await say(["accounts"], { views: { accounts: () => these(ada, bob) } });
		expect(out).toMatch(/ada@corp +Ada +active +corp\n/);
		expect(out).toMatch(/bob@corp +disabled +corp +account expired on 2026-11-01; accounts: failed, refused\n/);
	});

	it("ends with 1 when there is no such user", async () => {
		const said = await say(["accounts", "nobody", "--json"], { views: { accounts: () => these() } });
		expect(said.code).toBe(1);
		expect(JSON.parse(said.out).error.code).toBe("NOT_FOUND");
	});
});

describe("status", () => {
	it("shows configured sources that were never read, held plans and who was set aside", async () => {
		const plan = `sha256:${"cd".repeat(32)}`;
		const views = {
			sources: () => [],
			targets: () => [
				{
					target: "accounts",
					accounts: 10,
					pending: 1,
					failed: 0,
					lastError: undefined,
					released: 0,
					trouble: undefined,
					readBack: undefined,
				},
			],
			held: () => [
				{
					plan,
					source: "corp",
					since: 0,
					kinds: [{ subject: "account", target: undefined, kind: "disable", count: 300, limit: "limit 50" } as const],
					changes: [],
				},
			],
			quarantine: () => [{ source: "corp", anchor: "x", name: "Eve", reason: "no value for userName", since: 0 }],
		};
		const people = await say(["status"], { views });
		expect(people.code).toBe(0);
		for (const text of ["corp", "never", "not running", `dirsyncd approve ${plan}`, "no value for userName"])
			expect(people.out).toContain(text);
		const json = JSON.parse(
			(await say(["status", "--json"], { views, holder: { pid: 1, command: "run", since: 0, url: "http://127.0.0.1:1" } })).out,
		);
		expect(json).toMatchObject({ daemon: { url: "http://127.0.0.1:1" }, sources: [{ source: "corp", lastRun: null }], held: [{ plan }] });
	});
});

describe("status of targets", () => {
	const target = {
		...{
			target: "accounts",
			accounts: 10,
			pending: 1,
			failed: 0,
			lastError: undefined,
			released: 0,
			trouble: undefined,
			readBack: undefined,
		},
	};
	const out = async (more: object) => {
		const views = { sources: () => [], targets: () => [{ ...target, ...more }], held: () => [], quarantine: () => [] };
		return (await say(["status"], { views })).out;
	};

	it.each([
		{ more: {}, says: [] },
		{ more: { target: "former" }, says: ["former: not in the configuration any more, and left alone; dirsyncd forget former"] },
		{
			more: { trouble: { because: "no answer", hint: "Check the network.", since: 0, retryAt: 60_000, failures: 3 } },
			says: ["takes nothing since 1970-01-01T00:00:00.000Z: no answer", "Check the network. Tried again at 1970-01-01T00:01:00.000Z"],
		},
		{ more: { released: 3 }, says: ["3 released, and left alone since"] },
		{
			more: { readBack: { at: 0, counts: { same: 7, changed: 2, missing: 1, others: 0 } } },
			says: ["read back at 1970-01-01T00:00:00.000Z: 2 changed there, 1 missing"],
		},
		{ more: { readBack: { at: 0, counts: { same: 10, changed: 0, missing: 0, others: 0 } } }, says: [] },
	])("with $more says $says", async ({ more, says }) => {
		const said = await out(more);
		const notes = said.split("\n").filter((line) => line.startsWith("  accounts: ") || line.startsWith("  former: "));
		expect(notes).toHaveLength(says.length);
		for (const each of says) expect(said).toContain(each);
	});
});

describe("forget", () => {
	it("forgets in this process, or has the daemon forget", async () => {
		const asked: unknown[] = [];
		const forget: Engine["forget"] = async (...given) => {
			asked.push(given);
			return { accounts: 5, groups: 1 };
		};
		expect(await say(["forget", "former"], { engine: { forget } })).toMatchObject({
			code: 0,
			out: "former: forgot 5 accounts and 1 groups\n",
		});
		expect(JSON.parse((await say(["forget", "gateway", "ada", "--json"], { engine: { forget } })).out)).toEqual({
			...{ target: "gateway", accounts: 5, groups: 1 },
		});
		const holder = { pid: 1, command: "run", since: 0, url: "http://127.0.0.1:1" };
		const daemon = (call: DaemonCall) => {
			asked.push([call.url, call.body]);
			return { status: 200, body: { accounts: 1, groups: 0 } };
		};
		await say(["forget", "gate way", "ada"], { holder, daemon });
		expect(asked).toEqual([
			["former", undefined, "anna"],
			["gateway", "ada", "anna"],
			["http://127.0.0.1:1/api/v1/targets/gate%20way/forget", { user: "ada", by: "anna" }],
		]);
	});
});

describe("runs", () => {
	const logged: LoggedChange = {
		...{
			kind: "create",
			subject: "account",
			target: undefined,
			anchor: "a" as LoggedChange["anchor"],
			name: "ada",
			why: "new in the directory",
		},
		...{ before: undefined, after: { userName: "ada", active: true }, sequence: 1, at: 0, run: 7, source: "corp", result: "committed" },
	};

	it("lists runs with instants as ISO 8601", async () => {
		const said = await say(["runs", "--json"], { views: { runs: () => [runView()] } });
		expect(JSON.parse(said.out)[0]).toMatchObject({ run: 7, startedAt: "2027-01-15T07:43:20.000Z", outcome: "succeeded" });
		expect((await say(["runs"], { views: { runs: () => [runView()] } })).out).toMatch(/7 +corp +2027-01-15T07:43:20.000Z +2.0 s +full/);
	});

	it("shows one run with its changes", async () => {
		const views = { run: () => runView(), changes: () => [logged].values() };
		expect(JSON.parse((await say(["runs", "7", "--json"], { views })).out).changes).toMatchObject([
			{ kind: "create", name: "ada", before: null, result: "committed" },
		]);
		expect((await say(["runs", "7"], { views })).out).toContain("create  ada  new in the directory");
	});

	it("says which target's own doing a change is", async () => {
		const views = { run: () => runView(), changes: () => [logged, { ...logged, target: "gateway" } as LoggedChange].values() };
		const { changes } = JSON.parse((await say(["runs", "7", "--json"], { views })).out);
		expect(changes).toMatchObject([{ target: null }, { target: "gateway" }]);
		expect((await say(["runs", "7"], { views })).out).toContain("create  ada  at gateway  new in the directory");
	});

	it("ends with 1 when there is no such run", async () => {
		expect((await say(["runs", "8"], { views: { run: () => undefined } })).code).toBe(1);
	});
});

describe("check", () => {
	const passed = { step: "bind", subject: "ldaps://dc1", state: "passed", detail: "as svc@corp" } as const;
	const failed = { step: "rights", subject: "corp", state: "failed", detail: "mail cannot be read", remedy: "Grant Read mail." } as const;

	it("prints each step with its remedy, and ends with 1 when one failed", async () => {
		const said = await say(["check"], { steps: [passed, failed] });
		expect(said.code).toBe(1);
		expect(said.out).toContain("-> Grant Read mail.");
		expect((await say(["check"], { steps: [passed] })).code).toBe(0);
	});

	it("prints an array of steps as JSON, with the configuration and the database first", async () => {
		const said = await say(["check", "--json"], { steps: [passed, failed] });
		expect(JSON.parse(said.out).map((step: { step: string; state: string }) => `${step.step} ${step.state}`)).toEqual([
			"configuration passed",
			"configuration warned",
			"database passed",
			"bind passed",
			"rights failed",
		]);
	});

	const gateway = { step: "accounts", subject: "https://scim.example.test", state: "passed", detail: "can be listed" } as const;

	it("looks at targets, too, and stays with the one kind when --source or --target names one", async () => {
		const world = { steps: [passed], targetSteps: [gateway], planner: { readBack: async () => nothingChanged } };
		const lines = async (...argv: string[]) => (await say(["check", ...argv], world)).out;
		expect(await lines()).toMatch(/bind[\s\S]*can be listed/);
		expect(await lines("--source", "corp")).not.toContain("can be listed");
		expect(await lines("--target", "accounts")).not.toContain("bind ");
		expect((await say(["check", "--target", "nobody"], world)).err).toContain("the targets are accounts");
	});

	const nothingChanged = { target: "accounts", same: 10, changed: 0, missing: 0, others: 2, partialBecause: undefined };

	it("reads the accounts of the target back that --target names, and warns of each that is not as it was left", async () => {
		const well = await say(["check", "--target", "accounts"], { planner: { readBack: async () => nothingChanged } });
		expect(well).toMatchObject({ code: 0, out: expect.stringContaining("10 as they were left, 0 changed there, 0 missing, 2 not ours") });
		const row = { remote_id: "r7" } as Drift["row"];
		const drift: Drift = {
			row,
			left: { userName: "ada", active: false },
			found: undefined,
			phrases: ["there is no account r7"],
			isKept: false,
		};
		const readBack: Planner["readBack"] = async (_target, onDrift) => {
			for (let time = 0; time < 101; time++) onDrift(drift);
			return { ...nothingChanged, missing: 101, others: undefined, partialBecause: "20 of 111 were listed" };
		};
		const said = await say(["check", "--target", "accounts"], { planner: { readBack } });
		expect(said.code).toBe(0);
		expect(said.out).toContain("ada (r7): there is no account r7");
		expect(said.out).toContain("and 1 more");
		expect(said.out).toContain("101 missing (each was asked for: 20 of 111 were listed)");
		const failing = async () => {
			throw new Failure("TARGET_UNREACHABLE", "no answer", { hint: "Check the network." });
		};
		expect(await say(["check", "--target", "accounts"], { planner: { readBack: failing } })).toMatchObject({
			...{ code: 1, out: expect.stringContaining("Check the network.") },
		});
	});

	it("names a damaged database and goes on", async () => {
		const verify = () => {
			throw new Failure("DATABASE_CORRUPT", "page 3 is damaged", { hint: "Restore the last backup." });
		};
		const said = await say(["check"], { steps: [passed], verify });
		expect(said.code).toBe(1);
		expect(said.out).toContain("page 3 is damaged");
		expect(said.out).toContain("bind");
	});
});

describe("verify", () => {
	it("says how long the chain is, or ends with 1", async () => {
		const verify = () => wholeChain(42);
		expect(JSON.parse((await say(["verify", "--json"], { verify })).out)).toMatchObject({
			intact: true,
			changes: 42,
			last: { sequence: 42 },
		});
		expect(await say(["verify"], { verify })).toMatchObject({
			code: 0,
			out: expect.stringContaining(`last row 42, hash ${"ab".repeat(32)}`),
		});
		expect((await say(["verify"], { verify: () => undefined })).code).toBe(1);
	});

	const row = { at: 0, run: 7, source: "corp", anchor: "a-1", name: "ada@corp" };
	it.each([
		{ row, says: "row 3 (written 1970-01-01T00:00:00.000Z, run 7 of corp, ada@corp a-1): it was altered" },
		{ row: { ...row, at: undefined, run: 0 }, says: "row 3 (written at no time, of no run of corp, ada@corp a-1): it was altered" },
		{ row: undefined, says: "the change log is broken at row 3: it was altered" },
	])("names the first broken row, $says, and ends with 1", async ({ row, says }) => {
		const verify = () => ({ kind: "broken", broken: { sequence: 3, fault: "altered", what: "it was altered", row } }) as const;
		expect(await say(["verify"], { verify })).toMatchObject({ code: 1, out: expect.stringContaining(says) });
		const json = await say(["verify", "--json"], { verify });
		expect(json.code).toBe(1);
		expect(JSON.parse(json.out)).toMatchObject({ intact: false, broken: { sequence: 3, fault: "altered", name: row?.name ?? null } });
		expect((await say(["check"], { steps: [], verify })).out).toContain("broken at row 3");
	});
});
