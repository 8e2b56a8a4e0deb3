import { describe, expect, it } from "vitest";
import { type LimiterOptions, makeLimiter, type Permit } from "../../src/lib/limiter.ts";
import { rateLimitReset, retryAfter } from "../../src/lib/retry-after.ts";
import { backOff, makeShared, orAborted } from "../../src/lib/waiting.ts";

const never = new AbortController().signal;

function open(more: Partial<LimiterOptions> = {}) {
	let now = 0;
	const waits: number[] = [];
	const limiter = makeLimiter({
		most: 8,
		ratePerSecond: undefined,
		clock: () => now,
		wait: async (ms, signal) => {
			signal.throwIfAborted();
			waits.push(ms);
			now += ms;
		},
		patienceMs: 60_000,
		tooLong: (ms) => new Error(`a pause of ${ms}`),
		...more,
	});
	return { limiter, waits, now: () => now };
}

async function round(limiter: ReturnType<typeof makeLimiter>, how: "well" | "slower" | "otherwise"): Promise<void> {
	const permits: Permit[] = [];
	for (let begun = limiter.width(); begun > 0; begun--) permits.push(await limiter.enter(never));
	for (const permit of permits) limiter.leave(permit, how);
}

describe("the limiter", () => {
	const widths = async (limiter: ReturnType<typeof makeLimiter>, times: number): Promise<readonly number[]> => {
		const seen: number[] = [];
		for (let time = 0; time < times; time++) {
			seen.push(limiter.width());
			await round(limiter, "well");
		}
		return seen;
	};

	it("begins with two, doubles with each round that goes well, and does not grow past what is allowed", async () => {
		expect(await widths(open({ most: 30 }).limiter, 6)).toEqual([2, 4, 8, 16, 30, 30]);
	});

	it("grows by one for each round that goes well once the other side has asked for less", async () => {
		const { limiter } = open({ most: 30 });
		await widths(limiter, 3);
		await round(limiter, "slower");
		expect(await widths(limiter, 4)).toEqual([8, 8, 9, 10]);
	});

	it("halves when the other side asks for less, once for all that was under way then, and keeps one at least", async () => {
		const { limiter } = open();
		for (let time = 0; time < 40; time++) await round(limiter, "well");
		expect(limiter.width()).toBe(8);
		await round(limiter, "slower");
		expect(limiter.width()).toBe(4);
		for (let time = 0; time < 5; time++) await round(limiter, "slower");
		expect(limiter.width()).toBe(1);
	});

	it("neither grows nor shrinks by what says nothing about its pace", async () => {
		const { limiter } = open();
		for (let time = 0; time < 10; time++) await round(limiter, "otherwise");
		expect(limiter.width()).toBe(2);
	});

	it("lets nobody in past its width, and the first who waits when somebody leaves", async () => {
		const { limiter } = open({ most: 1 });
		const first = await limiter.enter(never);
		const order: string[] = [];
		const second = limiter.enter(never).then((permit) => {
			order.push("second");
			return permit;
		});
		const third = limiter.enter(never).then((permit) => {
			order.push("third");
			return permit;
		});
		await Promise.resolve();
		expect(order).toEqual([]);
		limiter.leave(first, "otherwise");
		limiter.leave(await second, "otherwise");
		await third;
		expect(order).toEqual(["second", "third"]);
	});

	it("lets everybody wait for a pause to end", async () => {
		const { limiter, waits } = open();
		limiter.pause(5000);
		await Promise.all([limiter.enter(never), limiter.enter(never)]);
		expect(waits).toEqual([5000]);
	});

	it("turns those away who would wait longer than its patience, also those who wait already", async () => {
		const { limiter } = open({ most: 1 });
		await limiter.enter(never);
		const waiting = limiter.enter(never);
		limiter.pause(61_000);
		await expect(waiting).rejects.toThrow("a pause of 61000");
		await expect(limiter.enter(never)).rejects.toThrow("a pause of 61000");
	});

	it("spreads beginnings over the second", async () => {
		const { limiter, now } = open({ most: 100, ratePerSecond: 10 });
		for (let begun = 0; begun < 21; begun++) limiter.leave(await limiter.enter(never), "well");
		expect(now()).toBe(2000);
	});

	it("lets go of who is aborted, and of nobody else", async () => {
		const { limiter } = open({ most: 1 });
		const first = await limiter.enter(never);
		const control = new AbortController();
		const given = limiter.enter(control.signal);
		const kept = limiter.enter(never);
		control.abort(new Error("enough"));
		await expect(given).rejects.toThrow("enough");
		limiter.leave(first, "well");
		await expect(kept).resolves.toBeDefined();
	});
});

describe("a request to come back later", () => {
	const now = Date.UTC(2026, 0, 1);
	it.each([
		{ text: "120", ms: 120_000, what: "seconds" },
		{ text: " 1.5 ", ms: 1500, what: "seconds with a fraction" },
		{ text: "Thu, 01 Jan 2026 00:00:30 GMT", ms: 30_000, what: "a date" },
		{ text: "Wed, 31 Dec 2025 23:00:00 GMT", ms: 0, what: "a date that is over" },
		{ text: "soon", ms: undefined, what: "nothing that is understood" },
		{ text: undefined, ms: undefined, what: "nothing" },
	])("Retry-After may be $what", ({ text, ms }) => {
		expect(retryAfter(text, now)).toBe(ms);
	});

	it.each([
		{ text: "30", ms: 30_000, what: "seconds from now" },
		{ text: String(now / 1000 + 20), ms: 20_000, what: "Unix seconds" },
		{ text: String(now + 10_000), ms: 10_000, what: "Unix milliseconds" },
		{ text: "Thu, 01 Jan 2026 00:00:05 GMT", ms: 5000, what: "a date" },
	])("X-RateLimit-Reset may be $what", ({ text, ms }) => {
		expect(rateLimitReset(text, now)).toBe(ms);
	});
});

describe("waiting", () => {
	it("doubles up to a limit, less a random half at most", () => {
		const steps = { firstMs: 500, mostMs: 4000 };
		expect([0, 1, 2, 3, 4].map((tries) => backOff(tries, () => 0, steps))).toEqual([500, 1000, 2000, 4000, 4000]);
		expect(backOff(1, () => 0.999_999, steps)).toBe(500);
	});

	it("ends at once when it is aborted", async () => {
		const control = new AbortController();
		const waiting = orAborted(() => new Promise(() => {}), control.signal);
		control.abort(new Error("enough"));
		await expect(waiting).rejects.toThrow("enough");
	});

	it("shares one piece of work among all who ask while it is under way", async () => {
		let times = 0;
		const shared = makeShared(async () => ++times);
		expect(await Promise.all([shared(), shared()])).toEqual([1, 1]);
		expect(await shared()).toBe(2);
	});
});
