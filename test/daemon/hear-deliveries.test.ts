import { beforeEach, describe, expect, it } from "vitest";
import { hearDeliveries } from "../../src/daemon/hear-deliveries.ts";
import type { DeliveryNews } from "../../src/engine.ts";
import type { DeliveryCount } from "../../src/sync/report.ts";
import { makeLog } from "../../src/telemetry/log.ts";

let now: number;
let lines: Record<string, unknown>[];
let up: boolean[];
let counted: number;
let hearing: ReturnType<typeof hearDeliveries>;

beforeEach(() => {
	now = 0;
	lines = [];
	up = [];
	counted = 0;
	hearing = hearDeliveries({
		metrics: {
			observeDeliveries: (counts) => {
				for (const { count } of counts) counted += count;
			},
			observeTarget: (_target, isUp) => void up.push(isUp),
		},
		log: makeLog("info", { write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>) }),
		clock: () => now,
	});
});

const done: DeliveryNews["end"] = { kind: "done", hasRecovered: false };
const count = (count: number, result: DeliveryCount["result"] = "applied"): DeliveryCount => ({
	target: "gateway",
	kind: "create",
	result,
	count,
	seconds: 1,
});
const tell = (counts: readonly DeliveryCount[], end: DeliveryNews["end"], pending = 0) =>
	hearing.delivered({ target: "gateway", counts, run: 7, pending, end });

describe("what is told of deliveries", () => {
	it("is counted, and not logged when a run waited for it", () => {
		tell([count(5)], done);
		expect(counted).toBe(5);
		expect(up).toEqual([true]);
		expect(lines).toEqual([]);
	});

	it("is one line in half a minute for a first delivery that takes hours, and one at its end", () => {
		for (now = 0; now < 3_600_000; now += 1000) tell([count(10)], undefined, 100_000 - now / 100);
		tell([count(7)], done);
		expect(lines).toHaveLength(120);
		expect(lines[0]).toMatchObject({ level: "info", target: "gateway", created: 310, pending: 99_700, msg: "delivering" });
		expect(lines.at(-1)).toMatchObject({ created: 36_007, durationS: 3600, msg: "delivered" });
	});

	it("is a warning when some were refused", () => {
		tell([count(1), count(2, "refused")], done);
		expect(lines).toMatchObject([{ level: "warn", created: 1, "create refused": 2, msg: "delivered" }]);
	});

	it("is one warning for all of a trouble, and one line when it is over", () => {
		const trouble = (isNew: boolean): DeliveryNews["end"] => ({
			kind: "trouble",
			because: "no answer",
			hint: "Check.",
			retryAt: 60_000,
			isNew,
		});
		tell([], trouble(true));
		for (let time = 0; time < 10; time++) tell([], trouble(false));
		tell([], { kind: "done", hasRecovered: true });
		expect(lines).toMatchObject([
			{
				level: "warn",
				target: "gateway",
				because: "no answer",
				hint: "Check.",
				retryAt: "1970-01-01T00:01:00.000Z",
				msg: "target takes nothing",
			},
			{ level: "info", target: "gateway", msg: "target takes deliveries again" },
		]);
		expect(up.at(0)).toBe(false);
		expect(up.at(-1)).toBe(true);
	});

	it("says nothing of whether a target is up that was asked for nothing", () => {
		tell([], done);
		tell([count(3, "later")], done);
		expect(up).toEqual([]);
	});

	it("is an error when it is no target's fault, with the target and the run that it was for", () => {
		hearing.deliveryError(new Error("x is not a function"), { target: "gateway", run: 7 });
		hearing.deliveryError(new Error("x is not a function"), { target: "gateway", run: undefined });
		expect(lines).toMatchObject([
			{ level: "error", run: 7, target: "gateway", err: { message: "x is not a function" } },
			{ level: "error", target: "gateway" },
		]);
		expect(lines[1]).not.toHaveProperty("run");
	});
});
