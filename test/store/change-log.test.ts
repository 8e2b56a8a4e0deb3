import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { digest } from "../../src/lib/digest.ts";
import { chainedDigest, type LogRow } from "../../src/store/chain.ts";
import { openChangeLog } from "../../src/store/change-log.ts";
import { openDatabase } from "../../src/store/database.ts";
import { migrations } from "../../src/store/migrations.ts";
import { openViews } from "../../src/store/open-views.ts";
import { openUpkeep, verifyDatabase } from "../../src/store/upkeep.ts";
import { makeFakeSource } from "../support/fake-source.ts";
import { openHarness } from "../support/harness.ts";

let folder: string;
let file: string;
beforeEach(() => {
	folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-log-"));
	file = path.join(folder, "dirsyncd.db");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = () => openDatabase(file, { check: "always", now: 0 });

function row(fields: Partial<LogRow> = {}): LogRow {
	const names = { source: "corp", target: undefined, kind: "create", subject: "account", anchor: "a-1", name: "ada" };
	return { at: 1000, run: 1, ...names, why: "new in the directory", before: undefined, after: "{}", result: "committed", ...fields };
}

/** Six rows, one a second: row 1 at 1000, row 6 at 6000. */
function logged(): void {
	const db = open();
	const log = openChangeLog(db);
	const write = (append: (row: LogRow) => void): void => {
		for (let number = 1; number <= 6; number++) append(row({ at: number * 1000, name: `p${number}` }));
	};
	db.transaction(() => log.appendMany(write))();
	db.close();
}

function meddle(...statements: string[]): void {
	const db = new Database(file);
	for (const sql of statements) db.exec(sql);
	db.close();
}

/** Gives a row the hash that would fit it, as somebody who knows how may do. */
function rehash(sequence: number): void {
	const db = new Database(file);
	const before = db
		.prepare("SELECT digest FROM changes WHERE sequence = ?")
		.pluck()
		.get(sequence - 1) as Buffer;
	const own = db.prepare(
		"SELECT at, run_id AS run, source, kind, subject, anchor, name, why, after, result FROM changes WHERE sequence = ?",
	);
	const fitting = chainedDigest(before, sequence, { ...(own.get(sequence) as LogRow), target: undefined, before: undefined });
	db.prepare("UPDATE changes SET digest = ? WHERE sequence = ?").run(fitting, sequence);
	db.close();
}

/** What the version before made of the two rows that the test of an upgrade has. */
const OLD_DIGESTS = [
	"36ae4cd13e76a58bc5277c389c94475a1c7d3517437cf9d2e89ef8520e02aee4",
	"a2afa4353d4b333df138827ff35a093ab5a7fc73875ed06b61a614f5f4312ab0",
] as const;

const columns = "at, run_id, source, kind, subject, anchor, name, why, before, after, result, digest";

describe("the chain of the change log", () => {
	it.each([
		{
			what: "a row was altered",
			sql: "UPDATE changes SET why = 'something else' WHERE sequence = 3",
			at: 3,
			fault: "altered",
			says: "not what was written",
		},
		{
			what: "a side was taken from a row",
			sql: "UPDATE changes SET after = NULL WHERE sequence = 4",
			at: 4,
			fault: "altered",
			says: "not what was written",
		},
		{
			what: "a row was given to a target",
			sql: "UPDATE changes SET target = 'x' WHERE sequence = 2",
			at: 2,
			fault: "altered",
			says: "not what was written",
		},
		{
			what: "the last row was altered",
			sql: "UPDATE changes SET name = 'eve' WHERE sequence = 6",
			at: 6,
			fault: "altered",
			says: "not what was written",
		},
		{
			what: "a hash is none",
			sql: "UPDATE changes SET digest = 'x' WHERE sequence = 5",
			at: 5,
			fault: "altered",
			says: "replaced, or put in",
		},
		{
			what: "a row was taken out",
			sql: "DELETE FROM changes WHERE sequence = 2",
			at: 2,
			fault: "missing",
			says: "row 2 is missing before row 3",
		},
		{
			what: "two rows were taken out",
			sql: "DELETE FROM changes WHERE sequence IN (2, 3)",
			at: 2,
			fault: "missing",
			says: "rows 2 to 3 are missing",
		},
		{
			what: "the start was cut off",
			sql: "DELETE FROM changes WHERE sequence <= 2",
			at: 1,
			fault: "start-missing",
			says: "rows 1 to 2 are cut off at the start",
		},
		{
			what: "the end was cut off",
			sql: "DELETE FROM changes WHERE sequence >= 5",
			at: 5,
			fault: "end-missing",
			says: "rows 5 to 6 are cut off at the end",
		},
		{ what: "everything was taken out", sql: "DELETE FROM changes", at: 1, fault: "end-missing", says: "rows 1 to 6 are cut off" },
		{
			what: "a row was put in behind the end",
			sql: `INSERT INTO changes (sequence, ${columns}) SELECT 7, ${columns} FROM changes WHERE sequence = 6`,
			...{ at: 7, fault: "added", says: "the chain ended with row 6" },
		},
		{
			what: "a row was put in before the start",
			sql: `INSERT INTO changes (sequence, ${columns}) SELECT 0, ${columns} FROM changes WHERE sequence = 6`,
			...{ at: 0, fault: "added", says: "before the start" },
		},
		{
			what: "a row was put in between, and those after it moved",
			sql: `UPDATE changes SET sequence = -sequence WHERE sequence >= 4; UPDATE changes SET sequence = 1 - sequence WHERE sequence < 0;
				INSERT INTO changes (sequence, ${columns}) SELECT 4, ${columns} FROM changes WHERE sequence = 1; UPDATE chain SET last_sequence = 7`,
			...{ at: 4, fault: "altered", says: "replaced, or put in" },
		},
		{ what: "the record of its ends is gone", sql: "DELETE FROM chain", at: 1, fault: "record-missing", says: "is gone" },
	])("is broken at row $at when $what", ({ sql, at, fault, says }) => {
		logged();
		expect(verifyDatabase(file)).toMatchObject({ kind: "whole", rows: 6, last: { sequence: 6 } });
		meddle(sql);
		expect(verifyDatabase(file)).toMatchObject({ kind: "broken", broken: { sequence: at, fault, what: expect.stringContaining(says) } });
	});

	it("names the row after one that was altered together with its hash, and says that it may be the one before", () => {
		logged();
		meddle("UPDATE changes SET name = 'eve' WHERE sequence = 3");
		rehash(3);
		const what = expect.stringContaining("or the row before it was, together with its hash");
		expect(verifyDatabase(file)).toMatchObject({ broken: { sequence: 4, what, row: { at: 4000, run: 1, name: "p4", anchor: "a-1" } } });
	});

	it("is broken when the last row was altered together with its hash", () => {
		logged();
		meddle("UPDATE changes SET name = 'eve' WHERE sequence = 6");
		rehash(6);
		expect(verifyDatabase(file)).toMatchObject({ broken: { sequence: 6, fault: "altered", what: expect.stringContaining("replaced") } });
	});

	it("still misses rows that were cut off at its end when it has grown since", () => {
		logged();
		meddle("DELETE FROM changes WHERE sequence >= 5");
		const db = open();
		db.transaction(() => openChangeLog(db).append()(row()))();
		db.close();
		expect(verifyDatabase(file)).toMatchObject({ broken: { sequence: 5, fault: "missing", what: expect.stringContaining("rows 5 to 6") } });
	});

	it("says of a row with an impossible time that it has none", () => {
		logged();
		meddle("UPDATE changes SET at = 9e18 WHERE sequence = 3");
		expect(verifyDatabase(file)).toMatchObject({ broken: { sequence: 3, row: { at: undefined } } });
	});

	it("of an older version is whole after the upgrade, and goes on with targets in it", () => {
		const old = new Database(file);
		old.exec("CREATE TABLE migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, digest BLOB NOT NULL, at INTEGER NOT NULL)");
		for (const { version, name, sql } of migrations.filter((each) => each.version <= 5)) {
			old.exec(sql);
			old.prepare("INSERT INTO migrations (version, name, digest, at) VALUES (?, ?, ?, 0)").run(version, name, digest(sql));
		}
		old.pragma(`application_id = ${0x64697273}`);
		const add = old.prepare(
			`INSERT INTO changes (sequence, ${columns}) VALUES (?, 1000, 1, 'corp', 'create', 'account', 'a-1', 'ada', 'new', NULL, '{}', 'committed', ?)`,
		);
		add.run(1, Buffer.from(OLD_DIGESTS[0], "hex"));
		add.run(2, Buffer.from(OLD_DIGESTS[1], "hex"));
		old.close();
		const db = open();
		db.transaction(() => openChangeLog(db).append()(row({ target: "gateway" })))();
		db.close();
		expect(verifyDatabase(file)).toMatchObject({ kind: "whole", rows: 3 });
		meddle("UPDATE changes SET target = NULL WHERE sequence = 3");
		expect(verifyDatabase(file)).toMatchObject({ broken: { sequence: 3 } });
	});

	it("of an empty log is whole", () => {
		open().close();
		expect(verifyDatabase(file)).toMatchObject({ kind: "whole", rows: 0 });
	});

	it("stays whole when retention removes its beginning, or all of it, and the next row goes on from there", () => {
		logged();
		const db = open();
		const upkeep = openUpkeep(db);
		expect(upkeep.retain({ runsBefore: 0, changesBefore: 3500 })).toMatchObject({ changes: 3 });
		expect(verifyDatabase(file)).toMatchObject({ kind: "whole", rows: 3 });
		expect(upkeep.retain({ runsBefore: 0, changesBefore: 9000 })).toMatchObject({ changes: 3 });
		expect(verifyDatabase(file)).toMatchObject({ kind: "whole", rows: 0 });
		db.transaction(() => openChangeLog(db).append()(row()))();
		db.close();
		expect(verifyDatabase(file)).toMatchObject({ kind: "whole", rows: 1, last: { sequence: 7 } });
	});
});

describe("the change log", () => {
	it("says of each change which target's own doing it is, and keeps runs that tell of the last success", async () => {
		const fake = makeFakeSource();
		const harness = openHarness(fake, { file });
		const where = "OU=People,DC=corp,DC=example,DC=test";
		fake.put({ anchor: fake.anchorOf(1), cn: "P1", where, standing: "enabled", attributes: { cn: ["P1"] } });
		const { run } = await harness.sync("full");
		const { now } = harness.time;
		harness.close();
		const db = open();
		db.transaction(() => openChangeLog(db).append()(row({ run, target: "gateway", kind: "disable" })))();
		openUpkeep(db).retain({ runsBefore: now + 1, changesBefore: 0 });
		db.close();
		const views = openViews(file);
		const changes = [...views.changes(run)];
		expect(changes.map(({ kind, target }: { kind: string; target?: string | undefined }) => [kind, target])).toEqual([
			["create", undefined],
			["disable", "gateway"],
		]);
		expect(views.sources()[0]?.lastSuccess.full).toBeDefined();
		views.close();
	});
});
