import { type Html, html, markupOf, ours, type Piece } from "../../lib/html.ts";
import type { Session } from "../session.ts";
import { script } from "./script.ts";
import { style } from "./style.ts";
import { moment } from "./words.ts";

/** What stands around every page. */
export interface Frame {
	readonly title: string;
	/** The path of the page as the navigation has it; undefined: none of them. */
	readonly here: string | undefined;
	readonly version: string;
	readonly now: number;
	/** Undefined: nobody has signed in. */
	readonly session: Session | undefined;
	/** What goes on, for who has signed in. */
	readonly going: Html | undefined;
	/** Of all that the page shows: another one says that it would show something else. */
	readonly stamp: string | undefined;
}

/** One whole document. */
export function layout({ title, here, version, now, session, going, stamp }: Frame, main: Piece): string {
	return `<!doctype html>\n${markupOf(html`<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · dirsyncd</title>
<style>${ours(style)}</style>
</head>
<body${stamp === undefined ? undefined : html` data-stamp="${stamp}"`}>
<a class="skip" href="#main">To the content</a>
<header><div>
<nav aria-label="Pages"><a class="name" href="/">dirsyncd</a>${session === undefined ? undefined : places.map(([path, name]) => link(path, name, here))}</nav>
${session === undefined ? undefined : [searchBox(), signOut(session)]}
</div></header>
<main id="main">
${main}
</main>
<footer>Version ${version} · as of ${moment(now)} · <a href="/health">health</a> · <a href="/metrics">metrics</a></footer>
${
	session === undefined
		? undefined
		: html`<div class="live"><div id="going">${going}</div><p id="news" role="status" hidden>What waits for a decision has changed. <a href="/">Show it</a></p></div>
<script>${ours(script)}</script>`
}
</body>
</html>`)}\n`;
}

const places = [
	["/", "Overview"],
	["/runs", "Runs"],
	["/accounts", "Accounts"],
] as const;

function link(path: string, name: string, here: string | undefined): Html {
	return html`<a href="${path}"${path === here ? html` aria-current="page"` : undefined}>${name}</a>`;
}

function searchBox(): Html {
	return html`<form class="search" role="search" aria-label="People" action="/people" method="get">
<input type="search" name="user" required maxlength="500" aria-label="Person: userName, e-mail, DN or GUID" placeholder="Person">
<button>Explain</button>
</form>`;
}

function signOut(session: Session): Html {
	return html`<form action="/logout" method="post">${csrfField(session)}<button class="plain">Sign out (${session.role})</button></form>`;
}

/** Goes into every form that posts. */
export function csrfField({ csrf }: Session): Html {
	return html`<input type="hidden" name="csrf" value="${csrf}">`;
}
