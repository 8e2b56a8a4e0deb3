import { groupJson, memberJson } from "../contract/account-json.ts";
import { Failure } from "../core/errors.ts";
import { alignColumns, printable } from "../lib/table.ts";
import type { GroupView, Views } from "../store/views.ts";
import type { Command } from "./command.ts";
import { loadFor } from "./configuration.ts";
import { exitCodes } from "./exit-codes.ts";
import { type Output, stream } from "./output.ts";
import { count } from "./progress.ts";

export const groupsCommand: Command = {
	name: "groups",
	usage: "[GROUP]",
	summary: "groups and members",
	details: `Lists the groups in order of name; with GROUP those whose name or anchor it is, with their members, nested ones included.
--json prints JSON Lines: one group a line, with its members; fields without a value left out.`,
	options: {},
	operands: [0, 1],
	run: async (context, input) => {
		const { config } = loadFor(context, input);
		const views = await context.doors.openViews(config.database);
		try {
			const name = input.operands[0];
			const groups = found(views, name);
			await stream(context.out, input.isJson ? lines(views, groups) : text(context.out, views, groups, name !== undefined));
		} finally {
			views.close();
		}
		return exitCodes.done;
	},
};

/** So many groups are aligned with each other. */
const PAGE = 500;
/** Members of a group that are no accounts, as far as they are named. */
const STRANGERS = 10;

function* found(views: Views, name: string | undefined): Iterable<GroupView> {
	let isEmpty = true;
	for (const group of views.groups(name)) {
		isEmpty = false;
		yield group;
	}
	if (isEmpty && name !== undefined) {
		throw new Failure("NOT_FOUND", `there is no group ${JSON.stringify(name)}`, {
			hint: 'give its displayName or its anchor; "dirsyncd groups" lists them, and "groups" in the configuration says which are kept',
		});
	}
}

/** One group a line, in pieces: a group may have 200,000 members. */
function* lines(views: Views, groups: Iterable<GroupView>): Iterable<string> {
	for (const view of groups) {
		yield `${JSON.stringify(groupJson(view)).slice(0, -1)},"members":[`;
		let separator = "";
		for (const member of views.members(view)) {
			yield `${separator}${JSON.stringify(memberJson(member))}`;
			separator = ",";
		}
		yield "]}\n";
	}
}

function* text(out: Output, views: Views, groups: Iterable<GroupView>, isDetailed: boolean): Iterable<string> {
	if (isDetailed) {
		for (const group of groups) yield* detail(out, views, group);
		return;
	}
	let isFirst = true;
	let page: (readonly string[])[] = [["group", "members", "source", ""].map((head) => out.paint("dim", head))];
	for (const { group, memberCount, source, targets } of groups) {
		isFirst = false;
		const troubles = Object.entries(targets).flatMap(([target, { state, error }]) =>
			state === "applied" ? [] : [`${target}: ${state}${error === undefined ? "" : `, ${error}`}`],
		);
		page.push([printable(group.displayName), count(memberCount), source, printable(troubles.join("; "))]);
		if (page.length < PAGE) continue;
		yield `${alignColumns(page).join("\n")}\n`;
		page = [];
	}
	if (isFirst) yield "no group yet\n";
	else if (page.length > 0) yield `${alignColumns(page).join("\n")}\n`;
}

function* detail(out: Output, views: Views, view: GroupView): Iterable<string> {
	const { source, anchor, group, memberCount, targets } = view;
	const others = views.strangers(view, STRANGERS);
	const facts: readonly (readonly [string, string])[] = [
		["source", source],
		["anchor", anchor],
		...(group.description === undefined ? [] : [["description", group.description] as const]),
		...(group.email === undefined ? [] : [["e-mail", group.email] as const]),
		...Object.entries(targets).map(
			([target, { state, error }]) => [`at ${target}`, `${state}${error === undefined ? "" : `: ${error}`}`] as const,
		),
		["members", count(memberCount)],
		...(others.length === 0 ? [] : [["not ours", `${others.join("; ")}${others.length === STRANGERS ? "; …" : ""}`] as const]),
	];
	const table = alignColumns(facts.map(([field, value]) => [`  ${out.paint("dim", field)}`, printable(value)]));
	yield `${out.paint("bold", printable(group.displayName))}\n${table.join("\n")}\n`;
	for (const { userName, active, isDirect } of views.members(view)) {
		const notes = [active ? "" : "disabled", isDirect ? "" : "through a group in it"].filter((note) => note !== "");
		yield `    ${printable(userName)}${notes.length === 0 ? "" : `  ${out.paint("dim", notes.join(", "))}`}\n`;
	}
}
