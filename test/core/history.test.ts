import { describe, expect, it } from "vitest";
import type { Account } from "../../src/core/account.ts";
import { wordsOfEntitlements } from "../../src/core/entitlement-words.ts";
import type { Anchor } from "../../src/core/entry.ts";
import { type CurrentAccount, type HistoryRow, type Period, periodsOf } from "../../src/core/history.ts";
import { livesOf } from "../../src/core/life.ts";

const LOG_START = 5;

function ada(fields: Partial<Account> = {}): Account {
	return { userName: "ada@corp", active: true, ...fields };
}

/** One row of Ada's; `sequence` and `at` are the run's. */
function row(
	run: number,
	kind: string,
	before: Account | undefined,
	after: Account | undefined,
	more: Partial<HistoryRow> = {},
): HistoryRow {
	const words = wordsOfEntitlements(before ?? {}, after ?? {}, (_, name) => `group of ${name}`);
	const why =
		kind === "create" ? ["new in the directory", words].filter((part) => part !== "").join("; ") : kind === "entitlement" ? words : kind;
	return { sequence: run, at: run * 100, run, source: "corp", anchor: "a" as Anchor, kind, why, before, after, ...more };
}

function now(account: Account, more: Partial<CurrentAccount> = {}): CurrentAccount {
	return { source: "corp", anchor: "a" as Anchor, account, ...more };
}

function say({ kind, name, value, holder, begin, end }: Period): string {
	const from = begin.kind === "known" ? `from ${begin.at} (${begin.through})` : `before ${begin.at}`;
	const to = end.kind === "known" ? `to ${end.at} (${end.because})` : end.kind;
	return `${holder.userName} ${kind} ${name}${value === undefined ? "" : `=${value}`} ${from} ${to}`;
}

function told(
	rows: readonly HistoryRow[],
	accounts: readonly CurrentAccount[] = [],
	isWanted = (_kind: string, _name: string) => true,
): string[] {
	return [...periodsOf(rows, { accounts, logStart: LOG_START }, isWanted)].map(say);
}

