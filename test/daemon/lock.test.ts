import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { acquireLock, readHolder, waitForLock } from "../../src/daemon/lock.ts";

const claim = { command: "sync", clock: Date.now };
const never = new AbortController().signal;
let folder: string;
let database: string;
let children: ChildProcess[];

beforeEach(() => {
	folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-lock-"));
	database = path.join(folder, "data", "dirsyncd.db");
	children = [];
});

afterEach(() => {
	for (const child of children) child.kill("SIGKILL");
	rmSync(folder, { recursive: true });
});

/** Another process that tries to take the database; what it says. */
async function other(command = "run"): Promise<{ readonly child: ChildProcess; readonly said: string }> {
	const child = spawn(process.execPath, [path.join(import.meta.dirname, "holder.ts"), database, command], { stdio: "pipe" });
	children.push(child);
	const [chunk] = (await once(child.stdout, "data")) as [Buffer];
	return { child, said: chunk.toString().trim() };
}

describe("one dirsyncd per database", () => {
	it("a second one is told who has it: process, command, since when", async () => {
		const { child, said } = await other();
		expect(said).toBe("held");
		expect(() => acquireLock(database, claim)).toThrow(
			expect.objectContaining({
				code: "DATABASE_LOCKED",
				message: expect.stringMatching(new RegExp(`held by process ${child.pid} \\(dirsyncd run\\) since \\d{4}-\\d\\d-\\d\\dT`)),
			}),
		);
	});

	it("the second one is told where the first one's API is", () => {
		const lock = acquireLock(database, { ...claim, command: "run" });
		lock.announce("http://127.0.0.1:8640");
		expect(readHolder(database)).toMatchObject({ pid: process.pid, command: "run", url: "http://127.0.0.1:8640" });
		expect(() => acquireLock(database, claim)).toThrow("http://127.0.0.1:8640");
		lock.release();
	});

	it("after kill -9 the next one takes it, whatever the dead one left behind", async () => {
		const { child } = await other();
		child.kill("SIGKILL");
		await once(child, "close");
		expect(readHolder(database)).toMatchObject({ pid: child.pid });
		acquireLock(database, claim).release();
	});

	it("of eight that start together exactly one gets it, and the others name it", async () => {
		const all = await Promise.all(Array.from({ length: 8 }, () => other()));
		const winners = all.filter(({ said }) => said === "held");
		expect(winners).toHaveLength(1);
		const losers = all.filter(({ said }) => said !== "held");
		for (const { said } of losers) expect(said).toContain(`held by process ${winners[0]?.child.pid}`);
	});

	it("is free again after a release, with no owner left", () => {
		acquireLock(database, claim).release();
		expect(readHolder(database)).toBeUndefined();
		acquireLock(database, claim).release();
	});

	it("is one lock under two names of the same file", () => {
		mkdirSync(path.dirname(database));
		symlinkSync(path.dirname(database), path.join(folder, "link"));
		const lock = acquireLock(database, claim);
		expect(() => acquireLock(path.join(folder, "link", "dirsyncd.db"), claim)).toThrow("is held by");
		lock.release();
	});

	it("keeps its files to its own user, and makes no database", () => {
		const lock = acquireLock(database, claim);
		for (const what of ["lock", "owner"]) expect(statSync(`${database}-${what}`).mode & 0o077).toBe(0);
		expect(existsSync(database)).toBe(false);
		lock.release();
	});

	it("says that it cannot make the database's folder", () => {
		writeFileSync(path.dirname(database), "a file where a folder belongs");
		expect(() => acquireLock(database, claim)).toThrow(expect.objectContaining({ code: "DATABASE_UNWRITABLE" }));
	});
});

describe("a short command", () => {
	it("waits for another short command to end", async () => {
		const { child } = await other("sync");
		const waiting = waitForLock(database, claim, 15_000, never);
		child.stdin?.write("end\n");
		(await waiting).release();
	});

	it("gives up when its time is over, and says who had it", async () => {
		const { child } = await other("approve");
		await expect(waitForLock(database, claim, 150, never)).rejects.toThrow(`process ${child.pid} (dirsyncd approve)`);
	});

	it("does not wait for a daemon, which does not end", async () => {
		const lock = acquireLock(database, { ...claim, command: "run" });
		lock.announce("http://127.0.0.1:8640");
		await expect(waitForLock(database, claim, 600_000, never)).rejects.toMatchObject({ code: "DATABASE_LOCKED" });
		lock.release();
	});

	it("stops waiting when it is told to", async () => {
		await other("sync");
		const abort = new AbortController();
		const waiting = waitForLock(database, claim, 600_000, abort.signal);
		abort.abort(new Error("enough"));
		await expect(waiting).rejects.toThrow();
	});
});
