import type { ChangeKind } from "../core/change.ts";
import { formatDuration } from "../lib/duration.ts";
import type { Mode, Outcome } from "../sync/report.ts";

export type HealthStatus = "pass" | "warn" | "fail";

/** All that health is judged by. Instants are Unix milliseconds. */
export interface HealthFacts {
	readonly now: number;
	readonly startedAt: number;
	readonly version: string;
	/** starting: nothing has been opened yet; stopping: a signal came. */
	readonly phase: "starting" | "running" | "stopping";
	readonly sources: readonly SourceFacts[];
	readonly targets: readonly TargetFacts[];
	readonly database: Trouble | undefined;
	readonly engine: Trouble | undefined;
	readonly beside: readonly BesideFacts[];
}

/** A part without which accounts are kept in step all the same: its trouble is a warning. */
export interface BesideFacts {
	readonly part: "log" | "certificate" | "channel";
	/** Of several of its kind. */
	readonly name: string;
	readonly trouble: (Omit<Trouble, "since"> & { readonly since: number | undefined }) | undefined;
}

/** What is wrong with a part, and since when. */
export interface Trouble {
	readonly since: number;
	readonly because: string;
	readonly hint: string | undefined;
}

export interface SourceFacts {
	readonly source: string;
	readonly running: { readonly mode: Mode; readonly since: number } | undefined;
	readonly next: Readonly<Record<Mode, number | undefined>>;
	readonly intervalMs: number | undefined;
	/** How often a run has come due since the last one that did not fail, within this process's life. */
	readonly dueSinceSuccess: number;
	readonly lastSuccessAt: number | undefined;
	readonly lastRun: LastRun | undefined;
	readonly held: Readonly<Partial<Record<ChangeKind, number>>>;
	readonly quarantined: number;
	/** Undefined: it is not to be watched. */
	readonly watching: WatchFacts | undefined;
}

/** How a source's watch stands. Without it changes come with the schedule, which is no reason to call for help. */
export type WatchFacts =
	| { readonly kind: "opening" }
	| { readonly kind: "up"; readonly since: number }
	| { readonly kind: "down"; readonly since: number; readonly because: string };

export interface LastRun {
	/** Undefined when the engine died before it could say. */
	readonly run: number | undefined;
	readonly mode: Mode;
	readonly outcome: Outcome;
	readonly endedAt: number;
	readonly unsealed: readonly string[];
	readonly error: string | undefined;
	readonly hint: string | undefined;
}

export interface TargetFacts {
	readonly target: string;
	readonly pending: number;
	readonly failed: number;
	/** It takes nothing at all. */
	readonly trouble: (Trouble & { readonly retryAt: number }) | undefined;
}

/** application/health+json (draft-inadarei-api-health-check-06). */
export interface Health {
	readonly status: HealthStatus;
	readonly version: string;
	readonly serviceId: "dirsyncd";
	readonly description: string;
	/** What is not as it should be, in a sentence each. */
	readonly notes: readonly string[];
	readonly checks: Readonly<Record<string, readonly Check[]>>;
}

export interface Check {
	readonly componentId: string;
	readonly componentType: "component" | "datastore" | "system";
	readonly status: HealthStatus;
	readonly time: string;
	readonly observedValue?: number;
	readonly observedUnit?: string;
	/** Left out when there is nothing to say. */
	readonly output?: string;
	readonly lastRun?: {
		readonly run: number | undefined;
		readonly mode: Mode;
		readonly outcome: Outcome;
		readonly time: string;
		readonly output: string;
	};
	readonly nextRun?: string;
	/** Of a source that is to be watched: "up", "opening", "down since 2026-03-02T12:00:00.000Z: …". */
	readonly watching?: string;
}

/** So often may a run come due without success before a source counts as out. */
const MOST_MISSED = 3;

/**
 * fail: the database cannot be written, the engine is down, or no source has succeeded within three of its intervals.
 * warn: something waits for a person, or one source or target has trouble. Pure.
 */
