import { type Html, html } from "../../lib/html.ts";
import type { ProblemDetails } from "../problem.ts";

/** What went wrong, in the words that the command line would use, and the way back. */
export function refusalPage({ title, error }: ProblemDetails): Html {
	return html`<h1>${title}</h1>
<div class="card fail" role="alert"><p>${error.message.replace(/^./, (letter) => letter.toUpperCase())}.</p>${error.hint === undefined ? undefined : html`<p>${error.hint}</p>`}</div>
<p><a href="/">To the overview</a></p>`;
}
