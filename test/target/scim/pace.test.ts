import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Faults, type ScimDouble, startScimDouble } from "../../support/scim-double.ts";
import { deliveryOf, failureOf, makeTime, openTarget } from "../../support/scim-options.ts";

let server: ScimDouble;
beforeAll(async () => {
	server = await startScimDouble();
});
afterAll(() => server.close());
beforeEach(() => server.reset());

function tooMany(status: 429 | 503, headers: Record<string, string>, each = 3): Partial<Faults> {
	return { tooMany: { each, status, headers } };
}

describe("a server that is asked too much", () => {
	it.each([
		{ says: "Retry-After in seconds", headers: { "retry-after": "7" }, ms: 7000 },
		{ says: "Retry-After as a date", headers: { "retry-after": "Thu, 01 Jan 2026 00:00:09 GMT" }, ms: 9000 },
		{ says: "X-RateLimit-Reset", headers: { "x-ratelimit-reset": "5" }, ms: 5000 },
		{ says: "nothing", headers: {}, ms: 1000 },
	])("is left alone as long as it says: $says", async ({ headers, ms }) => {
		// The fourth request is the first create: three documents come before.
		Object.assign(server.how, tooMany(429, headers, 4));
		const { create, time } = openTarget(server.url);
		await create(1);
		expect(time.waits).toEqual([ms]);
	});

	it("stops the target, not the account, when it wants to be left alone for long, and says until when", async () => {
		Object.assign(server.how, tooMany(503, { "retry-after": "3600" }, 1));
		const { apply } = openTarget(server.url);
		expect(await failureOf(apply(deliveryOf(1)))).toMatchObject({ code: "TARGET_UNREACHABLE", retryAfterMs: 3_600_000 });
		const before = server.came.length;
		// Another account is not tried before that.
		expect(await failureOf(apply(deliveryOf(2)))).toMatchObject({ code: "TARGET_UNREACHABLE", retryAfterMs: 3_600_000 });
		expect(server.came.length).toBe(before);
	});

	it("stops the target when it turns away everything", async () => {
		Object.assign(server.how, tooMany(429, { "retry-after": "1" }, 1));
		const { apply } = openTarget(server.url);
		expect(await failureOf(apply(deliveryOf(1)))).toMatchObject({ code: "TARGET_UNREACHABLE", retryAfterMs: expect.any(Number) });
	});

	it("is looked at before a create is sent again that a gateway answered with 503", async () => {
		const { target, apply } = openTarget(server.url);
		await apply(deliveryOf(1));
		Object.assign(server.how, tooMany(503, { "retry-after": "1" }, server.came.length + 1));
		await apply(deliveryOf(2));
		expect(server.users.size).toBe(2);
		// Twice, because it was not known yet whether the filter can be believed.
		expect(server.came.slice(-4).map(({ method }) => method)).toEqual(["POST", "GET", "GET", "POST"]);
		await target.close();
	});

	it("gets everything exactly once, though it turns away each third request, breaks at each tenth and drops each fiftieth", async () => {
		Object.assign(server.how, { ...tooMany(429, { "retry-after": "1" }), trouble: 10, drops: 5 } satisfies Partial<Faults>);
		const { create } = openTarget(server.url);
		const numbers = Array.from({ length: 120 }, (_, index) => index + 1);
		const ids: string[] = [];
		for (let at = 0; at < numbers.length; at += 4)
			ids.push(...(await Promise.all(numbers.slice(at, at + 4).map((number) => create(number)))));
		expect([...server.users.keys()].sort()).toEqual([...ids].sort());
		expect(new Set([...server.users.values()].map((user) => user["externalId"])).size).toBe(120);
	});
});

describe("the pace", () => {
	it.each([1, 3])("is no more at once than was configured, however well it goes: %i", async (concurrency) => {
		const { create } = openTarget(server.url, { concurrency });
		for (let number = 1; number <= 6; number++) await create(number);
		// None is answered before there are as many: fewer at once would wait for ever.
		server.how.together = concurrency;
		await Promise.all(Array.from({ length: 12 }, (_, index) => create(index + 7)));
		expect(server.users.size).toBe(18);
		expect(server.mostAtOnce()).toBe(concurrency);
	});

	it("is no faster than the configured rate", async () => {
		const time = makeTime();
		const startedAt = time.clock();
		const { create } = openTarget(server.url, { ratePerSecond: 2 }, time);
		for (let number = 1; number <= 10; number++) await create(number);
		// Three documents and ten creates, the first of all at once.
		expect(time.clock() - startedAt).toBe(6000);
	});
});
