import { copyFileSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Connection, openDatabase, openSibling } from "../../src/store/database.ts";
import { openProbe, type Probe } from "../../src/store/probe.ts";

let folder: string;
let file: string;
let db: Connection;
let probe: Probe;

beforeEach(() => {
	folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-probe-"));
	file = path.join(folder, "x.db");
	db = openDatabase(file, { check: "always", now: 0 });
	probe = openProbe(file);
});

afterEach(() => {
	probe.close();
	db.close();
	rmSync(folder, { recursive: true });
});

describe("the probe says that the database", () => {
	it("can be written, as often as it is asked", () => {
		expect(probe.try()).toBeUndefined();
		expect(probe.try()).toBeUndefined();
	});

	it("can be written while another connection is writing, and does not wait for it", () => {
		const other = openSibling(file);
		other.transaction(() => expect(probe.try()).toBeUndefined()).immediate();
		other.close();
		expect(probe.try()).toBeUndefined();
	});

	it("is gone, and that it is back", () => {
		expect(probe.try()).toBeUndefined();
		renameSync(file, `${file}.away`);
		expect(probe.try()).toMatchObject({ code: "DATABASE_UNWRITABLE" });
		renameSync(`${file}.away`, file);
		expect(probe.try()).toBeUndefined();
	});

	it("was replaced by another file, which nobody has written to", () => {
		copyFileSync(file, `${file}.copy`);
		renameSync(`${file}.copy`, file);
		expect(probe.try()).toMatchObject({ code: "DATABASE_UNWRITABLE", message: expect.stringContaining("replaced") });
	});
});
