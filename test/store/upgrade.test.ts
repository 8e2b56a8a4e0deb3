import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { digest } from "../../src/lib/digest.ts";
import { spread } from "../../src/lib/spread.ts";
import { chainedDigest, type LogRow } from "../../src/store/chain.ts";
import { openDatabase } from "../../src/store/database.ts";
import { migrations } from "../../src/store/migrations.ts";
import { restoreDatabase } from "../../src/store/restore.ts";
import { backUp, verifyDatabase } from "../../src/store/upkeep.ts";
import { makeFakeSource } from "../support/fake-source.ts";
import { openHarness } from "../support/harness.ts";
import { makeRemoteDouble } from "../support/remote-double.ts";

const ADA = "00000001-0000-4000-8000-000000000000";
const BEA = "00000002-0000-4000-8000-000000000000";
const PEOPLE = "OU=People,DC=corp,DC=example,DC=test";
const newest = migrations.at(-1)?.version ?? 0;
/** Versions that were released, and can be on a server's disk. */
const released = migrations.map(({ version }) => version).filter((version) => version < newest);

let folder: string;
let file: string;
beforeEach(() => {
	folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-upgrade-"));
	file = path.join(folder, "dirsyncd.db");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What a version wrote of two people: Ada, delivered, and Bea, whose create was sent and never answered. */
function writeAs(version: number): void {
	const db = new Database(file);
	db.exec("CREATE TABLE migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, digest BLOB NOT NULL, at INTEGER NOT NULL)");
	for (const step of migrations.filter((each) => each.version <= version)) {
		db.exec(step.sql);
		db.prepare("INSERT INTO migrations (version, name, digest, at) VALUES (?, ?, ?, 0)").run(step.version, step.name, digest(step.sql));
	}
	db.pragma(`application_id = ${0x64697273}`);
	db.pragma("journal_mode = WAL");
	db.exec(`
INSERT INTO sources (id, name, cursor, identity, scope, attributes, last_full_at, last_full_sealed, last_full_read, entries, active_accounts)
	VALUES (1, 'fake', '3', 'fake', '${PEOPLE}', '["cn","mail","manager","upn"]', 1000, 1, 2, 2, 2);
INSERT INTO runs (id, source_id, mode, "trigger", started_at, ended_at, outcome, sealed, entries_read, created) VALUES (4, 1, 'full', 'schedule', 1000, 2000, 'succeeded', 1, 2, 2);
INSERT INTO targets (id, name) VALUES (1, 'remote');`);
	let before: Buffer = Buffer.alloc(32);
	for (const [id, anchor, cn] of [
		[1, ADA, "ada"],
		[2, BEA, "bea"],
	] as const) {
		const dn = `CN=${cn},${PEOPLE}`;
		const bytes = Buffer.from(
			JSON.stringify([
				anchor,
				dn,
				[
					["cn", [cn]],
					["upn", [`${cn}@corp`]],
				],
				"enabled",
				null,
			]),
		);
		const body = JSON.stringify({ userName: `${cn}@corp`, displayName: cn, active: true });
		const key = Buffer.from(anchor.replaceAll("-", ""), "hex");
		db.prepare("INSERT INTO entries (id, source_id, anchor, anchor_key, digest, dn_digest) VALUES (?, 1, ?, ?, ?, ?)").run(
			id,
			anchor,
			key,
			digest(bytes),
			digest(dn),
		);
		db.prepare("INSERT INTO entry_bytes (id, bytes) VALUES (?, ?)").run(id, bytes);
		db.prepare("INSERT INTO accounts (id, source_id, user_name, body, active) VALUES (?, 1, ?, ?, 1)").run(id, `${cn}@corp`, body);
		db.prepare("INSERT INTO claims (claim, account_id) VALUES (?, ?)").run(spread(`${cn}@corp`), id);
		const isThere = id === 1;
		db.prepare(
			"INSERT INTO ledger (target_id, account_id, wanted, applied, remote_id, origin, kind, step, intent_at, run_id, pending) VALUES (1, ?, ?, ?, ?, ?, 'create', 2, ?, 4, ?)",
		).run(
			id,
			digest(body),
			isThere ? digest(body) : null,
			isThere ? "r1" : null,
			isThere ? "created" : null,
			isThere ? null : 1500,
			isThere ? 0 : 1,
		);
		const row: LogRow = {
			...{ at: 1000, run: 4, source: "fake", target: undefined, kind: "create", subject: "account", anchor, name: `${cn}@corp` },
			...{ why: "in the directory, and not an account yet", before: undefined, after: body, result: "committed" },
		};
		before = chainedDigest(before, id, row);
		db.prepare(
			"INSERT INTO changes (sequence, at, run_id, source, kind, subject, anchor, name, why, before, after, result, digest) VALUES (?, 1000, 4, 'fake', 'create', 'account', ?, ?, ?, NULL, ?, 'committed', ?)",
		).run(id, anchor, row.name, row.why, body, before);
	}
	// From here on a database says itself where its log ends.
	if (version >= 6) db.prepare("UPDATE chain SET last_sequence = 2, last_digest = ?").run(before);
	db.close();
}

function directory() {
	const fake = makeFakeSource();
	for (const [anchor, cn] of [
		[ADA, "ada"],
		[BEA, "bea"],
	] as const)
		fake.put({ anchor, cn, where: PEOPLE, standing: "enabled", attributes: { cn: [cn], upn: [`${cn}@corp`] } });
	const remote = makeRemoteDouble();
	const put = (id: string, anchor: string, cn: string) =>
		remote.accounts.set(id, { anchor: anchor as never, account: { userName: `${cn}@corp`, displayName: cn, active: true } });
	put("r1", ADA, "ada");
	put("r2", BEA, "bea");
	return { fake, remote };
}

describe.each(released)("a database of schema %i", (version) => {
	it("is upgraded with a copy kept, its chain is whole, and it runs on: nobody is made twice, and who leaves is disabled", async () => {
		writeAs(version);
		openDatabase(file, { check: "always", now: 5000 }).close();
		expect(verifyDatabase(file)).toMatchObject({ kind: "whole", rows: 2 });
		const { fake, remote } = directory();
		const harness = openHarness(fake, { file, targets: () => [remote.target] });
		expect(await harness.sync("full")).toMatchObject({ outcome: "succeeded", read: 2, created: 0, updated: 0, unchanged: 2, pending: 0 });
		expect(remote.creates()).toBe(0);
		fake.put({ anchor: ADA, cn: "ada", where: PEOPLE, standing: "disabled", attributes: { cn: ["ada"], upn: ["ada@corp"] } });
		expect(await harness.sync()).toMatchObject({ outcome: "succeeded", disabled: 1, pending: 0 });
		expect(remote.accounts.get("r1")?.account.active).toBe(false);
		harness.close();
		expect(verifyDatabase(file).kind).toBe("whole");
		const kept = `${file}.schema-${version}`;
		if (process.platform !== "win32") expect(statSync(kept).mode & 0o777).toBe(0o600);
		const old = new Database(kept, { readonly: true });
		expect(old.prepare("SELECT max(version) FROM migrations").pluck().get()).toBe(version);
		expect(old.prepare("SELECT user_name FROM accounts ORDER BY id").pluck().all()).toEqual(["ada@corp", "bea@corp"]);
		old.close();
	});

	it("is backed up by this version as it is, before it is upgraded", () => {
		writeAs(version);
		const copy = path.join(folder, "copy.db");
		backUp(file, copy);
		const old = new Database(copy, { readonly: true });
		expect(old.prepare("SELECT max(version) FROM migrations").pluck().get()).toBe(version);
		expect(old.prepare("SELECT user_name FROM accounts ORDER BY id").pluck().all()).toEqual(["ada@corp", "bea@corp"]);
		old.close();
	});

	it("as a backup is restored by this version, which upgrades it", async () => {
		writeAs(version);
		const to = path.join(folder, "restored.db");
		expect(restoreDatabase(file, to, 5000, "ada")).toMatchObject({ kept: undefined, changes: 2, lastRunAt: 1000 });
		const { fake, remote } = directory();
		const harness = openHarness(fake, { file: to, targets: () => [remote.target] });
		expect(await harness.sync()).toMatchObject({ outcome: "succeeded", mode: "full", created: 0, unchanged: 2, pending: 0 });
		expect(remote.creates()).toBe(0);
		harness.close();
	});
});

it("a database is copied once for an upgrade, and not when there is none", () => {
	writeAs(5);
	openDatabase(file, { check: "always", now: 5000 }).close();
	const { mtimeMs } = statSync(`${file}.schema-5`);
	openDatabase(file, { check: "always", now: 6000 }).close();
	expect(statSync(`${file}.schema-5`).mtimeMs).toBe(mtimeMs);
	expect(readdirSync(folder).filter((name) => name.includes("schema"))).toEqual(["dirsyncd.db.schema-5"]);
	const fresh = path.join(folder, "fresh.db");
	openDatabase(fresh, { check: "always", now: 0 }).close();
	expect(existsSync(`${fresh}.schema-0`)).toBe(false);
});
