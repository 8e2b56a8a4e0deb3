import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeSecret, type Secret } from "../../src/config/secret.ts";
import { Failure } from "../../src/core/errors.ts";
import type { Api } from "../../src/http/api.ts";
import { type HealthFacts, judgeHealth } from "../../src/http/health.ts";
import type { Reads } from "../../src/http/reads.ts";
import { type HttpServer, openHttp } from "../../src/http/server.ts";
import { openToken } from "../../src/http/token.ts";
import { nothingToSee } from "../support/looks.ts";
import { nothingToRead } from "../support/reads.ts";
import { makeReport } from "../support/reports.ts";

const plan = `sha256:${"ab".repeat(32)}`;
const admin = "a-token-that-nobody-can-guess-0123456789";
const viewer = "a-token-that-only-reads-0123456789-0123456789";

let server: HttpServer;
let facts: HealthFacts;
let isReady: boolean;
let bugs: unknown[];
let asked: unknown[];
let api: Api;
let reads: Partial<Reads>;

beforeEach(async () => {
	facts = {
		now: 1_772_452_800_000,
		startedAt: 1_772_452_000_000,
		version: "1.2.3",
		phase: "running",
		sources: [],
		targets: [],
		database: undefined,
		engine: undefined,
		beside: [],
	};
	isReady = true;
	bugs = [];
	asked = [];
	reads = {};
	api = {
		sync: async (source, mode, by) => {
			asked.push({ source, mode, by });
			return makeReport({ source, run: 12 });
		},
		approve: async (name, by) => {
			asked.push({ approve: name, by });
			return makeReport({ run: 13 });
		},
		reject: async (name, by) => {
			asked.push({ reject: name, by });
			return { source: "corp", rejected: 60 };
		},
		revert: async (request, by) => {
			asked.push({ revert: request, by });
			return makeReport({ run: 14, trigger: "revert" });
		},
		unpin: async (user, by) => {
			asked.push({ unpin: user, by });
			return { accounts: 1, pins: 2 };
		},
		forget: async (target, user, by) => {
			asked.push({ forget: target, user, by });
			return { accounts: 2, groups: 1 };
		},
		readBack: async (target, by) => {
			asked.push({ readBack: target, by });
			return { target, same: 2, changed: 0, missing: 0, others: 1, partialBecause: undefined };
		},
		sources: () => ["corp", "lab"],
	};
	server = await open(makeSecret(admin));
});

afterEach(() => server.close(0));

function open(operator: Secret, port = 0, patienceMs = 30_000): Promise<HttpServer> {
	return openHttp({
		patienceMs,
		listen: { host: "127.0.0.1", port },
		tls: undefined,
		tokens: { operator, viewer: makeSecret(viewer) },
		clock: () => facts.now,
		health: () => judgeHealth(facts),
		isReady: () => isReady,
		metrics: { contentType: "text/plain; version=0.0.4; charset=utf-8", text: async () => "dirsyncd_build_info 1\n" },
		api: {
			sync: (...given) => api.sync(...given),
			approve: (...given) => api.approve(...given),
			reject: (...given) => api.reject(...given),
			revert: (...given) => api.revert(...given),
			unpin: (...given) => api.unpin(...given),
			forget: (...given) => api.forget(...given),
			readBack: (...given) => api.readBack(...given),
			sources: () => api.sources(),
		},
		look: nothingToSee,
		reads: { ...nothingToRead, ...reads },
		onBug: (error) => bugs.push(error),
	});
}

interface Answer {
	readonly status: number;
	readonly headers: Headers;
	readonly text: string;
	readonly json: unknown;
}

async function ask(method: string, where: string, given: { readonly token?: string; readonly body?: unknown } = {}): Promise<Answer> {
	const response = await fetch(new URL(where, server.url), {
		method,
		headers: {
			...(given.token !== undefined && { authorization: `Bearer ${given.token}` }),
			...(given.body !== undefined && { "content-type": "application/json" }),
		},
		...(given.body !== undefined && { body: typeof given.body === "string" ? given.body : JSON.stringify(given.body) }),
	});
	const text = await response.text();
	const isJson = response.headers.get("content-type")?.includes("json") ?? false;
	return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined };
}

