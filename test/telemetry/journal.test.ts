import { closeSync, fstatSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { isJournal, withPriority } from "../../src/telemetry/journal.ts";
import { makeLog } from "../../src/telemetry/log.ts";

describe("standard output is the journal's", () => {
	it.each([
		{ name: "its own device and inode", of: (dev: bigint, ino: bigint) => `${dev}:${ino}`, is: true },
		{ name: "another inode, since it was redirected", of: (dev: bigint, ino: bigint) => `${dev}:${ino + 1n}`, is: false },
		{ name: "another device", of: (dev: bigint, ino: bigint) => `${dev + 1n}:${ino}`, is: false },
		{ name: "nothing", of: () => undefined, is: false },
	])("$is, where JOURNAL_STREAM names $name", ({ of, is }) => {
		const folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-journal-"));
		const descriptor = openSync(path.join(folder, "stream"), "w");
		const { dev, ino } = fstatSync(descriptor, { bigint: true });
		expect(isJournal({ journalStream: of(dev, ino), descriptor })).toBe(is);
		closeSync(descriptor);
		rmSync(folder, { recursive: true });
	});
});

it.each([
	["fatal", 3],
	["error", 3],
	["warn", 4],
	["info", 6],
	["debug", 7],
	["trace", 7],
] as const)("a line of level %s has priority <%i> in front, and is one line", (level, priority) => {
	const lines: string[] = [];
	makeLog("trace", { write: (line) => lines.push(withPriority(line)) })[level]({ because: "two\nlines\r\n" }, "some\nthing");
	const [line = ""] = lines;
	expect(line).toMatch(new RegExp(`^<${priority}>\\{[^\n\r]*\\}\n$`));
	expect(JSON.parse(line.slice(3))).toMatchObject({ level, because: "two\nlines\r\n" });
});
