import { accountJson } from "../contract/account-json.ts";
import { Failure } from "../core/errors.ts";
import { alignColumns, printable } from "../lib/table.ts";
import type { AccountView, Views } from "../store/views.ts";
import type { Command } from "./command.ts";
import { loadFor } from "./configuration.ts";
import { exitCodes } from "./exit-codes.ts";
import { type Output, stream } from "./output.ts";
import { pinText } from "./pin-text.ts";

export const accountsCommand: Command = {
	name: "accounts",
	usage: "[USER]",
	summary: "accounts and their state",
	details: `Lists the accounts in order of userName; with USER those whose userName, e-mail address or anchor it is.
--json prints JSON Lines: one account a line, fields without a value left out.`,
	options: {},
	operands: [0, 1],
	run: async (context, input) => {
		const { config } = loadFor(context, input);
		const views = await context.doors.openViews(config.database);
		try {
			const user = input.operands[0];
			const accounts = found(views, user);
			await stream(context.out, input.isJson ? lines(accounts) : text(context.out, accounts, user !== undefined));
		} finally {
			views.close();
		}
		return exitCodes.done;
	},
};

/** So many accounts are aligned with each other; there may be a million. */
const PAGE = 500;

function* found(views: Views, user: string | undefined): Iterable<AccountView> {
	let isEmpty = true;
	for (const account of views.accounts(user)) {
		isEmpty = false;
		yield account;
	}
	if (isEmpty && user !== undefined) {
		throw new Failure("NOT_FOUND", `there is no account ${JSON.stringify(user)}`, {
			hint: 'give a userName, an e-mail address or an anchor; "dirsyncd status" lists who was set aside',
		});
	}
}

function* lines(accounts: Iterable<AccountView>): Iterable<string> {
	for (const account of accounts) yield `${JSON.stringify(accountJson(account))}\n`;
}

function* text(out: Output, accounts: Iterable<AccountView>, isDetailed: boolean): Iterable<string> {
	if (isDetailed) {
		for (const account of accounts) yield detail(out, account);
		return;
	}
	let isFirst = true;
	let page: (readonly string[])[] = [["userName", "displayName", "state", "source", ""].map((head) => out.paint("dim", head))];
	for (const account of accounts) {
		isFirst = false;
		page.push(row(out, account));
		if (page.length < PAGE) continue;
		yield `${alignColumns(page).join("\n")}\n`;
		page = [];
	}
	if (isFirst) yield "no account yet\n";
	else if (page.length > 0) yield `${alignColumns(page).join("\n")}\n`;
}

function row(out: Output, { source, account, because, targets }: AccountView): readonly string[] {
	const troubles = Object.entries(targets).flatMap(([target, { state, error }]) =>
		state === "applied" ? [] : [`${target}: ${state}${error === undefined ? "" : `, ${error}`}`],
	);
	const note = [because ?? "", ...troubles].filter((each) => each !== "").join("; ");
	const state = account.active ? out.paint("green", "active") : out.paint("yellow", "disabled");
	return [printable(account.userName), printable(account.displayName ?? ""), state, source, printable(note)];
}

function detail(out: Output, { source, anchor, account, because, groups, pins, targets }: AccountView): string {
	const { userName, name, emails, active, phoneNumbers, features, policies, ...rest } = account;
	const facts: readonly (readonly [string, string])[] = [
		["source", source],
		["anchor", anchor],
		["state", active ? "active" : `disabled${because === undefined ? "" : `: ${because}`}`],
		...Object.entries({ ...rest, ...name }).map(([field, value]) => [field, String(value)] as const),
		...(emails ?? []).map((email) => ["e-mail", `${email.value} (${email.primary === true ? "primary" : email.type})`] as const),
		...(phoneNumbers ?? []).map((phone) => ["phone", `${phone.value} (${phone.type})`] as const),
		...groups.map((name) => ["group", name] as const),
		...(features ?? []).map((feature) => ["feature", feature] as const),
		...Object.entries(policies ?? {}).map(([policy, value]) => [`policy ${policy}`, value] as const),
		...pins.map((pin) => ["pinned", pinText(pin)] as const),
		...Object.entries(targets).map(
			([target, { state, error }]) => [`at ${target}`, `${state}${error === undefined ? "" : `: ${error}`}`] as const,
		),
	];
	const table = alignColumns(facts.map(([field, value]) => [`  ${out.paint("dim", field)}`, printable(value)]));
	return `${out.paint("bold", printable(userName))}\n${table.join("\n")}\n`;
}
