import type { HealthFacts, LastRun, TargetFacts, Trouble, WatchFacts } from "../http/health.ts";
import type { ScheduleView } from "../http/reads.ts";
import type { SourceView, TargetView, Views } from "../store/views.ts";
import type { RunReport } from "../sync/report.ts";
import type { MetricsState } from "../telemetry/metrics.ts";

/** What of the metrics stands in the database. */
export type OverviewState = Omit<MetricsState, "times" | "engineSilenceMs" | "channels" | "pageCertificate">;

/** What the daemon knows of its database without asking the engine; read again when it is older than a second. */
export interface Overview {
	state(): OverviewState;
	lastRun(source: string): LastRun | undefined;
	/** Whether that is a run of this daemon, and not one of before its start. */
	hasRun(source: string): boolean;
	/** A run ended. */
	ended(source: string, run: LastRun): void;
	/** Why the database could not be read at the last try. */
	trouble(): Trouble | undefined;
}

export interface OverviewParts {
	readonly views: Pick<Views, "sources" | "targets" | "accountCounts" | "featureCounts" | "size">;
	/** What is configured now: nothing else is shown. */
	configured(): { readonly sources: readonly string[]; readonly targets: readonly string[]; readonly features: readonly string[] };
	readonly clock: () => number;
}

/** Health may be asked for a hundred times a second, and what changes it is at most a run. */
const FRESH_MS = 1000;

export function makeOverview({ views, configured, clock }: OverviewParts): Overview {
	const lastRuns = new Map<string, LastRun>();
	const own = new Set<string>();
	let readAt = Number.NEGATIVE_INFINITY;
	let state: OverviewState = { sources: [], targets: [], accounts: [], features: [], databaseBytes: undefined };
	let trouble: Trouble | undefined;

	const read = (): void => {
		const now = clock();
		// Also when the clock was set back.
		if (Math.abs(now - readAt) < FRESH_MS) return;
		readAt = now;
		try {
			const { sources, targets, features } = configured();
			const sourceViews = views.sources();
			const targetViews = views.targets();
			state = {
				sources: sources.map((name) => sourceViews.find(({ source }) => source === name) ?? blankSource(name)),
				targets: targets.map((name) => targetViews.find(({ target }) => target === name) ?? blankTarget(name)),
				accounts: views.accountCounts(),
				features: withZeroes(views.featureCounts(), features),
				databaseBytes: views.size(),
			};
			for (const { source, lastRun } of state.sources) {
				if (lastRun === undefined || lastRun.outcome === "running" || lastRuns.has(source)) continue;
				const { run, mode, outcome, unsealed, error } = lastRun;
				lastRuns.set(source, { run, mode, outcome, unsealed, error, hint: undefined, endedAt: lastRun.endedAt ?? lastRun.startedAt });
			}
			trouble = undefined;
		} catch (error) {
			const because = `the database cannot be read: ${error instanceof Error ? error.message : String(error)}`;
			trouble = { because, since: trouble?.since ?? now, hint: undefined };
		}
	};

	return {
		state: () => {
			read();
			return state;
		},
		lastRun: (source) => lastRuns.get(source),
		hasRun: (source) => own.has(source),
		ended: (source, run) => {
			if (lastRuns.get(source) !== run) own.add(source);
			lastRuns.set(source, run);
			readAt = Number.NEGATIVE_INFINITY;
		},
		trouble: () => {
			read();
			return trouble;
		},
	};
}

/** Health's view of sources and targets, from the overview, the schedule and the watches. */
export function gatherParts(
	overview: Overview,
	times: readonly ScheduleView[],
	watchOf: (source: string) => WatchFacts | undefined,
): Pick<HealthFacts, "sources" | "targets"> {
	const { sources, targets } = overview.state();
	return {
		sources: times.map(({ source, running, next, intervalMs, dueSinceSuccess }) => {
			const view = sources.find((each) => each.source === source) ?? blankSource(source);
			const { full, delta } = view.lastSuccess;
			const lastSuccessAt = full === undefined ? delta : Math.max(full, delta ?? full);
			const { held, quarantined } = view;
			const lastRun = overview.lastRun(source);
			const watching = watchOf(source);
			return { source, running, next, intervalMs, dueSinceSuccess, lastSuccessAt, lastRun, held, quarantined, watching };
		}),
		targets: targets.map(({ target, pending, failed, trouble }): TargetFacts => ({ target, pending, failed, trouble })),
	};
}

export function lastRunOf({ run, mode, outcome, startedAt, durationMs, unsealed, error }: RunReport): LastRun {
	return { run, mode, outcome, endedAt: Math.round(startedAt + durationMs), unsealed, error: error?.message, hint: error?.hint };
}

/** Also those that nobody has; one that is not configured any more is there for as long as somebody has it. */
function withZeroes(counts: ReturnType<Views["featureCounts"]>, features: readonly string[]): MetricsState["features"] {
	const names = new Set([...features, ...counts.map(({ feature }) => feature)]);
	return [...names].map((feature) => ({ feature, count: counts.find((each) => each.feature === feature)?.count ?? 0 }));
}

function blankSource(source: string): SourceView {
	const lastSuccess = { full: undefined, delta: undefined };
	return {
		source,
		lastRun: undefined,
		lastSuccess,
		sealed: undefined,
		entries: 0,
		held: {},
		quarantined: 0,
		strategy: undefined,
		groups: 0,
		memberships: 0,
	};
}

function blankTarget(target: string): TargetView {
	return { target, accounts: 0, pending: 0, failed: 0, released: 0, lastError: undefined, trouble: undefined, readBack: undefined };
}
