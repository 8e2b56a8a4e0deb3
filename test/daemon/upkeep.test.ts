import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Failure } from "../../src/core/errors.ts";
import type { CallName } from "../../src/daemon/protocol.ts";
import { makeUpkeep, type Upkeep } from "../../src/daemon/upkeep.ts";
import { makeLog } from "../../src/telemetry/log.ts";

const hour = 3_600_000;
let upkeep: Upkeep;
let called: CallName[];
let due: number | undefined;
let failure: Failure | undefined;
let answer: (name: CallName) => Promise<unknown>;
let lines: string[];

beforeEach(() => {
	vi.useFakeTimers({ now: Date.parse("2026-03-02T10:00:00Z") });
	called = [];
	lines = [];
	due = undefined;
	failure = undefined;
	answer = async (name) => {
		if (name === "nextDelivery") return due;
		return { runs: 0, changes: 0, entries: 0 };
	};
	upkeep = makeUpkeep({
		engine: {
			call: async (name) => {
				called.push(name);
				return (await answer(name)) as never;
			},
		},
		probe: { try: () => failure, close: () => {} },
		log: makeLog("info", { write: (line) => lines.push(line) }),
		clock: () => Date.now(),
		ending: new AbortController().signal,
	});
	upkeep.start();
});

afterEach(async () => {
	await upkeep.stop();
	vi.useRealTimers();
});

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const count = (name: CallName): number => called.filter((each) => each === name).length;

describe("upkeep", () => {
	it("applies retention at the start and then once a day", async () => {
		await pass(hour);
		expect(count("retain")).toBe(1);
		await pass(23 * hour);
		expect(count("retain")).toBe(2);
	});

	it("tries retention again soon when it failed", async () => {
		await pass(23 * hour);
		answer = async () => Promise.reject(new Error("the engine is down"));
		await pass(2 * hour);
		const tried = count("retain");
		expect(tried).toBeGreaterThan(2);
		expect(lines.join()).toContain("the engine is down");
	});

	it("delivers again what is due, and only then", async () => {
		await pass(hour);
		expect(count("deliver")).toBe(0);
		due = Date.now() + 60_000;
		await pass(50_000);
		expect(count("deliver")).toBe(0);
		await pass(20_000);
		expect(count("deliver")).toBeGreaterThan(0);
	});

	it("never delivers twice at a time", async () => {
		await pass(1000);
		due = 0;
		const { promise, resolve } = Promise.withResolvers<unknown>();
		answer = async (name) => (name === "nextDelivery" ? 0 : promise);
		await pass(hour);
		expect(count("deliver")).toBe(1);
		resolve([]);
	});

	it("notices within seconds that the database cannot be written, since when, and that it can again", async () => {
		expect(upkeep.trouble()).toBeUndefined();
		failure = new Failure("DATABASE_UNWRITABLE", "disk full", { hint: "Free some space." });
		await pass(10_000);
		const since = Date.now();
		await pass(60_000);
		expect(upkeep.trouble()).toEqual({ since, because: "disk full", hint: "Free some space." });
		expect(lines.filter((line) => line.includes("disk full"))).toHaveLength(1);
		failure = undefined;
		await pass(10_000);
		expect(upkeep.trouble()).toBeUndefined();
	});
});
