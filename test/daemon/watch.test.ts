import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Demo, startDemo } from "../../src/demo/demo.ts";
import type { Check, Health } from "../../src/http/health.ts";
import { openViews } from "../../src/store/open-views.ts";
import { type DaemonProcess, type LogLine, startDaemon } from "../support/daemons.ts";

let folder: string;
let directory: Demo;
let daemon: DaemonProcess;

beforeEach(async () => {
	folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-watch-"));
	directory = await startDemo({ people: { kind: "company", count: 40 } });
});

afterEach(async () => {
	daemon.child.kill("SIGKILL");
	await directory.close();
	rmSync(folder, { recursive: true });
});

const file = () => path.join(folder, "dirsyncd.yaml");

/** A configuration by whose schedule nothing happens while a test lasts. */
function configure(watch: boolean): void {
	const { bindUser, bindPassword, baseDn, url } = directory;
	writeFileSync(
		file(),
		`database: ./dirsyncd.db
http: { listen: 127.0.0.1:0 }
sources:
  - name: corp
    type: active-directory
    urls: [${url}]
    insecure: true
    bind: { user: ${bindUser}, password: ${bindPassword} }
    base: ${baseDn}
    schedule: { delta: "0 3 1 1 *", full: "0 2 1 1 *" }
    watch: ${watch}
`,
	);
}

/** Starts it, and waits until it has read everything, watches, and has looked for what changed in between. */
async function start(): Promise<void> {
	configure(true);
	daemon = startDaemon(file());
	await daemon.said(({ msg, mode }) => msg === "run succeeded" && mode === "full");
	await said("watching for changes");
	await daemon.said(woken);
}

const said = (message: string) => daemon.said(({ msg }) => msg === message);
const woken = (line: LogLine): boolean => line["trigger"] === "watch" && line["outcome"] !== undefined;

async function sourceCheck(): Promise<{ readonly health: Health; readonly source: Check | undefined }> {
	const health = (await (await fetch(new URL("/health", await daemon.url()))).json()) as Health;
	return { health, source: health.checks["source:corp"]?.[0] };
}

async function gauge(): Promise<string | undefined> {
	const text = await (await fetch(new URL("/metrics", await daemon.url()))).text();
	return text.split("\n").find((line) => line.startsWith("dirsyncd_watch_up{"));
}

function account(userName: string) {
	const views = openViews(path.join(folder, "dirsyncd.db"));
	try {
		return [...views.accounts()].find(({ account }) => account.userName === userName)?.account;
	} finally {
		views.close();
	}
}

/** Somebody at work: how the directory and how the account store call them. */
function anybody(): { readonly name: string; readonly userName: string } {
	for (const { guid, attributes } of directory.directory.all()) {
		const [userName] = attributes.get("userPrincipalName") ?? [];
		if (attributes.has("employeeID") && attributes.get("userAccountControl")?.[0] === "512")
			return { name: `<GUID=${guid}>`, userName: String(userName) };
	}
	throw new Error("nobody is at work");
}

describe("with watch: true, the daemon", () => {
	it("disables a leaver's account long before the schedule would, and ends in time", async () => {
		await start();
		const { name, userName } = anybody();
		expect(account(userName)?.active).toBe(true);
		directory.directory.disable(name);
		expect(await daemon.said((line) => woken(line) && line["disabled"] === 1)).toMatchObject({ mode: "delta", source: "corp" });
		expect(account(userName)?.active).toBe(false);
		expect((await sourceCheck()).source?.watching).toBe("up");
		expect(await gauge()).toBe('dirsyncd_watch_up{source="corp"} 1');
		expect(await daemon.end("SIGTERM")).toBe(0);
		expect(daemon.lines.filter(({ level }) => level === "error")).toEqual([]);
	});

	it("makes a few runs of a storm of changes, of which the last has seen the last change", async () => {
		await start();
		const { name, userName } = anybody();
		for (let changes = 0; changes < 300; changes++) directory.directory.touch(10);
		directory.directory.modify(name, { title: "Last of all" });
		await daemon.said((line) => woken(line) && Number(line["updated"]) > 0 && account(userName)?.title === "Last of all");
		expect(daemon.lines.filter(woken).length).toBeLessThan(6);
	});

	it("says once when it cannot watch, stays healthy, and finds what happened meanwhile when it can again", async () => {
		await start();
		const refuse = directory.faults.set({ kind: "reset", after: 0 }, { when: ({ operation }) => operation === "connect" });
		directory.drop();
		expect(await said("not watching; the schedule goes on")).toMatchObject({ level: "warn", source: "corp", because: expect.any(String) });
		const { health, source } = await sourceCheck();
		expect(health.status).toBe("pass");
		expect(source?.watching).toMatch(/^down since 2.*Z: /);
		expect(await gauge()).toBe('dirsyncd_watch_up{source="corp"} 0');
		const { name, userName } = anybody();
		directory.directory.disable(name);
		refuse();
		await said("watching for changes again");
		await daemon.said((line) => woken(line) && line["disabled"] === 1);
		expect(account(userName)?.active).toBe(false);
		expect(daemon.lines.filter(({ msg }) => msg === "not watching; the schedule goes on")).toHaveLength(1);
	});

	it("stops watching, and begins again, as a new configuration says", async () => {
		await start();
		configure(false);
		daemon.child.kill("SIGHUP");
		await said("configuration taken over");
		expect((await sourceCheck()).source).not.toHaveProperty("watching");
		expect(await gauge()).toBeUndefined();
		configure(true);
		daemon.child.kill("SIGHUP");
		await daemon.said((line) => line["msg"] === "watching for changes" && daemon.lines.indexOf(line) > firstTakenOver());
		expect((await sourceCheck()).source?.watching).toBe("up");
	});
});

function firstTakenOver(): number {
	return daemon.lines.findIndex(({ msg }) => msg === "configuration taken over");
}
