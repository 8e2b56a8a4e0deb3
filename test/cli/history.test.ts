import { describe, expect, it } from "vitest";
import type { Account } from "../../src/core/account.ts";
import type { Anchor } from "../../src/core/entry.ts";
import type { CurrentAccount, HistoryRow } from "../../src/core/history.ts";
import type { Origin } from "../../src/core/move.ts";
import type { LoggedRow } from "../../src/store/log-reader.ts";
import type { AccountView, Views } from "../../src/store/views.ts";
import { say } from "./world.ts";

const DAY = 86_400_000;
const START = Date.UTC(2026, 10, 1);

const plain: Account = { userName: "ada@corp", active: true };
const search: Account = { ...plain, features: ["search"] };

/** One row of an account's on day `run` of November. */
function row(
	run: number,
	kind: string,
	why: string,
	before: Account | undefined,
	after: Account | undefined,
	of: Partial<Origin> = {},
): HistoryRow {
	return { sequence: run, at: START + (run - 1) * DAY, run, source: "corp", anchor: "a" as Anchor, kind, why, before, after, ...of };
}

const life = [
	row(1, "create", "new in the directory; feature search on: group Archive", undefined, search),
	row(3, "disable", "disabled in the directory", search, { ...search, active: false }),
	row(5, "entitlement", "feature search off: not in group Archive any more", search, plain),
];

interface Known {
	readonly rows: readonly HistoryRow[];
	/** Found by any of their names. */
	readonly accounts?: readonly (Account & { readonly source?: string; readonly anchor?: string })[];
	/** Accounts that the log knows under the name asked for. */
	readonly former?: readonly string[];
}

function world({ rows, accounts = [], former = [] }: Known): { readonly views: Partial<Views> } {
	const current = accounts.map(
		({ source = "corp", anchor = "a", ...account }): CurrentAccount => ({ source, anchor: anchor as Anchor, account }),
	);
	const origin = (key: string): Origin => ({ source: key.split(" ")[0] as string, anchor: key.split(" ")[1] as Anchor });
	return {
		views: {
			logStart: () => rows[0]?.at,
			accounts: (user) =>
				current
					.filter(({ account }) => account.userName === user)
					.map((each) => each as unknown as AccountView)
					.values(),
			formerAccounts: () => former.map(origin),
			accountOf: (key) => current.find(({ source, anchor }) => source === key.source && anchor === key.anchor),
			historyOf: (key) => rows.filter(({ source, anchor }) => source === key.source && anchor === key.anchor),
			historyWith: () => rows.values(),
			accountsWith: (kind, name) =>
				current
					.filter(({ account }) => (kind === "feature" ? account.features?.includes(name) : account.policies?.[name] !== undefined))
					.values(),
		},
	};
}

const lines = (out: string) =>
	out
		.split("\n")
		.slice(0, -1)
		.map((line) => JSON.parse(line));

describe("history USER", () => {
	it("tells what became of the account, and what it had, through what, from when to when, and why it ended", async () => {
		const { out, code } = await say(["history", "ada@corp"], world({ rows: life, accounts: [{ ...plain, active: false }] }));
		expect(code).toBe(0);
		expect(out).toContain("ada@corp  corp  a\n");
		expect(out).toMatch(/2026-11-01T00:00:00.000Z +run 1 +created +new in the directory/);
		expect(out).toMatch(/2026-11-03T00:00:00.000Z +run 3 +disabled +disabled in the directory/);
		expect(out).toMatch(
			/feature search +2026-11-01T00:00:00.000Z \(run 1\) +2026-11-05T00:00:00.000Z \(run 5\) +through: group Archive; ended: not in group Archive any more\n/,
		);
	});

	it("prints one account a line as JSON", async () => {
		const { out } = await say(["history", "ada@corp", "--json"], world({ rows: life.slice(0, 2), accounts: [search] }));
		expect(lines(out)).toEqual([
			{
				...{ source: "corp", anchor: "a", userName: "ada@corp" },
				states: [
					{ at: "2026-11-01T00:00:00.000Z", run: 1, state: "created", why: expect.stringContaining("new in the directory") },
					{ at: "2026-11-03T00:00:00.000Z", run: 3, state: "disabled", why: "disabled in the directory" },
				],
				periods: [
					{
						...{
							kind: "feature",
							name: "search",
							value: null,
							known: "2026-11-01T00:00:00.000Z",
							from: "2026-11-01T00:00:00.000Z",
							fromRun: 1,
						},
						...{ through: "group Archive", to: null, toRun: null, ended: null, still: true },
					},
				],
			},
		]);
	});

	it("knows who is gone, and who has another name since", async () => {
		const gone = [
			row(1, "create", "new in the directory", undefined, plain),
			row(2, "delete", "deleted in the directory", plain, undefined),
		];
		expect((await say(["history", "ada@corp"], world({ rows: gone, former: ["corp a"] }))).out).toMatch(
			/run 2 +deleted +deleted in the directory/,
		);
		const renamed = { ...search, userName: "ada@new" };
		const { out } = await say(["history", "ada@corp"], world({ rows: life.slice(0, 1), former: ["corp a"], accounts: [renamed] }));
		expect(out).toMatch(/^ada@new {2}corp {2}a\n/);
		expect(out).toMatch(/feature search.*still/);
	});

	it("follows an account through the sources that it came from, as one", async () => {
		const hq = { source: "hq", anchor: "b" as Anchor };
		const rows = [life[0] as HistoryRow, row(4, "update", "came from source corp (a)", search, search, hq)];
		const { out } = await say(["history", "ada@corp", "--json"], world({ rows, accounts: [{ ...search, ...hq }] }));
		expect(lines(out)).toMatchObject([
			{
				source: "hq",
				anchor: "b",
				states: [{ state: "created" }, { state: "moved" }],
				periods: [{ name: "search", fromRun: 1, still: true }],
			},
		]);
	});

	it("says of what the log does not keep that it was before, and of an account without any that it has none", async () => {
		expect((await say(["history", "ada@corp"], world({ rows: life.slice(1), accounts: [plain] }))).out).toContain(
			"before 2026-11-03T00:00:00.000Z",
		);
		expect((await say(["history", "ada@corp"], world({ rows: [], accounts: [plain] }))).out).toContain("no feature and no policy");
	});

	it("leaves out what had ended before --from, or began after --to", async () => {
		const asked = (...argv: string[]) => say(["history", "ada@corp", "--json", ...argv], world({ rows: life, accounts: [plain] }));
		const names = async (...argv: string[]) => lines((await asked(...argv)).out)[0].periods.length;
		expect(await names("--from", "2026-11-04")).toBe(1);
		expect(await names("--from", "2026-11-05")).toBe(0);
		expect(await names("--to", "2026-11-01")).toBe(1);
		expect(await names("--to", "2026-10-31")).toBe(0);
	});

	it("ends with 1 when neither account nor log knows the name", async () => {
		const said = await say(["history", "nobody", "--json"], world({ rows: life }));
		expect(said.code).toBe(1);
		expect(JSON.parse(said.out).error).toMatchObject({ code: "NOT_FOUND", hint: expect.stringContaining("the log begins 2026-11-01") });
	});

	it.each([[[]], [["ada", "--feature", "x"]], [["--feature", "x", "--policy", "y"]]])("wants one thing, and not %j", async (argv) => {
		expect(await say(["history", ...argv], world({ rows: [] }))).toMatchObject({
			code: 2,
			err: expect.stringContaining("one user, one feature or one policy"),
		});
	});
});

