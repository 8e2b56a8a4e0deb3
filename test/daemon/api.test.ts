import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Demo, startDemo } from "../../src/demo/demo.ts";
import { type DaemonProcess, startDaemon } from "../support/daemons.ts";
import { type Document, makeAnswerCheck } from "../support/open-api.ts";
import { type ScimDouble, startScimDouble } from "../support/scim-double.ts";

// One daemon on the demo directory: everybody is held at first, is approved, and then the rest of the story is decided over the API.
const main = path.join(import.meta.dirname, "..", "..", "src", "main.ts");
const PEOPLE = 40;
const planted = { scim: "planted-scim-secret-9f31", hook: "planted-hook-secret-7c02" };

let folder: string;
let directory: Demo;
let gateway: ScimDouble;
let daemon: DaemonProcess;
let base: string;
let tokens: { readonly operator: string; readonly viewer: string };
let check: ReturnType<typeof makeAnswerCheck>;
let document: Document;

interface Answer {
	readonly status: number;
	readonly headers: Headers;
	// biome-ignore lint/suspicious/noExplicitAny: what it is the document says, by which each answer is checked.
	readonly body: any;
	readonly text: string;
}

/** Asks, and holds the answer against the document. */
async function ask(method: "GET" | "POST", where: string, body?: unknown, token = tokens.operator): Promise<Answer> {
	const response = await fetch(new URL(`/api/v1${where}`, base), {
		method,
		headers: { authorization: `Bearer ${token}`, ...(body !== undefined && { "content-type": "application/json" }) },
		...(body !== undefined && { body: JSON.stringify(body) }),
	});
	const text = await response.text();
	const answer = { status: response.status, headers: response.headers, body: JSON.parse(text), text };
	const type = response.status === 200 ? "application/json" : "application/problem+json";
	expect(response.headers.get("content-type")).toMatch(type);
	check(pathOf(where.split("?")[0] ?? ""), method.toLowerCase(), response.status, answer.body);
	return answer;
}

const get = (where: string, token?: string) => ask("GET", where, undefined, token);

/** The path in the document that an asked one is of. */
function pathOf(where: string): string {
	const paths = Object.keys(document.paths);
	const asked = `/api/v1${where}`;
	const isOf = (each: string): boolean => new RegExp(`^${each.replace(/\{\w+\}/g, "[^/]+")}$`).test(asked);
	return paths.includes(asked) ? asked : (paths.find(isOf) ?? asked);
}

/** All pages of a list, by the header that says where the next one is. */
async function all(where: string): Promise<readonly Record<string, unknown>[]> {
	const items: Record<string, unknown>[] = [];
	for (let next: string | undefined = where; next !== undefined; ) {
		const { body, headers }: Answer = await get(next);
		items.push(...body.items);
		const link = /^<\/api\/v1(.+)>; rel="next"$/.exec(headers.get("link") ?? "")?.[1];
		expect(body.next === null).toBe(link === undefined);
		next = link;
	}
	return items;
}

async function dirsyncd(...args: string[]): Promise<string> {
	const { stdout } = await promisify(execFile)(process.execPath, [main, ...args, "--config", path.join(folder, "dirsyncd.yaml")]);
	return stdout;
}

const decisions = async (): Promise<readonly Record<string, unknown>[]> => all("/changes?decisions=true");

beforeAll(async () => {
	folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-api-"));
	directory = await startDemo({ people: { kind: "company", count: PEOPLE } });
	gateway = await startScimDouble({ authorization: `Bearer ${planted.scim}` });
	const { bindUser, bindPassword, baseDn, url } = directory;
	writeFileSync(
		path.join(folder, "dirsyncd.yaml"),
		`database: ./dirsyncd.db
http: { listen: 127.0.0.1:0 }
sources:
  - name: corp
    type: active-directory
    urls: [${url}]
    insecure: true
    bind: { user: ${bindUser}, password: ${bindPassword} }
    base: ${baseDn}
    groups: { filter: "(objectClass=group)" }
    schedule: { delta: "0 0 1 1 *", full: "0 0 1 1 *" }
limits: { create: { count: 0 } }
features: [{ name: badge }]
policies: [{ name: quota, value: 5 GB }]
targets:
  - { name: accounts, type: local }
  - { name: gateway, type: scim, url: "${gateway.url}", auth: { bearer: ${planted.scim} }, insecure: true, readBack: { action: repair, schedule: "0 0 1 1 *" } }
notify:
  - { name: hook, type: webhook, url: "http://127.0.0.1:9/", secret: ${planted.hook}, insecure: true }
`,
	);
	daemon = startDaemon(path.join(folder, "dirsyncd.yaml"));
	await daemon.said(({ msg }) => msg === "run held");
	base = await daemon.url();
	const token = (kind: string): string => readFileSync(path.join(folder, `dirsyncd.db-${kind}`), "utf8").trim();
	tokens = { operator: token("token"), viewer: token("viewer-token") };
	document = (await (await fetch(new URL("/api/v1/openapi.json", base))).json()) as Document;
	check = makeAnswerCheck(document);
}, 60_000);

