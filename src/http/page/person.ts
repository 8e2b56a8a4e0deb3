import type { Explanation, FieldFact, GrantFact, StateWord, TargetFact } from "../../explain/explanation.ts";
import { type Html, html, type Piece } from "../../lib/html.ts";
import type { AccountView } from "../../store/views.ts";
import type { HealthStatus } from "../health.ts";
import type { Session } from "../session.ts";
import { accountTable } from "./accounts.ts";
import { postButton } from "./post-button.ts";
import { type Column, facts, lines, table } from "./table.ts";
import { count, moment, state } from "./words.ts";

const grades: Readonly<Partial<Record<StateWord, HealthStatus>>> = {
	active: "pass",
	held: "warn",
	quarantined: "fail",
	disabled: "warn",
	expired: "warn",
	deleted: "warn",
	"out-of-scope": "warn",
};

/** Why somebody's account is as it is: mostly of one person, of several where a name means several. `alike`: who has the name in theirs. */
export function personPage(
	user: string,
	explanations: readonly Explanation[],
	alike: readonly AccountView[],
	session: Session,
): readonly Html[] {
	const [first, ...others] = explanations;
	const asked = others.length === 0 ? html`` : html`<p>${count(explanations.length)} people are called ${user}.</p>`;
	return [
		html`<h1>${first === undefined || alike.length > 0 ? user : titleOf(first)}</h1>`,
		alike.length === 0
			? html``
			: html`<p>Nobody is called just so. These have it in their names (<a href="/accounts?text=${encodeURIComponent(user)}">all of them</a>):</p>${accountTable("Accounts with it in their names", alike)}`,
		asked,
		...explanations.flatMap((each) => explained(each, session)),
	];
}

function titleOf({ account, dn, anchor }: Explanation): string {
	return account?.account.userName ?? dn ?? anchor ?? "nobody";
}

function explained(one: Explanation, session: Session): readonly Html[] {
	const verdict = { gives: "gives it", "does-not-match": "does not", "cannot-be-told": "cannot be told", later: "comes later" };
	const grants = (title: string, facts: readonly GrantFact[]): Html =>
		section(
			title,
			["name", "has", "by"],
			facts.map((grant) => [
				grant.name,
				`${grant.value ?? "off"}${grant.planned === undefined ? "" : ` (by the rules now: ${grant.planned})`}`,
				lines(
					grant.rules.map(
						(rule) =>
							html`<span class="muted">${rule.line}</span> ${verdict[rule.verdict]}${rule.value === undefined ? "" : `: ${rule.value}`}, ${rule.why}`,
					),
				),
			]),
		);
	return [
		html`<section class="card"><h2>${titleOf(one)} ${state(grades[one.state] ?? "warn", one.state)}</h2><p>${one.summary}</p>${one.notes.map((note) => html`<p class="warn">${note}</p>`)}</section>`,
		factSection("Account", accountRows(one)),
		letGo(one, session),
		section("Targets", ["target", "state", "wanted", "applied", "what to know"], one.targets.map(targetRow)),
		section("Scope", ["verdict", "why", "line"], one.scope === undefined ? [] : [[inScope(one.scope.isIn), one.scope.why, one.scope.line]]),
		grants("Features", one.features),
		grants("Policies", one.policies),
		section("Fields", ["field", "value", "from"], one.fields.map(fieldRow)),
		section(
			"Groups",
			["group", "way into it"],
			one.groups.map(({ name, through, isPrimary }) => [
				name,
				through.length === 0 && !isPrimary
					? "itself"
					: `${isPrimary ? "by its primary group: " : "through "}${[...through, name].join(" › ")}`,
			]),
		),
		factSection("Entry", entryRows(one)),
		section(
			"Last changes",
			["when", "run", "change", "why", "result"],
			one.changes.map(({ at, run, kind, target, why, result }) => [
				moment(at),
				run === 0 ? undefined : html`<a href="/runs/${run}">run ${run}</a>`,
				target === undefined ? kind : `${kind} at ${target}`,
				why,
				result,
			]),
		),
	];
}