export function judgeHealth(facts: HealthFacts): Health {
	const sources = facts.sources.map((source) => judgeSource(source, facts));
	const checks: Record<string, readonly Check[]> = { database: [judgeDatabase(facts)], engine: [judgeEngine(facts)] };
	for (const check of sources) checks[`source:${check.componentId}`] = [check];
	for (const target of facts.targets) checks[`target:${target.target}`] = [judgeTarget(target, facts)];
	for (const { part, name, trouble } of facts.beside) {
		checks[part === name ? part : `${part}:${name}`] = [judgeBeside(name, trouble, facts.now)];
	}
	checks["schedule"] = facts.sources.map((source) => judgeSchedule(source, facts));
	const all = Object.values(checks).flat();
	const isOut = sources.length > 0 && sources.every(({ status }) => status === "fail");
	const isBroken = [checks["database"], checks["engine"]].some((list) => list?.[0]?.status === "fail");
	const status = facts.phase !== "running" || isOut || isBroken ? "fail" : all.every((check) => check.status === "pass") ? "pass" : "warn";
	return {
		status,
		version: facts.version,
		serviceId: "dirsyncd",
		description: facts.phase === "running" ? "keeps accounts in step with the directory" : `dirsyncd is ${facts.phase}`,
		notes: all.flatMap((check) => (check.status === "pass" ? [] : [`${check.componentId}: ${check.output ?? check.status}`])),
		checks,
	};
}

function judgeSource(source: SourceFacts, { now, startedAt }: HealthFacts): Check {
	const { lastRun, held, quarantined } = source;
	const sayings: string[] = [];
	const heldCounts = Object.entries(held).filter(([, count]) => count > 0);
	if (heldCounts.length > 0) {
		const what = heldCounts.map(([kind, count]) => `${count} ${kind}`).join(", ");
		sayings.push(`held until somebody decides: ${what} (dirsyncd plan shows them, dirsyncd approve or reject decides)`);
	}
	if (quarantined > 0) sayings.push(`${quarantined} in quarantine (dirsyncd status says who and why)`);
	if (lastRun?.outcome === "partial") sayings.push("some accounts failed in the last run");
	if (lastRun !== undefined && lastRun.outcome !== "failed" && lastRun.unsealed.length > 0) {
		sayings.push(`the last reading is not proven complete: ${lastRun.unsealed.join("; ")}`);
	}
	if (lastRun?.outcome === "failed") sayings.push(describeFailure(lastRun, source));
	const isOut = isWithoutSuccess(source, startedAt, now);
	if (isOut || (source.lastSuccessAt === undefined && lastRun === undefined)) sayings.push(describeSilence(source, now));
	return {
		componentId: source.source,
		componentType: "component",
		status: isOut ? "fail" : sayings.length > 0 ? "warn" : "pass",
		time: iso(now),
		...(sayings.length > 0 && { output: sayings.join(". ") }),
		...(lastRun !== undefined && { lastRun: describeRun(lastRun) }),
		...(source.watching !== undefined && { watching: describeWatch(source.watching) }),
	};
}

/**
 * Counted by what came due and not by the clock, so that nights without a schedule and a machine that slept raise no alarm. After
 * a restart the count starts anew; then a failure beside an old last success says enough.
 */
function isWithoutSuccess(source: SourceFacts, startedAt: number, now: number): boolean {
	const { dueSinceSuccess, lastSuccessAt, lastRun, intervalMs } = source;
	if (dueSinceSuccess >= MOST_MISSED) return true;
	const hasFailedSinceStart = lastRun?.outcome === "failed" && lastRun.endedAt >= startedAt;
	if (!hasFailedSinceStart || lastSuccessAt === undefined || lastSuccessAt >= startedAt || intervalMs === undefined) return false;
	return now - lastSuccessAt > MOST_MISSED * intervalMs;
}

function describeFailure({ endedAt, error, hint }: LastRun, { lastSuccessAt }: SourceFacts): string {
	const since = lastSuccessAt === undefined ? "no run has succeeded yet" : `the last success was at ${iso(lastSuccessAt)}`;
	return `the run at ${iso(endedAt)} failed: ${error ?? "no reason was recorded"}${hint === undefined ? "" : ` (${hint})`}; ${since}`;
}

