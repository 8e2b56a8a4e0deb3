import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeSecret } from "../../src/config/secret.ts";
import { type Log, logRun, makeLog, openLog, sentence } from "../../src/telemetry/log.ts";
import { makeReport } from "../support/reports.ts";

let lines: string[];
let log: Log;

beforeEach(() => {
	lines = [];
	log = makeLog("info", { write: (line) => lines.push(line) });
});

const last = (): Record<string, unknown> => JSON.parse(lines.at(-1) ?? "{}") as Record<string, unknown>;

describe("the log", () => {
	it.each([
		{ outcome: "succeeded", level: "info", msg: "run succeeded" },
		{ outcome: "held", level: "warn", msg: "run held" },
		{ outcome: "partial", level: "warn", msg: "run partial" },
		{ outcome: "failed", level: "error", msg: "run failed" },
	] as const)("has one line for a run that $outcome, at level $level", ({ outcome, level, msg }) => {
		logRun(log, makeReport({ run: 7, outcome, created: 2 }));
		expect(lines).toHaveLength(1);
		expect(last()).toMatchObject({ level, msg, run: 7, source: "corp", mode: "delta", outcome, created: 2, durationMs: 12 });
	});

	it("warns of a run whose reading had no seal, and says why", () => {
		logRun(log, makeReport({ unsealed: ["the server stopped at a size limit"] }));
		expect(last()).toMatchObject({ level: "warn", unsealed: ["the server stopped at a size limit"] });
	});

	it.each([
		["a Secret", { config: { bind: { password: makeSecret("hunter2") } } }],
		["a password by its name", { password: "hunter2" }],
		["a password inside", { bind: { password: "hunter2" } }],
		["a header as it is written", { err: { config: { headers: { Authorization: "Bearer hunter2" } } } }],
		["a password in a mail library's words", { err: { options: { auth: { user: "dirsyncd", pass: "hunter2" } } } }],
		["a token further inside", { request: { headers: { authorization: "Bearer hunter2" } } }],
	])("never shows %s", (_what, fields) => {
		log.info(fields, "something");
		expect(lines[0]).toContain("[secret]");
		expect(lines[0]).not.toContain("hunter2");
	});

	it("says nothing below its level", () => {
		log.debug({ name: "ada@corp.example.com" }, "change");
		expect(lines).toEqual([]);
	});
});

describe("another level and another file", () => {
	let folder: string;

	beforeEach(() => {
		folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-book-"));
	});

	afterEach(() => rmSync(folder, { recursive: true }));

	const fileIn = (name: string) => ({ path: path.join(folder, name, "d.log"), bytes: 1_048_576, frequency: "daily", keep: 1 }) as const;
	const kept = (name: string) =>
		readdirSync(path.join(folder, name))
			.map((file) => readFileSync(path.join(folder, name, file), "utf8"))
			.join("");

	it("count from then on, and every line is in one of the files", async () => {
		const book = await openLog({ level: "info", file: fileIn("a"), descriptor: 2, pretty: false, colour: false, clock: Date.now });
		book.log.debug("not said");
		book.log.info("before");
		await book.change({ level: "debug", file: fileIn("b") });
		book.log.debug("after");
		await book.close(5000);
		expect(kept("a")).toMatch(/^\{.*"msg":"before"\}\n$/);
		expect(kept("b")).toMatch(/^\{.*"msg":"after"\}\n$/);
	});

	it("are refused together when the file cannot be written", async () => {
		const book = await openLog({ level: "info", file: fileIn("a"), descriptor: 2, pretty: false, colour: false, clock: Date.now });
		writeFileSync(path.join(folder, "b"), "a file where the folder belongs");
		await expect(book.change({ level: "debug", file: fileIn("b") })).rejects.toMatchObject({ code: "OUTPUT_UNWRITABLE" });
		book.log.debug("not said");
		book.log.info("still there");
		await book.close(5000);
		expect(kept("a")).toMatch(/^\{.*"msg":"still there"\}\n$/);
	});
});

describe("on a terminal", () => {
	const shown = (report: Parameters<typeof makeReport>[0]): string => {
		logRun(log, makeReport(report));
		return sentence(last());
	};

	it("a run is a sentence with what happened", () => {
		expect(shown({ run: 7, mode: "full", read: 312, created: 3, disabled: 1, durationMs: 4200 })).toBe(
			"corp: full run 7 succeeded in 4.2 s; 312 read; 3 created, 1 disabled",
		);
	});

	it("a quiet run says so", () => {
		expect(shown({ run: 8 })).toBe("corp: delta run 8 succeeded in 12 ms; 0 read; nothing to do");
	});

	it("a run that failed says what broke and what helps", () => {
		const error = { code: "SOURCE_UNREACHABLE", message: "no answer from ldaps://dc1", hint: "Check the firewall." } as const;
		expect(shown({ run: 9, outcome: "failed", error })).toBe(
			"corp: delta run 9 failed in 12 ms; 0 read; no answer from ldaps://dc1 (SOURCE_UNREACHABLE). Check the firewall.",
		);
	});

	it("a hold says how to decide", () => {
		expect(shown({ outcome: "held", held: 60, plan: "sha256:ab" })).toContain("60 held; decide with: dirsyncd approve sha256:ab");
	});

	it("anything else is its message and its fields", () => {
		log.warn({ source: "corp", retryInMs: 1000 }, "the engine ended");
		expect(sentence(last())).toBe("the engine ended  source=corp  retryInMs=1000");
	});
});
