import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Demo, startDemo } from "../../src/demo/demo.ts";
import type { Health } from "../../src/http/health.ts";
import { type DaemonProcess, type LogLine, startDaemon } from "../support/daemons.ts";

const main = path.join(import.meta.dirname, "..", "..", "src", "main.ts");
let folder: string;
let directory: Demo;
let daemons: DaemonProcess[];

beforeEach(async () => {
	folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-daemon-"));
	directory = await startDemo({ people: { kind: "company", count: 40 } });
	daemons = [];
});

afterEach(async () => {
	for (const { child } of daemons) child.kill("SIGKILL");
	await directory.close();
	rmSync(folder, { recursive: true });
});

const database = (): string => path.join(folder, "dirsyncd.db");
const file = (): string => path.join(folder, "dirsyncd.yaml");

/** A configuration that reads the directory every second. */
function configure(changes: { readonly source?: string; readonly delta?: string; readonly more?: string } = {}): void {
	const { source = "corp", delta = "* * * * * *", more = "" } = changes;
	const { bindUser, bindPassword, baseDn, url } = directory;
	writeFileSync(
		file(),
		`database: ./dirsyncd.db
http: { listen: 127.0.0.1:0 }
sources:
  - name: ${source}
    type: active-directory
    urls: [${url}]
    insecure: true
    bind: { user: ${bindUser}, password: ${bindPassword} }
    base: ${baseDn}
    timeouts: { connect: 2s, bind: 2s, request: 2s }
    schedule: { delta: "${delta}", full: "0 2 * * *" }
${more}`,
	);
}

function start(): DaemonProcess {
	const daemon = startDaemon(file());
	daemons.push(daemon);
	return daemon;
}

const ended =
	(outcome: string, after: number = 0) =>
	({ msg, run }: LogLine): boolean =>
		msg === `run ${outcome}` && Number(run ?? Number.POSITIVE_INFINITY) > after;

async function health(daemon: DaemonProcess): Promise<{ readonly status: number; readonly body: Health }> {
	const response = await fetch(new URL("/health", await daemon.url()));
	return { status: response.status, body: (await response.json()) as Health };
}

async function metric(daemon: DaemonProcess, name: string): Promise<string | undefined> {
	const text = await (await fetch(new URL("/metrics", await daemon.url()))).text();
	return text
		.split("\n")
		.find((line) => line.startsWith(`${name} `))
		?.slice(name.length + 1);
}

/** Another dirsyncd command beside the daemon. */
function run(...args: string[]): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
	return new Promise((resolve) => {
		execFile(process.execPath, [main, ...args, "--config", file()], (error, stdout, stderr) => {
			resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
		});
	});
}

describe("the daemon", () => {
	it("reads soon after the start, shows it, and ends in order at SIGTERM", async () => {
		configure();
		const daemon = start();
		const first = await daemon.said(ended("succeeded"));
		expect(first).toMatchObject({ source: "corp", mode: "full", trigger: "start", sealed: true });
		expect(await health(daemon)).toMatchObject({ status: 200, body: { status: "pass" } });
		expect((await fetch(new URL("/health/ready", await daemon.url()))).status).toBe(200);
		expect(await metric(daemon, 'dirsyncd_source_up{source="corp"}')).toBe("1");
		expect(Number(await metric(daemon, 'dirsyncd_accounts{target="accounts",state="active"}'))).toBeGreaterThan(0);
		expect(daemon.lines.find(({ level }) => level === "warn")).toMatchObject({ msg: expect.stringContaining("in clear") });
		expect(await daemon.end("SIGTERM")).toBe(0);
		expect(daemon.stderr()).toBe("");
		expect(existsSync(`${database()}-owner`)).toBe(false);
		expect(existsSync(`${database()}-wal`) && statSync(`${database()}-wal`).size > 0).toBe(false);
	});

	it("follows the directory by its schedule", async () => {
		configure();
		const daemon = start();
		const first = await daemon.said(ended("succeeded"));
		directory.life?.step();
		const later = await daemon.said((line) => ended("succeeded", Number(first["run"]))(line) && Number(line["read"]) > 0);
		expect(later).toMatchObject({ mode: "delta", trigger: "schedule" });
	});

	it("is the only one on its database: a second one says who has it", async () => {
		configure();
		const daemon = start();
		await daemon.url();
		const second = await run("run");
		expect(second.code).toBe(1);
		expect(second.stderr).toContain(`held by process ${daemon.child.pid} (dirsyncd run) since`);
	});

	it("makes the runs of the command line while it has the database", async () => {
		configure({ delta: "0 3 * * *" });
		const daemon = start();
		await daemon.said(ended("succeeded"));
		const sync = await run("sync", "--full", "--json");
		expect(sync.code).toBe(0);
		const { run: number, outcome } = JSON.parse(sync.stdout) as { run: number; outcome: string };
		expect(outcome).toBe("succeeded");
		expect(await daemon.said((line) => line["run"] === number)).toMatchObject({ trigger: "api", mode: "full" });
		const rejected = await run("reject", `sha256:${"0".repeat(64)}`);
		expect(rejected.code).toBe(1);
		expect(rejected.stderr).toContain("no plan");
	});

	it("lets nobody use its API without the token", async () => {
		configure();
		const daemon = start();
		const response = await fetch(new URL("/api/v1/sync", await daemon.url()), { method: "POST" });
		expect(response.status).toBe(401);
		expect(statSync(`${database()}-token`).mode & 0o777).toBe(0o600);
		const token = readFileSync(`${database()}-token`, "utf8").trim();
		expect(daemon.lines.map((line) => JSON.stringify(line)).join()).not.toContain(token);
	});

	it("never writes a password", async () => {
		configure({ more: "log: { level: trace }\n" });
		const daemon = start();
		await daemon.said(ended("succeeded"));
		expect(await daemon.end("SIGINT")).toBe(0);
		expect(daemon.lines.map((line) => JSON.stringify(line)).join() + daemon.stderr()).not.toContain(directory.bindPassword);
	});
});

