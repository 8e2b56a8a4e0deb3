import { changeKinds } from "../../core/change.ts";
import { type Html, html } from "../../lib/html.ts";
import type { RevertPreview } from "../../sync/report.ts";
import type { Session } from "../session.ts";
import { postButton } from "./post-button.ts";
import { differences, nameOf } from "./run.ts";
import { lines, table } from "./table.ts";
import { count, heldName } from "./words.ts";

/** Changes that are shown before they are made; the command of the same name has all. */
export const UNDONE_SHOWN = 200;

/** What taking a run back would do, and the way to do it. */
export function revertPage(preview: RevertPreview, session: Session): readonly Html[] {
	const { run, leftAlone, leftAloneCount } = preview.revert;
	const isNothing = preview.count === 0;
	return [
		html`<h1>Take back run ${run} of ${preview.source}</h1>`,
		html`<p>${isNothing ? "Nothing of it can be taken back." : `${countsOf(preview)}. What is taken back stays so until the directory says something else of it.`}</p>`,
		preview.held.length === 0
			? html``
			: html`<p class="warn">Held until it is approved: ${preview.held.map((each) => `${count(each.count)} ${heldName(each)} (${each.limit})`).join(", ")}.</p>`,
		isNothing || session.role !== "operator"
			? html``
			: html`<div class="deciding">${postButton({ where: `/runs/${run}/revert`, text: "Take it back", look: "main" }, session)}</div>`,
		isNothing ? html`` : changes(preview),
		leftAloneCount === 0
			? html``
			: html`<h2>Left alone</h2>${table(
					"Left alone",
					["name", "why"],
					leftAlone.slice(0, UNDONE_SHOWN).map(({ name, why }) => [name, why]),
				)}${more(leftAloneCount, Math.min(leftAlone.length, UNDONE_SHOWN), run)}`,
		html`<p><a href="/runs/${run}">Back to the run</a></p>`,
	];
}

function countsOf({ summary }: RevertPreview): string {
	return `To be done: ${changeKinds
		.filter((kind) => summary[kind] > 0)
		.map((kind) => `${count(summary[kind])} ${kind}`)
		.join(", ")}`;
}

function changes({ changes: shown, count: all, revert }: RevertPreview): Html {
	const rows = shown.map((change) => [heldName({ ...change, target: undefined }), nameOf(change), lines(differences(change)), change.why]);
	return html`<h2>What would be done</h2>${table("What would be done", ["change", "name", "before and after", "why"], rows)}${more(all, shown.length, revert.run)}`;
}

function more(all: number, shown: number, run: number): Html {
	return all <= shown ? html`` : html`<p>And ${count(all - shown)} more: <code>dirsyncd revert ${run}</code></p>`;
}
