import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Demo, startDemo } from "../../src/demo/demo.ts";
import type { Health } from "../../src/http/health.ts";
import { type DaemonProcess, startDaemon } from "../support/daemons.ts";

const WAIT = { timeout: 30_000, interval: 50 };

let folder: string;
let directory: Demo;
let daemon: DaemonProcess;

beforeEach(async () => {
	folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-hung-"));
	directory = await startDemo({ people: { kind: "company", count: 40 } });
	const { bindUser, bindPassword, baseDn, url } = directory;
	const file = path.join(folder, "dirsyncd.yaml");
	writeFileSync(
		file,
		`database: ./dirsyncd.db
http: { listen: 127.0.0.1:0 }
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
	daemon = startDaemon(file, path.join(import.meta.dirname, "hung-daemon.ts"));
	await daemon.said(({ msg }) => msg === "run succeeded");
});

afterEach(async () => {
	await daemon.end("SIGKILL");
	await directory.close();
	rmSync(folder, { recursive: true });
});

const hang = (how: "loop" | "system") => writeFileSync(path.join(folder, "dirsyncd.db-hang"), how);
const get = async (what: string): Promise<Response> => fetch(new URL(what, await daemon.url()));
const silence = async (): Promise<number> =>
	Number(/^dirsyncd_engine_silence_seconds (\S+)$/m.exec(await (await get("/metrics")).text())?.[1] ?? Number.NaN);

describe("an engine that hangs", { timeout: 90_000 }, () => {
	it("shows in the metric and in health, in plain words, and is at work again by itself", async () => {
		expect(await silence()).toBeLessThan(2);
		hang("loop");
		await vi.waitFor(async () => expect(await silence()).toBeGreaterThan(2), WAIT);
		await daemon.said(({ msg }) => msg === "the engine does not answer; it is cut off and started again");
		await vi.waitFor(async () => {
			const response = await get("/health");
			const { status, notes } = (await response.json()) as Health;
			expect([response.status, status]).toEqual([503, "fail"]);
			expect(notes[0]).toMatch(/^engine: the engine .*not answer.*started again/);
		}, WAIT);
		await daemon.said(({ msg }) => msg === "the engine is up again");
		const lost = await daemon.said(({ msg }) => msg === "run failed");
		expect(lost).toMatchObject({ source: "corp", error: { message: expect.stringContaining("has not answered") } });
		const last = Math.max(...daemon.lines.map(({ run }) => Number(run ?? 0)));
		await daemon.said(({ msg, run }) => msg === "run succeeded" && Number(run) > last);
		expect(((await (await get("/health")).json()) as Health).status).toBe("pass");
		expect(await silence()).toBeLessThan(2);
		expect(await daemon.end("SIGTERM")).toBe(0);
	});

	it("in the operating system ends the daemon, for whoever watches over it to start it again", async () => {
		hang("system");
		expect(await daemon.said(({ level }) => level === "fatal")).toMatchObject({ msg: expect.stringContaining("the engine hangs") });
		await vi.waitFor(() => expect(daemon.child.signalCode).toBe("SIGKILL"), WAIT);
	});
});
