import { Failure } from "../core/errors.ts";
import { type CurrentAccount, type HistoryRow, keyOf, originOfRow, type Period, periodsOf } from "../core/history.ts";
import { type Life, livesOf } from "../core/life.ts";
import type { Origin } from "../core/move.ts";
import { instant } from "../lib/instant.ts";
import { alignColumns, printable } from "../lib/table.ts";
import type { Span } from "../store/log-reader.ts";
import type { Views } from "../store/views.ts";
import type { Command, Input } from "./command.ts";
import { loadFor } from "./configuration.ts";
import { decisionLines, decisionsText } from "./decisions-text.ts";
import { exitCodes } from "./exit-codes.ts";
import { type Output, stream } from "./output.ts";
import { spanOf, spanOptions } from "./span.ts";

export const historyCommand: Command = {
	name: "history",
	usage: "USER | --feature NAME | --policy NAME | --decisions [--from DATE] [--to DATE]",
	summary: "who had which feature or policy, through what, from when to when; who decided what",
	details: `With USER, a userName, e-mail address or anchor, also a former one or of an account that is gone: what became of the account, and
each feature and each value of a policy that it had. With --feature or --policy: everybody who had it, in the order in which
they lost it, then those who have it still. With --decisions: what people decided or had done, oldest first, and who they said they
were: runs asked for, approvals, rejections, reverts, unpinning, targets read back or forgotten, restored backups. --from and --to leave out what had ended before, or began after.
It is told from the change log: what began before its oldest row (retention.changes) is "before" that.
--json prints JSON Lines: one account, or one period, a line.`,
	options: {
		feature: { kind: "value", placeholder: "NAME", summary: "everybody who had this feature" },
		policy: { kind: "value", placeholder: "NAME", summary: "everybody who had a value of this policy" },
		decisions: { kind: "flag", summary: "what people decided, and who" },
		...spanOptions,
	},
	operands: [0, 1],
	run: async (context, input) => {
		const subject = subjectOf(input);
		const span = spanOf(input);
		const { config } = loadFor(context, input);
		const views = await context.doors.openViews(config.database);
		try {
			if (subject.kind === "decisions") {
				const rows = views.decisions(span);
				await stream(context.out, input.isJson ? decisionLines(rows) : decisionsText(context.out, rows));
				return exitCodes.done;
			}
			const logStart = views.logStart() ?? context.clock();
			if (subject.kind === "user") {
				const accounts = accountsOf(views, subject.name, logStart, span);
				await stream(context.out, input.isJson ? accountLines(accounts) : accountsText(context.out, accounts));
			} else {
				const today = { accounts: views.accountsWith(subject.kind, subject.name), logStart };
				const all = periodsOf(views.historyWith(subject.name), today, (kind, name) => kind === subject.kind && name === subject.name);
				const periods = within(span, all);
				await stream(context.out, input.isJson ? periodLines(periods) : periodsText(context.out, subject, logStart, periods));
			}
		} finally {
			views.close();
		}
		return exitCodes.done;
	},
};

interface Subject {
	readonly kind: "user" | Period["kind"];
	readonly name: string;
}

function subjectOf({ operands, values, flags }: Input): Subject | { readonly kind: "decisions" } {
	const asked = [
		{ kind: "user", name: operands[0] },
		{ kind: "feature", name: values.get("feature") },
		{ kind: "policy", name: values.get("policy") },
	].filter((each): each is Subject => each.name !== undefined);
	const [subject, other] = asked;
	if (flags.has("decisions") && subject === undefined) return { kind: "decisions" };
	if (subject !== undefined && other === undefined && !flags.has("decisions")) return subject;
	throw new Failure("USAGE", "history is of one user, one feature or one policy, or of decisions", {
		hint: `usage: dirsyncd history ${historyCommand.usage}`,
	});
}

/** An account with what it had. */
interface AccountHistory {
	readonly life: Life;
	readonly periods: readonly Period[];
}

function accountsOf(views: Views, user: string, logStart: number, span: Span): readonly AccountHistory[] {
	const accounts: readonly CurrentAccount[] = [...views.accounts(user)].map(({ source, anchor, account }) => ({
		source,
		anchor: anchor as Origin["anchor"],
		account,
	}));
	const { rows, keys } = rowsOf(views, [...views.formerAccounts(user), ...accounts]);
	// An account that had the name once has another one now.
	const others = [...keys.values()].filter((key) => !accounts.some((account) => keyOf(account) === keyOf(key)));
	const current = [...accounts, ...others.flatMap((other) => views.accountOf(other) ?? [])];
	const lives = livesOf(rows, current);
	if (lives.length === 0) {
		throw new Failure("NOT_FOUND", `neither an account nor the change log knows ${JSON.stringify(user)}`, {
			hint: `give a userName, an e-mail address or an anchor, of today or of then; the log begins ${instant(logStart)}`,
		});
	}
	const periods = [
		...within(
			span,
			periodsOf(rows, { accounts: current, logStart }, () => true),
		),
	];
	return lives.map((life) => ({ life, periods: periods.filter(({ holder }) => life.keys.has(keyOf(holder))).sort(byBegin) }));
}

