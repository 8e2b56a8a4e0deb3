import { describe, expect, it } from "vitest";
import { Failure } from "../../src/core/errors.ts";
import type { RunReport } from "../../src/sync/report.ts";
import { asAnswer, report, say } from "./world.ts";

const contract = [
	...["run", "source", "mode", "outcome", "sealed", "unsealed", "read", "created", "updated", "disabled", "enabled", "deleted"],
	...["unchanged", "held", "quarantined", "delivered", "pending", "durationMs"],
];

const daemonHolder = { pid: 4242, command: "run", since: 0, url: "http://127.0.0.1:8640" };
const hash = `sha256:${"ab".repeat(32)}`;

describe("sync", () => {
	it("prints one object with the fields of the contract, in its order", async () => {
		const said = await say(["sync", "--json"], { engine: { sync: async () => report() } });
		expect(said.code).toBe(0);
		expect(Object.keys(JSON.parse(said.out))).toEqual(contract);
		expect(said.out.trimEnd()).not.toContain("\n");
	});

	it("prints an array for several sources, and one object when one is chosen", async () => {
		const engine = { sync: async ({ source }: { source: string }) => report({ source }) };
		const both = await say(["sync", "--json"], { engine, sources: ["corp", "lab"] });
		expect(JSON.parse(both.out).map((each: RunReport) => each.source)).toEqual(["corp", "lab"]);
		const one = await say(["sync", "--json", "--source", "lab"], { engine, sources: ["corp", "lab"] });
		expect(JSON.parse(one.out).source).toBe("lab");
	});

	it.each([
		{ outcomes: ["succeeded", "succeeded"], code: 0 },
		{ outcomes: ["succeeded", "held"], code: 3 },
		{ outcomes: ["partial", "succeeded"], code: 4 },
		{ outcomes: ["partial", "held"], code: 3 },
		{ outcomes: ["held", "failed"], code: 1 },
	] as const)("ends with $code when the runs are $outcomes", async ({ outcomes, code }) => {
		let run = 0;
		const said = await say(["sync"], {
			sources: ["a", "b"],
			engine: { sync: async () => report({ outcome: outcomes[run++] ?? "failed" }) },
		});
		expect(said.code).toBe(code);
	});

	it.each([
		{ argv: ["sync"], mode: "auto" },
		{ argv: ["sync", "--full"], mode: "full" },
	])("$argv asks for a $mode reading", async ({ argv, mode }) => {
		const asked: unknown[] = [];
		await say(argv, {
			engine: {
				sync: async (request) => {
					asked.push(request);
					return report();
				},
			},
		});
		expect(asked).toEqual([{ source: "corp", mode, trigger: "command", by: "anna" }]);
	});

	it("tells a person what is held, and how to decide it, with the same configuration", async () => {
		const held = report({
			outcome: "held",
			held: 300,
			plan: hash,
			heldKinds: [{ subject: "account", target: undefined, kind: "disable", count: 300, limit: "limit 50" }],
		});
		const said = await say(["sync"], { engine: { sync: async () => held } });
		expect(said.out).toContain("held: 300 disable, limit 50");
		expect(said.out).toContain(`dirsyncd approve ${hash}`);
	});

	it("says a failed run on standard error beside its JSON, and ends with 1", async () => {
		const error = { code: "SOURCE_REFUSED", message: "bind as svc was refused", hint: "Check the password." } as const;
		const said = await say(["sync", "--json"], { engine: { sync: async () => report({ outcome: "failed", error }) } });
		expect(said.code).toBe(1);
		expect(JSON.parse(said.out).outcome).toBe("failed");
		expect(said.err).toContain("bind as svc was refused");
	});

	it("says what could not even begin as an error in JSON", async () => {
		const said = await say(["sync", "--json"], {
			engine: {
				sync: async () => {
					throw new Failure("DATABASE_UNWRITABLE", "the disk is full", { hint: "Make room." });
				},
			},
		});
		expect(said.code).toBe(1);
		expect(JSON.parse(said.out)).toEqual({ error: { code: "DATABASE_UNWRITABLE", message: "the disk is full", hint: "Make room." } });
	});

	it("goes through the daemon that has the database, with its token", async () => {
		const calls: unknown[] = [];
		const said = await say(["sync", "--full", "--json"], {
			holder: daemonHolder,
			daemon: (call) => {
				calls.push(call);
				return { status: 200, body: asAnswer(report({ run: 8 })) };
			},
		});
		expect(said.code).toBe(0);
		expect(JSON.parse(said.out).run).toBe(8);
		expect(calls).toEqual([
			{
				...{ url: "http://127.0.0.1:8640/api/v1/sync", method: "POST", token: "token-of-the-daemon" },
				body: { source: "corp", mode: "full", by: "anna" },
			},
		]);
	});

	it("hands on what the daemon refuses, with its code and hint", async () => {
		const body = { error: { code: "RUN_ALREADY_ACTIVE", message: "a run of source corp is going on", hint: "Wait for it to end." } };
		const said = await say(["sync", "--json"], { holder: daemonHolder, daemon: () => ({ status: 409, body }) });
		expect(said.code).toBe(1);
		expect(JSON.parse(said.out)).toEqual(body);
	});

	it("says who has the database when it is no daemon", async () => {
		const said = await say(["sync", "--json"], { holder: { ...daemonHolder, url: undefined } });
		expect(said.code).toBe(1);
		expect(JSON.parse(said.out).error.code).toBe("DATABASE_LOCKED");
	});

	it("shows progress on a terminal alone", async () => {
		const engine: Parameters<typeof say>[1] = {
			engine: {
				sync: async (_request, on) => {
					on.progress({ source: "corp", stage: "reading", done: 5000, of: 10_000 });
					return report();
				},
			},
		};
		expect((await say(["sync"], { ...engine, isTerminal: true })).err).toContain("corp: reading 5,000 of about 10,000 (50 %)");
		expect((await say(["sync"], engine)).err).not.toContain("reading");
	});
});

