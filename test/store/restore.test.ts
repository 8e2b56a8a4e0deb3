import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { restoreDatabase } from "../../src/store/restore.ts";
import { backUp, verifyDatabase } from "../../src/store/upkeep.ts";
import { type FakeSource, makeFakeSource } from "../support/fake-source.ts";
import { type Harness, type HarnessOptions, openHarness, testMapping } from "../support/harness.ts";
import { makeRemoteDouble } from "../support/remote-double.ts";

const PEOPLE = "OU=People,DC=corp,DC=example,DC=test";
const NOW = Date.UTC(2026, 10, 5, 9, 30);
let folder: string;
let file: string;
let copy: string;
let fake: FakeSource;
let remote: ReturnType<typeof makeRemoteDouble>;
let harness: Harness;

beforeEach(() => {
	folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-restore-"));
	file = path.join(folder, "dirsyncd.db");
	copy = path.join(folder, "copy.db");
	fake = makeFakeSource();
	fake.settings.attributes.push("title");
	remote = makeRemoteDouble();
	harness = open();
});
afterEach(() => {
	harness.close();
	rmSync(folder, { recursive: true, force: true });
});

function open(options: HarnessOptions = {}): Harness {
	return openHarness(fake, {
		file,
		targets: (local) => [local, remote.target],
		mapping: { ...testMapping, title: "{title}" },
		limits: {},
		...options,
	});
}

function put(who: number, standing: "enabled" | "disabled" = "enabled", title = "one"): void {
	const cn = `P${who}`;
	fake.put({ anchor: fake.anchorOf(who), cn, where: PEOPLE, standing, attributes: { cn: [cn], upn: [`p${who}@corp`], title: [title] } });
}

/** Every account of a person at the target: more than one is one too many. */
const at = (who: number) =>
	[...remote.accounts.values()].filter(({ anchor }) => anchor === fake.anchorOf(who)).map(({ account }) => account);
const pending = () => harness.views((views) => views.targets().find(({ target }) => target === "remote"))?.pending;

function restore() {
	harness.close();
	const restored = restoreDatabase(copy, file, NOW, "ada");
	harness = open();
	harness.time.now = NOW;
	return restored;
}

