import { type Change, type ChangeKind, changeKinds, type GroupChangeKind, type GroupCounts } from "../core/change.ts";
import type { PlanResult } from "../engine.ts";
import { alignColumns, printable } from "../lib/table.ts";
import type { HeldKind } from "../sync/report.ts";
import type { Input } from "./command.ts";
import { sameConfig } from "./configuration.ts";
import type { Colour, Output } from "./output.ts";
import { count } from "./progress.ts";

/** So many changes are aligned with each other; a plan may have a million. */
const PAGE = 200;

const signs = { create: "+", update: "~", entitlement: "~", disable: "-", enable: "+", remove: "-", delete: "x" } as const satisfies Record<
	ChangeKind | GroupChangeKind,
	string
>;
const colours = {
	create: "green",
	update: "cyan",
	entitlement: "cyan",
	disable: "yellow",
	enable: "green",
	remove: "yellow",
	delete: "red",
} as const satisfies Record<ChangeKind | GroupChangeKind, Colour>;

/** What is held, in words: "disable", "disable at mail-gateway", "group deletes", "memberships that end". */
export function heldName({ subject, target, kind }: Pick<HeldKind, "subject" | "target" | "kind">): string {
	if (subject === "account") return target === undefined ? kind : `${kind} at ${target}`;
	return kind === "remove" ? "groups losing members" : `group ${kind}`;
}

/** What became of groups, as phrases; none when nothing did. */
export function groupNumbers({ created, updated, deleted, joined, left }: GroupCounts): readonly string[] {
	const phrases = { created, updated, deleted, "members joined": joined, "members left": left };
	return Object.entries(phrases).flatMap(([name, number]) => (number > 0 ? [`${count(number)} ${name}`] : []));
}

/** A plan for a person: by kind, each change with its reason, then what is held and how to decide it. In pieces. */
export function* planText(out: Output, plan: PlanResult, input: Input): Iterable<string> {
	yield `${out.paint("bold", plan.source)}: plan of a ${plan.mode} reading, ${plan.sealed ? "sealed" : out.paint("yellow", "not sealed")}\n`;
	for (const reason of plan.unsealed) yield `  ${out.paint("dim", "not sealed:")} ${printable(reason)}\n`;
	yield* changesText(out, plan);
	if (plan.held.length > 0) yield* heldText(out, plan, input);
}

/** What a plan does, by kind, and its hash; or that it does nothing. */
export function* changesText(out: Output, plan: PlanResult): Iterable<string> {
	const total = changeKinds.reduce((sum, kind) => sum + plan.summary[kind], 0) + plan.atTargets + groupNumbers(plan.groups).length;
	if (total === 0 && plan.held.length === 0) {
		yield "nothing to do\n";
		return;
	}
	for (const kind of changeKinds) yield* kindText(out, plan, kind);
	if (plan.atTargets > 0) yield* targetsText(out, plan);
	yield* groupsText(out, plan);
	yield `\n${out.paint("dim", "plan")} ${plan.plan}\n`;
}

function* kindText(out: Output, plan: PlanResult, kind: ChangeKind): Iterable<string> {
	let page: string[][] = [];
	let isFirst = true;
	for (const change of plan.changes()) {
		if (change.subject !== "account" || change.target !== undefined || change.kind !== kind) continue;
		if (isFirst) yield `\n${out.paint("bold", `${kind} ${count(countOf(plan, kind))}`)}${verdictText(out, plan, kind)}\n`;
		isFirst = false;
		page.push(row(out, change));
		if (page.length < PAGE) continue;
		yield `${alignColumns(page).join("\n")}\n`;
		page = [];
	}
	if (page.length > 0) yield `${alignColumns(page).join("\n")}\n`;
}

/** What only one target does by its own scope, mapping or lifecycle: each says which in its reason. */
function* targetsText(out: Output, plan: PlanResult): Iterable<string> {
	yield `\n${out.paint("bold", `at one target alone ${count(plan.atTargets)}`)}\n`;
	let page: string[][] = [];
	for (const change of plan.changes()) {
		if (change.subject !== "account" || change.target === undefined) continue;
		page.push(row(out, change));
		if (page.length < PAGE) continue;
		yield `${alignColumns(page).join("\n")}\n`;
		page = [];
	}
	if (page.length > 0) yield `${alignColumns(page).join("\n")}\n`;
}

function* groupsText(out: Output, plan: PlanResult): Iterable<string> {
	let page: string[][] = [];
	let isFirst = true;
	for (const change of plan.changes()) {
		if (change.subject !== "group") continue;
		if (isFirst) yield `\n${out.paint("bold", "groups")} ${groupNumbers(plan.groups).join(", ")}\n`;
		isFirst = false;
		page.push(row(out, change));
		if (page.length < PAGE) continue;
		yield `${alignColumns(page).join("\n")}\n`;
		page = [];
	}
	if (page.length > 0) yield `${alignColumns(page).join("\n")}\n`;
}

/** How many changes of a kind there are, whether or not the summary counts those that are held. */
function countOf(plan: PlanResult, kind: ChangeKind): number {
	return Math.max(plan.summary[kind], heldOf(plan, kind));
}

function heldOf(plan: PlanResult, kind: ChangeKind): number {
	return heldAs(plan, kind).reduce((sum, each) => sum + each.count, 0);
}

/** Everywhere, not at one target alone. */
function heldAs(plan: PlanResult, kind: ChangeKind): readonly HeldKind[] {
	return plan.held.filter((each) => each.subject === "account" && each.target === undefined && each.kind === kind);
}

function verdictText(out: Output, plan: PlanResult, kind: ChangeKind): string {
	const held = heldAs(plan, kind);
	if (held.length === 0) return "";
	return `  ${out.paint("yellow", held.map((each) => `${count(each.count)} held: ${printable(each.limit)}`).join("; "))}`;
}

function row(out: Output, change: Change & { readonly held: object | undefined }): string[] {
	const mark = out.paint(colours[change.kind], signs[change.kind]);
	return [`  ${mark} ${printable(change.name)}`, change.held === undefined ? "" : out.paint("yellow", "held"), printable(change.why)];
}

function* heldText(out: Output, plan: PlanResult, input: Input): Iterable<string> {
	yield `Held until a person decides: ${plan.held.map((each) => `${count(each.count)} ${heldName(each)} (${printable(each.limit)})`).join(", ")}.\n`;
	yield "After a run that holds them:\n";
	for (const verb of ["approve", "reject"]) yield `  ${out.paint("cyan", `dirsyncd ${verb} ${plan.plan}${sameConfig(input)}`)}\n`;
}
