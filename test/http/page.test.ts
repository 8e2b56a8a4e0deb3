import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Failure } from "../../src/core/errors.ts";
import { script } from "../../src/http/page/script.ts";
import {
	accountView,
	adminToken,
	disabling,
	explanationOf,
	heldPlan,
	heldPlanHash,
	loggedDisable,
	makeRun,
	now,
	openPageWorld,
	type PageWorld,
	sliceOf,
	undoing,
	viewerToken,
} from "../support/page-world.ts";
import { makeReport } from "../support/reports.ts";

let world: PageWorld;
beforeEach(async () => {
	world = await openPageWorld();
});
afterEach(() => world.server.close(0));

interface Answer {
	readonly status: number;
	readonly headers: Headers;
	readonly text: string;
}

interface Asking {
	readonly cookie?: string;
	readonly form?: Readonly<Record<string, string>>;
	/** What the browser says of where a form stands; by default this page. */
	readonly origin?: string | undefined;
}

async function ask(where: string, asking: Asking = {}): Promise<Answer> {
	const { cookie, form } = asking;
	const origin = "origin" in asking ? asking.origin : new URL(world.server.url).origin;
	const response = await fetch(new URL(where, world.server.url), {
		method: form === undefined ? "GET" : "POST",
		redirect: "manual",
		headers: { ...(cookie !== undefined && { cookie }), ...(form !== undefined && origin !== undefined && { origin }) },
		...(form !== undefined && { body: new URLSearchParams(form) }),
	});
	return { status: response.status, headers: response.headers, text: await response.text() };
}

/** The cookie of who signed in. */
async function signIn(token = adminToken): Promise<string> {
	const answer = await ask("/login", { form: { token } });
	expect(answer.status).toBe(303);
	return answer.headers.get("set-cookie")?.split(";")[0] ?? "";
}

/** The token that stands in the forms of a session. */
async function csrfOf(cookie: string): Promise<string> {
	return /name="csrf" value="([^"]+)"/.exec((await ask("/", { cookie })).text)?.[1] ?? "";
}

/** A page without the one script that is ours. */
const withoutOurs = (text: string): string => text.replace(`<script>${script}</script>`, "");

const decision = (verb: string): string => `/plans/${encodeURIComponent(heldPlanHash)}/${verb}`;

describe("who has not signed in", () => {
	it("sees health and the way in, and nothing of people", async () => {
		const { status, text } = await ask("/");
		expect(status).toBe(200);
		expect(text).toContain("source:corp");
		expect(text).toContain('<form action="/login"');
		expect(text).not.toMatch(/ada|bob|carl|Lovelace|vpn|sha256:/);
	});

	it.each(["/runs", "/runs/40", "/people?user=ada", "/accounts?text=Ada%20(lab)*!,;"])(
		"is shown the way in instead of %s, and comes back there",
		async (where) => {
			const { status, headers, text } = await ask(where);
			expect(status).toBe(303);
			expect(headers.get("location")).toBe(`/login?next=${encodeURIComponent(where)}`);
			expect(text).toBe("");
			expect((await ask("/login", { form: { token: adminToken, next: where } })).headers.get("location")).toBe(where);
		},
	);

	it.each(["approve", "reject"])("cannot %s", async (verb) => {
		expect((await ask(decision(verb), { form: { csrf: "" } })).headers.get("location")).toBe("/login");
		expect(world.decided).toEqual([]);
	});

	it.each(["https://elsewhere.example", "//elsewhere.example", "/\\elsewhere.example", "elsewhere", "/a\nb"])(
		"is never sent to %j after signing in",
		async (next) => {
			expect((await ask("/login", { form: { token: adminToken, next } })).headers.get("location")).toBe("/");
		},
	);
});

