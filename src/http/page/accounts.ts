import { type Html, html } from "../../lib/html.ts";
import type { AccountView } from "../../store/views.ts";
import { lines, table } from "./table.ts";
import { state } from "./words.ts";

/** Accounts on one page of the list. */
export const ACCOUNTS_SHOWN = 50;

/** Accounts in order of userName: all, or those with a text in their names. `next`: the query of the page after. */
export function accountsPage(text: string, accounts: readonly AccountView[], next: string | undefined): readonly Html[] {
	return [
		html`<h1>Accounts</h1>
<form class="search" role="search" aria-label="Accounts" action="/accounts" method="get">
<input type="search" name="text" value="${text}" maxlength="200" aria-label="Part of a name" placeholder="Part of a name">
<button>Find</button>
</form>`,
		accounts.length === 0
			? html`<p>${text === "" ? "There is none yet." : "None has this in its userName or displayName."}</p>`
			: accountTable("Accounts", accounts),
		next === undefined ? html`` : html`<p><a href="/accounts?${next}">More</a></p>`,
	];
}

export function accountTable(caption: string, accounts: readonly AccountView[]): Html {
	return table(caption, ["name", "displayed as", "state", "source", "targets"], accounts.map(rowOf));
}

function rowOf({ source, anchor, account, because, targets }: AccountView) {
	return [
		html`<a href="/people?user=${encodeURIComponent(anchor)}">${account.userName}</a>`,
		account.displayName,
		account.active ? state("pass", "active") : lines([state("warn", "disabled"), because]),
		source,
		lines(
			Object.entries(targets).map(([target, { state: stands, error }]) =>
				stands === "applied" ? target : html`${target}: <strong>${stands}</strong>${error === undefined ? undefined : `, ${error}`}`,
			),
		),
	];
}
