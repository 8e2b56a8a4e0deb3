import { formatDuration } from "../../lib/duration.ts";
import { type Html, html } from "../../lib/html.ts";
import type { RunView } from "../../store/views.ts";
import type { HeldKind } from "../../sync/report.ts";
import type { HealthStatus } from "../health.ts";

/** An instant to the second; the machine's form has the rest. */
export function moment(at: number): Html {
	const iso = new Date(at).toISOString();
	return html`<time datetime="${iso}">${iso.replace(/\.\d+Z$/, "Z")}</time>`;
}

/** How long ago, or until when. */
export function distance(at: number, now: number): string {
	if (Math.abs(at - now) < 1000) return "now";
	return at > now ? `in ${formatDuration(at - now)}` : `${formatDuration(now - at)} ago`;
}

/** 12,345: groups of digits, whatever the machine's language. */
export function count(number: number): string {
	return number.toLocaleString("en-US");
}

export function counted(number: number, one: string, many: string): string {
	return `${count(number)} ${number === 1 ? one : many}`;
}

/** A state by word and colour. */
export function state(status: HealthStatus, word: string = status): Html {
	return html`<span class="state ${status}">${word}</span>`;
}

export function outcome({ outcome: word }: Pick<RunView, "outcome">): Html {
	return state(gradeOf(word), word);
}

/** How well a run went. */
export function gradeOf(word: RunView["outcome"]): HealthStatus {
	if (word === "failed") return "fail";
	return word === "succeeded" || word === "running" ? "pass" : "warn";
}

export function changesOf({ created, updated, disabled, enabled, deleted, entitlements }: RunView): number {
	return created + updated + disabled + enabled + deleted + entitlements;
}

/** What is held, without how much of it: "group delete", "update at mail". */
export function heldName({ subject, kind, target }: Pick<HeldKind, "subject" | "kind" | "target">): string {
	return `${subject === "group" ? "group " : ""}${kind}${target === undefined ? "" : ` at ${target}`}`;
}
