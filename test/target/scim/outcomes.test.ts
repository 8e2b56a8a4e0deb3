import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Faults, type ScimDouble, startScimDouble } from "../../support/scim-double.ts";
import { accountOf, anchorOf, deliveryOf, failureOf, makeTime, never, openTarget } from "../../support/scim-options.ts";

let server: ScimDouble;
beforeAll(async () => {
	server = await startScimDouble();
});
afterAll(() => server.close());
beforeEach(() => server.reset());

/** A server that does a thing wrong from now on. */
function be(faults: Partial<Faults>): void {
	Object.assign(server.how, faults);
}

describe("what a server says of one account", () => {
	it.each([
		{ errors: "scim", said: "400 invalidValue: title must be a string" },
		{ errors: "text", said: "400 title must be a string" },
		{ errors: "status as text", said: "400 invalidValue: title must be a string" },
		{ errors: "object", said: "400 title must be a string" },
	] as const)("is told in its own words, as $errors", async ({ errors, said }) => {
		be({ errors });
		const { apply } = openTarget(server.url);
		expect(await apply(deliveryOf(1, { wanted: accountOf(1, { title: 7 as unknown as string }) }))).toEqual({
			kind: "refused",
			error: said,
		});
	});

	it("is cut and freed of tags where it is a page", async () => {
		be({ errors: "html" });
		const { apply } = openTarget(server.url);
		const result = await apply(deliveryOf(1, { wanted: accountOf(1, { title: 7 as unknown as string }) }));
		expect(result).toMatchObject({ kind: "refused", error: expect.stringMatching(/^400 Error title must be a string blah blah/) });
		expect(result.kind === "refused" && result.error.length).toBeLessThan(320);
	});

	it.each([409, 400, 500] as const)("is a conflict when a create finds its name taken, as %i", async (taken) => {
		const { apply, create } = openTarget(server.url);
		await create(1);
		be({ taken });
		expect(await apply(deliveryOf(2, { wanted: accountOf(2, { userName: "P1@corp.example.test" }) }))).toMatchObject({
			kind: "conflict",
			error: expect.stringContaining(String(taken)),
		});
		expect(server.of("POST")).toHaveLength(2);
	});

	it.each([409, 500] as const)("is a refusal when an update finds its name taken, as %i", async (taken) => {
		const { apply, create } = openTarget(server.url);
		await create(1);
		const remoteId = await create(2);
		be({ taken });
		const wanted = accountOf(2, { userName: "p1@corp.example.test" });
		expect(await apply(deliveryOf(2, { remoteId, wanted, applied: accountOf(2) }))).toMatchObject({ kind: "refused" });
	});

	it.each(["path", "no-path", "put"] as const)(
		"is that it is gone when a known account is not there, in the dialect %s",
		async (dialect) => {
			const { apply, create } = openTarget(server.url, { dialect });
			const remoteId = await create(1);
			server.users.clear();
			const wanted = accountOf(1, { title: "Dr." });
			expect(await apply(deliveryOf(1, { remoteId, wanted, applied: accountOf(1) }))).toMatchObject({ kind: "gone" });
			expect(await apply(deliveryOf(1, { remoteId, wanted }))).toMatchObject({ kind: "gone" });
		},
	);

	it("is that a delete is done when nobody is there, also where a second one is an error", async () => {
		const { apply, create } = openTarget(server.url);
		const remoteId = await create(1);
		for (const isDeleting of ["kept", "500 for the second"] as const) {
			be({ isDeleting });
			server.users.clear();
			expect(await apply(deliveryOf(1, { kind: "delete", remoteId, wanted: undefined }))).toEqual({ kind: "applied", remoteId });
		}
	});
});

describe("a create whose answer is lost", () => {
	it.each(["cut", "500"] as const)("is looked up and not sent again when it was done: %s", async (by) => {
		be({ lose: { method: "POST", times: 1, by } });
		const { create } = openTarget(server.url);
		const remoteId = await create(1);
		expect([...server.users.keys()]).toEqual([remoteId]);
		expect(server.of("POST")).toHaveLength(1);
	});

	it("is looked up when no answer comes in time", async () => {
		be({ lose: { method: "POST", times: 1, by: "silence" } });
		const { create } = openTarget(server.url, { timeoutMs: 300 });
		const remoteId = await create(1);
		expect([...server.users.keys()]).toEqual([remoteId]);
	});

	it("is sent again when it was not done", async () => {
		be({ lose: { method: "POST", times: 2, by: "not doing it" } });
		const { create } = openTarget(server.url);
		const remoteId = await create(1);
		expect([...server.users.keys()]).toEqual([remoteId]);
		expect(server.of("POST")).toHaveLength(3);
	});

	it.each(["passed over", "400", "404", "find nothing"] as const)(
		"never makes a second account where filters are wrong: %s",
		async (filters) => {
			be({ filters });
			const { create } = openTarget(server.url);
			await create(1);
			// Even of two without a name in common.
			be({ lose: { method: "POST", times: 1, by: "cut" }, taken: 409 });
			const remoteId = await create(2);
			expect(server.users.get(remoteId)).toMatchObject({ externalId: anchorOf(2) });
			expect(server.users.size).toBe(2);
		},
	);

	it("is not made twice where filters are blind to externalId, and nobody else has one to try them on", async () => {
		for (let number = 100; number < 130; number++) server.plant({ userName: `other${number}` });
		const { create } = openTarget(server.url);
		await create(1);
		be({ filters: "find nothing", lose: { method: "POST", times: 1, by: "cut" } });
		await create(2);
		expect(server.of("POST")).toHaveLength(2);
	});

	it("ends the deliveries rather than risk a second account where nobody can be found at all", async () => {
		for (let number = 100; number < 130; number++) server.plant({ userName: `other${number}`, externalId: `x${number}` });
		be({ filters: "passed over", paging: "passed over", lose: { method: "POST", times: 1, by: "cut" } });
		const { apply } = openTarget(server.url);
		const failure = await failureOf(apply(deliveryOf(1)));
		expect(failure).toMatchObject({ code: "TARGET_REFUSED", message: expect.stringContaining("cannot be told") });
		expect(server.of("POST")).toHaveLength(1);
	});

	it("can wait when the server does not do it, and comes as often as it should in the end", async () => {
		be({ lose: { method: "POST", times: 4, by: "not doing it" } });
		const { apply, create } = openTarget(server.url);
		expect(await apply(deliveryOf(1))).toMatchObject({ kind: "later" });
		await create(1);
		expect(server.users.size).toBe(1);
	});
});

