import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parse } from "csv-parse/sync";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Failure } from "../../src/core/errors.ts";
import type { LoggedRow, Span } from "../../src/store/log-reader.ts";
import type { AccountView } from "../../src/store/views.ts";
import { say } from "./world.ts";

const DAY = Date.UTC(2026, 10, 1);

function row(fields: Partial<LoggedRow> = {}): LoggedRow {
	return {
		...{ sequence: 7, at: DAY, run: 3, source: "corp", target: undefined, kind: "update", subject: "account", anchor: "a-1" },
		...{ name: "ada@new", why: 'userName from "ada@corp" to "ada@new"', result: "committed", digest: Buffer.alloc(32, 0xab) },
		before: JSON.stringify({
			userName: "ada@corp",
			displayName: "Ada",
			emails: [{ value: "ada@x", type: "work", primary: true }],
			active: true,
		}),
		after: JSON.stringify({
			userName: "ada@new",
			displayName: "Ada",
			emails: [{ value: "ada@y", type: "work", primary: true }],
			active: true,
		}),
		...fields,
	};
}

const hash = "ab".repeat(32);
const logged = (...rows: LoggedRow[]) => ({ views: { logged: () => rows.values() } });
const exported = async (...rows: LoggedRow[]) =>
	(await say(["export", "--changes"], logged(...rows))).out
		.split("\n")
		.slice(0, -1)
		.map((line) => JSON.parse(line));

