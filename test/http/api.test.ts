import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeSecret } from "../../src/config/secret.ts";
import type { Api } from "../../src/http/api.ts";
import { judgeHealth } from "../../src/http/health.ts";
import type { Reads } from "../../src/http/reads.ts";
import { type HttpServer, openHttp } from "../../src/http/server.ts";
import type { AccountView } from "../../src/store/views.ts";
import { nothingToSee } from "../support/looks.ts";
import { nothingToRead } from "../support/reads.ts";
import { makeReport } from "../support/reports.ts";

const token = "a-token-that-nobody-can-guess-0123456789";

let server: HttpServer;
let reads: Partial<Reads>;
let asked: unknown[];

beforeEach(async () => {
	reads = {};
	asked = [];
	const api: Api = {
		sync: async (source, mode, by) => {
			asked.push({ source, mode, by });
			return makeReport({ source });
		},
		approve: async () => makeReport(),
		reject: async () => ({ source: "corp", rejected: 1 }),
		revert: async () => makeReport(),
		unpin: async () => ({ accounts: 1, pins: 1 }),
		forget: async () => ({ accounts: 1, groups: 0 }),
		readBack: async () => ({}),
		...{ sources: () => ["corp"] },
	};
	const read = new Proxy(nothingToRead, { get: (nothing, name: keyof Reads) => reads[name] ?? nothing[name] });
	server = await openHttp({
		...{
			listen: { host: "127.0.0.1", port: 0 },
			tls: undefined,
			clock: () => 0,
			isReady: () => true,
			api,
			look: nothingToSee,
			reads: read,
		},
		tokens: { operator: makeSecret(token), viewer: makeSecret(`${token}-viewer`) },
		health: () =>
			judgeHealth({
				...{
					now: 0,
					startedAt: 0,
					version: "1",
					phase: "running",
					sources: [],
					targets: [],
					database: undefined,
					engine: undefined,
					beside: [],
				},
			}),
		metrics: { contentType: "text/plain", text: async () => "" },
		onBug: (error) => {
			throw error;
		},
	});
});

afterEach(() => server.close(0));

async function ask(method: string, where: string, body?: string, type = "application/json") {
	const response = await fetch(new URL(`/api/v1${where}`, server.url), {
		method,
		headers: { authorization: `Bearer ${token}`, ...(body !== undefined && { "content-type": type }) },
		...(body !== undefined && { body }),
	});
	const text = await response.text();
	return { status: response.status, headers: response.headers, body: text === "" ? undefined : JSON.parse(text) };
}

function person(number: number): AccountView {
	const account = { userName: `p${number}@corp`, active: true };
	return { source: "corp", anchor: `a-${number}`, account, because: undefined, pins: [], groups: [], targets: {} };
}

describe("a request in which several things are wrong", () => {
	it("is refused with all of them, each with its place, its value and a remedy", async () => {
		const { status, headers, body } = await ask("GET", "/accounts?limit=0&stat=failed&state=faild&after=xyz&active=yes");
		expect(status).toBe(400);
		expect(headers.get("content-type")).toMatch(/^application\/problem\+json/);
		expect(body).toMatchObject({ type: "/api/v1/problems#USAGE", title: "Bad Request", status: 400, error: { code: "USAGE" } });
		expect(body.instance).toBe("/api/v1/accounts?limit=0&stat=failed&state=faild&after=xyz&active=yes");
		expect(body.errors).toHaveLength(5);
		for (const part of [
			{ parameter: "active", detail: "is none of true, false", value: "yes", remedy: "give one of these" },
			{ parameter: "state", detail: "is none of applied, pending, held, failed, released", value: "faild", remedy: "write failed" },
			{ parameter: "limit", detail: "is less than 1", value: "0", remedy: "give 1 or more" },
			{ parameter: "after", detail: "is no cursor of this list", value: "xyz" },
			{ parameter: "stat", detail: "is not known here", value: "failed", remedy: "write state" },
		])
			expect(body.errors).toContainEqual(expect.objectContaining(part));
	});

	it("is refused for what its path and its body have at once, and nothing is done", async () => {
		const { body } = await ask("POST", "/runs/0/revert", JSON.stringify({ kind: "disabel", acount: "ada", by: "" }));
		expect(body.errors).toEqual([
			{ parameter: "run", detail: "is less than 1", value: "0", remedy: "give 1 or more" },
			expect.objectContaining({ pointer: "#/kind", value: "disabel", remedy: "write disable" }),
			{ pointer: "#/by", detail: "is empty", value: "", remedy: "give a name, or leave it out" },
			{ pointer: "#/acount", detail: "is not known here", value: "ada", remedy: "write account" },
		]);
	});

	it.each([
		{ what: "who decides, with a line break in it", where: "/sync", body: { by: "ada\nby eve" }, place: { pointer: "#/by" } },
		{ what: "a list for a body", where: "/sync", body: [], place: { pointer: "#" } },
		{ what: "a plan that is no hash", where: "/plans/42/approve", body: {}, place: { parameter: "plan" } },
	])("$what is one", async ({ where, body: given, place }) => {
		const { status, body } = await ask("POST", where, JSON.stringify(given));
		expect(status).toBe(400);
		expect(body.errors).toMatchObject([place]);
		expect(asked).toEqual([]);
	});

	it.each([
		{ where: "/changes?from=yesterday", part: { parameter: "from", remedy: "give one of the two" } },
		{ where: "/changes?limit=501", part: { parameter: "limit", detail: "is more than 500" } },
		{ where: "/changes?limit=1&limit=2", part: { parameter: "limit" } },
		{ where: "/changes?limit=many", part: { parameter: "limit", detail: "is no whole number" } },
	])("$where is one", async ({ where, part }) => {
		const { status, body } = await ask("GET", where);
		expect(status).toBe(400);
		expect(body.errors).toMatchObject([part]);
	});
});