describe("after a restore of an older copy", () => {
	it("who came since is found at the target and taken as ours, not made again, though nothing is to be adopted", async () => {
		put(1);
		await harness.sync("full");
		backUp(file, copy);
		put(2);
		await harness.sync();
		expect(remote.creates()).toBe(2);
		restore();
		expect(await harness.sync()).toMatchObject({
			outcome: "succeeded",
			mode: "full",
			fullBecause: "the database was restored from a backup",
		});
		expect(remote.creates()).toBe(2);
		expect(at(2)).toMatchObject([{ userName: "p2@corp", active: true }]);
		expect(pending()).toBe(0);
		put(2, "disabled");
		await harness.sync();
		expect(at(2)).toMatchObject([{ active: false }]);
		expect((await harness.sync()).mode).toBe("delta");
	});

	it("who was disabled when it was made, and is back, is not disabled again by what was open then", async () => {
		put(1);
		put(2);
		await harness.sync("full");
		put(1, "disabled");
		remote.faults.refuse.add(fake.anchorOf(1));
		await harness.sync();
		expect(pending()).toBe(1);
		backUp(file, copy);
		remote.faults.refuse.clear();
		put(1);
		harness.time.now += 24 * 3_600_000;
		await harness.sync();
		expect(at(1)).toMatchObject([{ active: true }]);
		const before = remote.sent.length;
		restore();
		await harness.context.deliveries.settle(new AbortController().signal, () => {});
		expect(remote.sent.length).toBe(before);
		await harness.sync();
		expect(remote.sent.slice(before).every(({ wanted }) => wanted?.active === true)).toBe(true);
		expect(at(1)).toMatchObject([{ active: true }]);
	});

	it("what was delivered since, and taken back in the directory, is set right at the target though the copy knows of no difference", async () => {
		put(1);
		await harness.sync("full");
		backUp(file, copy);
		put(1, "enabled", "two");
		await harness.sync();
		expect(at(1)).toMatchObject([{ title: "two" }]);
		put(1, "enabled", "one");
		restore();
		await harness.sync();
		expect(at(1)).toMatchObject([{ title: "one" }]);
		expect(pending()).toBe(0);
	});

	it("nothing of before goes out while the reading is not sealed, and the run says so", async () => {
		put(1);
		await harness.sync("full");
		put(1, "enabled", "two");
		remote.faults.refuse.add(fake.anchorOf(1));
		await harness.sync();
		backUp(file, copy);
		remote.faults.refuse.clear();
		restore();
		const sent = remote.sent.length;
		fake.faults.unsealed = ["a page was missing"];
		const report = await harness.sync();
		expect(report.warnings).toEqual([expect.stringContaining("restored from a backup")]);
		expect(remote.sent.length).toBe(sent);
		fake.faults.unsealed = [];
		expect((await harness.sync()).mode).toBe("full");
		expect(at(1)).toMatchObject([{ title: "two" }]);
	});

	it("no change has the key of another one of before, though runs are numbered anew, with nothing left of the database of before", async () => {
		put(1);
		await harness.sync("full");
		backUp(file, copy);
		put(2);
		put(1, "enabled", "two");
		await harness.sync();
		put(3);
		await harness.sync();
		const keys = new Set(remote.sent.map(({ key }) => key));
		const before = remote.sent.length;
		harness.close();
		for (const end of ["", "-wal", "-shm"]) rmSync(`${file}${end}`, { force: true });
		restoreDatabase(copy, file, NOW, "ada");
		harness = open();
		put(4);
		put(1, "enabled", "three");
		await harness.sync();
		const anew = remote.sent.slice(before).map(({ key }) => key);
		expect(anew.length).toBeGreaterThan(3);
		expect(anew.filter((key) => keys.has(key))).toEqual([]);
	});

	it("a target that cannot be asked is told everybody's state once more, of nobody that they are new, under another key", async () => {
		const unasked = { ...remote.target, name: "hook", announcesCreates: false };
		const targets = () => [unasked];
		harness.close();
		harness = open({ targets });
		put(1);
		put(2, "disabled");
		await harness.sync("full");
		backUp(file, copy);
		const before = remote.sent.length;
		harness.close();
		restoreDatabase(copy, file, NOW, "ada");
		harness = open({ targets });
		await harness.sync();
		expect(remote.sent.slice(before).map(({ kind, wanted }) => [kind, wanted?.active])).toEqual([
			["update", true],
			["update", false],
		]);
		expect(new Set(remote.sent.map(({ key }) => key)).size).toBe(4);
		expect(remote.creates()).toBe(2);
	});

	it("members who came and went are said again", async () => {
		fake.settings.groups = "all";
		put(1);
		put(2);
		const group = { anchor: fake.anchorOf(100), cn: "G", isInScope: true, members: [fake.anchorOf(1)] };
		fake.putGroup(group);
		await harness.sync("full");
		backUp(file, copy);
		fake.putGroup({ ...group, members: [fake.anchorOf(2)] });
		await harness.sync();
		expect(await harness.groups(remote.target)).toEqual({ G: [fake.anchorOf(2)] });
		fake.putGroup({ ...group, members: [fake.anchorOf(1), fake.anchorOf(2)] });
		restore();
		await harness.sync();
		expect(await harness.groups(remote.target)).toEqual({ G: [fake.anchorOf(1), fake.anchorOf(2)] });
		expect([...remote.groups.keys()]).toHaveLength(1);
	});

	it("what was held in the copy cannot be approved before the directory was read", async () => {
		const limits = { disable: { count: 0, floor: 0 } };
		harness.close();
		harness = open({ limits });
		put(1);
		put(2);
		await harness.sync("full");
		put(1, "disabled");
		const plan = (await harness.sync()).plan ?? "";
		backUp(file, copy);
		harness.close();
		restoreDatabase(copy, file, NOW, "ada");
		harness = open({ limits });
		expect((await harness.approve(plan)).error).toMatchObject({ code: "PLAN_CHANGED", hint: expect.stringContaining("sync --full") });
		expect(at(1)).toMatchObject([{ active: true }]);
		expect((await harness.sync()).plan).toBe(plan);
		expect(await harness.approve(plan)).toMatchObject({ outcome: "succeeded", disabled: 1 });
	});
});

