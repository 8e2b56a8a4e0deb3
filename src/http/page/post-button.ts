import { type Html, html } from "../../lib/html.ts";
import type { Session } from "../session.ts";
import { csrfField } from "./layout.ts";

export interface PostButton {
	/** The path that the form is sent to. */
	readonly where: string;
	readonly fields?: Readonly<Record<string, string>>;
	readonly text: string;
	/** What it is done to, for who does not see where the button stands: by name, or by the id of what says it. */
	readonly of?: string;
	readonly describedBy?: string;
	readonly look?: "main";
}

/** A form of one button, for an operator. */
export function postButton({ where, fields = {}, text, of, describedBy, look }: PostButton, session: Session): Html {
	const hidden = Object.entries(fields).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`);
	const label = of === undefined ? undefined : html` aria-label="${text}: ${of}"`;
	const description = describedBy === undefined ? undefined : html` aria-describedby="${describedBy}"`;
	return html`<form action="${where}" method="post">${csrfField(session)}${hidden}<button class="${look}"${label}${description}>${text}</button></form>`;
}