describe("what HTTP refuses", () => {
	it("a name of a thousand characters is none, of whatever language", async () => {
		expect((await ask("GET", `/accounts/${encodeURIComponent("Ж".repeat(1000))}`)).status).toBe(404);
	});

	it.each([
		{ what: "a path that is not encoded as paths are", where: "/accounts/100%" },
		{ what: "a name without end", where: `/accounts/${"x".repeat(2000)}` },
	])("$what is a problem like any other", async ({ where }) => {
		const answer = await ask("GET", where);
		const status = 400;
		expect(answer.status).toBe(status);
		expect(answer.headers.get("content-type")).toMatch(/^application\/problem\+json/);
		expect(answer.headers.get("cache-control")).toBe("no-store");
		expect(answer.body).toMatchObject({ type: "/api/v1/problems#USAGE", status, instance: `/api/v1${where}`, error: { code: "USAGE" } });
	});

	it.each([
		{ method: "DELETE", where: "/accounts/ada", allow: "GET, HEAD", code: "METHOD_NOT_ALLOWED", status: 405 },
		{ method: "GET", where: "/sync", allow: "POST", code: "METHOD_NOT_ALLOWED", status: 405 },
		{ method: "PUT", where: "/runs/1/revert", allow: "GET, HEAD, POST", code: "METHOD_NOT_ALLOWED", status: 405 },
		{ method: "GET", where: "/nothing", allow: null, code: "NOT_FOUND", status: 404 },
	])("$method $where is $status", async ({ method, where, allow, code, status }) => {
		const answer = await ask(method, where);
		expect(answer.status).toBe(status);
		expect(answer.headers.get("allow")).toBe(allow);
		expect(answer.body).toMatchObject({ type: `/api/v1/problems#${code}`, status, error: { code } });
	});

	it("a body that is too large is 413, one that is no JSON 415 or 400", async () => {
		expect(await ask("POST", "/sync", JSON.stringify({ by: "x".repeat(20_000) }))).toMatchObject({
			status: 413,
			body: { error: { code: "TOO_LARGE" } },
		});
		for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
			expect(await ask("POST", "/sync", "source=corp", type)).toMatchObject({
				status: 415,
				body: { error: { code: "UNSUPPORTED_MEDIA_TYPE" } },
			});
		expect(await ask("POST", "/sync", "{")).toMatchObject({ status: 400, body: { error: { code: "USAGE" } } });
		expect(asked).toEqual([]);
	});
});

describe("a list", () => {
	it("comes in pages that lead to each other, filled from as many slices as it takes", async () => {
		// Each slice steps over somebody, and finds one.
		reads = {
			accounts: (_filter, after, limit) => {
				const from = Number(after?.[1] ?? 0) + 1;
				expect(limit).toBeGreaterThan(0);
				return { items: [person(from)], size: 10, reached: from === 5 ? undefined : [`p${from}@corp`, from] };
			},
		};
		const first = await ask("GET", "/accounts?limit=2&active=true");
		expect(first.body.items.map(({ anchor }: { anchor: string }) => anchor)).toEqual(["a-1", "a-2"]);
		expect(first.headers.get("link")).toBe(`</api/v1/accounts?limit=2&active=true&after=${first.body.next}>; rel="next"`);
		const second = await ask("GET", `/accounts?limit=2&after=${first.body.next}`);
		const third = await ask("GET", `/accounts?limit=2&after=${second.body.next}`);
		expect(third.body).toMatchObject({ items: [{ anchor: "a-5" }], next: null });
		expect(third.headers.get("link")).toBeNull();
		// A question mark may stand in a query as it is (RFC 3986, 3.4): the next page is one of what was asked for, too.
		const questions = await ask("GET", "/accounts?limit=2&text=what?&active=true");
		expect(new URLSearchParams(/\?(.*)>/.exec(questions.headers.get("link") ?? "")?.[1]).get("text")).toBe("what?");
		expect(questions.headers.get("link")).toContain("active=true");
		// A cursor is of its own list alone.
		expect((await ask("GET", `/runs?after=${first.body.next}`)).body.errors).toMatchObject([{ parameter: "after" }]);
	});

	it("is cut where it becomes too long for one answer", async () => {
		reads = { accounts: (_filter, after) => ({ items: [person(1)], size: 600_000, reached: [`p${after?.length ?? 0}`, 1] }) };
		expect((await ask("GET", "/accounts?limit=100")).body.items).toHaveLength(2);
	});

	it("lets others be answered while it is looked through", async () => {
		let slices = 0;
		let health: Promise<unknown> | undefined;
		const order: string[] = [];
		reads = {
			log: () => {
				slices++;
				if (slices === 1) health = fetch(new URL("/health/live", server.url)).then(() => order.push("health"));
				const until = performance.now() + 5;
				while (performance.now() < until);
				return { items: [], size: 0, reached: slices === 200 ? undefined : [slices] };
			},
		};
		await ask("GET", "/changes?kind=rare").then(() => order.push("list"));
		await health;
		expect(order).toEqual(["health", "list"]);
	});
});

it("a name that means several accounts is refused with the way to each", async () => {
	reads = { accountsNamed: () => [person(1), { ...person(1), source: "lab" }] };
	expect(await ask("GET", "/accounts/ada")).toMatchObject({
		status: 409,
		body: { title: "Ambiguous", error: { code: "AMBIGUOUS", hint: expect.stringContaining("a-1 of corp, a-1 of lab") } },
	});
	expect((await ask("GET", "/accounts/ada?source=lab")).body).toMatchObject({ source: "lab", anchor: "a-1" });
});