/** All that the log has of these accounts, and of what they were before they came from another source, in its order. */
function rowsOf(
	views: Views,
	accounts: readonly Origin[],
): { readonly rows: readonly HistoryRow[]; readonly keys: ReadonlyMap<string, Origin> } {
	const keys = new Map<string, Origin>();
	const rows: HistoryRow[] = [];
	const open = [...accounts];
	for (let account = open.pop(); account !== undefined; account = open.pop()) {
		if (keys.has(keyOf(account))) continue;
		keys.set(keyOf(account), account);
		for (const row of views.historyOf(account)) {
			rows.push(row);
			const origin = originOfRow(row);
			if (origin !== undefined) open.push(origin);
		}
	}
	return { rows: rows.sort((one, other) => one.sequence - other.sequence), keys };
}

function* within({ from, to }: Span, periods: Iterable<Period>): Generator<Period> {
	for (const period of periods) {
		const { begin, end } = period;
		const isOver = from !== undefined && end.kind === "known" && end.at <= from;
		const isAhead = to !== undefined && begin.kind === "known" && begin.at >= to;
		if (!isOver && !isAhead) yield period;
	}
}

function byBegin(one: Period, other: Period): number {
	return one.begin.at - other.begin.at;
}

function* accountLines(accounts: readonly AccountHistory[]): Iterable<string> {
	for (const { life, periods } of accounts) {
		const states = life.states.map(({ at, run, state, why }) => ({ at: instant(at), run, state, why }));
		const { source, anchor, userName } = life.holder;
		yield `${JSON.stringify({ source, anchor, userName, states, periods: periods.map(periodJson) })}\n`;
	}
}

function* periodLines(periods: Iterable<Period>): Iterable<string> {
	for (const period of periods) {
		const { source, anchor, userName } = period.holder;
		yield `${JSON.stringify({ source, anchor, userName, ...periodJson(period) })}\n`;
	}
}

/** `from` null: it began before `known`. `to` null: it goes on if `still`, else it ended at a time that the log does not tell. */
function periodJson({ kind, name, value, begin, end }: Period): object {
	const from = begin.kind === "known" ? begin : undefined;
	const to = end.kind === "known" ? end : undefined;
	return {
		...{ kind, name, value: value ?? null, known: instant(begin.at), from: instant(from?.at), fromRun: from?.run ?? null },
		...{ through: from?.through ?? null, to: instant(to?.at), toRun: to?.run ?? null, ended: to?.because ?? null },
		still: end.kind === "still",
	};
}

function* accountsText(out: Output, accounts: readonly AccountHistory[]): Iterable<string> {
	for (const { life, periods } of accounts) {
		const { source, anchor, userName } = life.holder;
		yield `${out.paint("bold", printable(userName))}  ${source}  ${printable(anchor)}\n`;
		const states = life.states.map(({ at, run, state, why }) => [`  ${instant(at)}`, `run ${run}`, state, printable(why)]);
		for (const line of alignColumns(states)) yield `${line}\n`;
		if (periods.length === 0) yield "  no feature and no policy\n";
		const rows = periods.map((period) => [`  ${whatOf(period)}`, ...timesOf(out, period)]);
		for (const line of alignColumns([head(out, "  had"), ...rows].slice(periods.length === 0 ? 1 : 0))) yield `${line}\n`;
	}
}

/** So many periods are aligned with each other. */
const PAGE = 500;

function* periodsText(out: Output, { kind, name }: Subject, logStart: number, periods: Iterable<Period>): Iterable<string> {
	let isEmpty = true;
	let page: (readonly string[])[] = [head(out, "userName")];
	for (const period of periods) {
		isEmpty = false;
		const { userName } = period.holder;
		page.push([printable(period.kind === "policy" ? `${userName}  ${JSON.stringify(period.value)}` : userName), ...timesOf(out, period)]);
		if (page.length < PAGE) continue;
		yield `${alignColumns(page).join("\n")}\n`;
		page = [];
	}
	if (isEmpty) yield `nobody has had the ${kind} ${printable(name)} since ${instant(logStart)}, when the change log begins\n`;
	else if (page.length > 0) yield `${alignColumns(page).join("\n")}\n`;
}

function head(out: Output, first: string): readonly string[] {
	return [first, "from", "to", ""].map((each) => out.paint("dim", each));
}

function whatOf({ kind, name, value }: Period): string {
	return printable(kind === "feature" ? `feature ${name}` : `policy ${name} ${JSON.stringify(value)}`);
}

function timesOf(out: Output, { begin, end }: Period): readonly string[] {
	const from = begin.kind === "known" ? `${instant(begin.at)} (run ${begin.run})` : `before ${instant(begin.at)}`;
	const through = begin.kind === "known" ? [`through: ${begin.through}`] : [];
	switch (end.kind) {
		case "still":
			return [from, out.paint("green", "still"), printable(through.join("; "))];
		case "unknown":
			return [from, out.paint("yellow", "not known"), printable([...through, "gone, and the log does not tell when"].join("; "))];
		case "known":
			return [from, `${instant(end.at)} (run ${end.run})`, printable([...through, `ended: ${end.because}`].join("; "))];
	}
}
