import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Failure } from "../../../src/core/errors.ts";
import type { GroupDelivery, Target } from "../../../src/target/target.ts";
import { freePort } from "../../support/loopback.ts";
import { type Receiver, startReceiver } from "../../support/receiver.ts";
import { accountOf, delivery, failureOf, kindsOf, makeTime, never, openWebhook, secret } from "./webhooks.ts";

let receiver: Receiver;
let time: ReturnType<typeof makeTime>;
const opened: Target[] = [];
beforeAll(async () => {
	receiver = await startReceiver(secret, () => time.clock());
});
afterAll(() => receiver.close());
beforeEach(() => {
	time = makeTime();
	receiver.reset();
});
afterEach(async () => {
	for (const target of opened.splice(0)) await target.close();
});

function open(more: Parameters<typeof openWebhook>[1] = {}, url = receiver.url): Target {
	const { target } = openWebhook(url, more, time);
	opened.push(target);
	return target;
}

const ids = () => receiver.came.map(({ events }) => events.map(({ id }) => id).join(" "));

describe("a webhook", () => {
	it("is told of each change by a CloudEvent", async () => {
		const target = open();
		const before = accountOf(1);
		await target.apply([delivery(1)], never);
		await target.apply([delivery(1, { ...before, active: false }, { kind: "disable", key: "k2", applied: before, remoteId: "a0" })], never);
		await target.apply([delivery(1, undefined, { kind: "delete", key: "k3", wanted: undefined, applied: before })], never);
		const same = {
			specversion: "1.0",
			source: "/dirsyncd/targets/hook",
			subject: "a1",
			time: "2026-01-01T00:00:00.000Z",
			datacontenttype: "application/json",
		};
		expect(receiver.came.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
			{ ...same, id: "key-1", type: "dirsyncd.account.created", data: { externalId: "a1", kind: "create", account: before } },
			{
				...{ ...same, id: "k2", type: "dirsyncd.account.disabled" },
				data: { externalId: "a1", kind: "disable", previousExternalId: "a0", account: { ...before, active: false }, before },
			},
			{ ...same, id: "k3", type: "dirsyncd.account.deleted", data: { externalId: "a1", kind: "delete", before } },
		]);
		expect(receiver.came[0]?.headers["content-type"]).toBe("application/cloudevents+json; charset=utf-8");
	});

	it("is told of groups, and which members come and go", async () => {
		const { groups } = open();
		const member = (number: number) => ({ anchor: `a${number}` as never, remoteId: `a${number}` });
		const group: GroupDelivery = {
			...{ anchor: "g1" as never, remoteId: undefined, applied: undefined, key: "g" },
			...{ wanted: { displayName: "Sales" }, added: [member(1), member(2)], removed: [] },
		};
		expect(await groups?.apply(group, never)).toEqual({ kind: "applied", remoteId: "g1" });
		await groups?.apply({ ...group, remoteId: "g1", key: "h", applied: { displayName: "Sales" }, added: [], removed: [member(1)] }, never);
		await groups?.apply({ ...group, remoteId: "g1", key: "i", wanted: undefined, added: [] }, never);
		expect(receiver.came.map(({ events: [event] }) => [event?.type, event?.data])).toEqual([
			["dirsyncd.group.created", { externalId: "g1", kind: "create", group: { displayName: "Sales" }, added: ["a1", "a2"], removed: [] }],
			[
				"dirsyncd.group.updated",
				{ externalId: "g1", kind: "update", group: { displayName: "Sales" }, before: { displayName: "Sales" }, added: [], removed: ["a1"] },
			],
			["dirsyncd.group.deleted", { externalId: "g1", kind: "delete", added: [], removed: [] }],
		]);
	});

	it("is told of several changes at once in one batch, whose id is the same for every try", async () => {
		receiver.how.reply = (nth) => (nth === 1 ? "cut" : undefined);
		const target = open({ batch: 10 });
		expect(kindsOf(await target.apply([delivery(1), delivery(2)], never))).toEqual(["applied", "applied"]);
		await target.apply([delivery(3)], never);
		expect(ids()).toEqual(["key-1 key-2", "key-1 key-2", "key-3"]);
		expect(receiver.came[0]?.headers["content-type"]).toBe("application/cloudevents-batch+json; charset=utf-8");
		const [first, second, third] = receiver.came.map(({ headers }) => headers["webhook-id"]);
		expect(first).toBe(second);
		expect(third).toBe("key-3");
	});

	it.each([
		{ what: "a text", given: secret, key: Buffer.from(secret) },
		{
			what: "a secret of the standard",
			given: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
			key: Buffer.from("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "base64"),
		},
	])("signs with $what, over id, time and body", async ({ given, key }) => {
		const expected = (id: string, at: string, body: string) =>
			`v1,${createHmac("sha256", key).update(`${id}.${at}.${body}`).digest("base64")}`;
		const other = await startReceiver(given, time.clock);
		try {
			await open({ secret: () => given }, other.url).apply([delivery(1)], never);
			const [came] = other.came;
			expect(came?.headers).toMatchObject({ "webhook-id": "key-1", "webhook-timestamp": "1767225600", "idempotency-key": "key-1" });
			expect(came?.headers["webhook-signature"]).toBe(expected("key-1", "1767225600", came?.body ?? ""));
		} finally {
			await other.close();
		}
	});

	it("is known to be ours by the lines that the README has for receivers", async () => {
		const readme = readFileSync(path.join(import.meta.dirname, "../../../README.md"), "utf8");
		const [, lines = ""] = /```js\n(.*?)```/s.exec(readme) ?? [];
		const { isOurs } = (await import(`data:text/javascript,${encodeURIComponent(lines)}`)) as {
			isOurs: (headers: object, body: string, secret: string) => boolean;
		};
		const { target } = openWebhook(receiver.url, {}, { ...time, clock: Date.now });
		opened.push(target);
		time = { ...time, clock: Date.now };
		await target.apply([delivery(1)], never);
		const [{ headers, body }] = receiver.came as [(typeof receiver.came)[0]];
		expect(isOurs(headers, body, secret)).toBe(true);
		expect(isOurs(headers, `${body} `, secret)).toBe(false);
		expect(isOurs(headers, body, `${secret}.`)).toBe(false);
		expect(isOurs({ ...headers, "webhook-timestamp": "1767225600" }, body, secret)).toBe(false);
	});

	it("has an id in its headers that no key can break", async () => {
		await open().apply([delivery(1, accountOf(1), { key: 'a "key".\r\nx: å' })], never);
		expect(receiver.came[0]?.events[0]?.id).toBe('a "key".\r\nx: å');
		expect(receiver.came[0]?.headers["webhook-id"]).toMatch(/^[0-9a-f]{32}$/);
	});

	it("is asked for its secret when it is needed, and not before", async () => {
		const missing = new Failure("SECRET_UNREADABLE", "the environment variable HOOK_SECRET is not set");
		const target = open({
			secret: () => {
				throw missing;
			},
		});
		expect(await failureOf(target.apply([delivery(1)], never))).toBe(missing);
		expect(receiver.came).toEqual([]);
	});
});

