import { type Html, html } from "../../lib/html.ts";
import type { HeldBrief } from "../../store/views.ts";
import type { Session } from "../session.ts";
import { postButton } from "./post-button.ts";
import { table } from "./table.ts";
import { count, counted, distance, heldName, moment } from "./words.ts";

/** Changes of one plan that are shown; `plan` and `status --json` have all. */
export const HELD_SHOWN = 100;

/** What waits for a person: each plan with its people, why it is held, and the two ways on. */
export function heldPlans(plans: readonly HeldBrief[], session: Session, now: number): readonly Html[] {
	const title = html`<h2>Waits for a decision</h2>`;
	if (plans.length === 0) return [title, html`<p>Nothing is held.</p>`];
	return [title, ...plans.map((plan, index) => heldPlan(plan, `plan-${index + 1}`, session, now))];
}

function heldPlan({ plan, source, since, kinds, count: all, first }: HeldBrief, id: string, session: Session, now: number): Html {
	const more = all - first.length;
	const rows = first.map(({ subject, kind, target, anchor, name, why }) => [
		heldName({ subject, kind, target }),
		subject === "group" ? name : html`<a href="/people?user=${encodeURIComponent(anchor)}">${name}</a>`,
		why,
	]);
	return html`<section class="card warn" aria-labelledby="${id}">
<h3 id="${id}">${counted(all, "change", "changes")} held at ${source}</h3>
<p>Held since ${moment(since)} (${distance(since, now)}). Nothing of it is done before it is approved.</p>
<ul>${kinds.map((kind) => html`<li><strong>${heldName(kind)}: ${count(kind.count)}</strong>, held because of ${kind.limit}</li>`)}</ul>
<details${first.length <= 12 ? html` open` : undefined}><summary>Whom it is about, and why</summary>
${table(`Changes held at ${source}`, ["change", "name", "why"], rows)}
${more > 0 ? html`<p>And ${count(more)} more: <code>dirsyncd status --json</code></p>` : undefined}
</details>
<p class="muted">Plan <code>${plan}</code></p>
${session.role === "operator" ? buttons(plan, id, session) : html`<p class="muted">An operator decides.</p>`}
</section>`;
}

function buttons(plan: string, id: string, session: Session): Html {
	const where = (verb: string): string => `/plans/${encodeURIComponent(plan)}/${verb}`;
	return html`<div class="deciding">${[
		postButton({ where: where("approve"), text: "Approve", describedBy: id, look: "main" }, session),
		postButton({ where: where("reject"), text: "Reject", describedBy: id }, session),
	]}</div>`;
}