describe("approve and reject", () => {
	it("hand over the plan's hash and who decided", async () => {
		const asked: unknown[] = [];
		const engine: Parameters<typeof say>[1] = {
			engine: {
				approve: async (plan, by) => {
					asked.push(["approve", plan, by]);
					return report({ disabled: 300 });
				},
				reject: async (plan, by) => {
					asked.push(["reject", plan, by]);
					return { source: "corp", rejected: 300 };
				},
			},
		};
		expect(await say(["approve", hash], engine)).toMatchObject({ code: 0, out: expect.stringContaining("300 disabled") });
		expect(JSON.parse((await say(["reject", hash.slice(7).toUpperCase(), "--json"], engine)).out)).toEqual({
			plan: hash,
			source: "corp",
			rejected: 300,
		});
		expect(asked).toEqual([
			["approve", hash, "anna"],
			["reject", hash, "anna"],
		]);
	});

	it("go through the daemon, too", async () => {
		const urls: string[] = [];
		const world: Parameters<typeof say>[1] = {
			holder: daemonHolder,
			daemon: ({ url, body }) => {
				urls.push(url);
				expect(body).toEqual({ by: "anna" });
				return { status: 200, body: url.endsWith("reject") ? { source: "corp", rejected: 1 } : asAnswer(report()) };
			},
		};
		expect((await say(["approve", hash], world)).code).toBe(0);
		expect((await say(["reject", hash], world)).out).toContain("1 held change rejected");
		expect(urls).toEqual(["approve", "reject"].map((verb) => `http://127.0.0.1:8640/api/v1/plans/${encodeURIComponent(hash)}/${verb}`));
	});

	it("an unknown plan ends with 1", async () => {
		const reject = async () => {
			throw new Failure("PLAN_UNKNOWN", "no plan of this hash is waiting");
		};
		expect((await say(["reject", hash], { engine: { reject } })).code).toBe(1);
	});
});