describe("a receiver that has trouble", () => {
	it.each([
		{ trouble: "500", reply: { status: 500 } },
		{ trouble: "502", reply: { status: 502 } },
		{ trouble: "503 without Retry-After", reply: { status: 503 } },
		{ trouble: "408", reply: { status: 408 } },
		{ trouble: "a cut connection, with the work done", reply: "cut" as const },
	])("is tried again after a while with the same id and body: $trouble", async ({ reply }) => {
		receiver.how.reply = (nth) => (nth <= 2 ? reply : undefined);
		expect(await open().apply([delivery(1)], never)).toEqual([{ kind: "applied", remoteId: "a1" }]);
		expect(time.waits).toEqual([1000, 2000]);
		expect(ids()).toEqual(["key-1", "key-1", "key-1"]);
		expect(new Set(receiver.came.map(({ body }) => body)).size).toBe(1);
		expect(new Set(receiver.came.map(({ headers }) => headers["idempotency-key"])).size).toBe(1);
		expect(receiver.accounts.get("a1")).toEqual(accountOf(1));
	});

	it("has the change sent later, under the same id and time, when it goes on; others are not kept back", async () => {
		receiver.how.reply = (_, [event]) => (event?.subject === "a1" ? { status: 500, text: "<h1>Oops</h1>" } : undefined);
		const target = open();
		expect(await target.apply([delivery(1)], never)).toEqual([{ kind: "later", error: "500 Oops" }]);
		expect(kindsOf(await target.apply([delivery(2)], never))).toEqual(["applied"]);
		receiver.how.reply = () => undefined;
		expect(kindsOf(await target.apply([delivery(1)], never))).toEqual(["applied"]);
		const bodies = receiver.came.filter(({ events }) => events[0]?.subject === "a1").map(({ body }) => body);
		expect(bodies).toHaveLength(5);
		expect(new Set(bodies).size).toBe(1);
	});

	it("stops the target when five changes in a row come to nothing", async () => {
		receiver.how.reply = () => ({ status: 500 });
		const target = open();
		for (let number = 1; number <= 4; number++) expect(kindsOf(await target.apply([delivery(number)], never))).toEqual(["later"]);
		expect(await failureOf(target.apply([delivery(5)], never))).toMatchObject({
			code: "TARGET_UNREACHABLE",
			message: expect.stringContaining("500"),
		});
	});

	it("stops the target when nothing listens, and not before it was tried a few times", async () => {
		const target = open({}, `http://127.0.0.1:${await freePort()}/people`);
		expect(await failureOf(target.apply([delivery(1)], never))).toMatchObject({
			code: "TARGET_UNREACHABLE",
			message: expect.stringContaining("ECONNREFUSED"),
		});
		expect(time.waits).toHaveLength(3);
	});

	it("stops trying when it is told to", async () => {
		const stop = new AbortController();
		receiver.how.reply = () => {
			stop.abort(new Failure("CANCELLED", "stopped"));
			return { status: 500 };
		};
		expect(await failureOf(open().apply([delivery(1)], stop.signal))).toMatchObject({ code: "CANCELLED" });
		expect(receiver.came).toHaveLength(1);
	});
});