describe("export --changes", () => {
	it("writes one change a line in the field names of the Elastic Common Schema, in one order", async () => {
		const [before, after] = [JSON.parse(row().before as string), JSON.parse(row().after as string)];
		const { out } = await say(["export", "--changes", "--json"], logged(row()));
		expect(out).toBe(
			`${JSON.stringify({
				"@timestamp": "2026-11-01T00:00:00.000Z",
				ecs: { version: "8.17.0" },
				event: {
					...{ kind: "event", category: ["iam"], type: ["user", "change"], action: "account-updated", outcome: "success" },
					...{
						reason: 'userName from "ada@corp" to "ada@new"',
						id: hash,
						sequence: 7,
						hash,
						module: "dirsyncd",
						dataset: "dirsyncd.changes",
					},
				},
				service: { name: "dirsyncd", type: "dirsyncd" },
				user: {
					target: { id: "a-1", name: "ada@corp", full_name: "Ada", email: "ada@x" },
					changes: { name: "ada@new", email: "ada@y" },
				},
				related: { user: ["ada@new", "ada@corp"] },
				dirsyncd: { run: 3, source: "corp", subject: "account", kind: "update", name: "ada@new", result: "committed", before, after },
			})}\n`,
		);
	});

	it.each<{ what: string; fields: Partial<LoggedRow>; type: string[]; action: string; outcome: string; by?: string }>([
		{
			what: "a new account",
			fields: { kind: "create", before: undefined },
			type: ["user", "creation"],
			action: "account-created",
			outcome: "success",
		},
		{
			what: "a disable that eve approved",
			fields: { kind: "disable", result: "approved by eve" },
			type: ["user", "change"],
			action: "account-disabled",
			outcome: "success",
			by: "eve",
		},
		{
			what: "an enable that eve's revert brought",
			fields: { kind: "enable", result: "reverted run 3 by eve" },
			type: ["user", "change"],
			action: "account-enabled",
			outcome: "success",
			by: "eve",
		},
		{
			what: "a delete",
			fields: { kind: "delete", after: undefined },
			type: ["user", "deletion"],
			action: "account-deleted",
			outcome: "success",
		},
		{
			what: "a feature that begins",
			fields: { kind: "entitlement" },
			type: ["user", "change"],
			action: "account-entitlement-changed",
			outcome: "success",
		},
		{
			what: "a disable that eve rejected",
			fields: { kind: "disable", run: 0, result: "rejected by eve" },
			type: ["user", "info"],
			action: "account-disable-rejected",
			outcome: "failure",
			by: "eve",
		},
		{
			what: "an update that a target refused",
			fields: { target: "gateway", result: "refused" },
			type: ["user", "info"],
			action: "account-update-refused",
			outcome: "failure",
		},
		{
			what: "an account that a target had already",
			fields: { target: "gateway", kind: "create", result: "adopted" },
			type: ["user", "change"],
			action: "account-adopted",
			outcome: "success",
		},
		{
			what: "an account that somebody changed at a target",
			fields: { target: "gateway", result: "reported" },
			type: ["user", "info"],
			action: "account-drift-reported",
			outcome: "success",
		},
		{
			what: "a new group",
			fields: { subject: "group", kind: "create" },
			type: ["group", "creation"],
			action: "group-created",
			outcome: "success",
		},
		{
			what: "members that go",
			fields: { subject: "group", kind: "remove" },
			type: ["group", "change"],
			action: "group-members-removed",
			outcome: "success",
		},
		{
			what: "a target that eve had forgotten",
			fields: { subject: "target", kind: "delete", anchor: "", before: undefined, after: undefined, result: "forgotten by eve" },
			type: ["admin", "deletion"],
			action: "target-forgotten",
			outcome: "success",
			by: "eve",
		},
		{
			what: "a source started",
			fields: { subject: "source", kind: "sync", anchor: "", before: undefined, after: undefined, result: "started by eve" },
			type: ["admin", "change"],
			action: "source-sync-started",
			outcome: "success",
			by: "eve",
		},
		{
			what: "a plan approved",
			fields: { subject: "plan", kind: "approve", anchor: "", before: undefined, after: undefined, result: "approved by eve" },
			type: ["admin", "change"],
			action: "plan-approved",
			outcome: "success",
			by: "eve",
		},
		{
			what: "a plan rejected",
			fields: { subject: "plan", kind: "reject", anchor: "", before: undefined, after: undefined, result: "rejected by eve" },
			type: ["admin", "change"],
			action: "plan-rejected",
			outcome: "success",
			by: "eve",
		},
		{
			what: "a run reverted",
			fields: { subject: "run", kind: "revert", anchor: "", before: undefined, after: undefined, result: "reverted by eve" },
			type: ["admin", "change"],
			action: "run-reverted",
			outcome: "success",
			by: "eve",
		},
		{
			what: "a target read back",
			fields: { subject: "target", kind: "read-back", anchor: "", before: undefined, after: undefined, result: "read back by eve" },
			type: ["admin", "change"],
			action: "target-read-back",
			outcome: "success",
			by: "eve",
		},
		{
			what: "a database restored",
			fields: { subject: "database", kind: "restore", anchor: "", before: undefined, after: undefined, result: "restored by eve" },
			type: ["admin", "change"],
			action: "database-restored",
			outcome: "success",
			by: "eve",
		},
		{
			what: "an account that eve let go of",
			fields: { kind: "unpin", run: 0, before: undefined, after: undefined, result: "unpinned by eve" },
			type: ["user", "change"],
			action: "account-unpinned",
			outcome: "success",
			by: "eve",
		},
	])("says of $what that it is $action of $type, and how it ended", async ({ fields, type, action, outcome, by }) => {
		const [event] = await exported(row(fields));
		expect(event.event).toMatchObject({ category: ["iam"], type, action, outcome });
		expect(event.user?.name).toBe(by);
		if (by !== undefined) expect(event.related.user).toContain(by);
		expect(event.dirsyncd.target).toBe(fields.target);
	});

	it("names a group by its anchor and name, and no user", async () => {
		const [event] = await exported(
			row({ subject: "group", anchor: "g-1", name: "Sales", before: undefined, after: '{"displayName":"Sales"}' }),
		);
		expect(event.group).toEqual({ id: "g-1", name: "Sales" });
		expect(event.user).toBeUndefined();
	});

	it("writes CSV with a heading, sides as JSON, and nothing that a spreadsheet would take for a formula", async () => {
		const { out } = await say(
			["export", "--changes", "--format", "csv"],
			logged(row({ name: "=HYPERLINK(1)", why: 'a "quoted", word' }), row({ run: 0, result: "rejected by @eve" })),
		);
		expect(out.split("\r\n")[0]).toBe(
			"sequence,timestamp,run,source,target,subject,kind,action,outcome,anchor,name,why,result,by,before,after,hash",
		);
		const [first, second] = parse(out, { columns: true }) as Record<string, string>[];
		expect(first).toMatchObject({
			sequence: "7",
			timestamp: "2026-11-01T00:00:00.000Z",
			run: "3",
			name: "'=HYPERLINK(1)",
			why: 'a "quoted", word',
			hash,
		});
		expect(JSON.parse(first?.["after"] as string)).toMatchObject({ userName: "ada@new" });
		expect(second).toMatchObject({ run: "", action: "account-update-rejected", outcome: "failure", by: "'@eve" });
	});

	it("writes a heading alone when there is no change", async () => {
		expect((await say(["export", "--changes", "--format", "csv"], logged())).out).toMatch(/^sequence,.*,hash\r\n$/);
	});

	it.each<{ argv: string[]; span: Span }>([
		{ argv: [], span: { from: undefined, to: undefined } },
		{ argv: ["--from", "2026-11-01"], span: { from: DAY, to: undefined } },
		{ argv: ["--to", "2026-11-01"], span: { from: undefined, to: DAY + 86_400_000 } },
		{ argv: ["--from", "2026-11-01", "--to", "2026-11-01"], span: { from: DAY, to: DAY + 86_400_000 } },
		{
			argv: ["--from", "2026-11-01T09:00:00+01:00", "--to", "2026-11-01T09:30Z"],
			span: { from: DAY + 8 * 3_600_000, to: DAY + 9.5 * 3_600_000 },
		},
		{ argv: ["--from", "2026-11-01T00:00:00.250Z"], span: { from: DAY + 250, to: undefined } },
	])("takes $argv as $span: a day is one of UTC, and as --to it is included", async ({ argv, span }) => {
		let asked: Span | undefined;
		const views = {
			logged: (span: Span) => {
				asked = span;
				return [].values();
			},
		};
		expect((await say(["export", "--changes", ...argv], { views })).code).toBe(0);
		expect(asked).toEqual(span);
	});

	it.each([
		{ argv: ["--from", "yesterday"], says: ['--from is no date: "yesterday"', "2026-11-01T09:00:00Z"] },
		{ argv: ["--to", "2026-02-30"], says: ['--to is no date: "2026-02-30"'] },
		{ argv: ["--from", "2026-02-30T09:00:00Z"], says: ['--from is no date: "2026-02-30T09:00:00Z"'] },
		{ argv: ["--from", "2026-11-01T25:00:00Z"], says: ["--from is no date"] },
		{ argv: ["--from", "2026-11-01T09:00:00"], says: ["an instant without a zone", "2026-11-01T09:00:00Z for UTC"] },
		{ argv: ["--from", "2026-11-02", "--to", "2026-11-01"], says: ["--from 2026-11-02 is not before --to 2026-11-01"] },
		{ argv: ["--format", "xml"], says: ['not "xml"'] },
		{ argv: ["--format", "csv", "--json"], says: ["CSV is no JSON"] },
	])("refuses $argv, and says what to write", async ({ argv, says }) => {
		const said = await say(["export", "--changes", ...argv], logged());
		expect(said.code).toBe(2);
		for (const each of says) expect(said.out + said.err).toContain(each);
	});
});