/** By userName, where there is one: people of two sources may have one anchor, and by it both would be let go. */
function letGo({ pins, anchor, account }: Explanation, session: Session): Html {
	const user = account?.account.userName ?? anchor;
	if (pins.length === 0 || user === undefined || session.role !== "operator") return html``;
	return postButton({ where: "/people/unpin", fields: { user }, text: "Let it follow the directory again" }, session);
}

function section(title: string, columns: readonly Column[], rows: readonly (readonly Piece[])[]): Html {
	return rows.length === 0 ? html`` : html`<h3>${title}</h3>${table(title, columns, rows)}`;
}

function factSection(title: string, rows: readonly (readonly [string, Piece])[]): Html {
	return rows.length === 0 ? html`` : html`<h3>${title}</h3>${facts(rows)}`;
}

function inScope(isIn: boolean | undefined): string {
	if (isIn === undefined) return "cannot be told";
	return isIn ? "in scope" : "not in scope";
}

function accountRows({ account, quarantine, held, refused, pins }: Explanation): readonly (readonly [string, Piece])[] {
	const rows: (readonly [string, Piece])[] = [];
	if (account !== undefined) {
		const { account: has, because, since, dueAt, isProtected } = account;
		rows.push(["state", has.active ? "active" : `disabled${because === undefined ? "" : `: ${because}`}`]);
		if (since !== undefined) rows.push(["since", moment(since)]);
		if (dueAt !== undefined) rows.push(["looked at again", moment(dueAt)]);
		if (isProtected) rows.push(["protected", "never disabled without approval"]);
	}
	if (quarantine !== undefined) rows.push(["set aside", html`${quarantine.because} (since ${moment(quarantine.since)})`]);
	for (const { kind, target, why, because } of held) rows.push(["held", `${at(kind, target)}: ${why}, held because of ${because}`]);
	for (const { kind, target, by, at: when } of refused)
		rows.push(["rejected", html`${at(kind, target)} not done: ${by} said no at ${moment(when)}`]);
	for (const { part, kept, run, by, at: when } of pins) {
		rows.push(["pinned", html`${part}: ${kept === "null" ? "none" : kept}, since run ${run} was reverted by ${by} at ${moment(when)}`]);
	}
	return rows;
}

function at(kind: string, target: string | undefined): string {
	return target === undefined ? kind : `${kind} at ${target}`;
}

function targetRow({
	target,
	state: stands,
	wanted,
	applied,
	remoteId,
	error,
	trouble,
	nextAt,
	differs,
	scope,
}: TargetFact): readonly Piece[] {
	const what: Piece[] = [
		remoteId === undefined ? undefined : `id ${remoteId}`,
		scope === undefined ? undefined : `${inScope(scope.isIn)} of it: ${scope.why}`,
		...differs.map((difference) => `differs: ${difference}`),
		error === undefined ? undefined : `last error: ${error}`,
		trouble === undefined ? undefined : `trouble: ${trouble}`,
		nextAt === undefined ? undefined : html`next try ${moment(nextAt)}`,
	];
	return [target, stands, wanted, applied, lines(what)];
}

function fieldRow({ field, value, template, line, from, instead }: FieldFact): readonly Piece[] {
	const used = Object.entries(from).map(([name, values]) => `${name}=${values.join("; ")}`);
	return [
		field,
		`${value ?? "no value"}${instead === undefined ? "" : ` (the account has ${instead})`}`,
		lines([
			html`<code>${template}</code> <span class="muted">${line ?? "by default"}</span>`,
			html`<span class="muted">${used.length === 0 ? "none of its attributes has a value" : used.join(", ")}</span>`,
		]),
	];
}

function entryRows({ source, dn, anchor, entry }: Explanation): readonly (readonly [string, Piece])[] {
	if (anchor === undefined && dn === undefined) return [];
	const rows: (readonly [string, Piece])[] = [
		["source", source],
		["dn", dn],
		["anchor", anchor],
	];
	if (entry === undefined) return rows;
	const { at: readAt, run, server, attributes } = entry;
	if (readAt !== undefined)
		rows.push([
			"read",
			html`${moment(readAt)}${server === undefined ? "" : ` from ${server}`}${run === undefined ? "" : ` in run ${run}`}`,
		]);
	for (const [name, values] of Object.entries(attributes)) rows.push([name, values.join("; ")]);
	return rows;
}