describe("signing in", () => {
	it("gives a cookie that no script reads and no other site can have sent, with a new id each time", async () => {
		const cookies = await Promise.all(
			[1, 2].map(async () => (await ask("/login", { form: { token: ` ${adminToken}\n` } })).headers.get("set-cookie") ?? ""),
		);
		for (const cookie of cookies) expect(cookie).toMatch(/^dirsyncd=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
		expect(new Set(cookies).size).toBe(2);
		expect(cookies.join()).not.toContain(adminToken);
	});

	it.each(["", "wrong", adminToken.slice(1), `${adminToken}x`])("by %j is refused", async (token) => {
		const answer = await ask("/login", { form: { token } });
		expect(answer.status).toBe(401);
		expect(answer.text).toContain("not the right one");
		expect(answer.headers.get("set-cookie")).toBeNull();
	});

	it("by guessing is slowed down, at the page and the API together, and who has the token still gets in", async () => {
		const statuses: number[] = [];
		for (let guess = 0; guess < 6; guess++) statuses.push((await ask("/login", { form: { token: `guess-${guess}` } })).status);
		const api = () => fetch(new URL("/api/v1/status", world.server.url), { headers: { authorization: "Bearer guess" } });
		for (let guess = 0; guess < 4; guess++) statuses.push((await api()).status);
		expect(statuses).toEqual(Array(10).fill(401));
		const answer = await ask("/login", { form: { token: "again" } });
		expect(answer.status).toBe(429);
		expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
		expect(await signIn()).toMatch(/^dirsyncd=/);
	});

	it("by a form that stands on another site is refused", async () => {
		for (const origin of ["https://elsewhere.example", "null", undefined]) {
			expect((await ask("/login", { form: { token: adminToken }, origin })).status).toBe(403);
		}
	});

	it("lasts for an hour without a request, and twelve in all", async () => {
		const hour = 3_600_000;
		const isIn = async (cookie: string): Promise<boolean> => (await ask("/runs", { cookie })).status === 200;
		const idle = await signIn();
		world.clock += hour;
		expect(await isIn(idle)).toBe(false);
		const busy = await signIn();
		for (let step = 0; step < 13; step++) {
			world.clock += hour * 0.9;
			expect(await isIn(busy)).toBe(true);
		}
		world.clock += hour * 0.9;
		expect(await isIn(busy)).toBe(false);
	});

	it("ends with signing out, also for who kept the cookie", async () => {
		const cookie = await signIn();
		expect((await ask("/logout", { cookie, form: { csrf: "wrong" } })).status).toBe(403);
		expect((await ask("/logout", { cookie, form: { csrf: await csrfOf(cookie) } })).headers.get("set-cookie")).toMatch(
			/^dirsyncd=;.*Expires=Thu, 01 Jan 1970/,
		);
		expect((await ask("/runs", { cookie })).status).toBe(303);
	});
});

describe("an operator", () => {
	it("sees what is held with its people and why, sources, targets, quarantine, runs and rules", async () => {
		const { text } = await ask("/", { cookie: await signIn() });
		for (const words of ["ada@corp.example.com", "deleted in the directory", "2 of 20 (10 %)", heldPlanHash]) expect(text).toContain(words);
		for (const words of ["in 30.0 s", "sealed", "mail-gateway", "it answers 503", "e-mail address carl@corp.example.com"])
			expect(text).toContain(words);
		for (const words of ["/runs/40", "<svg", "group Sales", "50 GB", "1,192"]) expect(text).toContain(words);
	});

	it("sees of many that are set aside some, and how many more there are", async () => {
		const aside = { source: "corp", anchor: "a", name: "p", reason: "no value for userName", since: 0 };
		world.look = { ...world.look, quarantineBriefly: (most) => ({ count: 100_000, first: Array(Math.min(most, 1000)).fill(aside) }) };
		const { text } = await ask("/", { cookie: await signIn() });
		expect(text).toContain("100,000 accounts are set aside");
		expect(text).toContain("And 99,950 more");
	});

	it.each([
		{ verb: "approve", next: "/runs/41" },
		{ verb: "reject", next: "/" },
	])("can $verb exactly the plan that was shown, and it is written down who did", async ({ verb, next }) => {
		const cookie = await signIn();
		const form = new RegExp(`<form action="([^"]+/${verb})"`).exec((await ask("/", { cookie })).text)?.[1] ?? "";
		const answer = await ask(form, { cookie, form: { csrf: await csrfOf(cookie) } });
		expect([answer.status, answer.headers.get("location")]).toEqual([303, next]);
		expect(world.decided).toEqual([{ [verb]: heldPlanHash, by: "page" }]);
	});

	it.each([
		{ where: "/sources/corp/sync", form: { mode: "auto" }, next: "/runs/39", decided: { sync: "corp", mode: "auto", by: "page" } },
		{ where: "/sources/corp/sync", form: { mode: "full" }, next: "/runs/39", decided: { sync: "corp", mode: "full", by: "page" } },
		{ where: "/targets/mail-gateway/read-back", form: {}, next: "/", decided: { readBack: "mail-gateway", by: "page" } },
		{ where: "/runs/40/revert", form: {}, next: "/runs/41", decided: { revert: 40, by: "page" } },
		{ where: "/people/unpin", form: { user: "ada" }, next: "/people?user=ada", decided: { unpin: "ada", by: "page" } },
	])("can post to $where with $form, a viewer and a form of another session cannot", async ({ where, form, next, decided }) => {
		const viewer = await signIn(viewerToken);
		expect((await ask(where, { cookie: viewer, form: { ...form, csrf: await csrfOf(viewer) } })).status).toBe(403);
		const cookie = await signIn();
		expect((await ask(where, { cookie, form: { ...form, csrf: await csrfOf(viewer) } })).status).toBe(403);
		expect(world.decided).toEqual([]);
		const answer = await ask(where, { cookie, form: { ...form, csrf: await csrfOf(cookie) } });
		expect([answer.status, answer.headers.get("location")]).toEqual([303, next]);
		expect(world.decided).toEqual([decided]);
	});

	it("is told why a source cannot be read now", async () => {
		world.api = { ...world.api, sync: () => Promise.reject(new Failure("NOT_FOUND", "there is no source lab")) };
		const cookie = await signIn();
		const answer = await ask("/sources/lab/sync", { cookie, form: { csrf: await csrfOf(cookie) } });
		expect(answer.status).toBe(404);
		expect(answer.text).toContain("There is no source lab.");
	});

	it("is not taken for who sent a form of another site or another session", async () => {
		const cookie = await signIn();
		const csrf = await csrfOf(cookie);
		const other = await csrfOf(await signIn());
		const refused = [
			{ form: { csrf: other } },
			{ form: {} },
			{ form: { csrf }, origin: "https://elsewhere.example" },
			{ form: { csrf }, origin: undefined },
		];
		for (const asking of refused) expect((await ask(decision("approve"), { cookie, ...asking })).status).toBe(403);
		expect(world.decided).toEqual([]);
	});

	it("is told in words when a plan is not what was shown any more", async () => {
		world.api = {
			...world.api,
			approve: () => Promise.reject(new Failure("PLAN_UNKNOWN", "no plan of this hash is waiting", { hint: "See status." })),
		};
		const cookie = await signIn();
		const answer = await ask(decision("approve"), { cookie, form: { csrf: await csrfOf(cookie) } });
		expect(answer.status).toBe(404);
		expect(answer.headers.get("content-type")).toMatch(/^text\/html/);
		for (const words of ["No plan of this hash is waiting.", "See status."]) expect(answer.text).toContain(words);
	});

	it.each(["approve", "reject"])(
		"is told at once that what it would %s was decided meanwhile: no directory is read for it",
		async (verb) => {
			const cookie = await signIn();
			const csrf = await csrfOf(cookie);
			await ask(decision("reject"), { cookie, form: { csrf } });
			const answer = await ask(decision(verb), { cookie, form: { csrf } });
			expect(answer.status).toBe(404);
			expect(answer.text).toContain(`No plan ${heldPlanHash} is waiting.`);
			expect(world.decided).toHaveLength(1);
		},
	);

	it("sees a run's changes with before and after", async () => {
		const { text } = await ask("/runs/40", { cookie: await signIn() });
		expect(text).toContain("active: <del>true</del> → <ins>false</ins>");
		expect(text).toContain("dc1.corp.example.com");
	});

	it("walks through all changes of a run, page by page, and is told what is no page of it", async () => {
		world.reads = {
			...world.reads,
			runChanges: (run, after, limit) =>
				after === undefined
					? { items: Array(limit).fill(loggedDisable(run, 7, "ada")), size: 0, reached: [7] }
					: sliceOf([loggedDisable(run, 9, `after ${after}`)]),
		};
		const cookie = await signIn();
		const [, next = ""] = /href="(\/runs\/40\?after=[\w-]+)"/.exec((await ask("/runs/40", { cookie })).text) ?? [];
		const second = (await ask(next, { cookie })).text;
		expect(second).toContain("after 7");
		expect(second).not.toContain("?after=");
		for (const after of ["x", "!", Buffer.from('["changes","7"]').toString("base64url")])
			expect((await ask(`/runs/40?after=${after}`, { cookie })).status).toBe(400);
	});

	it("finds accounts by a part of their names, page by page", async () => {
		const asked: unknown[] = [];
		world.reads = {
			...world.reads,
			accounts: ({ text }, after, limit) => {
				asked.push([text, after, limit]);
				const reached = after === undefined ? (["bob@corp.example.com", 12] as const) : undefined;
				return { items: Array(after === undefined ? limit : 1).fill(accountView("ada@corp.example.com")), size: 0, reached };
			},
		};
		const cookie = await signIn();
		const { text } = await ask("/accounts?text=+ad%26a+", { cookie });
		for (const words of ["ada@corp.example.com", "Ada Lovelace", "<strong>failed</strong>, userName is taken", 'value="ad&#38;a"'])
			expect(text).toContain(words);
		const [, next = ""] = /href="(\/accounts\?[^"]+)"/.exec(text) ?? [];
		expect((await ask(next.replaceAll("&#38;", "&"), { cookie })).text).not.toContain("after=");
		expect(asked[0]).toEqual(["ad&a", undefined, 50]);
		expect(asked.at(-1)).toEqual(["ad&a", ["bob@corp.example.com", 12], 50]);
	});

	it("who looks for somebody by a part of a name is shown who has it", async () => {
		const unknown = { ...explanationOf("love"), state: "unknown", anchor: undefined, dn: undefined, account: undefined } as const;
		world.look = { ...world.look, explain: async () => [unknown] };
		world.reads = { ...world.reads, accounts: ({ text }) => sliceOf(text === "love" ? [accountView("ada@corp.example.com")] : []) };
		const cookie = await signIn();
		const { text } = await ask("/people?user=love", { cookie });
		expect(text).toContain("<h1>love</h1>");
		expect(text).toContain(`href="/people?user=${accountView("").anchor}"`);
		expect((await ask("/people?user=hate", { cookie })).text).not.toContain("have it in their names");
	});

	it("sees what taking a run back would do before it is done; a viewer sees it and cannot", async () => {
		const asked: unknown[] = [];
		world.reads = {
			...world.reads,
			preview: async (request, most) => {
				asked.push([request, most]);
				return undoing("ada@corp.example.com");
			},
		};
		const cookie = await signIn();
		expect((await ask("/runs/39", { cookie })).text).toContain('href="/runs/39/revert"');
		// It changed nothing.
		expect((await ask("/runs/40", { cookie })).text).not.toContain("/revert");
		const { text } = await ask("/runs/40/revert", { cookie });
		for (const words of ["1 enable", "1 enable (1 of 20 (5 %))", "active: <del>false</del> → <ins>true</ins>", "its mail changed since"])
			expect(text).toContain(words);
		expect(text).toContain('<form action="/runs/40/revert" method="post">');
		expect(asked).toEqual([[{ run: 40, kind: undefined, user: undefined }, 200]]);
		const viewer = await signIn(viewerToken);
		expect((await ask("/runs/40/revert", { cookie: viewer })).text).not.toContain('action="/runs/40/revert"');
		expect((await ask("/runs/39", { cookie: viewer })).text).not.toContain("/revert");
	});

	it("walks through all runs, page by page, and is told which are not there", async () => {
		const all = Array.from({ length: 70 }, (_, index) => makeRun({ run: 70 - index }));
		world.look = { ...world.look, runs: (limit, before) => all.filter(({ run }) => run < (before ?? 1000)).slice(0, limit) };
		const cookie = await signIn();
		expect((await ask("/runs", { cookie })).text).toContain('href="/runs?before=21"');
		const second = (await ask("/runs?before=21", { cookie })).text;
		expect(second).toContain("/runs/20");
		expect(second).not.toContain("before=");
		expect((await ask("/runs/999", { cookie })).status).toBe(404);
		expect((await ask("/runs/x", { cookie })).status).toBe(400);
	});

	it("lets one of two people go that have one anchor, each in their own source, and not the other", async () => {
		const [ada] = await world.look.explain("ada");
		if (ada?.account === undefined) throw new Error("Ada has an account");
		const pin = { part: "title", kept: '"Countess"', run: 40, by: "eve", at: now } as const;
		const { account } = ada.account;
		const twin = { ...ada, source: "lab", account: { ...ada.account, account: { ...account, userName: "ada@lab.example.com" } } };
		// Whoever has no account any more has nothing but the anchor.
		const gone = { ...ada, account: undefined };
		world.look = { ...world.look, explain: async () => [ada, twin, gone].map((each) => ({ ...each, pins: [pin] })) };
		const { text } = await ask("/people?user=x", { cookie: await signIn() });
		const asked = [...text.matchAll(/name="user" value="([^"]+)"/g)].map(([, user]) => user);
		expect(asked).toEqual(["ada@corp.example.com", "ada@lab.example.com", ada.anchor]);
	});

	it("reads why somebody's account is as it is", async () => {
		const asked: string[] = [];
		world.look = { ...world.look, explain: async (user) => [explanationOf(asked[asked.push(user) - 1] ?? "")] };
		const { text } = await ask(`/people?user=${encodeURIComponent(" ada@corp.example.com ")}`, { cookie: await signIn() });
		expect(asked).toEqual(["ada@corp.example.com"]);
		for (const words of ["waits for approval", "Sales Berlin › Sales", "in the group Sales", "{userPrincipalName}", "Countess"])
			expect(text).toContain(words);
	});
});

