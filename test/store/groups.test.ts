import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openDatabase } from "../../src/store/database.ts";
import { openGroups } from "../../src/store/groups.ts";

let folder: string;
beforeEach(() => {
	folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-groups-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it.each([
	{ version: "an older version, by the keys of their DNs", name: "dnKey" },
	{ version: "this version, by the keys of their names", name: "nameKey" },
])("the groups that the last reading of $version found are known by them still", ({ name }) => {
	const db = openDatabase(path.join(folder, "dirsyncd.db"), { check: "always", now: 0 });
	const found = (key: string, anchor: string) => JSON.stringify([{ [name]: key, anchor }]);
	db.prepare("INSERT INTO sources (id, name, scope_groups, rule_groups) VALUES (1, 'corp', ?, ?)").run(
		found("dc=corp,cn=staff,", "a1"),
		found("dc=corp,cn=sales,", "b2"),
	);
	const groups = openGroups(db);
	expect(groups.scope(1)).toEqual([{ nameKey: "dc=corp,cn=staff,", anchor: "a1" }]);
	expect(groups.named(1)).toEqual([{ nameKey: "dc=corp,cn=sales,", anchor: "b2" }]);
	db.close();
});
