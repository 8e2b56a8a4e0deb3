import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Account } from "../../src/core/account.ts";
import type { Anchor } from "../../src/core/entry.ts";
import type { LogRow } from "../../src/store/chain.ts";
import { openChangeLog } from "../../src/store/change-log.ts";
import { openDatabase } from "../../src/store/database.ts";
import type { LogReader } from "../../src/store/log-reader.ts";
import { openViews } from "../../src/store/open-views.ts";
import { makeFakeSource } from "../support/fake-source.ts";
import { openHarness } from "../support/harness.ts";

let folder: string;
let file: string;
beforeEach(() => {
	folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-reader-"));
	file = path.join(folder, "dirsyncd.db");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function row(fields: Partial<LogRow> & { readonly account?: Partial<Account> } = {}): LogRow {
	const { account, ...rest } = fields;
	const after = JSON.stringify({ userName: "ada@corp", active: true, ...account });
	const names = { source: "corp", target: undefined, kind: "create", subject: "account", anchor: "a", name: "ada@corp" };
	return { at: 1000, run: 1, ...names, why: "new in the directory", before: undefined, after, result: "committed", ...rest };
}

function write(...rows: readonly LogRow[]): void {
	const db = openDatabase(file, { check: "always", now: 0 });
	const all = (append: (row: LogRow) => void): void => {
		for (const each of rows) append(each);
	};
	db.transaction(() => openChangeLog(db).appendMany(all))();
	db.close();
}

function reading<T>(look: (reader: LogReader) => T): T {
	const views = openViews(file);
	try {
		return look(views);
	} finally {
		views.close();
	}
}

describe("the change log, read", () => {
	it.each([
		{ from: undefined, to: undefined, rows: [1, 2, 3] },
		{ from: 2000, to: undefined, rows: [2, 3] },
		{ from: undefined, to: 2000, rows: [1] },
		{ from: 2000, to: 2001, rows: [2] },
		{ from: 4000, to: undefined, rows: [] },
	])("from $from and before $to has the rows $rows", ({ from, to, rows }) => {
		write(row({ at: 1000 }), row({ at: 2000 }), row({ at: 3000 }));
		expect(reading((reader) => [...reader.logged({ from, to })].map(({ sequence }) => sequence))).toEqual(rows);
	});

	it("is whole also when it is many pages long, and as far as it went at the call", () => {
		write(...Array.from({ length: 1203 }, (_, index) => row({ at: index })));
		const sequences = reading((reader) => {
			const rows = reader.logged({ from: undefined, to: undefined });
			const first = rows.next().value?.sequence;
			write(row());
			return [first, ...[...rows].map(({ sequence }) => sequence)];
		});
		expect(sequences).toEqual(Array.from({ length: 1203 }, (_, index) => index + 1));
	});

	it.each([
		{ user: "ADA@corp", finds: ["corp a"] },
		{ user: "ada@before", finds: ["corp a", "corp b"] },
		{ user: "Müller@Corp", finds: ["corp c"] },
		{ user: "müller@corp", finds: ["corp c"] },
		{ user: 'odd"name', finds: ["corp d"] },
		{ user: "post@corp", finds: ["corp e"] },
		{ user: "F-1", finds: ["corp F-1"] },
		{ user: "lead", finds: [] },
		{ user: "rejected@corp", finds: [] },
	])("knows $user of today or of then as $finds", ({ user, finds }) => {
		write(
			row({ kind: "update", before: JSON.stringify({ userName: "ada@before", active: true }) }),
			row({ anchor: "b", account: { userName: "ada@before" } }),
			row({ anchor: "c", account: { userName: "MÜLLER@corp" } }),
			row({ anchor: "d", account: { userName: 'odd"name' } }),
			row({ anchor: "e", account: { userName: "e", emails: [{ value: "Post@corp", type: "other" }], title: "lead" } }),
			row({ anchor: "F-1", account: { userName: "f" } }),
			row({ anchor: "g", account: { userName: "rejected@corp" }, result: "rejected by eve" }),
		);
		expect(reading((reader) => reader.formerAccounts(user).map(({ source, anchor }) => `${source} ${anchor}`))).toEqual(finds);
	});

	it("tells the history of one account by what went out of it, and not by what was rejected, delivered or a target's own doing", () => {
		write(
			row({ why: "committed" }),
			row({ why: "approved", result: "approved by eve" }),
			row({ why: "reverted", result: "reverted run 1 by eve" }),
			row({ why: "rejected", result: "rejected by eve" }),
			row({ why: "at a target", target: "gateway" }),
			row({ why: "refused", result: "refused" }),
			row({ why: "a group", subject: "group" }),
			row({ why: "another source", source: "lab" }),
			row({ why: "another account", anchor: "b" }),
		);
		const whys = reading((reader) => reader.historyOf({ source: "corp", anchor: "a" as Anchor }).map(({ why }) => why));
		expect(whys).toEqual(["committed", "approved", "reverted"]);
	});

	it("finds the changes that name a feature or a policy, on either side", () => {
		const side = (account: Partial<Account>) => JSON.stringify({ userName: "ada@corp", active: true, ...account });
		write(
			row({ why: "on", account: { features: ["search"] } }),
			row({ why: "off", before: side({ features: ["search"] }) }),
			row({ why: "policy", account: { policies: { search: "x" } } }),
			row({ why: "other", account: { features: ["searching"] } }),
			row({ why: "rejected", account: { features: ["search"] }, result: "rejected by eve" }),
		);
		expect(reading((reader) => [...reader.historyWith("search")].map(({ why }) => why))).toEqual(["on", "off", "policy"]);
	});

	it("begins with the oldest row that is kept", () => {
		write();
		expect(reading((reader) => reader.logStart())).toBeUndefined();
		write(row({ at: 7000 }), row({ at: 8000 }));
		expect(reading((reader) => reader.logStart())).toBe(7000);
	});

	it("has the accounts of today beside it", async () => {
		const fake = makeFakeSource();
		const harness = openHarness(fake, { file });
		const where = "OU=People,DC=corp,DC=example,DC=test";
		for (const number of [1, 2]) {
			fake.put({ anchor: fake.anchorOf(number), cn: `P${number}`, where, standing: "enabled", attributes: { cn: [`P${number}`] } });
		}
		await harness.sync("full");
		harness.close();
		const db = openDatabase(file, { check: "always", now: 0 });
		db.exec(
			`UPDATE accounts SET body = json_set(body, '$.features', json('["search"]'), '$.policies', json('{"mail":"search"}')) WHERE user_name = 'P2'`,
		);
		db.close();
		const source = fake.source.name;
		reading((reader) => {
			expect(reader.accountOf({ source, anchor: fake.anchorOf(1) as Anchor })?.account.userName).toBe("P1");
			expect(reader.accountOf({ source: "other", anchor: fake.anchorOf(1) as Anchor })).toBeUndefined();
			expect([...reader.accountsWith("feature", "search")].map(({ account }) => account.userName)).toEqual(["P2"]);
			expect([...reader.accountsWith("policy", "mail")].map(({ account }) => account.userName)).toEqual(["P2"]);
			expect([...reader.accountsWith("policy", "search")]).toEqual([]);
		});
	});
});
