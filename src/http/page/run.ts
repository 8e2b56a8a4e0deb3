import type { Account } from "../../core/account.ts";
import { cellOf } from "../../core/account-cell.ts";
import { accountFields } from "../../core/account-field.ts";
import type { Change } from "../../core/change.ts";
import type { GroupSide } from "../../core/group.ts";
import { formatDuration } from "../../lib/duration.ts";
import { type Html, html, type Piece } from "../../lib/html.ts";
import type { LoggedChange, RunView } from "../../store/views.ts";
import type { Session } from "../session.ts";
import { live } from "./live.ts";
import { facts, lines, table } from "./table.ts";
import { changesOf, count, distance, heldName, moment, outcome } from "./words.ts";

/** Changes on one page of a run. */
export const CHANGES_SHOWN = 200;

export interface ShownChanges {
	readonly changes: readonly LoggedChange[];
	readonly isFirst: boolean;
	/** The query of the page after; undefined: these are the last. */
	readonly next: string | undefined;
}

/** One run: what it read, what came of it, and each change with before and after. */
export function runPage(run: RunView, { changes, isFirst, next }: ShownChanges, session: Session, now: number): readonly Html[] {
	const canBeTakenBack = session.role === "operator" && run.endedAt !== undefined && changesOf(run) > 0;
	return [
		live("run", "Run", [html`<h1>Run ${run.run} of ${run.source}: ${outcome(run)}</h1>`, facts(factsOf(run, now))]),
		canBeTakenBack ? html`<p><a href="/runs/${run.run}/revert">Take it back …</a></p>` : html``,
		live("changes", "Changes", [
			html`<h2>Changes</h2>`,
			changes.length > 0 ? changeTable(changes) : html`<p>${isFirst ? nothingYet(run) : "There are no more."}</p>`,
			next === undefined ? undefined : html`<p><a href="/runs/${run.run}?${next}">More changes</a></p>`,
		]),
	];
}

function factsOf(run: RunView, now: number): readonly (readonly [string, Piece])[] {
	return [
		["started", html`${moment(run.startedAt)} (${distance(run.startedAt, now)}), by ${run.trigger}`],
		["took", run.endedAt === undefined ? "it is still going on" : formatDuration(run.endedAt - run.startedAt)],
		["takes back", run.reverts === undefined ? undefined : html`<a href="/runs/${run.reverts}">run ${run.reverts}</a>`],
		["reading", `${run.mode}, ${count(run.read)} entries${run.server === undefined ? "" : ` from ${run.server}`}`],
		["sealed", run.sealed ? "yes" : lines(["no", ...run.unsealed])],
		["full because", run.fullBecause],
		["error", run.error],
		["changes", changesOf(run) === 0 ? "none" : countsOf(run)],
		["held", count(run.held)],
		["quarantined", count(run.quarantined)],
	];
}

function countsOf({ created, updated, entitlements, disabled, enabled, deleted }: RunView): string {
	const counts = { created, updated, "entitled otherwise": entitlements, disabled, enabled, deleted };
	return Object.entries(counts)
		.filter(([, number]) => number > 0)
		.map(([name, number]) => `${count(number)} ${name}`)
		.join(", ");
}

function nothingYet({ endedAt }: RunView): string {
	return endedAt === undefined ? "It has changed nothing yet." : "It changed nothing.";
}

function changeTable(changes: readonly LoggedChange[]): Html {
	return table("Changes", ["change", "name", "before and after", "why", "result"], changes.map(changeRow));
}

function changeRow(change: LoggedChange): readonly Piece[] {
	const target = change.subject === "account" ? change.target : undefined;
	return [heldName({ ...change, target }), nameOf(change), lines(differences(change)), change.why, change.result];
}

/** Whom a change is about; an account leads to why it is so. */
export function nameOf({ subject, anchor, name }: Change): Piece {
	return subject === "group" ? name : html`<a href="/people?user=${encodeURIComponent(anchor)}">${name}</a>`;
}

/** A line for each field that is otherwise than before. */
export function differences(change: Change): readonly Html[] {
	const [before, after] =
		change.subject === "account"
			? [accountSide(change.anchor, change.before), accountSide(change.anchor, change.after)]
			: [groupSide(change.before), groupSide(change.after)];
	const names = [...new Set([...before.keys(), ...after.keys()])];
	return names.flatMap((name) => {
		const [was = "", is = ""] = [before.get(name), after.get(name)];
		if (was === is) return [];
		return [html`${name}: ${was === "" ? undefined : html`<del>${was}</del> `}→ ${is === "" ? "none" : html`<ins>${is}</ins>`}`];
	});
}

function accountSide(anchor: string, account: Account | undefined): ReadonlyMap<string, string> {
	if (account === undefined) return new Map();
	const fields = accountFields.filter((field) => field !== "anchor" && field !== "groups");
	return new Map(fields.map((field) => [field, cellOf({ anchor, account, groups: [] }, field)]));
}

function groupSide(group: GroupSide | undefined): ReadonlyMap<string, string> {
	if (group === undefined) return new Map();
	const { displayName, description, email, memberCount } = group;
	const named = memberCount === undefined ? "" : `${count(memberCount)} of those that change`;
	return new Map(Object.entries({ displayName, description: description ?? "", email: email ?? "", members: named }));
}