describe("without a token", () => {
	it("health answers in application/health+json, 200 while it passes", async () => {
		const answer = await ask("GET", "/health");
		expect(answer.status).toBe(200);
		expect(answer.headers.get("content-type")).toMatch(/^application\/health\+json/);
		expect(answer.json).toMatchObject({ status: "pass", version: "1.2.3" });
	});

	it("health answers 503 when it fails, and says why", async () => {
		facts = { ...facts, database: { since: 0, because: "disk full", hint: undefined } };
		const answer = await ask("GET", "/health");
		expect(answer.status).toBe(503);
		expect(answer.json).toMatchObject({ status: "fail", notes: [expect.stringContaining("disk full")] });
	});

	it("live answers whatever health says; ready answers 503 until it is", async () => {
		facts = { ...facts, phase: "starting" };
		isReady = false;
		expect((await ask("GET", "/health/live")).status).toBe(200);
		expect((await ask("GET", "/health/ready")).status).toBe(503);
		isReady = true;
		expect((await ask("GET", "/health/ready")).status).toBe(200);
	});

	it("metrics answer in the exposition format", async () => {
		const answer = await ask("GET", "/metrics");
		expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
		expect(answer.text).toBe("dirsyncd_build_info 1\n");
	});

	it("the page is there, with no scripts and nothing from elsewhere", async () => {
		const answer = await ask("GET", "/");
		expect(answer.status).toBe(200);
		expect(answer.headers.get("content-security-policy")).toMatch(
			/^default-src 'none';style-src 'sha256-[^;]+';script-src 'sha256-[^;]+';connect-src 'self';form-action 'self';/,
		);
		expect(answer.text).toContain('<a href="/health">');
		expect(answer.text).not.toMatch(/<script|https?:\/\//);
	});

	it("the page shows text as text, whatever a directory server says", async () => {
		facts = { ...facts, database: { since: 0, because: '<img src=x onerror="alert(1)">', hint: undefined } };
		expect((await ask("GET", "/")).text).not.toContain("<img");
	});

	it.each([
		["GET", "/api/v1/status"],
		["GET", "/api/v1/plans"],
		["POST", "/api/v1/sync"],
		["POST", `/api/v1/plans/${plan}/approve`],
		["POST", `/api/v1/plans/${plan}/reject`],
		["POST", "/api/v1/targets/gateway/forget"],
		["POST", "/api/v1/runs/12/revert"],
		["POST", "/api/v1/accounts/ada/unpin"],
		["POST", "/api/v1/targets/gateway/read-back"],
		["GET", "/api/v1/not-there"],
	])("%s %s is refused, and nothing is done", async (method, where) => {
		const answer = await ask(method, where);
		expect(answer.status).toBe(401);
		expect(answer.headers.get("www-authenticate")).toMatch(/^Bearer/);
		expect(answer.headers.get("content-type")).toMatch(/^application\/problem\+json/);
		expect(asked).toEqual([]);
	});

	it.each(["", admin.slice(1), `${admin}x`, "null"])("the wrong token %j is refused", async (token) => {
		expect((await ask("GET", "/api/v1/status", { token })).status).toBe(401);
	});

	it("guessing is slowed down, and who has the token still gets in", async () => {
		const answers: number[] = [];
		for (let guess = 0; guess < 12; guess++) answers.push((await ask("GET", "/api/v1/status", { token: `guess-${guess}` })).status);
		expect(answers.filter((status) => status === 401)).toHaveLength(10);
		expect(answers.at(-1)).toBe(429);
		expect(Number((await ask("GET", "/api/v1/status", { token: "again" })).headers.get("retry-after"))).toBeGreaterThan(0);
		expect((await ask("GET", "/api/v1/status", { token: admin })).status).toBe(200);
	});
});

describe("with the viewer's token", () => {
	it("what only reads is answered, and what changes anything is refused", async () => {
		expect((await ask("GET", "/api/v1/status", { token: viewer })).json).toMatchObject({ version: "1.2.3" });
		for (const where of ["sync", `plans/${plan}/approve`, `plans/${plan}/reject`, "runs/12/revert", "targets/gateway/forget"]) {
			expect((await ask("POST", `/api/v1/${where}`, { token: viewer, body: {} })).status).toBe(403);
		}
		expect(asked).toEqual([]);
	});
});

describe("with the token", () => {
	const token = admin;

	it("a target, or one account there, is forgotten, and a target read back", async () => {
		const forget = (body: object) => ask("POST", "/api/v1/targets/gate%20way/forget", { token, body });
		expect((await forget({ by: "ada" })).json).toEqual({ accounts: 2, groups: 1 });
		await forget({ user: "bob@corp" });
		expect(asked).toEqual([
			{ forget: "gate way", user: undefined, by: "ada (api)" },
			{ forget: "gate way", user: "bob@corp", by: "operator (api)" },
		]);
		expect((await forget({ user: "" })).status).toBe(400);
		expect((await ask("POST", "/api/v1/targets/gateway/read-back", { token, body: {} })).json).toEqual({
			...{ target: "gateway", same: 2, changed: 0, missing: 0, others: 1 },
		});
		expect(asked.at(-1)).toEqual({ readBack: "gateway", by: "operator (api)" });
	});

	it("a run is taken back, and an account unpinned", async () => {
		const revert = (run: string, body: object) => ask("POST", `/api/v1/runs/${run}/revert`, { token, body });
		expect((await revert("12", { by: "ada" })).json).toMatchObject({ run: 14, trigger: "revert" });
		await revert("12", { kind: "disable", account: "bob@corp" });
		expect((await ask("POST", "/api/v1/accounts/bob%40corp/unpin", { token, body: { by: "ada" } })).json).toEqual({ accounts: 1, pins: 2 });
		expect(asked).toEqual([
			{ revert: { run: 12, kind: undefined, user: undefined }, by: "ada (api)" },
			{ revert: { run: 12, kind: "disable", user: "bob@corp" }, by: "operator (api)" },
			{ unpin: "bob@corp", by: "ada (api)" },
		]);
		for (const [run, body] of [
			["x", {}],
			["0", {}],
			["12", { kind: "remove" }],
			["12", { account: "" }],
			["12", { user: "bob" }],
		] as const)
			expect((await revert(run, body)).status).toBe(400);
	});

	it.each([
		{ body: { source: "lab", mode: "full" }, does: [{ source: "lab", mode: "full" }] },
		{ body: { source: "lab", full: true }, does: [{ source: "lab", mode: "full" }] },
		{ body: { source: "lab" }, does: [{ source: "lab", mode: "auto" }] },
		{
			body: {},
			does: [
				{ source: "corp", mode: "auto" },
				{ source: "lab", mode: "auto" },
			],
		},
		{
			body: undefined,
			does: [
				{ source: "corp", mode: "auto" },
				{ source: "lab", mode: "auto" },
			],
		},
	])("sync of $body does $does", async ({ body, does }) => {
		const answer = await ask("POST", "/api/v1/sync", { token, body });
		expect(answer.status).toBe(200);
		expect(asked).toEqual(does.map((each) => ({ ...each, by: "operator (api)" })));
		if (does.length === 1) expect(answer.json).toMatchObject({ run: 12, source: "lab" });
		else expect(answer.json).toHaveLength(2);
	});

	it("approve and reject pass on the plan and who decided", async () => {
		const where = `/api/v1/plans/${encodeURIComponent(plan)}`;
		expect((await ask("POST", `${where}/approve`, { token, body: { by: "ada" } })).json).toMatchObject({ run: 13 });
		expect((await ask("POST", `${where}/reject`, { token, body: { by: "ada" } })).json).toEqual({ source: "corp", rejected: 60 });
		expect(asked).toEqual([
			{ approve: plan, by: "ada (api)" },
			{ reject: plan, by: "ada (api)" },
		]);
	});

	it.each([
		{ what: "an unknown key", where: "/api/v1/sync", body: { sauce: "corp" } },
		{ what: "a mode that is none", where: "/api/v1/sync", body: { mode: "half" } },
		{ what: "a list", where: "/api/v1/sync", body: [] },
		{ what: "half a JSON", where: "/api/v1/sync", body: '{"source":' },
		{ what: "a plan that is no hash", where: "/api/v1/plans/42/approve", body: {} },
	])("$what is a 400 that says so", async ({ where, body }) => {
		const answer = await ask("POST", where, { token, body });
		expect(answer.status).toBe(400);
		expect(answer.json).toMatchObject({ status: 400, title: "Bad Request", error: { code: "USAGE" } });
		expect(asked).toEqual([]);
		expect(bugs).toEqual([]);
	});

	it.each([
		{ code: "PLAN_UNKNOWN", status: 404 },
		{ code: "PLAN_CHANGED", status: 409 },
		{ code: "NOT_FOUND", status: 404 },
		{ code: "RUN_ALREADY_ACTIVE", status: 409 },
		{ code: "CANCELLED", status: 503 },
		{ code: "DATABASE_UNWRITABLE", status: 503 },
		{ code: "SOURCE_UNREACHABLE", status: 502 },
		{ code: "DATABASE_CORRUPT", status: 500 },
	] as const)("a failure $code is a problem with status $status, its message and hint", async ({ code, status }) => {
		api = { ...api, sync: () => Promise.reject(new Failure(code, "what went wrong", { hint: "What helps." })) };
		const answer = await ask("POST", "/api/v1/sync", { token, body: { source: "corp" } });
		expect(answer.status).toBe(status);
		expect(answer.headers.get("content-type")).toMatch(/^application\/problem\+json/);
		expect(answer.json).toMatchObject({
			status,
			detail: "what went wrong. What helps.",
			error: { code, message: "what went wrong", hint: "What helps." },
		});
	});

	it("a bug is a 500 that tells nothing, and is told to the daemon", async () => {
		api = { ...api, sync: () => Promise.reject(new TypeError("secret of the house")) };
		const answer = await ask("POST", "/api/v1/sync", { token, body: {} });
		expect(answer.status).toBe(500);
		expect(answer.text).not.toContain("secret of the house");
		expect(bugs).toHaveLength(1);
	});

	it("what is not there is a 404", async () => {
		expect((await ask("GET", "/api/v1/not-there", { token })).status).toBe(404);
		expect((await ask("GET", "/not-there")).status).toBe(404);
	});
});

describe("the token's file", () => {
	let folder: string;
	beforeEach(() => {
		folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-token-"));
	});
	afterEach(() => rmSync(folder, { recursive: true }));

	it("is made at the first start, for its own user alone, and read at the next", () => {
		const file = path.join(folder, "x-token");
		const first = openToken(file);
		expect(statSync(file).mode & 0o777).toBe(0o600);
		expect(Buffer.from(first.reveal(), "base64url")).toHaveLength(32);
		expect(openToken(file).reveal()).toBe(first.reveal());
		expect(readFileSync(file, "utf8").trim()).toBe(first.reveal());
		expect(`${first} ${JSON.stringify(first)}`).not.toContain(first.reveal());
	});

	it("is shut again when others could read it", () => {
		const file = path.join(folder, "x-token");
		writeFileSync(file, `${admin}\n`, { mode: 0o644 });
		expect(openToken(file).reveal()).toBe(admin);
		expect(statSync(file).mode & 0o777).toBe(0o600);
	});

	it.each(["", "short"])("is refused when it holds %j", (text) => {
		const file = path.join(folder, "x-token");
		writeFileSync(file, text);
		expect(() => openToken(file)).toThrow(expect.objectContaining({ code: "SECRET_UNREADABLE" }));
	});
});

describe("listening", () => {
	it("on a port that is taken is refused with the remedy", async () => {
		const port = Number(new URL(server.url).port);
		await expect(open(makeSecret(admin), port)).rejects.toMatchObject({
			code: "USAGE",
			message: expect.stringContaining("another program"),
		});
	});

	/** Resolves when the server has cut off who sent this and no more. */
	async function cutOff(part: string): Promise<void> {
		const socket = net.connect(Number(new URL(server.url).port), "127.0.0.1");
		await once(socket, "connect");
		socket.resume().write(part);
		await once(socket, "close");
	}
	const partOfBody = "POST /login HTTP/1.1\r\nHost: here\r\nContent-Length: 10\r\n\r\ntok";

	it.each(["", "GET /health HTTP/1.1\r\nHost: here\r\n", partOfBody])(
		"does not wait for ever for who has sent %j and sends no more",
		async (part) => {
			await server.close(0);
			server = await open(makeSecret(admin), 0, 100);
			await cutOff(part);
		},
	);

	it("waits for ever with who waits for an answer", async () => {
		await server.close(0);
		const ended = Promise.withResolvers<void>();
		api = { ...api, sync: () => ended.promise.then(() => makeReport()) };
		server = await open(makeSecret(admin), 0, 100);
		const answer = ask("POST", "/api/v1/sync", { token: admin, body: { source: "corp" } });
		await cutOff(partOfBody);
		await cutOff(partOfBody);
		ended.resolve();
		expect((await answer).status).toBe(200);
	});

	it("ends although a client holds its connection open", async () => {
		const socket = net.connect(Number(new URL(server.url).port), "127.0.0.1");
		await new Promise((resolve) => socket.once("connect", resolve));
		const closed = new Promise((resolve) => socket.once("close", resolve));
		await server.close(50);
		await closed;
	});
});
