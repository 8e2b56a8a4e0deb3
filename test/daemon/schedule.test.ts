import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { makeSchedule, type Schedule } from "../../src/daemon/schedule.ts";
import type { ScheduledSource } from "../../src/daemon/timetable.ts";
import type { Mode } from "../../src/sync/report.ts";

const every5 = { delta: "*/5 * * * *", full: "0 2 * * *", timezone: "UTC" };
const start = Date.parse("2026-03-02T10:01:00Z");
const minute = 60_000;

interface Run {
	readonly source: string;
	readonly mode: Mode;
	readonly trigger: string;
	readonly at: string;
	end(succeeded: boolean): Promise<void>;
}

/** Runs that end when the test says so. */
function makeRuns() {
	const started: Run[] = [];
	return {
		started,
		said: (): string[] => started.map(({ at, source, mode, trigger }) => `${at} ${source} ${mode} ${trigger}`),
		run: (source: string, mode: Mode, trigger: string): Promise<boolean> => {
			const { promise, resolve } = Promise.withResolvers<boolean>();
			const at = new Date().toISOString().slice(11, 16);
			const end = async (succeeded: boolean): Promise<void> => {
				resolve(succeeded);
				await vi.advanceTimersByTimeAsync(0);
			};
			started.push({ source, mode, trigger, at, end });
			return promise;
		},
	};
}

let schedule: Schedule;
let runs: ReturnType<typeof makeRuns>;

function open(sources: readonly ScheduledSource[], fullSucceededAt: number | undefined, run = runs.run): void {
	schedule = makeSchedule(sources, {
		run,
		lastSuccess: () => ({ full: fullSucceededAt, delta: undefined }),
		clock: () => Date.now(),
	});
	schedule.start();
}

const pass = (minutes: number) => vi.advanceTimersByTimeAsync(minutes * minute);
const at = (source: string) => schedule.times().find((times) => times.source === source);

beforeEach(() => {
	vi.useFakeTimers({ now: start });
	runs = makeRuns();
});

afterEach(() => {
	vi.useRealTimers();
});

describe("the first run soon after the start", () => {
	it.each([
		{ last: undefined, mode: "full", why: "no full reading has ever succeeded" },
		{ last: start - 25 * 60 * minute, mode: "full", why: "the last full reading is older than a day" },
		{ last: start - 8 * 60 * minute, mode: "delta", why: "last night's full reading is enough" },
	])("is a $mode one when $why", async ({ last, mode }) => {
		open([{ name: "corp", schedule: every5 }], last);
		await pass(0);
		expect(runs.said()).toEqual([`10:01 corp ${mode} start`]);
		expect(at("corp")?.fullDueSinceSuccess).toBe(mode === "full" ? 1 : 0);
	});
});

