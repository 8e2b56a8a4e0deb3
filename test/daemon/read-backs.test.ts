import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ScimTarget } from "../../src/config/target-config.ts";
import { Failure } from "../../src/core/errors.ts";
import { makeReadBacks, type ReadBacks } from "../../src/daemon/read-backs.ts";
import type { ReadBackReport } from "../../src/engine.ts";
import { makeLog } from "../../src/telemetry/log.ts";

const hour = 3_600_000;
let asked: { target: string; at: number }[];
let answer: () => Promise<ReadBackReport>;
let lines: Record<string, unknown>[];
let readBacks: ReadBacks;

const report: ReadBackReport = { target: "gateway", same: 10, changed: 0, missing: 0, others: 3, partialBecause: undefined };
const scheduled = (schedule: string | undefined) =>
	({
		name: "gateway",
		type: "scim",
		readBack: schedule === undefined ? undefined : { schedule, timezone: "UTC", action: "report" },
	}) as ScimTarget;

beforeEach(() => {
	vi.useFakeTimers({ now: Date.parse("2026-03-02T10:00:00Z") });
	asked = [];
	lines = [];
	answer = async () => report;
	readBacks = makeReadBacks({
		engine: {
			call: async (_name, request) => {
				asked.push({ ...(request as { target: string }), at: Date.now() });
				return (await answer()) as never;
			},
		},
		log: makeLog("info", { write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>) }),
		clock: () => Date.now(),
		ending: new AbortController().signal,
	});
});
afterEach(async () => {
	await readBacks.stop();
	vi.useRealTimers();
});
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe("a target", () => {
	it("is read back by its schedule, and by no other", async () => {
		readBacks.replace([scheduled("0 */2 * * *")]);
		await pass(5 * hour);
		expect(asked.map(({ at }) => new Date(at).toISOString().slice(11, 13))).toEqual(["12", "14"]);
		readBacks.replace([scheduled(undefined)]);
		await pass(24 * hour);
		expect(asked).toHaveLength(2);
	});

	it("has one line in the log for a reading, a warning when something is not as it was left", async () => {
		readBacks.replace([scheduled("0 * * * *")]);
		await pass(hour);
		answer = async () => ({ ...report, changed: 1, partialBecause: "20 of 100" });
		await pass(hour);
		answer = async () => Promise.reject(new Failure("TARGET_UNREACHABLE", "no answer", { hint: "Check." }));
		await pass(hour);
		expect(lines).toMatchObject([
			{ level: "info", target: "gateway", same: 10, changed: 0, missing: 0, others: 3, msg: "read back" },
			{ level: "warn", changed: 1, partialBecause: "20 of 100" },
			{ level: "warn", because: "no answer", hint: "Check.", msg: "reading back failed" },
		]);
	});

	it("has a line in the log for a reading that failed, also when nobody waits for it any more who asked", async () => {
		answer = async () => Promise.reject(new Failure("TARGET_UNREACHABLE", "no answer", { hint: "Check." }));
		const both = [readBacks.readBack("gateway", "page"), readBacks.readBack("gateway", "ada")];
		for (const { status } of await Promise.allSettled(both)) expect(status).toBe("rejected");
		expect(lines).toMatchObject([{ level: "warn", target: "gateway", because: "no answer", hint: "Check.", msg: "reading back failed" }]);
	});

	it("is read by one at a time: who asks meanwhile gets the same answer", async () => {
		const { promise, resolve } = Promise.withResolvers<ReadBackReport>();
		answer = () => promise;
		const both = [readBacks.readBack("gateway", "ada"), readBacks.readBack("gateway", "ada")];
		resolve(report);
		expect(await Promise.all(both)).toEqual([report, report]);
		expect(asked).toHaveLength(1);
		await readBacks.readBack("gateway", "ada");
		expect(asked).toHaveLength(2);
	});
});
