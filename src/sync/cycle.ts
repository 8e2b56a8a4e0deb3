import { type Counts, changeKinds, noCounts, noGroupCounts } from "../core/change.ts";
import { Failure, unreachable } from "../core/errors.ts";
import { decisionRow, type Decision as MadeDecision } from "../store/decision-row.ts";
import { type Decision, runApproved } from "./decide.ts";
import type { Deliveries, Settled } from "./deliveries.ts";
import type { Planned, RunContext } from "./planned.ts";
import type { DeliveryCount, Mode, Outcome, RevertRequest, RunBegun, RunReport, Trigger } from "./report.ts";
import { asStopped, run } from "./run.ts";

export interface CycleContext extends RunContext {
	readonly deliveries: Deliveries;
	/** How long a run waits for what it wants delivered, in milliseconds; then that goes on beside it. Undefined: until it is done. */
	readonly patienceMs: (trigger: Trigger) => number | undefined;
	readonly onBegun?: ((run: RunBegun) => void) | undefined;
	/** Turns an error of the database into a Failure. */
	readonly asFailure: (error: unknown) => unknown;
}

export type CycleRequest =
	| { readonly kind: "sync"; readonly mode: Mode | "auto"; readonly trigger: Trigger; readonly by?: string | undefined }
	/** Carries out what a person approved, by name. */
	| { readonly kind: "approve"; readonly plan: string; readonly decision: Decision; readonly by: string }
	| { readonly kind: "revert"; readonly request: RevertRequest; readonly by: string };

type Problem = NonNullable<RunReport["error"]>;

/** One whole cycle: a run, then what it wants delivered. Failures of the directory or a target are reports; only bugs are thrown. */
export async function cycle(context: CycleContext, request: CycleRequest, signal: AbortSignal): Promise<RunReport> {
	const { session, sync, clock } = context;
	const startedAt = clock();
	const { cursor, restoredAt } = session.snapshot.source(sync.source.name);
	const isFull = request.kind === "sync" && (request.mode === "full" || cursor === undefined || restoredAt !== undefined);
	const mode: Mode = isFull ? "full" : "delta";
	const trigger = request.kind === "sync" ? request.trigger : request.kind;
	const reverts = request.kind === "revert" ? request.request.run : undefined;
	const begun = session.transaction(() => {
		const started = session.runs.begin(sync.source.name, mode, trigger, startedAt, reverts);
		// Who asked for it stands in the log whatever becomes of the run.
		const decision = decisionOf(request, sync.source.name);
		if (decision !== undefined) session.log.append()(decisionRow(decision, { at: startedAt, run: started.run, source: sync.source.name }));
		return started;
	});
	const plan = request.kind === "approve" ? request.plan : undefined;
	context.onBegun?.({ run: begun.run, source: sync.source.name, mode, trigger, by: request.by, plan, reverts });
	let planned: Planned | undefined;
	let problem: Problem | undefined;
	let deliveries: readonly DeliveryCount[] = [];
	try {
		planned = await runAsked(context, request, begun, signal);
	} catch (error) {
		problem = problemOf(context.asFailure(asStopped(error, signal)));
	} finally {
		session.clear();
	}
	const warnings = [...(planned?.warnings ?? [])];
	if (planned !== undefined) {
		try {
			const settled = await deliverWanted(context, begun.run, context.patienceMs(trigger), signal);
			deliveries = settled.counts;
			warnings.push(...settled.warnings);
		} catch (error) {
			// What was committed stands, whatever becomes of its delivery.
			if (signal.aborted) warnings.push("stopped while delivering; the rest is delivered after the next start");
			else problem = problemOf(context.asFailure(error));
		}
	}
	const report = reportOf(context, { run: begun.run, trigger, startedAt, mode, planned, problem, deliveries, warnings });
	session.transaction(() => session.runs.end(report, clock()));
	return report;
}

/** What a person decided by this request; undefined: nobody asked for it. */
function decisionOf(request: CycleRequest, source: string): MadeDecision | undefined {
	const { by } = request;
	if (by === undefined) return undefined;
	switch (request.kind) {
		case "sync":
			return { kind: "sync", by, name: source, why: `a ${request.mode === "auto" ? "reading" : `${request.mode} reading`} was asked for` };
		case "approve":
			return { kind: "approve", by, name: request.plan, why: "what it holds, or showed, was to be done" };
		case "revert": {
			const { run, kind, user } = request.request;
			const what = `${kind === undefined ? "what" : `each ${kind} that`} run ${run} did${user === undefined ? "" : ` to ${user}`}`;
			return { kind: "revert", by, name: `run ${run}`, why: `${what} was to be taken back` };
		}
		default:
			return unreachable(request);
	}
}