describe("export", () => {
	const account = {
		userName: "ada@corp",
		displayName: "-Ada",
		name: { givenName: "Ada" },
		active: true,
		features: ["a", "b;c"],
		policies: { mail: "block" },
	};
	const ada: AccountView = {
		source: "corp",
		anchor: "a-1",
		account,
		because: undefined,
		pins: [],
		groups: ["Sales", "Staff"],
		targets: {},
	};
	const views = { accounts: () => [ada].values() };

	it("writes the accounts as accounts --json does", async () => {
		expect((await say(["export"], { views })).out).toBe((await say(["accounts", "--json"], { views })).out);
	});

	it("writes the accounts as CSV, features, policies and groups in one cell each", async () => {
		const { out } = await say(["export", "--format", "csv"], { views });
		expect(parse(out, { columns: true })).toMatchObject([
			{
				...{ source: "corp", anchor: "a-1", userName: "ada@corp", displayName: "'-Ada", "name.givenName": "Ada", active: "true" },
				...{ features: String.raw`a;b\;c`, policies: "mail=block", groups: "Sales;Staff", title: "" },
			},
		]);
	});

	it("has no time: --from and --to are of changes", async () => {
		expect(await say(["export", "--from", "2026-11-01"], { views })).toMatchObject({ code: 2, err: expect.stringContaining("--changes") });
	});
});

describe("export --output", () => {
	let folder: string;
	beforeEach(() => {
		folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-export-"));
	});
	afterEach(() => rmSync(folder, { recursive: true, force: true }));

	it("writes a file for its owner's eyes alone, and says so", async () => {
		const file = path.join(folder, "changes.csv");
		const said = await say(["export", "--changes", "--format", "csv", "--output", file, "--json"], logged(row(), row()));
		expect(JSON.parse(said.out)).toEqual({ output: file, format: "csv", changes: 2 });
		expect(readFileSync(file, "utf8").split("\r\n")).toHaveLength(4);
		if (process.platform !== "win32") expect(statSync(file).mode & 0o777).toBe(0o600);
	});

	it("leaves the file that was there whole when it breaks", async () => {
		const file = path.join(folder, "changes.jsonl");
		writeFileSync(file, "what was there");
		const broken = function* () {
			yield row();
			throw new Failure("DATABASE_CORRUPT", "page 3 is damaged");
		};
		expect((await say(["export", "--changes", "--output", file], { views: { logged: broken } })).code).toBe(1);
		expect(readFileSync(file, "utf8")).toBe("what was there");
	});

	it("says which file cannot be written, and what to check", async () => {
		const file = path.join(folder, "nowhere/changes.jsonl");
		const said = await say(["export", "--changes", "--output", file, "--json"], logged(row()));
		expect(said.code).toBe(1);
		expect(JSON.parse(said.out).error).toMatchObject({
			code: "OUTPUT_UNWRITABLE",
			message: expect.stringContaining(file),
			hint: expect.stringContaining("folder"),
		});
	});
});