describe("the history of features and policies", () => {
	const search = ada({ features: ["search"] });
	const blocked = ada({ policies: { mail: "block" } });
	const allowed = ada({ policies: { mail: "allow" } });

	it.each<{ what: string; rows: readonly HistoryRow[]; accounts?: readonly CurrentAccount[]; tells: readonly string[] }>([
		{
			what: "a feature that came with the account and is there still",
			rows: [row(1, "create", undefined, search)],
			accounts: [now(search)],
			tells: ["ada@corp feature search from 100 (group of search) still"],
		},
		{
			what: "a feature that came and went",
			rows: [row(1, "create", undefined, ada()), row(2, "entitlement", ada(), search), row(3, "entitlement", search, ada())],
			accounts: [now(ada())],
			tells: ["ada@corp feature search from 200 (group of search) to 300 (group of search)"],
		},
		{
			what: "a feature that came twice",
			rows: [row(1, "create", undefined, search), row(2, "entitlement", search, ada()), row(3, "entitlement", ada(), search)],
			accounts: [now(search)],
			tells: [
				"ada@corp feature search from 100 (group of search) to 200 (group of search)",
				"ada@corp feature search from 300 (group of search) still",
			],
		},
		{
			what: "a policy whose value changed, and went",
			rows: [row(1, "create", undefined, blocked), row(2, "entitlement", blocked, allowed), row(3, "entitlement", allowed, ada())],
			accounts: [now(ada())],
			tells: [
				'ada@corp policy mail=block from 100 (group of mail) to 200 ("allow" since then: group of mail)',
				"ada@corp policy mail=allow from 200 (group of mail) to 300 (group of mail)",
			],
		},
		{
			what: "an account that was deleted with all it had",
			rows: [row(1, "create", undefined, search), row(2, "delete", search, undefined, { why: "not in the directory any more" })],
			tells: ["ada@corp feature search from 100 (group of search) to 200 (account deleted: not in the directory any more)"],
		},
		{
			what: "a beginning that the log does not keep any more",
			rows: [row(2, "disable", search, { ...search, active: false }), row(3, "entitlement", search, ada())],
			accounts: [now(ada())],
			tells: ["ada@corp feature search before 200 to 300 (group of search)"],
		},
		{
			what: "an account of which the log keeps nothing",
			rows: [],
			accounts: [now(ada({ features: ["search"], policies: { mail: "block" } }))],
			tells: ["ada@corp feature search before 5 still", "ada@corp policy mail=block before 5 still"],
		},
		{
			what: "an end that the log does not tell of",
			rows: [row(1, "create", undefined, search)],
			accounts: [now(ada())],
			tells: ["ada@corp feature search from 100 (group of search) unknown"],
		},
		{
			what: "an end and another beginning between two rows, of which the log does not tell",
			rows: [row(1, "create", undefined, search), row(2, "update", blocked, blocked)],
			accounts: [now(blocked)],
			tells: ["ada@corp feature search from 100 (group of search) unknown", "ada@corp policy mail=block before 200 still"],
		},
		{
			what: "changes of one run, logged in the order of their kinds: the disable shows what the entitlement after it brings",
			rows: [
				row(1, "create", undefined, ada()),
				row(2, "disable", search, { ...search, active: false }),
				row(2, "entitlement", ada(), search),
				row(2, "update", ada(), ada()),
			],
			accounts: [now({ ...search, active: false })],
			tells: ["ada@corp feature search from 200 (group of search) still"],
		},
		{
			what: "an update that has the new features in its sides, too",
			rows: [
				row(1, "create", undefined, ada()),
				row(2, "entitlement", ada(), search),
				row(2, "update", ada(), { ...search, title: "Lead" }),
			],
			accounts: [now(search)],
			tells: ["ada@corp feature search from 200 (group of search) still"],
		},
		{
			what: "a display name that reads like a feature: it is no reason",
			rows: [
				row(1, "create", undefined, search, { why: "new in the directory; feature search on: rule 1" }),
				row(2, "update", search, ada(), { why: 'displayName from "x; feature search off: my wish" to "y"' }),
			],
			accounts: [now(ada())],
			tells: ['ada@corp feature search from 100 (rule 1) to 200 (displayName from "x; feature search off: my wish" to "y")'],
		},
	])("tells of $what", ({ rows, accounts, tells }) => {
		expect(told(rows, accounts)).toEqual(tells);
	});

	it("follows an account that came from another source, and keeps apart two of the same anchor", () => {
		const moved = { source: "hq", anchor: "b" as Anchor };
		const rows = [
			row(1, "create", undefined, search),
			row(2, "create", undefined, search, { source: "lab" }),
			row(
				3,
				"update",
				search,
				{ ...search, userName: "ada@hq" },
				{ ...moved, why: 'came from source corp (a); userName from "ada@corp" to "ada@hq"' },
			),
			row(4, "entitlement", search, ada({ userName: "ada@hq" }), moved),
		];
		const accounts = [now(ada({ userName: "ada@hq" }), moved), now(search, { source: "lab" })];
		expect(told(rows, accounts)).toEqual([
			"ada@hq feature search from 100 (group of search) to 400 (group of search)",
			"ada@corp feature search from 200 (group of search) still",
		]);
		const lives = livesOf(rows, accounts);
		expect(lives.map(({ holder, keys, states }) => [holder.source, [...keys], states.map(({ state }) => state)])).toEqual([
			["lab", ["lab a"], ["created"]],
			["hq", ["corp a", "hq b"], ["created", "moved"]],
		]);
	});

	it("tells of what came along from another source once", () => {
		const moved = { source: "hq", anchor: "b" as Anchor };
		const rows = [row(1, "create", undefined, search), row(3, "update", search, search, { ...moved, why: "came from source corp (a)" })];
		expect(told(rows, [now(search, moved)])).toEqual(["ada@corp feature search from 100 (group of search) still"]);
	});

	it("tells of what is asked for alone, also where rows that do not name it are left out", () => {
		const both = ada({ features: ["other", "search"] });
		const rows = [row(1, "create", undefined, both), row(3, "entitlement", both, ada({ features: ["other"] }))];
		expect(told(rows, [now(ada({ features: ["other"] }))], (_, name) => name === "search")).toEqual([
			"ada@corp feature search from 100 (group of search) to 300 (group of search)",
		]);
	});

	it("has the account's own states as its frame", () => {
		const off = { ...ada(), active: false };
		const rows = [
			row(1, "create", undefined, ada()),
			row(2, "disable", ada(), off),
			row(3, "enable", off, ada()),
			row(4, "delete", ada(), undefined),
		];
		expect(livesOf(rows, [])[0]?.states.map(({ at, state }) => `${at} ${state}`)).toEqual([
			"100 created",
			"200 disabled",
			"300 enabled",
			"400 deleted",
		]);
	});
});
