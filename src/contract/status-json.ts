import { instant } from "../lib/instant.ts";
import type { SourceView, TargetView } from "../store/views.ts";
import { runJson } from "./run-json.ts";

/** A source as `status --json` has it. */
export function sourceJson(source: SourceView) {
	return {
		source: source.source,
		entries: source.entries,
		groups: source.groups,
		memberships: source.memberships,
		changes: source.strategy ?? null,
		sealed: source.sealed ?? null,
		held: source.held,
		quarantined: source.quarantined,
		lastSuccess: { full: instant(source.lastSuccess.full), delta: instant(source.lastSuccess.delta) },
		lastRun: source.lastRun === undefined ? null : runJson(source.lastRun),
	};
}

/** A target as `status --json` has it. */
export function targetJson(
	{ target, accounts, pending, failed, released, lastError, trouble, readBack }: TargetView,
	isConfigured: boolean,
) {
	return {
		...{ target, isConfigured, accounts, pending, failed, released },
		lastError: lastError ?? null,
		trouble: trouble === undefined ? null : { ...trouble, since: instant(trouble.since), retryAt: instant(trouble.retryAt) },
		readBack: readBack === undefined ? null : { at: instant(readBack.at), ...readBack.counts },
	};
}
