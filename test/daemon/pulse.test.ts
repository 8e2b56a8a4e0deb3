import { afterEach, describe, expect, it, vi } from "vitest";
import { type Pulse, startPulse } from "../../src/daemon/pulse.ts";

const HOUR = 3_600_000;
let time = 0;
let asked = 0;
let silences: number[];
let pulse: Pulse;

function start(): void {
	[time, asked, silences] = [0, 0, []];
	pulse = startPulse({
		...{ everyMs: 10, limitMs: 1000, now: () => time },
		ask: () => {
			asked += 1;
		},
		onSilent: (silenceMs) => silences.push(silenceMs),
	});
}

afterEach(() => pulse.stop());

const isAsked = (times: number) => vi.waitFor(() => expect(asked).toBe(times));

describe("whether a thread is alive", () => {
	it("is asked anew once it has answered, and owes nothing meanwhile", async () => {
		start();
		await isAsked(1);
		time += 8;
		expect(pulse.silenceMs()).toBe(8);
		pulse.heard();
		expect(pulse.silenceMs()).toBe(0);
		await isAsked(2);
	});

	it("is not doubted because the machine slept for an hour", async () => {
		start();
		await isAsked(1);
		time += HOUR;
		expect(pulse.silenceMs()).toBe(20);
		pulse.heard();
		await isAsked(2);
		expect(silences).toEqual([]);
	});

	it("is doubted once, when it has owed an answer for as long as the limit", async () => {
		start();
		await isAsked(1);
		await vi.waitFor(
			() => {
				time += 20;
				expect(silences).toHaveLength(1);
			},
			{ timeout: 10_000, interval: 5 },
		);
		expect(silences[0]).toBeGreaterThanOrEqual(1000);
		await vi.waitFor(
			() => {
				time += 20;
				expect(pulse.silenceMs()).toBeGreaterThan(1100);
			},
			{ timeout: 10_000, interval: 5 },
		);
		expect(asked).toBe(1);
		expect(silences).toHaveLength(1);
	});
});
