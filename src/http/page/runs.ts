import { formatDuration } from "../../lib/duration.ts";
import { type Html, html } from "../../lib/html.ts";
import type { RunView } from "../../store/views.ts";
import { charts } from "./chart.ts";
import { table } from "./table.ts";
import { changesOf, count, distance, moment, outcome } from "./words.ts";

/** Runs on one page of the history. */
export const RUNS_SHOWN = 50;

/** The history, newest first; one more than `RUNS_SHOWN` says that there are older ones. */
export function runsPage(runs: readonly RunView[], now: number): readonly Html[] {
	const shown = runs.slice(0, RUNS_SHOWN);
	const last = shown.at(-1);
	return [
		html`<h1>Runs</h1>`,
		charts(shown),
		runTable("Runs, newest first", shown, now),
		runs.length > RUNS_SHOWN && last !== undefined ? html`<p><a href="/runs?before=${last.run}">Older runs</a></p>` : html``,
	];
}

export function runTable(caption: string, runs: readonly RunView[], now: number): Html {
	const rows = runs.map((run) => [
		html`<a href="/runs/${run.run}">run ${run.run}</a> of ${run.source}`,
		html`${moment(run.startedAt)} <span class="muted">${distance(run.startedAt, now)}</span>`,
		`${run.mode}, by ${run.trigger}${run.endedAt === undefined ? "" : `, ${formatDuration(run.endedAt - run.startedAt)}`}`,
		outcome(run),
		count(run.read),
		count(changesOf(run)),
		count(run.held),
	]);
	const columns = ["run", "started", "how", "outcome", { number: "read" }, { number: "changes" }, { number: "held" }];
	return table(caption, columns, rows);
}