function runAsked(
	context: CycleContext,
	request: CycleRequest,
	begun: { readonly run: number; readonly sourceId: number },
	signal: AbortSignal,
): Promise<Planned> {
	switch (request.kind) {
		case "sync":
			return run(context, { kind: "read", mode: request.mode }, { ...begun, result: "committed", by: "" }, signal);
		case "approve": {
			const { plan, decision, by } = request;
			return runApproved(context, plan, decision, { ...begun, result: `approved by ${by}`, by }, signal);
		}
		case "revert": {
			const { by } = request;
			const result = `reverted run ${request.request.run} by ${by}`;
			return run(context, { kind: "revert", request: request.request }, { ...begun, result, by }, signal);
		}
		default:
			return unreachable(request);
	}
}

/** What the run wants delivered, as far as it can be waited for. */
async function deliverWanted(
	{ deliveries, onProgress, sync }: CycleContext,
	run: number,
	patienceMs: number | undefined,
	signal: AbortSignal,
): Promise<Settled> {
	const patience = patienceMs === undefined ? undefined : AbortSignal.timeout(patienceMs);
	const heard: DeliveryCount[] = [];
	const open = deliveries.countPending();
	const onCounts = (counts: readonly DeliveryCount[], done: number): void => {
		heard.push(...counts);
		onProgress({ source: sync.source.name, stage: "delivering", done, of: Math.max(open, done) });
	};
	try {
		return await deliveries.settle(patience === undefined ? signal : AbortSignal.any([signal, patience]), onCounts, run);
	} catch (error) {
		if (signal.aborted || patience?.aborted !== true) throw error;
		return { counts: heard, warnings: [] };
	}
}

interface Facts {
	readonly run: number;
	readonly trigger: Trigger;
	readonly startedAt: number;
	readonly mode: Mode;
	readonly planned: Planned | undefined;
	readonly problem: Problem | undefined;
	readonly deliveries: readonly DeliveryCount[];
	readonly warnings: readonly string[];
}

function reportOf({ session, sync, clock, deliveries }: CycleContext, facts: Facts): RunReport {
	const { planned, problem } = facts;
	const passed: Counts = planned?.judgement.passed ?? noCounts;
	const held = sum(planned?.judgement.held ?? noCounts) + (planned?.atTargets.held ?? 0) + (planned?.groups.held ?? 0);
	const read = planned?.reading?.read ?? 0;
	const state = session.snapshot.source(sync.source.name);
	const quarantined = session.decisions.countQuarantined(state.id);
	const isEntitling = passed.entitlement > 0 || (planned?.judgement.held.entitlement ?? 0) > 0;
	const refused = facts.deliveries.some(({ result }) => result === "refused");
	return {
		run: facts.run,
		source: sync.source.name,
		mode: planned?.reading?.mode ?? facts.mode,
		// What a reading could not see is some of it not done, too.
		outcome: outcomeOf(problem, held, quarantined > 0 || refused || (planned?.unsealed.length ?? 0) > 0),
		sealed: planned !== undefined && planned.unsealed.length === 0,
		unsealed: planned?.unsealed ?? (problem === undefined ? [] : [problem.message]),
		read,
		created: passed.create,
		updated: passed.update,
		disabled: passed.disable,
		enabled: passed.enable,
		deleted: passed.delete,
		entitlements: sync.entitling.all.length === 0 && !isEntitling ? undefined : passed.entitlement,
		unchanged: Math.max(0, read - (planned?.changedEntries ?? 0)),
		held,
		quarantined,
		delivered: facts.deliveries.reduce((total, { result, count }) => (result === "applied" ? total + count : total), 0),
		pending: deliveries.countPending(),
		groups: sync.source.groupScope === undefined ? undefined : (planned?.groups.counts ?? noGroupCounts),
		durationMs: Math.round(clock() - facts.startedAt),
		trigger: facts.trigger,
		startedAt: facts.startedAt,
		server: planned?.reading?.server,
		strategy: planned?.reading?.end.strategy,
		fullBecause: planned?.reading?.fullBecause,
		warnings: facts.warnings,
		error: problem,
		plan: held > 0 ? planned?.plan : undefined,
		heldKinds: planned?.heldKinds ?? [],
		deliveries: facts.deliveries,
		revert: planned?.revert,
	};
}

function outcomeOf(problem: Problem | undefined, held: number, hasFailedObjects: boolean): Outcome {
	if (problem !== undefined) return "failed";
	if (held > 0) return "held";
	return hasFailedObjects ? "partial" : "succeeded";
}

/** What a person is told of an error. A bug has no code of ours, and is thrown on. */
function problemOf(error: unknown): Problem {
	if (!(error instanceof Failure)) throw error;
	return { code: error.code, message: error.message, hint: error.hint };
}

function sum(counts: Counts): number {
	return changeKinds.reduce((total, kind) => total + counts[kind], 0);
}