describe("history --feature and --policy", () => {
	const bob = { source: "corp", anchor: "b" as Anchor };
	const bobs: Account = { userName: "bob@corp", active: true, features: ["search"] };
	const rows = [
		life[0] as HistoryRow,
		row(2, "create", "new in the directory; feature search on: everyone", undefined, bobs, bob),
		life[2] as HistoryRow,
	];

	it("tells of everybody who had it, those who lost it first", async () => {
		const known = world({ rows, accounts: [plain, { ...bobs, ...bob }] });
		const { out } = await say(["history", "--feature", "search"], known);
		expect(
			out
				.split("\n")
				.slice(1, -1)
				.map((line) => line.split(" ")[0]),
		).toEqual(["ada@corp", "bob@corp"]);
		expect(out).toMatch(/ada@corp.*ended: not in group Archive any more\nbob@corp.*still +through: everyone\n/);
		expect(lines((await say(["history", "--feature", "search", "--json"], known)).out)).toMatchObject([
			{
				userName: "ada@corp",
				anchor: "a",
				kind: "feature",
				name: "search",
				fromRun: 1,
				toRun: 5,
				ended: "not in group Archive any more",
				still: false,
			},
			{ userName: "bob@corp", anchor: "b", fromRun: 2, to: null, still: true },
		]);
	});

	it("tells each value of a policy", async () => {
		const [blocked, allowed] = [
			{ ...plain, policies: { mail: "block" } },
			{ ...plain, policies: { mail: "allow" } },
		];
		const rows = [
			row(1, "create", 'new in the directory; policy mail set to "block": Treasury', undefined, blocked),
			row(2, "entitlement", 'policy mail from "block" to "allow": everyone', blocked, allowed),
		];
		const { out } = await say(["history", "--policy", "mail"], world({ rows, accounts: [allowed] }));
		expect(out).toMatch(
			/ada@corp {2}"block" .*through: Treasury; ended: "allow" since then: everyone\nada@corp {2}"allow" .*still +through: everyone\n/,
		);
	});

	it("says when nobody had it, and since when the log would tell", async () => {
		const said = await say(["history", "--feature", "nothing"], world({ rows: life }));
		expect(said).toMatchObject({
			code: 0,
			out: "nobody has had the feature nothing since 2026-11-01T00:00:00.000Z, when the change log begins\n",
		});
	});
});

describe("history --decisions", () => {
	const decision: LoggedRow = {
		...{ sequence: 9, at: START, run: 0, source: "corp", target: undefined, kind: "reject", subject: "plan", anchor: "" },
		...{
			name: "sha256:ab",
			why: "60 held changes were not to be done",
			before: undefined,
			after: undefined,
			result: "rejected by eve (api)",
		},
		digest: Buffer.alloc(32, 0xab),
	};
	const known = (...rows: readonly LoggedRow[]) => ({ views: { decisions: () => rows.values() } });

	it("tells who decided what, when, and of what", async () => {
		const { out } = await say(["history", "--decisions"], known(decision));
		expect(out).toMatch(/2026-11-01T00:00:00.000Z +eve \(api\) +plan-rejected +sha256:ab +60 held changes were not to be done\n/);
		expect(lines((await say(["history", "--decisions", "--json"], known(decision))).out)).toEqual([
			{
				...{ at: "2026-11-01T00:00:00.000Z", by: "eve (api)", action: "plan-rejected", name: "sha256:ab" },
				...{ why: decision.why, run: null, source: "corp", target: null, result: decision.result, sequence: 9, hash: "ab".repeat(32) },
			},
		]);
		expect((await say(["history", "--decisions"], known())).out).toBe("nobody has decided anything in this time\n");
		expect((await say(["history", "ada", "--decisions"], known())).code).toBe(2);
	});
});
