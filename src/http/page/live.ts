import { type Html, html, type Piece } from "../../lib/html.ts";

/** A part of a page that the script may put in the place of itself while somebody looks. Its id stays the same. */
export function live(id: string, name: string, parts: Piece): Html {
	return html`<section id="${id}" aria-label="${name}" data-live>${parts}</section>`;
}
