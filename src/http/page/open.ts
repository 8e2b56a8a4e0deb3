import { type Html, html } from "../../lib/html.ts";
import type { Check, Health } from "../health.ts";
import { lines, table } from "./table.ts";
import { state } from "./words.ts";

/** What who has not signed in sees: health, for a person, and the way in. It holds no personal data, since it is open. */
export function openPage(health: Health, form: Html): readonly Html[] {
	const rows = Object.entries(health.checks).flatMap(([name, checks]) =>
		checks.map((check) => [titleOf(name, check), state(check.status), lines(wordsOf(check))]),
	);
	return [
		html`<h1>dirsyncd ${state(health.status)}</h1>
<p>${health.description}</p>`,
		table("Health", ["what", "state", "last run, and what to know"], rows),
		html`<h2>Sign in</h2>`,
		form,
	];
}

function titleOf(name: string, { componentId }: Check): string {
	return name.includes(":") || name === componentId ? name : `${name}:${componentId}`;
}

/** What there is to know of a part of the daemon, in sentences. */
function wordsOf({ output, lastRun, watching, nextRun }: Check): readonly string[] {
	return [
		output ?? "",
		lastRun === undefined ? "" : `${lastRun.mode} run ${lastRun.run ?? ""}, ${lastRun.time}: ${lastRun.output}`,
		watching === undefined ? "" : `watching: ${watching}`,
		nextRun === undefined ? "" : `next run ${nextRun}`,
	];
}

export interface SignInForm {
	/** Where to go then: a path of this page. */
	readonly next: string;
	/** What was wrong with the last try. */
	readonly wrong: string | undefined;
	/** By a link on another site, for which the browser keeps the cookie back: who has signed in is asked to come in from here. */
	readonly isFromElsewhere: boolean;
}

export function signInForm({ next, wrong, isFromElsewhere }: SignInForm): Html {
	return html`<form action="/login" method="post" class="card${wrong === undefined ? "" : " fail"}">
${wrong === undefined ? undefined : html`<p role="alert">${wrong}</p>`}
${isFromElsewhere ? html`<p>You followed a link to here. If you have signed in already, <a href="${next}">go on</a>.</p>` : undefined}
<input type="hidden" name="next" value="${next}">
<label for="token">Token</label>
<input id="token" name="token" type="password" required autocomplete="current-password" size="44" aria-describedby="token-hint">
<p id="token-hint" class="muted">On the server, <code>dirsyncd token</code> shows it to who may read it; <code>dirsyncd token --viewer</code> shows one that only reads.</p>
<button class="main">Sign in</button>
</form>`;
}
