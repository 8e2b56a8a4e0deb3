import { Failure } from "../core/errors.ts";
import type { Source } from "../source/source.ts";
import type { Session } from "../store/session.ts";
import type { SourceState } from "../store/snapshot.ts";
import { openChains, stageBeneath } from "./chains.ts";
import { type CommitAs, commitRun } from "./committing.ts";
import { type Found, readOn } from "./find.ts";
import { judgeGroups } from "./group-judging.ts";
import { nameOf } from "./judged.ts";
import { type Approval, judgeStage } from "./judging.ts";
import { nothingKept } from "./kept-fields.ts";
import { stageReports } from "./locate.ts";
import { type GroupScope, type Membership, makeGroupScope, makeNamedGroups, openMembership } from "./membership.ts";
import { lookOffline, type Offline } from "./offline.ts";
import type { Planned, RunContext, RunKind } from "./planned.ts";
import { type PlanningContext, planStaged } from "./planning.ts";
import { stageRevert } from "./revert.ts";
import { chainsOfRules, groupsOfRules, rulesNow, unreadOf, unshownBy, untoldBy } from "./rules.ts";
import { doubtsOfStanding } from "./tally.ts";
import { judgeTargets } from "./target-judging.ts";
import { planTargets } from "./target-planning.ts";

/** Cycles of groups that are told of; more say nothing more. */
const MOST_CYCLES = 10;

/** One run: read, plan, judge, commit. Either all of it is kept or nothing. */
export async function run(context: RunContext, kind: RunKind, as: CommitAs, signal: AbortSignal): Promise<Planned> {
	const planned = await plan(context, kind, [], false, signal);
	const { sync, onProgress } = context;
	onProgress({ source: sync.source.name, stage: "committing", done: 0, of: undefined });
	commitRun(context, planned, as);
	return planned;
}

/** A run stopped before its commit: what `plan` shows is what `run` would do, because it is the same code. */
export async function plan(
	context: RunContext,
	kind: RunKind,
	extra: readonly Approval[],
	isShown: boolean,
	signal: AbortSignal,
): Promise<Planned> {
	const { session, sync, clock } = context;
	const { source } = sync;
	session.clear();
	const at = clock();
	const state = session.snapshot.source(source.name);
	refuseOfOld(state, kind);
	const found = kind.kind === "read" ? await readOn(context, state, kind.mode, at, signal) : undefined;
	const offline = kind.kind === "whatif" ? await lookOffline(session, sync, state, kind.terms, signal) : undefined;
	const isFull = found?.summary.mode === "full";
	const isComplete = isFull && found.unsealed.length === 0;
	const told = found?.summary.end ?? offline;
	const rules = rulesNow(session, sync, state, told && { ...told, isComplete });
	const revert = kind.kind === "revert" ? stageRevert(session, state, source.name, kind.request) : undefined;
	stageRemembered(session, state, kind, found?.due ?? [], rules.isAnother);
	const membership = source.memberKeys === undefined ? undefined : openMembership(session, state);
	const scope = membership && scopeOf(session, state, membership, found ?? offline);
	const namesGroups = scope !== undefined || groupsOfRules(sync).size > 0;
	if (membership !== undefined && namesGroups) stageTouched(session, state, membership);
	stageReports(session, state);
	stageBeneath(session, source, state, chainsOfRules(sync));
	const named = membership && makeNamedGroups(session, state, membership, rules.groups);
	const ruled = membership && makeNamedGroups(session, state, membership, rules.pinned);
	const serverChanged = found?.summary.end.viewChanged;
	const groupsViewChanged =
		state.groupScope !== undefined && state.groupScope !== source.groupScope
			? "the scope of groups in the configuration is another than at the last reading"
			: (found ?? offline)?.viewChanged;
	const isSettling = isComplete && serverChanged === undefined && groupsViewChanged === undefined;
	const isCurrent = found?.summary.end.isCurrent === true && found.summary.isWhole;
	const planningContext: PlanningContext = {
		...planningContextOf(context, at, found, offline),
		...{ scope, named, ruled, asked: rules.asked, chains: openChains(session, source, state), isSettling, isCurrent },
		reverted: revert?.run,
	};
	const planning = await planStaged(session, sync, state, planningContext, signal);
	const standing = isFull ? doubtsOfStanding(session, state, planning.attributeCounts, found.summary.read) : [];
	const approvals = kind.kind === "decide" ? kind.approvals : extra;
	const judgement = judgeStage(session, sync, state, planning, approvals);
	await planTargets(session, sync, state, planningContext, signal);
	const atTargets = judgeTargets(session, sync, state, judgement, approvals);
	const groupContext = { membership, viewChanged: groupsViewChanged, serverChanged, isSettling, isCurrent, approvals };
	const groups = await judgeGroups(session, sync, state, groupContext, signal);
	const heldKinds = [...judgement.heldKinds, ...atTargets.heldKinds, ...groups.heldKinds];
	return {
		at,
		state,
		reading: found?.summary,
		offline,
		planning,
		judgement,
		atTargets,
		groups,
		heldKinds,
		// What is never committed is never approved.
		plan: (heldKinds.length > 0 && offline === undefined) || isShown ? nameOf(session, heldKinds.length > 0) : undefined,
		unsealed: [...new Set([...(found?.unsealed ?? []), ...judgement.collapsed, ...standing])],
		rules,
		warnings: [
			...(found?.warnings ?? []),
			...(state.restoredAt === undefined || isComplete ? [] : [STILL_RESTORED]),
			...(found === undefined ? [] : untoldBy(sync, rules, planning)),
			...(isFull || rules.isAnother ? unshownBy(session, sync, state, planning, offline === undefined ? new Set() : unreadOf(rules)) : []),
			...(isFull && membership !== undefined ? cyclesOf(session, membership, source) : []),
		],
		shielded: found?.shielded,
		revert,
		quarantined: session.decisions.countPlannedQuarantine(state.id),
		changedEntries: session.settlement.changedEntries(),
	};
}

