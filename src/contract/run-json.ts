import type { Change } from "../core/change.ts";
import { instant } from "../lib/instant.ts";
import type { LoggedChange, RunView } from "../store/views.ts";

/** A run as `runs --json` has it: instants as ISO 8601, nothing left out. */
export function runJson(run: RunView) {
	const { startedAt, endedAt, unsealed, ...rest } = run;
	return {
		...{ run: rest.run, source: rest.source, mode: rest.mode, trigger: rest.trigger, outcome: rest.outcome },
		...{ startedAt: instant(startedAt), endedAt: instant(endedAt), sealed: rest.sealed, unsealed },
		...{ fullBecause: rest.fullBecause ?? null, server: rest.server ?? null, error: rest.error ?? null, read: rest.read },
		...{ created: rest.created, updated: rest.updated, disabled: rest.disabled, enabled: rest.enabled, deleted: rest.deleted },
		...{ held: rest.held, quarantined: rest.quarantined, reverts: rest.reverts ?? null },
	};
}

/** A change of a run as `runs RUN --json` has it. */
export function loggedJson(change: LoggedChange) {
	const { sequence, at, kind, subject, anchor, name, why, result, before, after } = change;
	const target = targetOf(change) ?? null;
	return { sequence, at: instant(at), kind, subject, target, anchor, name, why, result, before: before ?? null, after: after ?? null };
}

/** A planned change as `plan --json` has it. */
export function changeJson(change: Change) {
	const { kind, subject, anchor, name, why, before, after } = change;
	return { kind, subject, target: targetOf(change), anchor, name, why, before: before ?? null, after: after ?? null };
}

/** The target whose own doing it is. */
export function targetOf(change: Change): string | undefined {
	return change.subject === "account" ? change.target : undefined;
}