function describeSilence({ lastSuccessAt, running, intervalMs }: SourceFacts, now: number): string {
	if (lastSuccessAt === undefined) return running === undefined ? "has not been read yet" : "is being read for the first time";
	const usual = intervalMs === undefined ? "" : `, with a run due every ${formatDuration(intervalMs)}`;
	return `no run has succeeded for ${formatDuration(now - lastSuccessAt)}${usual}`;
}

function describeRun({ run, mode, outcome, endedAt, error }: LastRun) {
	const words: Readonly<Record<Outcome, string>> = {
		succeeded: "succeeded",
		held: "succeeded; some changes are held",
		partial: "done, but some accounts failed",
		failed: `failed: ${error ?? "no reason was recorded"}`,
	};
	return { run, mode, outcome, time: iso(endedAt), output: words[outcome] };
}

function describeWatch(watch: WatchFacts): string {
	return watch.kind === "down" ? `down since ${iso(watch.since)}: ${watch.because}` : watch.kind;
}

function judgeSchedule({ source, next, running, dueSinceSuccess, intervalMs }: SourceFacts, { now }: HealthFacts): Check {
	const nextAt = Math.min(next.full ?? Number.POSITIVE_INFINITY, next.delta ?? Number.POSITIVE_INFINITY);
	// One that has come due and is going on is in time; a second one means that the first took an interval and achieved nothing.
	const isOverdue = dueSinceSuccess >= 2;
	const every = intervalMs === undefined ? "" : ` (due every ${formatDuration(intervalMs)})`;
	const output = isOverdue
		? `overdue: came due ${dueSinceSuccess} times without success${every}`
		: running === undefined
			? undefined
			: `a ${running.mode} run has been going on for ${formatDuration(now - running.since)}`;
	return {
		componentId: source,
		componentType: "system",
		status: isOverdue ? "warn" : "pass",
		time: iso(now),
		...(output !== undefined && { output }),
		...(Number.isFinite(nextAt) && { nextRun: iso(nextAt) }),
	};
}

function judgeTarget({ target, pending, failed, trouble }: TargetFacts, { now }: HealthFacts): Check {
	// Not with the errors themselves: they may name people, and health is open to everybody.
	const refused = `${failed} of ${pending} open deliveries failed (dirsyncd status says why)`;
	const isWell = failed === 0 && trouble === undefined;
	const output = [
		...(trouble === undefined
			? []
			: [`takes nothing since ${iso(trouble.since)} (dirsyncd status says why). ${trouble.hint ?? ""}`.trim()]),
		...(trouble === undefined ? [] : [`It is tried again at ${iso(trouble.retryAt)}, and delays only itself.`]),
		...(failed > 0 ? [refused] : []),
	].join(" ");
	return {
		componentId: target,
		componentType: "component",
		status: isWell ? "pass" : "warn",
		time: iso(now),
		observedValue: pending,
		observedUnit: "pending deliveries",
		...(!isWell && { output }),
	};
}

function judgeDatabase({ database, now }: HealthFacts): Check {
	return { componentId: "database", componentType: "datastore", time: iso(now), ...verdict(database) };
}

function judgeEngine({ engine, now }: HealthFacts): Check {
	return { componentId: "engine", componentType: "system", time: iso(now), ...verdict(engine) };
}

function judgeBeside(componentId: string, trouble: BesideFacts["trouble"], now: number): Check {
	const common = { componentId, componentType: "component", time: iso(now) } as const;
	return trouble === undefined ? { ...common, status: "pass" } : { ...common, status: "warn", output: describeTrouble(trouble) };
}

function verdict(trouble: Trouble | undefined): { readonly status: HealthStatus; readonly output?: string } {
	if (trouble === undefined) return { status: "pass" };
	return { status: "fail", output: describeTrouble(trouble) };
}

function describeTrouble({ because, since, hint }: NonNullable<BesideFacts["trouble"]>): string {
	return `${because}${since === undefined ? "" : `, since ${iso(since)}`}${hint === undefined ? "." : `. ${hint}`}`;
}

function iso(at: number): string {
	return new Date(at).toISOString();
}