afterAll(async () => {
	daemon?.child.kill("SIGKILL");
	await directory.close();
	await gateway.close();
	rmSync(folder, { recursive: true });
});

describe("over the API of a daemon that holds everybody", () => {
	it("what waits is listed, page by page, and is explained", async () => {
		const { body } = await get("/plans");
		expect(body.items).toHaveLength(1);
		const [plan] = body.items;
		expect(plan).toMatchObject({ source: "corp", kinds: [{ kind: "create" }] });
		expect((await get(`/plans/${plan.plan}`)).body).toEqual(plan);
		const changes = await all(`/plans/${plan.plan}/changes?limit=7`);
		expect(changes).toHaveLength(plan.changes);
		expect(new Set(changes.map(({ anchor }) => anchor)).size).toBe(plan.changes);
		const names = changes.map(({ name }) => String(name));
		expect(names).toEqual(names.toSorted());
		expect((await get("/status")).body).toMatchObject({ health: { status: "warn" }, held: [plan] });
		expect((await get(`/explain?user=${encodeURIComponent(names[0] ?? "")}`)).body.items).toMatchObject([{ state: "held" }]);
	});

	it("the viewer reads, and decides nothing", async () => {
		const { plan } = (await get("/plans", tokens.viewer)).body.items[0];
		for (const [verb, where] of [
			["approve", `/plans/${plan}/approve`],
			["reject", `/plans/${plan}/reject`],
			["sync", "/sync"],
			["revert", "/runs/1/revert"],
			["unpin", "/accounts/x/unpin"],
			["forget", "/targets/gateway/forget"],
			["read back", "/targets/gateway/read-back"],
		] as const)
			expect((await ask("POST", where, {}, tokens.viewer)).status, verb).toBe(403);
		expect((await get("/plans")).body.items[0].plan).toBe(plan);
		expect(await decisions()).toEqual([]);
	});

	it("a plan is approved, and the log says who said so", async () => {
		const { plan } = (await get("/plans")).body.items[0];
		const { body } = await ask("POST", `/plans/${plan}/approve`, { by: "ada" });
		expect(body).toMatchObject({ trigger: "approve", outcome: "succeeded", source: "corp" });
		expect(body.created).toBeGreaterThan(10);
		expect(await decisions()).toMatchObject([
			{ subject: "plan", kind: "approve", name: plan, by: "ada (api)", result: "approved by ada (api)", run: body.run, source: "corp" },
		]);
		const changes = await all(`/runs/${body.run}/changes?limit=9`);
		expect(changes.filter(({ subject }) => subject === "account")).toHaveLength(body.created);
		expect(new Set(changes.map(({ result }) => result))).toEqual(new Set(["approved by ada (api)"]));
		expect((await get(`/plans/${plan}`)).status).toBe(404);
	}, 30_000);
});