describe("a viewer", () => {
	it("sees all of it, without a way to decide, and cannot", async () => {
		const cookie = await signIn(viewerToken);
		const { text } = await ask("/", { cookie });
		expect(text).toContain("ada@corp.example.com");
		expect(text).not.toContain("/approve");
		for (const verb of ["approve", "reject"])
			expect((await ask(decision(verb), { cookie, form: { csrf: await csrfOf(cookie) } })).status).toBe(403);
		expect(world.decided).toEqual([]);
	});
});

describe("every page", () => {
	const evil = `<script>alert(1)</script>"'><img src=x onerror=alert(2)>`;

	it("shows text as text, whatever people and servers are called", async () => {
		const run = makeRun({ error: evil, server: evil, source: evil, unsealed: [evil], sealed: false });
		world.look = {
			...world.look,
			heldBriefly: () => [{ ...heldPlan([disabling(evil, evil)]), source: evil }],
			quarantineBriefly: () => ({ count: 1, first: [{ source: evil, anchor: evil, name: evil, reason: evil, since: 0 }] }),
			runs: () => [run],
			run: () => run,
			rules: () => [{ kind: "policy", name: evil, value: evil, accounts: 1, rules: [{ place: evil, through: evil }] }],
			explain: async () => [{ ...explanationOf(evil), dn: evil, notes: [evil] }],
		};
		const logged = { ...disabling(evil, evil), sequence: 1, at: 0, run: 40, source: evil, result: evil };
		world.reads = {
			runChanges: () => sliceOf([logged]),
			accounts: () => sliceOf([accountView(evil)]),
			preview: async () => ({ ...undoing(evil), source: evil }),
		};
		const cookie = await signIn();
		for (const where of [
			"/",
			"/runs",
			"/runs/40",
			"/runs/40/revert",
			"/accounts",
			`/people?user=${encodeURIComponent(evil)}`,
			`/login?next=${encodeURIComponent(evil)}`,
		]) {
			const { status, text } = await ask(where, { cookie });
			expect(status).toBe(200);
			expect(withoutOurs(text)).not.toMatch(/<script|<img/);
			if (!where.startsWith("/login")) expect(text).toContain("&#60;script&#62;alert(1)");
		}
	});

	it.each(["/", "/login", "/runs", "/runs/40", "/runs/999", "/runs/40/revert", "/accounts?text=ada", "/people?user=ada"])(
		"%s runs no script but ours, asks no other host, and is not kept",
		async (where) => {
			const { headers, text } = await ask(where, { cookie: await signIn() });
			const policy = headers.get("content-security-policy");
			const ours = createHash("sha256").update(script).digest("base64");
			expect(policy?.split(";")).toEqual([
				"default-src 'none'",
				expect.stringMatching(/^style-src 'sha256-[\w+/=]+'$/),
				`script-src 'sha256-${ours}'`,
				...["connect-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"],
			]);
			expect(headers.get("x-content-type-options")).toBe("nosniff");
			expect(headers.get("x-frame-options")).toBe("DENY");
			expect(headers.get("referrer-policy")).toBe("same-origin");
			expect(headers.get("cache-control")).toBe("no-store");
			expect(withoutOurs(text)).not.toMatch(/<script|\sstyle=|\son\w+=|(?:src|href|action)="(?:https?:)?\/\//);
		},
	);

	it("of an approval that made no run of its own shows what the run says", async () => {
		world.api = { ...world.api, approve: async () => makeReport({ run: 36, outcome: "failed" }) };
		const cookie = await signIn();
		const { headers } = await ask(decision("approve"), { cookie, form: { csrf: await csrfOf(cookie) } });
		expect((await ask(headers.get("location") ?? "", { cookie })).text).toContain("cannot be reached: refused");
	});
});
