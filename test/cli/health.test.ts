import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { askHealth } from "../../src/cli/ask-health.ts";
import { openDoors } from "../../src/cli/doors.ts";
import { healthCommand } from "../../src/cli/health.ts";
import { type Demo, startDemo } from "../../src/demo/demo.ts";
import { makeCertificates } from "../support/certificates.ts";
import { type DaemonProcess, startDaemon } from "../support/daemons.ts";
import { describeWith } from "../support/require.ts";
import { memory, say } from "./world.ts";

const holder = { pid: 7, command: "run", since: 0, url: "http://127.0.0.1:8640" };

describe("health, by what the daemon says", () => {
	it.each([
		{
			said: { status: 200, body: { status: "pass", notes: [] } },
			code: 0,
			out: "pass: the daemon at http://127.0.0.1:8640 says that all is well\n",
		},
		{
			said: { status: 200, body: { status: "warn", notes: ["corp: held until somebody decides: 9 disable"] } },
			code: 0,
			out: "warn: the daemon at http://127.0.0.1:8640 works, and has something to say\n  corp: held until somebody decides: 9 disable\n",
		},
		{
			said: { status: 503, body: { status: "fail", notes: ["corp: no server of it answers"] } },
			code: 1,
			out: "fail: the daemon at http://127.0.0.1:8640 does not do its work\n  corp: no server of it answers\n",
		},
	])("ends with $code when it says $said.body.status", async ({ said, code, out }) => {
		expect(await say(["health"], { holder, health: () => said })).toMatchObject({ code, out, err: "" });
		const json = await say(["health", "--json"], { holder, health: () => said });
		expect([json.code, JSON.parse(json.out), json.err]).toEqual([code, said.body, ""]);
	});

	it("asks with --live only whether it answers", async () => {
		const asked: string[] = [];
		const health = (url: string) => {
			asked.push(url);
			return { status: 200, body: { status: "pass" } };
		};
		expect(await say(["health", "--live"], { holder, health })).toMatchObject({
			code: 0,
			out: "pass: the daemon at http://127.0.0.1:8640 answers\n",
		});
		await say(["health"], { holder, health });
		expect(asked).toEqual(["http://127.0.0.1:8640/health/live", "http://127.0.0.1:8640/health"]);
	});

	it.each([
		{ who: undefined, err: /no daemon runs on the database .*dirsyncd\.db\n.*dirsyncd run starts it/ },
		{ who: { ...holder, command: "sync", url: undefined }, err: /process 7 \(dirsyncd sync\) holds the database .*, and does not listen/ },
	])("ends with 1 where no daemon runs: $err", async ({ who, err }) => {
		expect(await say(["health"], { holder: who })).toMatchObject({ code: 1, out: "", err: expect.stringMatching(err) });
	});

	it("takes nobody else's answer for the daemon's", async () => {
		const health = () => ({ status: 200, body: { status: "UP" } });
		expect(await say(["health"], { holder, health })).toMatchObject({ code: 1, err: expect.stringContaining("is no dirsyncd") });
	});
});

describe("who is asked for its health", () => {
	it("has three seconds for its answer", async () => {
		const silent = createServer().listen(0, "127.0.0.1");
		await once(silent, "listening");
		const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/health`;
		const since = performance.now();
		await expect(askHealth(url, new AbortController().signal)).rejects.toMatchObject({
			code: "DAEMON_UNREACHABLE",
			message: expect.stringContaining("did not answer in time"),
		});
		expect(performance.now() - since).toBeLessThan(5000);
		silent.close();
	});

	it("need not be there", async () => {
		await expect(askHealth("http://127.0.0.1:1/health", new AbortController().signal)).rejects.toThrow(
			"does not answer: connect ECONNREFUSED",
		);
	});
});

describe("health, of a real daemon", () => {
	let folder: string;
	let directory: Demo;
	let daemon: DaemonProcess | undefined;

	beforeEach(async () => {
		folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-health-"));
		directory = await startDemo({ people: { kind: "company", count: 20 } });
	});
	afterEach(async () => {
		daemon?.child.kill("SIGKILL");
		await directory.close();
		rmSync(folder, { recursive: true, maxRetries: 5 });
	});

	const file = () => path.join(folder, "dirsyncd.yaml");

	async function start(http: string): Promise<DaemonProcess> {
		const { bindUser, bindPassword, baseDn, url } = directory;
		writeFileSync(
			file(),
			`database: \${HEALTH_TEST_DATABASE}
http: ${http}
sources:
  - name: corp
    type: active-directory
    urls: [${url}]
    insecure: true
    bind: { user: ${bindUser}, password: ${bindPassword} }
    base: ${baseDn}
`,
		);
		process.env["HEALTH_TEST_DATABASE"] = path.join(folder, "people.db");
		const started = startDaemon(file());
		daemon = started;
		await started.said(({ msg, mode }) => msg === "run succeeded" && mode === "full");
		return started;
	}

	/** As a healthcheck runs it: by whatever the configuration says of the database, and the rooms that are really there. */
	async function ask(...flags: readonly "live"[]) {
		const [out, err] = [memory(false), memory(false)];
		const context = {
			...{ out, err, environment: process.env, directory: folder, clock: Date.now, user: "", version: "" },
			...{ signal: new AbortController().signal, doors: openDoors(Date.now) },
		};
		const input = { operands: [], flags: new Set(flags), values: new Map<string, string>(), isJson: false };
		const code = await healthCommand.run(context, input).catch((error: Error) => error.message);
		return { code, out: out.text() };
	}

	it("finds it on whatever port it listens, with a configuration that was broken meanwhile, and not once it has ended", async () => {
		const started = await start("{ listen: 127.0.0.1:0 }");
		expect(await ask()).toEqual({ code: 0, out: `pass: the daemon at ${new URL(await started.url()).origin} says that all is well\n` });
		writeFileSync(file(), `database: ${path.join(folder, "people.db")}\nsources: [{ nmae: corp\nlimits: many`);
		expect(await ask("live")).toEqual({ code: 0, out: `pass: the daemon at ${new URL(await started.url()).origin} answers\n` });
		await started.end("SIGTERM");
		expect((await ask("live")).code).toContain("no daemon runs on the database");
	});

	it("ends with 1 once it was killed, whatever it left behind", async () => {
		await (await start("{ listen: 127.0.0.1:0 }")).end("SIGKILL");
		expect((await ask("live")).code).toContain("no daemon runs on the database");
	});

	it("says of a configuration that does not tell where its database is that it does not", async () => {
		writeFileSync(file(), "database: { no: path }\n");
		expect((await ask()).code).toContain("does not tell where its database is");
	});

	describeWith(["openssl"], "over TLS", () => {
		it("finds it everywhere it listens, by a certificate for another name", async () => {
			const certificates = await makeCertificates(folder, { dns: ["elsewhere.example.com"], ip: "192.0.2.1" });
			const started = await start(`{ listen: 0.0.0.0:0, tls: { cert: ${certificates.file("good")}, key: ${certificates.key} } }`);
			expect(await started.url()).toMatch(/^https:\/\/127\.0\.0\.1:/);
			expect(await ask("live")).toEqual({ code: 0, out: `pass: the daemon at ${new URL(await started.url()).origin} answers\n` });
		});
	});
});