describe("accounts and groups", () => {
	it("are listed in order of userName, whole, and nobody twice, as the command prints them", async () => {
		const listed = await all("/accounts?limit=7");
		const printed = (await dirsyncd("accounts", "--json"))
			.trim()
			.split("\n")
			.map((line) => JSON.parse(line));
		expect(listed).toEqual(printed);
		expect(listed.length).toBeGreaterThan(10);
	});

	it("are found by how they begin, by state, at a target, of a source", async () => {
		const everybody = await all("/accounts");
		const name = String(everybody[3]?.["userName"]);
		const start = name.slice(0, 3).toUpperCase();
		expect(await all(`/accounts?userName=${start}&limit=1`)).toEqual(
			everybody.filter(({ userName }) => String(userName).startsWith(start.toLowerCase())),
		);
		const part = everybody.map(({ displayName }) => String(displayName).slice(2, 6)).find((each) => /^[A-Za-z ]{4}$/.test(each)) ?? "";
		const has = (text: unknown): boolean => String(text).toLowerCase().includes(part.toLowerCase());
		expect(await all(`/accounts?text=${encodeURIComponent(part.toUpperCase())}&limit=1`)).toEqual(
			everybody.filter(({ userName, displayName }) => has(userName) || has(displayName)),
		);
		expect(await all("/accounts?active=false")).toEqual(everybody.filter(({ active }) => active === false));
		expect(await all("/accounts?target=gateway&state=applied&source=corp")).toEqual(everybody);
		expect(await all("/accounts?state=failed")).toEqual([]);
		expect((await get(`/accounts/${name.toUpperCase()}`)).body).toEqual(everybody[3]);
		expect((await get(`/accounts/${everybody[3]?.["anchor"]}?source=corp`)).body).toEqual(everybody[3]);
		expect((await get("/accounts/nobody")).body).toMatchObject({ status: 404, error: { code: "NOT_FOUND" } });
		expect((await get("/accounts?source=crop")).body.error.hint).toBe("Did you mean corp?");
	});

	it("have groups with members, nested ones included", async () => {
		const groups = await all("/groups?limit=3");
		expect(groups.length).toBeGreaterThan(3);
		const large = groups.find(({ memberCount }) => Number(memberCount) > 3);
		const name = encodeURIComponent(String(large?.["displayName"]));
		expect((await get(`/groups/${name}`)).body).toMatchObject({ ...large, others: expect.any(Array) });
		expect((await get(`/groups/${large?.["anchor"]}`)).body.displayName).toBe(large?.["displayName"]);
		const members = await all(`/groups/${name}/members?limit=2`);
		expect(new Set(members.map(({ anchor }) => anchor)).size).toBe(large?.["memberCount"]);
		expect(await all(`/groups?displayName=${name.slice(0, 4).toLowerCase()}`)).toContainEqual(large);
	});
});

describe("what a person has done", () => {
	it("a run asked for, over the API and by the command through it, is in the log with who asked", async () => {
		const { body } = await ask("POST", "/sync", { source: "corp", mode: "full", by: "ada" });
		expect(body).toMatchObject({ mode: "full", outcome: "succeeded", sealed: true, trigger: "api" });
		const said = JSON.parse(await dirsyncd("sync", "--json"));
		expect((await decisions()).slice(-2)).toMatchObject([
			{ kind: "sync", subject: "source", run: body.run, by: "ada (api)", why: "a full reading was asked for" },
			{ kind: "sync", subject: "source", run: said.run, by: expect.stringMatching(/ \(api\)$/), why: "a reading was asked for" },
		]);
	}, 30_000);

	it("a run is shown taken back, is taken back, and an account of it let go", async () => {
		directory.life?.step();
		const [first] = await all("/accounts");
		const runs = await all("/runs");
		const approved = runs.find(({ trigger }) => trigger === "approve")?.["run"];
		const shown = (await get(`/runs/${approved}/revert?account=${first?.["anchor"]}`, tokens.viewer)).body;
		expect(shown).toMatchObject({
			reverts: approved,
			source: "corp",
			changesCount: 1,
			changes: [{ kind: "delete", anchor: first?.["anchor"] }],
		});
		const printed = JSON.parse(await dirsyncd("revert", String(approved), "--account", String(first?.["anchor"]), "--json"));
		expect({ plan: shown.plan, held: shown.held, changes: shown.changes }).toEqual({
			...{ plan: printed.plan, held: printed.held.map((each: object) => ({ subject: "account", ...each })), changes: printed.changes },
		});
		const { body } = await ask("POST", `/runs/${approved}/revert`, { account: first?.["anchor"], by: "eve" });
		expect(body).toMatchObject({ trigger: "revert", revert: { run: approved } });
		expect(await all("/pins?limit=1")).toMatchObject([{ anchor: first?.["anchor"], part: "state", run: approved, by: "eve (api)" }]);
		expect((await get("/explain?user=nobody-of-this-name")).body.items).toMatchObject([{ state: "never-there" }]);
		expect((await ask("POST", `/accounts/${first?.["anchor"]}/unpin`)).body).toEqual({ accounts: 1, pins: 1 });
		expect((await decisions()).slice(-2)).toMatchObject([
			{ kind: "revert", subject: "run", name: `run ${approved}`, run: body.run, by: "eve (api)" },
			{ kind: "unpin", subject: "account", run: null, by: "operator (api)" },
		]);
	}, 30_000);

	it("a plan is rejected", async () => {
		// Who was let go of is to be made again, and that is held.
		await ask("POST", "/sync", { source: "corp" });
		const [held] = (await get("/plans")).body.items;
		expect((await ask("POST", `/plans/${held.plan}/reject`, { by: "ada" })).body).toEqual({ source: "corp", rejected: held.changes });
		expect((await decisions()).at(-1)).toMatchObject({ kind: "reject", name: held.plan, by: "ada (api)", run: null });
	}, 30_000);

	it("a target is read back and repaired, an account there forgotten", async () => {
		const { body } = await ask("POST", "/targets/gateway/read-back", { by: "ada" });
		expect(body).toMatchObject({ target: "gateway", changed: 0, missing: 0 });
		const [, second] = await all("/accounts");
		const user = String(second?.["userName"]);
		expect((await ask("POST", "/targets/gateway/forget", { user, by: "ada" })).body).toEqual({ accounts: 1, groups: 0 });
		expect((await ask("POST", "/targets/gateway/forget", {})).body).toMatchObject({ status: 400, error: { code: "USAGE" } });
		expect((await decisions()).slice(-2)).toMatchObject([
			{ kind: "read-back", subject: "target", target: "gateway", by: "ada (api)" },
			{ kind: "delete", subject: "target", name: user, by: "ada (api)", result: "forgotten by ada (api)" },
		]);
	}, 30_000);

	it("history tells it in words, and the chain is whole", async () => {
		const text = await dirsyncd("history", "--decisions");
		for (const action of [
			"plan-approved",
			"source-sync-started",
			"run-reverted",
			"account-unpinned",
			"plan-rejected",
			"target-read-back",
			"target-forgotten",
		])
			expect(text).toContain(action);
		expect(JSON.parse(await dirsyncd("verify", "--json"))).toMatchObject({ intact: true });
	}, 30_000);
});