const STILL_RESTORED =
	"the database was restored from a backup: what was open then is not delivered, and targets are not compared, before a full reading is sealed";

/** What a backup says of the directory is old, and so is what a person sees of it: nothing is done by that alone. */
function refuseOfOld({ restoredAt }: SourceState, { kind }: RunKind): void {
	if (restoredAt === undefined || (kind !== "decide" && kind !== "revert")) return;
	throw new Failure("PLAN_CHANGED", "the database was restored from a backup, and the directory was not read in full since", {
		hint: "Run `dirsyncd sync --full` first, and decide on what is shown then.",
	});
}

/** What the reading tells planning; without one nothing holds a change but what held it before. */
function planningContextOf(
	{ sync, onProgress }: RunContext,
	at: number,
	found: Found | undefined,
	offline: Offline | undefined,
): Omit<PlanningContext, "scope" | "named" | "ruled" | "asked" | "chains" | "isSettling" | "isCurrent" | "reverted"> {
	return {
		at,
		viewChanged: (found ?? offline)?.viewChanged,
		serverChanged: found?.summary.end.viewChanged,
		protection: found?.summary.end.protection ?? offline?.protection,
		shielded: found?.shielded ?? new Set(),
		askedAgain: found?.askedAgain ?? new Set(),
		unreadable: found?.unreadable ?? new Set(),
		kept: offline?.kept ?? nothingKept,
		tally: offline?.tally,
		onProgress: (done) => onProgress({ source: sync.source.name, stage: "planning", done, of: undefined }),
	};
}

/** Scope by group, by this reading or, without one, as the last one left it. */
function scopeOf(session: Session, state: SourceState, membership: Membership, found: Found | Offline | undefined): GroupScope | undefined {
	const asked = found !== undefined && "summary" in found ? found.summary.end : found;
	const groups = asked === undefined ? session.groups.scope(state.id) : asked.scopeGroups;
	return groups && makeGroupScope(session, state, membership, groups);
}

/** Whoever came into or went out of a group may have come into or gone out of scope; and so may whoever names them as manager. */
function stageTouched(session: Session, state: SourceState, membership: Membership): void {
	const { stage, snapshot } = session;
	const touched = membership.touched();
	stage.batch(() => {
		for (const id of touched) {
			stage.known(id);
			const dnDigest = snapshot.dnDigest(id);
			if (dnDigest !== undefined) for (const report of snapshot.reportsOf(state.id, dnDigest)) stage.known(report);
		}
	});
}

/** Groups that contain each other are no error, but seldom meant. */
function cyclesOf(session: Session, { nesting }: Membership, source: Source): readonly string[] {
	if (nesting.cycles.length === 0) return [];
	const nameOfGroup = (id: number): string => {
		const bytes = session.groupStage.bytes(id);
		return (bytes && source.dn(bytes).split(/(?<!\\),/, 1)[0]) ?? String(id);
	};
	return nesting.cycles
		.slice(0, MOST_CYCLES)
		.map((cycle) => `groups contain each other: ${[...cycle, cycle[0] as number].map(nameOfGroup).join(" > ")}`);
}

/** Stages whoever must be planned again although the directory said nothing of them: held, quarantined, due, or all. */
function stageRemembered(session: Session, state: SourceState, kind: RunKind, due: readonly number[], isPlannedAnew: boolean): void {
	const { stage, snapshot } = session;
	if (state.id === 0) return;
	if (kind.kind === "decide") {
		stage.batch(() => {
			for (const { subject, anchor } of kind.approvals) {
				const known = subject === "account" ? snapshot.byAnchor(state.id, anchor) : undefined;
				if (known !== undefined) stage.known(known.id);
			}
			stageHeldGroups(session, state);
		});
		return;
	}
	stage.batch(() => {
		for (const id of snapshot.heldIds(state.id)) stage.known(id);
		// Else a revert would see all that is held go.
		if (kind.kind === "revert") return stageHeldGroups(session, state);
		for (const id of session.pins.anew(state.id)) stage.known(id);
		for (const id of snapshot.quarantinedIds(state.id)) stage.known(id);
		for (const id of due) stage.known(id);
		stageHeldGroups(session, state);
	});
	if (kind.kind === "revert" || (!isPlannedAnew && kind.kind !== "whatif")) return;
	for (let after = 0; ; ) {
		const page = snapshot.allIds(state.id, after, 1000);
		stage.batch(() => {
			for (const id of page) stage.known(id);
		});
		const last = page.at(-1);
		if (last === undefined) return;
		after = last;
	}
}

function stageHeldGroups({ snapshot, groupStage }: Session, state: SourceState): void {
	for (const { entry_id } of snapshot.heldGroups(state.id)) groupStage.known(entry_id);
}

/** Makes a Failure of an abort, so that a report can say it. */
export function asStopped(error: unknown, signal: AbortSignal): unknown {
	return signal.aborted && !(error instanceof Failure && error.code === "CANCELLED")
		? new Failure("CANCELLED", "the run was stopped; nothing of it was kept", { cause: error })
		: error;
}