describe("by its schedule, a source", () => {
	beforeEach(async () => {
		open([{ name: "corp", schedule: every5 }], start - 60 * minute);
		await pass(0);
	});

	it("is read every five minutes", async () => {
		await runs.started[0]?.end(true);
		await pass(5);
		await runs.started[1]?.end(true);
		await pass(5);
		expect(runs.said()).toEqual(["10:01 corp delta start", "10:05 corp delta schedule", "10:10 corp delta schedule"]);
	});

	it("is never read twice at a time: a delta that comes due meanwhile is dropped", async () => {
		await pass(16);
		await runs.started[0]?.end(true);
		await pass(1);
		expect(runs.said()).toEqual(["10:01 corp delta start"]);
		await pass(2);
		expect(runs.said()).toEqual(["10:01 corp delta start", "10:20 corp delta schedule"]);
	});

	it("gets its full reading right after the delta in whose midst it came due", async () => {
		vi.setSystemTime(Date.parse("2026-03-03T01:58:00Z"));
		await pass(1);
		const before = runs.started.length;
		await pass(4);
		expect(runs.started).toHaveLength(before);
		await runs.started.at(-1)?.end(true);
		expect(runs.said().at(-1)).toBe("02:03 corp full schedule");
	});

	it("gets one full reading, and no delta, when both come due together", async () => {
		await runs.started[0]?.end(true);
		vi.setSystemTime(Date.parse("2026-03-03T01:59:50Z"));
		await pass(0.25);
		await runs.started.at(-1)?.end(true);
		const before = runs.started.length;
		await pass(0.5);
		expect(runs.said().slice(before)).toEqual([]);
		expect(runs.said().filter((run) => run.startsWith("02:00"))).toEqual([expect.stringContaining("full")]);
	});

	it("is read at once when the machine wakes up from a sleep", async () => {
		await runs.started[0]?.end(true);
		vi.setSystemTime(Date.parse("2026-03-02T14:32:00Z"));
		await pass(0.25);
		expect(runs.said().at(-1)).toBe("14:32 corp delta catch-up");
	});

	it("is read in full at once when the machine slept through the night", async () => {
		await runs.started[0]?.end(true);
		vi.setSystemTime(Date.parse("2026-03-03T08:32:00Z"));
		await pass(0.25);
		expect(runs.said().at(-1)).toBe("08:32 corp full catch-up");
		await runs.started.at(-1)?.end(true);
		expect(runs.started).toHaveLength(2);
	});

	it("goes on when the clock was set back by a day", async () => {
		await runs.started[0]?.end(true);
		vi.setSystemTime(Date.parse("2026-03-01T10:01:00Z"));
		await pass(4.5);
		expect(runs.said().at(-1)).toBe("10:05 corp delta schedule");
	});

	it("gets a full reading that failed again with a later delta", async () => {
		await runs.started[0]?.end(true);
		vi.setSystemTime(Date.parse("2026-03-03T01:59:50Z"));
		await pass(0.25);
		expect(runs.said().at(-1)).toMatch(/full/);
		await runs.started.at(-1)?.end(false);
		await pass(5);
		expect(runs.said().at(-1)).toBe("02:05 corp full schedule");
		await runs.started.at(-1)?.end(true);
		await pass(5);
		expect(runs.said().at(-1)).toBe("02:10 corp delta schedule");
	});

	it("is not read while a command works on it, and then in full if that came due", async () => {
		await runs.started[0]?.end(true);
		const { promise, resolve } = Promise.withResolvers<string>();
		vi.setSystemTime(Date.parse("2026-03-03T01:59:50Z"));
		const command = schedule.between("corp", () => promise);
		await pass(6);
		expect(runs.started).toHaveLength(1);
		resolve("done");
		await expect(command).resolves.toBe("done");
		await pass(0);
		expect(runs.said().at(-1)).toMatch(/^02:05 corp full/);
	});

	it("says when it is due next", () => {
		expect(at("corp")?.next).toEqual({ delta: Date.parse("2026-03-02T10:05:00Z"), full: Date.parse("2026-03-03T02:00:00Z") });
		expect(at("corp")?.intervalMs).toBe(5 * minute);
	});

	it("counts what came due since its last success, and nothing after it", async () => {
		await runs.started[0]?.end(false);
		await pass(5);
		await runs.started[1]?.end(false);
		await pass(5);
		expect(at("corp")?.dueSinceSuccess).toBe(3);
		await runs.started[2]?.end(true);
		expect(at("corp")?.dueSinceSuccess).toBe(0);
	});

	it("counts full readings by themselves: what came due since the last one, and no more for each time it is tried again", async () => {
		expect(at("corp")?.fullDueSinceSuccess).toBe(0);
		await runs.started[0]?.end(true);
		vi.setSystemTime(Date.parse("2026-03-03T01:59:50Z"));
		await pass(1);
		await runs.started.at(-1)?.end(false);
		expect(runs.said().at(-1)).toMatch(/corp full/);
		for (let retry = 0; retry < 3; retry++) {
			await pass(5);
			expect(runs.said().at(-1)).toMatch(/corp full/);
			await runs.started.at(-1)?.end(false);
			vi.setSystemTime(Date.now() + 30 * minute);
		}
		expect(at("corp")?.fullDueSinceSuccess).toBe(1);
		vi.setSystemTime(Date.parse("2026-03-04T01:59:50Z"));
		await pass(1);
		expect(at("corp")?.fullDueSinceSuccess).toBe(2);
		await runs.started.at(-1)?.end(true);
		expect(at("corp")?.fullDueSinceSuccess).toBe(0);
	});

	it("counts what came due while a run hangs, and not while one makes progress", async () => {
		await pass(10);
		expect(at("corp")?.dueSinceSuccess).toBe(3);
		schedule.progressed("corp");
		await pass(5);
		expect(at("corp")?.dueSinceSuccess).toBe(3);
	});

	it("counts no full reading that came due while one makes progress", async () => {
		vi.setSystemTime(Date.parse("2026-03-03T01:59:50Z"));
		await pass(1);
		expect(at("corp")?.fullDueSinceSuccess).toBe(1);
		schedule.progressed("corp");
		vi.setSystemTime(Date.parse("2026-03-04T01:59:50Z"));
		await pass(1);
		expect(at("corp")?.fullDueSinceSuccess).toBe(1);
		vi.setSystemTime(Date.parse("2026-03-05T01:59:50Z"));
		await pass(1);
		expect(at("corp")?.fullDueSinceSuccess).toBe(2);
	});
});

