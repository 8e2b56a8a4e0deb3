import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { digest } from "../../src/lib/digest.ts";
import { openDatabase, openReadOnly } from "../../src/store/database.ts";
import { migrations } from "../../src/store/migrations.ts";
import { backUp, verifyDatabase } from "../../src/store/upkeep.ts";
import { makeFakeSource } from "../support/fake-source.ts";
import { openHarness } from "../support/harness.ts";

let folder: string;
let file: string;
beforeEach(() => {
	folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-store-"));
	file = path.join(folder, "dirsyncd.db");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = () => openDatabase(file, { check: "always", now: 0 });

describe("the database", () => {
	it("is made with its folder, readable by its owner alone, in WAL mode, with its migrations on record", () => {
		file = path.join(folder, "deep/er/dirsyncd.db");
		const db = open();
		expect(db.pragma("journal_mode", { simple: true })).toBe("wal");
		expect(db.prepare("SELECT version FROM migrations").pluck().all()).toEqual(migrations.map(({ version }) => version));
		db.close();
		if (process.platform !== "win32") expect(statSync(file).mode & 0o077).toBe(0);
		open().close();
	});

	it("of an older version brings what is held and what was rejected along, as of the account itself", () => {
		const old = new Database(file);
		old.exec("CREATE TABLE migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, digest BLOB NOT NULL, at INTEGER NOT NULL)");
		for (const { version, name, sql } of migrations.filter((each) => each.version <= 2)) {
			old.exec(sql);
			old.prepare("INSERT INTO migrations (version, name, digest, at) VALUES (?, ?, ?, 0)").run(version, name, digest(sql));
		}
		old.pragma(`application_id = ${0x64697273}`);
		old.exec(`INSERT INTO held (source_id, entry_id, kind, why, name, reason, because, plan, since, subject, effect)
			VALUES (1, 7, 'disable', 'left', 'ada', 'limit', 'limit 50', 'sha256:x', 5, 'account', NULL)`);
		old.exec("INSERT INTO rejected (entry_id, kind, outcome, rejected_by, rejected_at) VALUES (8, 'update', x'01', 'eve', 6)");
		old.close();
		const db = open();
		expect(db.prepare("SELECT entry_id, kind, target, because, since, subject FROM held").all()).toEqual([
			{ entry_id: 7, kind: "disable", target: "", because: "limit 50", since: 5, subject: "account" },
		]);
		expect(db.prepare("SELECT entry_id, kind, target, rejected_by FROM rejected").all()).toEqual([
			{ entry_id: 8, kind: "update", target: "", rejected_by: "eve" },
		]);
		db.close();
	});

	it("of a newer version is refused, and stays as it is", () => {
		const db = open();
		db.prepare("INSERT INTO migrations (version, name, digest, at) VALUES (99, 'from the future', x'00', 0)").run();
		db.close();
		expect(open).toThrow(expect.objectContaining({ code: "DATABASE_NEWER", message: expect.stringContaining("schema 99") }));
		expect(() => openReadOnly(file)).toThrow(expect.objectContaining({ code: "DATABASE_NEWER" }));
	});

	it("of another program is refused", () => {
		const other = new Database(file);
		other.exec("CREATE TABLE theirs (id)");
		other.close();
		expect(open).toThrow(expect.objectContaining({ code: "DATABASE_CORRUPT", message: expect.stringContaining("another program") }));
	});

	it.each([
		{ what: "no database at all", damage: () => writeFileSync(file, "this is not a database, but a text that somebody put there") },
		{
			what: "damaged in the middle",
			damage: () => {
				const db = open();
				db.exec("CREATE TABLE filler (text)");
				db.prepare(
					"INSERT INTO filler WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) SELECT hex(randomblob(200)) FROM n",
				).run();
				db.pragma("wal_checkpoint(TRUNCATE)");
				db.close();
				const bytes = readFileSync(file);
				bytes.fill(0x5a, Math.floor(bytes.length / 3), Math.floor(bytes.length / 3) + 40_000);
				writeFileSync(file, bytes);
			},
		},
	])("that is $what is refused with the remedy, and never made anew", ({ damage }) => {
		damage();
		const before = readFileSync(file);
		expect(open).toThrow(expect.objectContaining({ code: "DATABASE_CORRUPT", hint: expect.stringContaining("backup") }));
		expect(readFileSync(file).equals(before)).toBe(true);
	});

	it("where nobody may write is refused with the remedy", () => {
		writeFileSync(path.join(folder, "blocked"), "");
		file = path.join(folder, "blocked/dirsyncd.db");
		expect(open).toThrow(expect.objectContaining({ hint: expect.any(String) }));
	});
});

describe("a backup", () => {
	it("is the whole database, taken while runs go on, and is never written over another", async () => {
		const fake = makeFakeSource();
		const harness = openHarness(fake);
		const where = "OU=People,DC=corp,DC=example,DC=test";
		for (let number = 1; number <= 50; number++)
			fake.put({ anchor: fake.anchorOf(number), cn: `P${number}`, where, standing: "enabled", attributes: { cn: [`P${number}`] } });
		const copy = path.join(folder, "copy.db");
		const running = harness.sync("full");
		backUp(harness.file, copy);
		await running;
		expect(verifyDatabase(copy)).toMatchObject({ kind: "whole", rows: 0 });
		expect(() => backUp(harness.file, copy)).toThrow("exists already");
		rmSync(copy);
		backUp(harness.file, copy);
		expect(verifyDatabase(copy)).toMatchObject({ kind: "whole", rows: 50 });
		expect(existsSync(`${copy}.partial`)).toBe(false);
		if (process.platform !== "win32") expect(statSync(copy).mode & 0o077).toBe(0);
		harness.close();
		const restored = openHarness(fake, { file: copy });
		expect(await restored.sync("full")).toMatchObject({ outcome: "succeeded", read: 50, created: 0, unchanged: 50 });
		restored.close();
	});
});