describe("a restore", () => {
	it("keeps what was there beside it, leaves nothing else, and only its owner may read either", async () => {
		put(1);
		await harness.sync("full");
		backUp(file, copy);
		put(2);
		await harness.sync();
		const { kept, changes, lastRunAt } = restore();
		expect({ kept, changes, lastRunAt }).toEqual({
			kept: `${file}.before-restore-2026-11-05T093000Z`,
			changes: 1,
			lastRunAt: Date.UTC(2026, 10, 1),
		});
		harness.close();
		expect(readdirSync(folder).sort()).toEqual(["copy.db", "dirsyncd.db", "dirsyncd.db.before-restore-2026-11-05T093000Z"]);
		if (process.platform !== "win32") for (const each of [file, kept ?? ""]) expect(statSync(each).mode & 0o777).toBe(0o600);
		expect(verifyDatabase(kept ?? "")).toMatchObject({ kind: "whole", rows: 2 });
		expect(verifyDatabase(file)).toMatchObject({ kind: "whole", rows: 2 });
		harness = open();
		expect(harness.views((views) => [...views.decisions({ from: undefined, to: undefined })])).toMatchObject([
			{
				...{ at: NOW, run: 0, source: "", subject: "database", kind: "restore", name: "copy.db", result: "restored by ada" },
				why: "put in the place of the database, as of the run of 2026-11-01T00:00:00.000Z",
			},
		]);
	});

	it("takes the place of a database that is damaged, and keeps that", async () => {
		put(1);
		await harness.sync("full");
		backUp(file, copy);
		harness.close();
		writeFileSync(file, "no database any more");
		writeFileSync(`${file}-wal`, "nor its log");
		const { kept } = restoreDatabase(copy, file, NOW, "ada");
		expect(existsSync(`${file}-wal`)).toBe(false);
		expect(readFileSync(`${kept}-wal`, "utf8")).toBe("nor its log");
		expect(readFileSync(kept ?? "", "utf8")).toBe("no database any more");
		harness = open();
		expect(await harness.sync()).toMatchObject({ outcome: "succeeded", created: 0 });
	});

	it.each([
		{ what: "is not there", spoil: () => rmSync(copy), code: "NOT_FOUND", says: "there is no backup" },
		{ what: "is empty", spoil: () => writeFileSync(copy, ""), code: "DATABASE_CORRUPT", says: "empty" },
		{ what: "is no database", spoil: () => writeFileSync(copy, "x".repeat(4096)), code: "DATABASE_CORRUPT", says: "copy.db" },
		{ what: "is another program's", spoil: () => foreign(), code: "DATABASE_CORRUPT", says: "another program" },
		{ what: "was altered", spoil: () => alter("UPDATE changes SET name = 'eve'"), code: "DATABASE_CORRUPT", says: "broken at row 1" },
		{
			what: "is a newer version's",
			spoil: () => alter("INSERT INTO migrations (version, name, digest, at) VALUES (99, 'x', x'00', 0)"),
			code: "DATABASE_NEWER",
			says: "copy.db has schema 99",
		},
	])("of a backup that $what is refused, and the database stays as it is", async ({ spoil, code, says }) => {
		put(1);
		await harness.sync("full");
		backUp(file, copy);
		put(2);
		await harness.sync();
		harness.close();
		spoil();
		const before = readFileSync(file);
		expect(() => restoreDatabase(copy, file, NOW, "ada")).toThrow(
			expect.objectContaining({ code, message: expect.stringContaining(says) }),
		);
		expect(readFileSync(file).equals(before)).toBe(true);
		expect(readdirSync(folder).filter((name) => name.includes("restor"))).toEqual([]);
		harness = open();
	});

	it("of the database itself, or of one in use, is refused", async () => {
		put(1);
		await harness.sync("full");
		expect(() => restoreDatabase(file, file, NOW, "ada")).toThrow("is the database itself");
		expect(existsSync(`${file}-wal`)).toBe(true);
		expect(() => restoreDatabase(file, copy, NOW, "ada")).toThrow(`${file}-wal`);
	});
});

it("a database that moves to another folder, by backup and restore, goes on without a change", async () => {
	put(1);
	put(2, "disabled");
	await harness.sync("full");
	backUp(file, copy);
	const sent = remote.sent.length;
	harness.close();
	file = path.join(folder, "another machine", "data", "other.db");
	expect(restoreDatabase(copy, file, NOW, "ada").kept).toBeUndefined();
	harness = open();
	expect(await harness.sync()).toMatchObject({
		outcome: "succeeded",
		read: 2,
		created: 0,
		updated: 0,
		disabled: 0,
		unchanged: 2,
		pending: 0,
	});
	expect(remote.creates()).toBe(2);
	// Each account is compared once, and wanted as it is.
	expect(remote.sent.slice(sent).map(({ wanted }) => wanted)).toEqual([at(1)[0], at(2)[0]]);
	expect(await harness.sync()).toMatchObject({ mode: "delta", delivered: 0 });
});

function alter(sql: string): void {
	const db = new Database(copy);
	db.exec(sql);
	db.close();
}

function foreign(): void {
	rmSync(copy);
	const db = new Database(copy);
	db.exec("CREATE TABLE theirs (id)");
	db.close();
}