describe("woken by a change, a source", () => {
	const second = 1000;
	const tick = (ms: number) => vi.advanceTimersByTimeAsync(ms);
	const woken = () => runs.started.filter(({ trigger }) => trigger === "watch").length;

	beforeEach(async () => {
		open([{ name: "corp", schedule: { ...every5, delta: "0 3 * * *" } }], start - 60 * minute);
		await tick(0);
	});

	it("gets a delta within a second", async () => {
		await runs.started[0]?.end(true);
		schedule.wake("corp");
		await tick(second);
		expect(runs.said().slice(1)).toEqual(["10:01 corp delta watch"]);
	});

	it("gets exactly one more run right after the one that is going on, however often it is woken meanwhile", async () => {
		for (let wakes = 0; wakes < 5; wakes++) {
			schedule.wake("corp");
			await tick(2 * second);
		}
		expect(woken()).toBe(0);
		await runs.started[0]?.end(true);
		expect(woken()).toBe(1);
		await runs.started[1]?.end(true);
		await tick(minute);
		expect(woken()).toBe(1);
	});

	it("gets a run for a change that came when the last one had already begun", async () => {
		await runs.started[0]?.end(true);
		schedule.wake("corp");
		await tick(second);
		schedule.wake("corp");
		await runs.started[1]?.end(true);
		await tick(second);
		expect(woken()).toBe(2);
	});

	it("is read about once a second in a storm of changes, also while it lasts, and once after it", async () => {
		await runs.started[0]?.end(true);
		await schedule.stop();
		open([{ name: "corp", schedule: { ...every5, delta: "0 3 * * *" } }], start, async (source, mode, trigger) => {
			runs.started.push({ source, mode, trigger, at: new Date().toISOString(), end: async () => {} });
			return true;
		});
		let lastAt = 0;
		for (let changes = 0; changes < 1000; changes++) {
			schedule.wake("corp");
			lastAt = Date.now();
			await tick(10);
		}
		expect(woken()).toBeGreaterThan(8);
		expect(woken()).toBeLessThan(15);
		await tick(second);
		expect(Date.parse(runs.started.at(-1)?.at as string)).toBeGreaterThanOrEqual(lastAt);
		const before = woken();
		await tick(minute);
		expect(woken()).toBe(before);
	});

	it("gets no delta after a full reading that came due meanwhile: that has seen it", async () => {
		await runs.started[0]?.end(true);
		vi.setSystemTime(Date.parse("2026-03-03T01:59:50Z"));
		const { promise, resolve } = Promise.withResolvers<void>();
		const command = schedule.between("corp", () => promise);
		await tick(30 * second);
		schedule.wake("corp");
		await tick(second);
		resolve();
		await command;
		await tick(0);
		expect(runs.started.slice(1).map(({ mode }) => mode)).toEqual(["full"]);
		await runs.started[1]?.end(true);
		await tick(second);
		expect(runs.started).toHaveLength(2);
	});

	it("does not count as out when runs that it was woken for fail", async () => {
		await runs.started[0]?.end(true);
		for (let failures = 1; failures < 6; failures++) {
			schedule.wake("corp");
			await tick(second);
			await runs.started[failures]?.end(false);
		}
		expect(woken()).toBe(5);
		expect(at("corp")?.dueSinceSuccess).toBe(0);
	});

	it("is left alone once it is stopped or gone", async () => {
		await runs.started[0]?.end(true);
		schedule.wake("corp");
		await schedule.replace([]);
		schedule.wake("corp");
		await tick(minute);
		expect(runs.started).toHaveLength(1);
	});
});

describe("several sources", () => {
	it("run beside each other: one that hangs does not delay the other", async () => {
		open(
			[
				{ name: "stuck", schedule: every5 },
				{ name: "corp", schedule: every5 },
			],
			start - minute,
			(source, mode, trigger) => (source === "stuck" ? new Promise<boolean>(() => {}) : runs.run(source, mode, trigger)),
		);
		await pass(0);
		await runs.started[0]?.end(true);
		await pass(5);
		expect(runs.said()).toEqual(["10:01 corp delta start", "10:05 corp delta schedule"]);
	});

	it("keep their own time zones", async () => {
		const zoned = (timezone: string) => ({ ...every5, full: "0 12 * * *", timezone });
		open(
			[
				{ name: "here", schedule: zoned("UTC") },
				{ name: "tokyo", schedule: zoned("Asia/Tokyo") },
			],
			start,
		);
		expect(at("here")?.next.full).toBe(Date.parse("2026-03-02T12:00:00Z"));
		expect(at("tokyo")?.next.full).toBe(Date.parse("2026-03-03T03:00:00Z"));
	});

	it("come and go with a new configuration", async () => {
		open([{ name: "old", schedule: every5 }], start);
		await pass(0);
		const replaced = schedule.replace([{ name: "new", schedule: { ...every5, delta: "*/2 * * * *" } }]);
		await runs.started[0]?.end(true);
		await replaced;
		await runs.started[1]?.end(true);
		await pass(5);
		expect(runs.said()).toEqual(["10:01 old delta start", "10:01 new delta start", "10:02 new delta schedule"]);
	});

	it("start nothing more once stopped, and are waited for", async () => {
		open([{ name: "corp", schedule: every5 }], start);
		await pass(0);
		let isStopped = false;
		const stopped = schedule.stop().then(() => {
			isStopped = true;
		});
		await pass(10);
		expect(isStopped).toBe(false);
		await runs.started[0]?.end(true);
		await stopped;
		await pass(10);
		expect(runs.said()).toEqual(["10:01 corp delta start"]);
	});

	it("name themselves when somebody asks for one that is not there", () => {
		open([{ name: "corp", schedule: every5 }], start);
		expect(() => schedule.between("crop", async () => {})).toThrow(/no source crop/);
	});
});