describe("with the directory gone, the daemon", () => {
	it("says what broke, fails health after three intervals, disables nobody, and heals", { timeout: 90_000 }, async () => {
		configure();
		const daemon = start();
		await daemon.said(ended("succeeded"));
		const active = await metric(daemon, 'dirsyncd_accounts{target="accounts",state="active"}');
		const strike = directory.faults.set({ kind: "reset", after: 0 }, { when: () => true });
		const broken = await daemon.said(ended("failed"));
		expect(broken).toMatchObject({ level: "error", error: { code: expect.stringMatching(/^SOURCE_/) } });
		expect((await health(daemon)).body.status).not.toBe("pass");
		await daemon.said(ended("failed", Number(broken["run"])));
		await daemon.said(ended("failed", Number(broken["run"]) + 1));
		const { status, body } = await health(daemon);
		expect(status).toBe(503);
		expect(body.checks["source:corp"]?.[0]?.output).toContain("the last success was at");
		expect(await metric(daemon, 'dirsyncd_source_up{source="corp"}')).toBe("0");
		expect(await metric(daemon, 'dirsyncd_accounts{target="accounts",state="active"}')).toBe(active);
		strike();
		await daemon.said(ended("succeeded", Number(broken["run"])));
		expect(await health(daemon)).toMatchObject({ status: 200, body: { status: "pass" } });
	});

	it("still ends within its time while a run hangs", async () => {
		configure();
		const daemon = start();
		await daemon.said(ended("succeeded"));
		const struck = new Promise<void>((resolve) => {
			directory.faults.set(
				{ kind: "hang", after: 0 },
				{
					when: () => {
						resolve();
						return true;
					},
				},
			);
		});
		await struck;
		expect(await daemon.end("SIGTERM")).toBe(0);
	});
});

describe("after kill -9, the daemon", () => {
	it("starts again on the same database and goes on", async () => {
		configure();
		const killed = start();
		await killed.said(ended("succeeded"));
		expect(await killed.end("SIGKILL")).toBe("SIGKILL");
		const daemon = start();
		expect(await daemon.said(ended("succeeded"))).toMatchObject({ trigger: "start", created: 0, disabled: 0 });
	});
});

describe("at SIGHUP, the daemon", () => {
	it("takes over a new configuration between runs, without letting HTTP go", async () => {
		configure();
		const daemon = start();
		await daemon.said(ended("succeeded"));
		configure({ source: "renamed", more: "log: { level: debug }\n" });
		daemon.child.kill("SIGHUP");
		await daemon.said(({ msg }) => msg === "configuration taken over");
		await daemon.said((line) => line["source"] === "renamed" && line["outcome"] !== undefined);
		const { body } = await health(daemon);
		expect(body.checks["source:renamed"]).toBeDefined();
		expect(body.checks["source:corp"]).toBeUndefined();
	});

	it("keeps the old one, and logs every problem, when the new one is wrong", async () => {
		configure();
		const daemon = start();
		const first = await daemon.said(ended("succeeded"));
		configure({ delta: "every minute", more: "lgo: { level: debug }\n" });
		daemon.child.kill("SIGHUP");
		await daemon.said(({ msg }) => msg === "the new configuration is refused; the old one stays");
		const problems = daemon.lines.filter(({ level, msg }) => level === "error" && String(msg).startsWith("configuration: "));
		expect(problems.map(({ at }) => String(at).replace(`${file()}:`, ""))).toEqual([
			expect.stringMatching(/^11:/),
			expect.stringMatching(/^12:/),
		]);
		await daemon.said(ended("succeeded", Number(first["run"])));
	});
});

describe("the daemon does not start", () => {
	it("when its configuration has problems: exit code 2", async () => {
		writeFileSync(file(), "sources: []\n");
		expect((await run("run")).code).toBe(2);
	});

	it("on a damaged database, and leaves it as it is: exit code 1", async () => {
		configure();
		writeFileSync(database(), "not a database ".repeat(1000));
		const { code, stderr } = await run("run");
		expect(code).toBe(1);
		expect(stderr).toMatch(/damaged/);
		expect(readFileSync(database(), "utf8")).toBe("not a database ".repeat(1000));
		expect(existsSync(`${database()}-owner`)).toBe(false);
	});
});
