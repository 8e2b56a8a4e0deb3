import { formatDuration } from "../../lib/duration.ts";
import { type Html, html } from "../../lib/html.ts";
import type { Going } from "../look.ts";
import { count } from "./words.ts";

/** The runs that are going on, a line each. */
export function goingNow(runs: readonly Going[], now: number): Html {
	return html`${runs.map((run) => html`<p><strong>${run.source}</strong> ${progressOf(run)}, for ${formatDuration(Math.max(0, now - run.since))}</p>`)}`;
}

function progressOf({ stage, done, of }: Going): string {
	if (stage === "connecting") return "is being asked";
	const share = of === undefined || of === 0 ? "" : ` of about ${count(of)} (${Math.min(100, Math.floor((done / of) * 100))} %)`;
	return `${stage}${done === 0 && share === "" ? "" : ` ${count(done)}${share}`}`;
}