describe("the change log", () => {
	it("is read from the oldest or the newest on, by time, account, kind, and whole", async () => {
		const rows = await all("/changes?limit=50");
		expect(rows.map(({ sequence }) => sequence)).toEqual(rows.map((_, index) => index + 1));
		expect((await all("/changes?limit=50&order=newest")).toReversed()).toEqual(rows);
		const { anchor, userName } = (await all("/accounts"))[2] as { anchor: string; userName: string };
		expect(await all(`/changes?account=${encodeURIComponent(userName)}`)).toEqual(rows.filter((row) => row["anchor"] === anchor));
		expect(await all("/changes?kind=create&subject=group")).toEqual(
			rows.filter(({ kind, subject }) => kind === "create" && subject === "group"),
		);
		const middle = rows[Math.floor(rows.length / 2)]?.["at"];
		expect(await all(`/changes?from=${middle}`)).toEqual(rows.filter(({ at }) => String(at) >= String(middle)));
		expect(await all(`/changes?to=${middle}`)).toEqual(rows.filter(({ at }) => String(at) < String(middle)));
		const exported = (await dirsyncd("export", "--changes"))
			.trim()
			.split("\n")
			.map((line) => JSON.parse(line).event.hash);
		expect(rows.map(({ hash }) => hash)).toEqual(exported);
	}, 30_000);

	it("goes on from where it was left when there is more", async () => {
		const last = (await all("/changes")).at(-1);
		await ask("POST", "/sync", { source: "corp" });
		expect((await all(`/changes?afterSequence=${last?.["sequence"]}`))[0]).toMatchObject({ kind: "sync", by: "operator (api)" });
		expect((await all(`/changes?afterSequence=${last?.["sequence"]}&order=newest&limit=40`))[0]?.["sequence"]).toBe(
			Number(last?.["sequence"]) - 1,
		);
	}, 30_000);
});

describe("everything else", () => {
	it("is there to be read by a viewer, and no answer holds a secret", async () => {
		const [run] = await all("/runs?limit=2&source=corp");
		const answers: string[] = [];
		const read = async (where: string): Promise<void> => void answers.push((await get(where, tokens.viewer)).text);
		for (const where of [
			"/status",
			"/sources",
			"/targets",
			"/rules",
			"/quarantine",
			"/pins",
			"/plans",
			"/accounts",
			"/groups",
			"/runs",
			"/changes",
		])
			await read(where);
		await read(`/runs/${run?.["run"]}`);
		await read(`/runs/${run?.["run"]}/changes`);
		for (const { userName } of (await all("/accounts")).slice(0, 3)) await read(`/explain?user=${encodeURIComponent(String(userName))}`);
		const everything = answers.join("\n");
		for (const secret of [planted.scim, planted.hook, directory.bindPassword, tokens.operator, tokens.viewer])
			expect(everything).not.toContain(secret);
		expect((await get("/rules")).body.items).toMatchObject([
			{ kind: "feature", name: "badge", rules: [{ place: "features[0]", through: "everybody" }] },
			{ kind: "policy", name: "quota", value: "5 GB" },
		]);
	}, 30_000);
});
