import { spawn } from "node:child_process";
import { once } from "node:events";
import {
	closeSync,
	fstatSync,
	mkdirSync,
	mkdtempSync,
	openSync,
	readdirSync,
	readFileSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Demo, startDemo } from "../../src/demo/demo.ts";
import type { Health } from "../../src/http/health.ts";
import { type DaemonProcess, type LogLine, startDaemon } from "../support/daemons.ts";

const main = path.join(import.meta.dirname, "..", "..", "src", "main.ts");
const WAIT = { timeout: 30_000, interval: 100 };

let folder: string;
let directory: Demo;
let daemon: DaemonProcess | undefined;

beforeEach(async () => {
	folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-logging-"));
	directory = await startDemo({ people: { kind: "company", count: 40 } });
});

afterEach(async () => {
	await daemon?.end("SIGKILL");
	daemon = undefined;
	await directory.close();
	rmSync(folder, { recursive: true });
});

function configure(log: string): string {
	const { bindUser, bindPassword, baseDn, url } = directory;
	const file = path.join(folder, "dirsyncd.yaml");
	writeFileSync(
		file,
		`database: ./dirsyncd.db
http: { listen: 127.0.0.1:0 }
log: ${log}
sources:
  - name: corp
    type: active-directory
    urls: [${url}]
    insecure: true
    bind: { user: ${bindUser}, password: ${bindPassword} }
    base: ${baseDn}
    schedule: { delta: "* * * * * *", full: "0 2 * * *" }
`,
	);
	return file;
}

/** What stands in the files of a folder, in the order of their names. */
function kept(where: string): readonly LogLine[] {
	return readdirSync(path.join(folder, where))
		.filter((name) => name.endsWith(".log"))
		.sort()
		.flatMap((name) =>
			readFileSync(path.join(folder, where, name), "utf8")
				.trim()
				.split("\n"),
		)
		.filter((line) => line !== "")
		.map((line) => JSON.parse(line) as LogLine);
}

const has = (where: string, msg: string) => vi.waitFor(() => expect(kept(where).map((line) => line["msg"])).toContain(msg), WAIT);

/** The file's name is the local day's: of today and tomorrow both are no place to write. */
function full(where: string): void {
	mkdirSync(path.join(folder, where));
	for (const days of [0, 1]) {
		const day = new Date(Date.now() + days * 86_400_000);
		const date = [day.getFullYear(), day.getMonth() + 1, day.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
		symlinkSync("/dev/full", path.join(folder, where, `dirsyncd.${date}.1.log`));
	}
}

describe("a daemon with log.file", { timeout: 60_000 }, () => {
	it("writes every line there and none to standard output, and another file from a new configuration on", async () => {
		daemon = startDaemon(configure("{ file: { path: ./log/dirsyncd.log } }"));
		await has("log", "run succeeded");
		configure("{ level: debug, file: { path: ./other/dirsyncd.log } }");
		daemon.child.kill("SIGHUP");
		await vi.waitFor(() => expect(readdirSync(folder)).toContain("other"), WAIT);
		await has("other", "configuration taken over");
		expect(await daemon.end("SIGTERM")).toBe(0);
		expect(kept("log")[0]).toMatchObject({ msg: "dirsyncd starts", level: "info" });
		expect(kept("other").at(-1)).toMatchObject({ msg: "dirsyncd has ended" });
		expect(daemon.lines).toEqual([]);
		daemon = undefined;
	});

	it("that cannot be written is not started, and says which line is to blame", async () => {
		writeFileSync(path.join(folder, "log"), "");
		daemon = startDaemon(configure("{ file: { path: ./log/dirsyncd.log } }"));
		await once(daemon.child, "close");
		expect(daemon.child.exitCode).toBe(1);
		expect(daemon.stderr()).toContain("Name a file in log.file.path");
		expect(readdirSync(folder)).not.toContain("dirsyncd.db");
		daemon = undefined;
	});

	it("goes on when the disk is full: standard output has the lines, health warns with the remedy, and accounts are kept", async () => {
		full("log");
		daemon = startDaemon(configure("{ file: { path: ./log/dirsyncd.log } }"));
		await daemon.said(({ msg }) => msg === "the log file takes nothing; the log goes to the output");
		await daemon.said(({ msg }) => msg === "run succeeded");
		const { url } = JSON.parse(readFileSync(path.join(folder, "dirsyncd.db-owner"), "utf8")) as { readonly url: string };
		const health = (await (await fetch(new URL("/health", url))).json()) as Health;
		expect(health).toMatchObject({
			status: "warn",
			notes: [expect.stringMatching(/^log: the log file .*ENOSPC.*Free space on its disk/)],
		});
		expect(await daemon.end("SIGTERM")).toBe(0);
		daemon = undefined;
	});
});

describe("a daemon whose standard output is the journal", { timeout: 60_000 }, () => {
	it.each([
		{ is: "has a priority in front of every line, and each of them is whole", names: 0n, pattern: /^<[3-7]>\{.*\}$/ },
		{ is: "has none when it was redirected", names: 1n, pattern: /^\{.*\}$/ },
	])("$is", async ({ names, pattern }) => {
		const stream = path.join(folder, "stream");
		const descriptor = openSync(stream, "w");
		const { dev, ino } = fstatSync(descriptor, { bigint: true });
		const child = spawn(
			process.execPath,
			["--disable-warning=ExperimentalWarning", main, "run", "--config", configure("{ level: debug }")],
			{
				stdio: ["ignore", descriptor, "ignore"],
				env: { ...process.env, JOURNAL_STREAM: `${dev}:${ino + names}` },
			},
		);
		await vi.waitFor(() => expect(readFileSync(stream, "utf8")).toContain("run succeeded"), WAIT);
		child.kill("SIGTERM");
		await once(child, "close");
		closeSync(descriptor);
		const lines = readFileSync(stream, "utf8").trimEnd().split("\n");
		expect(lines.filter((line) => !pattern.test(line))).toEqual([]);
	});
});
