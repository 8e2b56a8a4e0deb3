import { formatDuration } from "../../lib/duration.ts";
import { type Html, html } from "../../lib/html.ts";
import type { RunView } from "../../store/views.ts";
import { changesOf, count, counted, gradeOf } from "./words.ts";

/** Of the picture; the style stretches it. */
const HEIGHT = 100;
const STEP = 10;
const BAR = 8;

/** How long the last runs took, and how much they changed, oldest to the left. The table below says the same. */
export function charts(newestFirst: readonly RunView[]): Html {
	const runs = newestFirst.filter(({ endedAt }) => endedAt !== undefined).reverse();
	if (runs.length === 0) return html`<p>No run has ended yet.</p>`;
	return html`<div class="charts">${bars("Duration", runs, durationOf, formatDuration)}${bars("Changes", runs, changesOf, count)}</div>`;
}

function bars(title: string, runs: readonly RunView[], sizeOf: (run: RunView) => number, words: (size: number) => string): Html {
	const most = Math.max(...runs.map(sizeOf));
	const bar = (run: RunView, index: number): Html => {
		const size = sizeOf(run);
		// Also what is next to nothing can be seen; nothing cannot.
		const height = most === 0 || size === 0 ? 0 : Math.max(2, Math.round((size / most) * HEIGHT));
		return html`<rect x="${index * STEP}" y="${HEIGHT - height}" width="${BAR}" height="${height}" class="${gradeOf(run.outcome)}"><title>run ${run.run} of ${run.source}, ${run.outcome}: ${words(size)}</title></rect>\n`;
	};
	const says = `${title} of the last ${counted(runs.length, "run", "runs")}: at most ${words(most)}`;
	return html`<figure>
<svg viewBox="0 0 ${Math.max(runs.length, 20) * STEP} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${says}">
${runs.map(bar)}</svg>
<figcaption>${says}</figcaption>
</figure>`;
}

function durationOf({ startedAt, endedAt }: RunView): number {
	return Math.max(0, (endedAt ?? startedAt) - startedAt);
}
