import { type Html, html, type Piece } from "../../lib/html.ts";
import type { QuarantineBrief, SourceView, TargetView } from "../../store/views.ts";
import type { Check, Health } from "../health.ts";
import type { Look, RuleView } from "../look.ts";
import type { Session } from "../session.ts";
import { charts } from "./chart.ts";
import { HELD_SHOWN, heldPlans } from "./held.ts";
import { live } from "./live.ts";
import { postButton } from "./post-button.ts";
import { runTable } from "./runs.ts";
import { lines, table } from "./table.ts";
import { count, counted, distance, moment, outcome, state } from "./words.ts";

/** Runs in the chart, and of them in the table. */
const CHARTED = 60;
const LISTED = 10;
/** Most set aside that are shown; `status --json` has all. */
const QUARANTINE_SHOWN = 50;

/** All at a glance: whether it is well, what waits for a person, and where everything stands. */
export function overview(look: Look, health: Health, session: Session, now: number): readonly Html[] {
	const runs = look.runs(CHARTED);
	const held = look.heldBriefly(HELD_SHOWN);
	return [
		live("state", "State", [
			html`<h1>dirsyncd ${state(health.status)}</h1>`,
			health.notes.length === 0
				? html`<p>All is well: ${health.description}.</p>`
				: html`<ul>${health.notes.map((note) => html`<li>${note}</li>`)}</ul>`,
		]),
		// Not made anew while somebody looks: see script.ts.
		html`<section id="held" data-plans="${held.map(({ plan }) => plan).join(" ")}">${heldPlans(held, session, now)}</section>`,
		live("sources", "Sources", [html`<h2>Sources</h2>`, sourceTable(look.sources(), health, session, now)]),
		live("targets", "Targets", [html`<h2>Targets</h2>`, targetTable(look.targets(), health, session, now)]),
		live("runs", "Runs", [
			html`<h2>Runs</h2>`,
			charts(runs),
			runTable("The last runs", runs.slice(0, LISTED), now),
			html`<p><a href="/runs">All runs</a></p>`,
		]),
		live("quarantine", "Quarantine", quarantined(look.quarantineBriefly(QUARANTINE_SHOWN))),
		live("rules", "Features and policies", rules(look.rules())),
	];
}

function sourceTable(sources: readonly SourceView[], health: Health, session: Session, now: number): Html {
	const rows = sources.map(({ source, lastRun, sealed, entries, held, quarantined }) => {
		const check = checkOf(health, "source", source);
		const waiting = Object.values(held).reduce((sum, each) => sum + each, 0);
		return [
			source,
			stateOf(check),
			lastRun === undefined
				? "never"
				: lines([html`${outcome(lastRun)} <a href="/runs/${lastRun.run}">run ${lastRun.run}</a>`, distance(lastRun.startedAt, now)]),
			nextOf(
				health.checks["schedule"]?.find(({ componentId }) => componentId === source),
				now,
			),
			sealed === undefined ? "not read whole yet" : sealed ? state("pass", "sealed") : state("warn", "not sealed"),
			count(entries),
			count(waiting),
			count(quarantined),
			...(session.role === "operator" ? [readButtons(source, session)] : []),
		];
	});
	const columns = ["source", "state", "last run", "next run", "last full reading"];
	const numbers = [{ number: "entries" }, { number: "held" }, { number: "quarantined" }];
	return table("Sources", [...columns, ...numbers, ...(session.role === "operator" ? ["read it now"] : [])], rows);
}

/** Two ways to read a source now: what changed since, or everything. */
function readButtons(source: string, session: Session): Html {
	const where = `/sources/${encodeURIComponent(source)}/sync`;
	return html`<div class="buttons">${postButton({ where, fields: { mode: "auto" }, text: "Changes", of: source }, session)}${postButton({ where, fields: { mode: "full" }, text: "All", of: source }, session)}</div>`;
}

function targetTable(targets: readonly TargetView[], health: Health, session: Session, now: number): Html {
	const rows = targets.map(({ target, accounts, pending, failed, lastError, trouble, readBack }) => [
		target,
		stateOf(checkOf(health, "target", target)),
		count(accounts),
		count(pending),
		count(failed),
		lines([
			trouble === undefined
				? undefined
				: `Takes nothing: ${trouble.because}. ${trouble.hint ?? ""} Tried again ${distance(trouble.retryAt, now)}.`,
			lastError === undefined ? undefined : `Last error: ${lastError}`,
			readBack === undefined
				? undefined
				: `Read back ${distance(readBack.at, now)}: ${count(readBack.counts.changed)} changed there, ${count(readBack.counts.missing)} missing`,
		]),
		...(session.role === "operator"
			? [postButton({ where: `/targets/${encodeURIComponent(target)}/read-back`, text: "Compare", of: target }, session)]
			: []),
	]);
	const columns = ["target", "state", { number: "accounts" }, { number: "pending" }, { number: "failed" }, "what to know"];
	return table("Targets", [...columns, ...(session.role === "operator" ? ["read it back"] : [])], rows);
}

function checkOf(health: Health, kind: "source" | "target", name: string): Check | undefined {
	return health.checks[`${kind}:${name}`]?.[0];
}

/** One word: why it is not better is said above, in the notes. */
function stateOf(check: Check | undefined): Html {
	return check === undefined ? html`starting` : state(check.status);
}

function nextOf(schedule: Check | undefined, now: number): readonly Piece[] {
	const { nextRun, output } = schedule ?? {};
	return lines([nextRun === undefined ? "none planned" : distance(Date.parse(nextRun), now), output]);
}

function quarantined({ count: all, first }: QuarantineBrief): readonly Html[] {
	const title = html`<h2>Quarantine</h2>`;
	if (all === 0) return [title, html`<p>Nobody is set aside.</p>`];
	const rows = first.map(({ source, anchor, name, reason, since }) => [
		html`<a href="/people?user=${encodeURIComponent(anchor)}">${name}</a>`,
		reason,
		moment(since),
		source,
	]);
	const more = all - first.length;
	return [
		title,
		html`<p>${counted(all, "account is", "accounts are")} set aside, and left alone until the reason is gone.</p>`,
		table("Quarantine", ["name", "reason", "since", "source"], rows),
		more <= 0 ? html`` : html`<p>And ${count(more)} more: <code>dirsyncd status --json</code></p>`,
	];
}

function rules(views: readonly RuleView[]): readonly Html[] {
	if (views.length === 0) return [];
	const rows = views.map(({ kind, name, value, accounts, rules: given }) => [
		kind,
		name,
		value ?? (kind === "feature" ? "on" : ""),
		count(accounts),
		given.length === 0
			? "no rule any more"
			: lines(given.map(({ place, through }) => html`<span class="muted">${place}</span> ${through}`)),
	]);
	return [html`<h2>Features and policies</h2>`, table("What rules give", ["kind", "name", "value", { number: "accounts" }, "rules"], rows)];
}