describe("a receiver that is asked too much", () => {
	it.each([
		{ says: "429 with seconds", reply: { status: 429, headers: { "retry-after": "7" } }, ms: 7000 },
		{ says: "503 with a date", reply: { status: 503, headers: { "retry-after": "Thu, 01 Jan 2026 00:00:09 GMT" } }, ms: 9000 },
		{ says: "429 alone", reply: { status: 429 }, ms: 1000 },
	])("is left alone by all that wants to be sent: $says", async ({ reply, ms }) => {
		receiver.how.reply = (nth) => (nth === 1 ? reply : undefined);
		const target = open();
		const results = await Promise.all([1, 2, 3, 4, 5, 6].map((number) => target.apply([delivery(number)], never)));
		expect(kindsOf(results.flat())).toEqual(Array.from({ length: 6 }, () => "applied"));
		expect(time.waits).toEqual([ms]);
		// One was on the way when it said so.
		expect(receiver.came.filter(({ headers }) => headers["webhook-timestamp"] === "1767225600").length).toBeLessThanOrEqual(2);
	});

	it("stops the target when that takes long, and says until when", async () => {
		receiver.how.reply = () => ({ status: 429, headers: { "retry-after": "3600" } });
		const target = open();
		expect(await failureOf(target.apply([delivery(1)], never))).toMatchObject({ code: "TARGET_UNREACHABLE", retryAfterMs: 3_600_000 });
		expect(await failureOf(target.apply([delivery(2)], never))).toMatchObject({ code: "TARGET_UNREACHABLE", retryAfterMs: 3_600_000 });
		expect(receiver.came).toHaveLength(1);
	});
});

describe("a receiver that refuses", () => {
	it.each([
		{ status: 400, text: '{"error":"no e-mail"}', error: "400 no e-mail" },
		{ status: 413, text: "", error: "413" },
		{ status: 422, text: '{"detail":"unknown department","title":"Invalid"}', error: "422 unknown department" },
		{ status: 409, text: "<p>taken &amp; gone</p>", error: "409 taken &amp; gone" },
		{ status: 400, text: "x".repeat(1000), error: `400 ${"x".repeat(300)}…` },
	])("one change, does so in its own words: $status $text", async ({ status, text, error }) => {
		receiver.how.reply = () => ({ status, text });
		expect(await open().apply([delivery(1)], never)).toEqual([{ kind: "refused", error }]);
		expect(receiver.came).toHaveLength(1);
	});

	it("one change of a batch, has the others all the same, in their order", async () => {
		receiver.how.reply = (_, events) => (events.some(({ subject }) => subject === "a2") ? { status: 422, text: "no" } : undefined);
		const target = open({ batch: 3 });
		expect(kindsOf(await target.apply([delivery(1), delivery(2), delivery(3)], never))).toEqual(["applied", "refused", "applied"]);
		expect(ids()).toEqual(["key-1 key-2 key-3", "key-1", "key-2", "key-3"]);
		expect([...receiver.accounts.keys()]).toEqual(["a1", "a3"]);
	});

	it.each([401, 403])("us with %i stops the target", async (status) => {
		receiver.how.reply = () => ({ status, text: "who are you" });
		expect(await failureOf(open().apply([delivery(1)], never))).toMatchObject({
			code: "TARGET_REFUSED",
			message: expect.stringContaining("who are you"),
		});
	});

	it("our signature stops the target", async () => {
		expect(await failureOf(open({ secret: () => "another secret of 24 characters" }).apply([delivery(1)], never))).toMatchObject({
			code: "TARGET_REFUSED",
			hint: expect.stringContaining("same secret"),
		});
	});

	it.each([302, 404, 405, 410])("with %i before it has taken anything is the wrong URL, and stops the target", async (status) => {
		receiver.how.reply = () => ({ status, headers: { location: "/elsewhere" } });
		expect(await failureOf(open().apply([delivery(1)], never))).toMatchObject({ code: "TARGET_REFUSED" });
		expect(receiver.came).toHaveLength(1);
	});

	it.each([404, 410])("with %i after it has taken something means that one change", async (status) => {
		receiver.how.reply = (nth) => (nth === 2 ? { status } : undefined);
		const target = open();
		const results = [];
		for (const number of [1, 2, 3]) results.push(...(await target.apply([delivery(number)], never)));
		expect(kindsOf(results)).toEqual(["applied", "refused", "applied"]);
	});
});
