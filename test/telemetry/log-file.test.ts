import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type LogFile, type LogFileOptions, type LogTrouble, openLogFile } from "../../src/telemetry/log-file.ts";

let folder: string;
let file: LogFile | undefined;
let troubles: LogTrouble[];
let recoveries: number[];

beforeEach(() => {
	folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-log-"));
	troubles = [];
	recoveries = [];
});

afterEach(async () => {
	await file?.close(100);
	file = undefined;
	rmSync(folder, { recursive: true, force: true });
});

const place = (): string => path.join(folder, "log", "dirsyncd.log");
const found = (): readonly string[] => readdirSync(path.join(folder, "log")).sort();
const text = (): string =>
	found()
		.map((name) => readFileSync(path.join(folder, "log", name), "utf8"))
		.join("");
const today = (): string => {
	const now = new Date();
	return [now.getFullYear(), now.getMonth() + 1, now.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
};

async function open(options: Partial<LogFileOptions> = {}): Promise<LogFile> {
	file = await openLogFile(
		{ path: place(), bytes: 1_048_576, frequency: "daily", keep: 3, ...options },
		{ clock: () => 1000, onTrouble: (trouble) => troubles.push(trouble), onRecovered: (lost) => recoveries.push(lost) },
	);
	return file;
}

describe("a log file", () => {
	it("is named by its day, holds every line up to the last, and is not for everybody to read", async () => {
		const log = await open();
		for (let line = 0; line < 1000; line++) log.write(`${line}\n`);
		await log.close(5000);
		expect(found()).toEqual([`dirsyncd.${today()}.1.log`]);
		expect(text().trim().split("\n")).toHaveLength(1000);
		expect(statSync(path.join(folder, "log", found()[0] as string)).mode & 0o137).toBe(0);
		expect(statSync(path.join(folder, "log")).mode & 0o027).toBe(0);
	});

	it("goes on where it ended before a restart", async () => {
		await (async () => (await open()).write("before\n"))();
		await file?.close(5000);
		(await open()).write("after\n");
		await file?.close(5000);
		expect(text()).toBe("before\nafter\n");
	});

	it("is followed by the next one when it is full, and so many are kept besides", async () => {
		const log = await open({ bytes: 1024, keep: 2 });
		for (let line = 0; line < 20; line++) {
			log.write(`${String(line).padStart(1023, "0")}\n`);
			await vi.waitFor(() => expect(text()).toContain(`${line}\n`));
		}
		await vi.waitFor(() => expect(found().length).toBeLessThanOrEqual(3));
		expect(Math.max(...found().map((name) => Number(name.split(".").at(-2))))).toBeGreaterThan(5);
		expect(text()).toContain("0019\n");
	});

	it("removes what is too much at a start, too, and nothing that is not its own", async () => {
		mkdirSync(path.join(folder, "log"));
		const old = Array.from({ length: 9 }, (_, day) => `dirsyncd.2020-01-0${day + 1}.1.log`);
		const others = ["dirsyncd.db", "dirsyncd.log", "other.2020-01-01.1.log", "dirsyncd.2020-01-01.1.log.gz"];
		for (const name of [...old, ...others]) writeFileSync(path.join(folder, "log", name), "");
		await open({ keep: 3 });
		expect(found()).toEqual([...others, ...old.slice(-3), `dirsyncd.${today()}.1.log`].sort());
	});

	it("keeps the file that it writes, and the ones before, where others are of days that have not come yet", async () => {
		mkdirSync(path.join(folder, "log"));
		for (let day = 1; day <= 9; day++) writeFileSync(path.join(folder, "log", `dirsyncd.2199-01-0${day}.1.log`), "");
		const log = await open({ bytes: 1024, keep: 2 });
		for (let line = 0; line < 6; line++) {
			log.write(`${String(line).padStart(1023, "0")}\n`);
			await vi.waitFor(() => expect(text()).toContain(`${line}\n`));
		}
		await vi.waitFor(() => expect(found()).toHaveLength(3));
		expect(found().filter((name) => name.includes("2199"))).toEqual([]);
		expect(text()).toMatch(/4\n0+5\n$/);
	});

	it("is refused where it cannot be written, before anything begins", async () => {
		writeFileSync(path.join(folder, "log"), "a file where the folder belongs");
		await expect(open()).rejects.toMatchObject({ code: "OUTPUT_UNWRITABLE", hint: expect.stringContaining("log.file.path") });
	});

	it("that takes nothing, since the disk is full, says so once, and has what waited when it takes something again", async () => {
		mkdirSync(path.join(folder, "log"));
		const name = path.join(folder, "log", `dirsyncd.${today()}.1.log`);
		symlinkSync("/dev/full", name);
		const log = await open();
		log.write("first\n");
		await vi.waitFor(() => expect(log.trouble()).toMatchObject({ since: 1000, because: expect.stringContaining("ENOSPC") }));
		log.write("second\n");
		await log.look();
		expect(troubles).toHaveLength(1);
		rmSync(name);
		await log.look();
		await vi.waitFor(() => expect(log.trouble()).toBeUndefined());
		expect(text()).toBe("first\nsecond\n");
		expect(recoveries).toEqual([0]);
	});

	it("that takes nothing keeps a megabyte for later, counts what it lost, and waits for nobody", async () => {
		mkdirSync(path.join(folder, "log"));
		const name = path.join(folder, "log", `dirsyncd.${today()}.1.log`);
		symlinkSync("/dev/full", name);
		const log = await open();
		const line = `${"x".repeat(1023)}\n`;
		for (let count = 0; count < 1500; count++) log.write(line);
		await vi.waitFor(() => expect(log.trouble()).toBeDefined());
		rmSync(name);
		await log.look();
		await vi.waitFor(() => expect(recoveries).toEqual([1500 - 1024]));
		await vi.waitFor(() => expect(text()).toHaveLength(1024 * 1024));
	});

	it("whose folder was removed is made anew", async () => {
		const log = await open();
		rmSync(path.join(folder, "log"), { recursive: true });
		await log.look();
		log.write("there again\n");
		await vi.waitFor(() => expect(text()).toBe("there again\n"));
		await vi.waitFor(() => expect(log.trouble()).toBeUndefined());
		expect(troubles).toMatchObject([{ because: expect.stringContaining("ENOENT") }]);
	});

	it("whose folder cannot be made anew stays in trouble, however often it is written to", async () => {
		const log = await open();
		rmSync(path.join(folder, "log"), { recursive: true });
		writeFileSync(path.join(folder, "log"), "a file where the folder belongs");
		for (let count = 0; count < 3; count++) {
			await log.look();
			log.write("nowhere\n");
		}
		expect(log.trouble()).toBeDefined();
		expect(troubles).toHaveLength(1);
	});
});
