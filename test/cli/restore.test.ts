import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCommandLine } from "../../src/cli/cli.ts";
import { openDoors } from "../../src/cli/doors.ts";
import { acquireLock } from "../../src/daemon/lock.ts";
import { type Demo, startDemo } from "../../src/demo/demo.ts";
import { memory } from "./world.ts";

let demo: Demo;
let folder: string;
beforeEach(async () => {
	demo = await startDemo({ people: { kind: "company", count: 20 } });
	folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-restore-"));
	writeFileSync(at("secret"), demo.bindPassword, { mode: 0o600 });
	writeFileSync(
		at("dirsyncd.yaml"),
		`database: ./data/dirsyncd.db
sources:
  - name: corp
    type: active-directory
    urls: ["${demo.url}"]
    insecure: true
    bind: { user: "${demo.bindUser}", password: { file: ./secret } }
    base: "${demo.baseDn}"
targets:
  - { name: accounts, type: local }
  - { name: list, type: file, format: csv, path: ./list.csv, columns: [userName, active] }
  - { name: log, type: file, format: jsonl, content: changes, path: ./log.jsonl }
`,
	);
});
afterEach(async () => {
	await demo.close();
	rmSync(folder, { recursive: true });
});

const at = (name: string) => path.join(folder, name);
const list = () => readFileSync(at("list.csv"), "utf8").split("\r\n").sort();
/** What the file of changes tells of a person. */
const told = (user: string) =>
	readFileSync(at("log.jsonl"), "utf8")
		.split("\n")
		.filter((line) => line.includes(`"${user}@`))
		.map((line) => (JSON.parse(line) as { kind: string }).kind);

async function dirsyncd(...argv: readonly string[]) {
	const [out, err] = [memory(false), memory(false)];
	const context = { out, err, environment: {}, directory: folder, clock: Date.now, user: "anna", version: "9.9.9" };
	const code = await runCommandLine({ ...context, signal: new AbortController().signal, doors: openDoors(Date.now) }, argv);
	return { code, out: out.text(), err: err.text() };
}

function hire(name: string): void {
	const values = { objectClass: "user", sAMAccountName: name, userPrincipalName: `${name}@corp.example.com`, userAccountControl: 512 };
	demo.directory.add(`CN=${name},CN=Users,${demo.baseDn}`, values);
}

describe("restore", () => {
	it("is refused while a daemon has the database", async () => {
		await dirsyncd("sync", "--full");
		await dirsyncd("backup", "copy.db");
		const lock = acquireLock(at("data/dirsyncd.db"), { command: "run", clock: Date.now });
		lock.announce("http://127.0.0.1:8640");
		const { code, err } = await dirsyncd("restore", "copy.db");
		lock.release();
		expect(code).toBe(1);
		expect(err).toContain("is held by process");
	});

	it("says what is restored and what is next; files and the embedded store are right after the next run, and nobody else is told again", async () => {
		hire("early");
		expect((await dirsyncd("sync", "--full")).code).toBe(0);
		await dirsyncd("backup", "copy.db");
		hire("late");
		expect((await dirsyncd("sync")).code).toBe(0);
		const before = list();
		expect(before).toContain("late@corp.example.com,true");
		const restored = await dirsyncd("restore", "copy.db");
		expect(restored.code, restored.err).toBe(0);
		expect(restored.out).toContain("what was there is kept as");
		expect(restored.out).toContain("dirsyncd sync --full");
		const run = await dirsyncd("sync", "--json");
		expect(run.code, run.out).toBe(0);
		expect(JSON.parse(run.out)).toMatchObject({ mode: "full", created: 1, updated: 0, disabled: 0, pending: 0 });
		// Files are compared account by account; the embedded store is part of what was restored.
		expect(JSON.parse(run.out)).toMatchObject({ read: 25, delivered: 25 + 25 + 1 });
		expect(list()).toEqual(before);
		expect(told("early")).toEqual(["create"]);
		// It was told before, under a key that no run has any more.
		expect(told("late")).toEqual(["create", "create"]);
		const accounts = await dirsyncd("accounts", "late@corp.example.com", "--json");
		expect(JSON.parse(accounts.out)).toMatchObject({
			active: true,
			targets: { accounts: { state: "applied" }, list: { state: "applied" } },
		});
	});

	it("gives JSON", async () => {
		await dirsyncd("sync", "--full");
		await dirsyncd("backup", "copy.db");
		rmSync(at("data"), { recursive: true });
		const { out } = await dirsyncd("restore", "copy.db", "--json");
		expect(JSON.parse(out)).toMatchObject({ database: at("data/dirsyncd.db"), backup: at("copy.db"), kept: null });
	});
});