describe("an update whose answer is lost", () => {
	it.each(["path", "no-path", "put"] as const)("ends as wanted, in the dialect %s", async (dialect) => {
		const { apply, create } = openTarget(server.url, { dialect });
		const remoteId = await create(1);
		const method = dialect === "put" ? "PUT" : "PATCH";
		be({ lose: { method, times: 5, by: "cut" } });
		const wanted = accountOf(1, { title: "Dr." });
		expect(await apply(deliveryOf(1, { remoteId, wanted, applied: accountOf(1) }))).toEqual({ kind: "applied", remoteId });
		expect(server.users.get(remoteId)).toMatchObject({ title: "Dr." });
	});
});

describe("a target that is out of reach as a whole", () => {
	it("is one whose deliveries all come to nothing", async () => {
		be({ lose: { method: "POST", times: 1000, by: "not doing it" } });
		const { apply } = openTarget(server.url);
		for (let number = 1; number < 5; number++) expect(await apply(deliveryOf(number))).toMatchObject({ kind: "later" });
		expect(await failureOf(apply(deliveryOf(5)))).toMatchObject({ code: "TARGET_UNREACHABLE" });
	});

	it("is not one where some succeed in between", async () => {
		const { apply, create } = openTarget(server.url);
		for (let number = 1; number < 12; number++) {
			be({ lose: { method: "POST", times: 4, by: "not doing it" } });
			expect(await apply(deliveryOf(number))).toMatchObject({ kind: "later" });
			if (number % 4 === 0) await create(number);
		}
	});

	it("is one where nothing listens", async () => {
		const closed = await startScimDouble();
		await closed.close();
		const { apply } = openTarget(closed.url);
		const failure = await failureOf(apply(deliveryOf(1)));
		expect(failure).toMatchObject({ code: "TARGET_UNREACHABLE", message: expect.stringContaining("ECONNREFUSED") });
		expect(failure.hint).toBeDefined();
	});

	it("is one whose name nobody knows", async () => {
		const { apply } = openTarget("http://scim.nowhere.invalid/v2");
		expect(await failureOf(apply(deliveryOf(1)))).toMatchObject({ code: "TARGET_UNREACHABLE", message: expect.stringMatching(/DNS/) });
	});

	it("is one at another URL", async () => {
		const { apply } = openTarget(`${server.url}/v3`);
		expect(await failureOf(apply(deliveryOf(1)))).toMatchObject({ code: "TARGET_REFUSED", hint: expect.stringContaining("url") });
	});
});

describe("stopping", () => {
	it("ends what waits for an answer at once, with the signal's reason", async () => {
		be({ lose: { method: "POST", times: 1, by: "silence" } });
		const { apply } = openTarget(server.url);
		const control = new AbortController();
		const reason = new Error("the process is ending");
		const under = apply(deliveryOf(1), control.signal);
		while (server.of("POST").length === 0) await new Promise(setImmediate);
		control.abort(reason);
		await expect(under).rejects.toBe(reason);
	});

	it("ends what waits for its next try at once", async () => {
		be({ trouble: 1 });
		const control = new AbortController();
		const reason = new Error("the process is ending");
		const time = makeTime();
		const wait = async (_: number, signal: AbortSignal): Promise<void> => {
			control.abort(reason);
			await new Promise((_resolve, reject) => {
				if (signal.aborted) reject(signal.reason);
				signal.addEventListener("abort", () => reject(signal.reason));
			});
		};
		const { target } = openTarget(server.url, {}, { ...time, wait });
		await expect(target.apply([deliveryOf(1)], control.signal)).rejects.toBe(reason);
	});

	it("sends nothing once it is stopped", async () => {
		const { target } = openTarget(server.url);
		await expect(target.find(anchorOf(1), accountOf(1), AbortSignal.abort(new Error("over")))).rejects.toThrow("over");
		expect(server.came).toEqual([]);
		expect(never.aborted).toBe(false);
	});
});
