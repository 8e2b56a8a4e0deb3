import type { Anchor } from "../core/entry.ts";
import { Failure } from "../core/errors.ts";
import { isAskedAgain } from "../core/hold.ts";
import { doubtOfEmptiness } from "../core/seal.ts";
import type { ReadingEnd, ReadRequest, Source } from "../source/source.ts";
import type { Session } from "../store/session.ts";
import type { SourceState } from "../store/snapshot.ts";
import { type CommitAs, commitRun } from "./committing.ts";
import { judgeGroups } from "./group-judging.ts";
import { doubtEmptied, locateGroups } from "./group-locating.ts";
import { type StagedGroups, stageGroups } from "./group-reading.ts";
import { nameOf } from "./judged.ts";
import { type Approval, judgeStage } from "./judging.ts";
import { type Absence, followMoves, type Locating, locate, lossesOfDelta, makeNameNow, stageReports } from "./locate.ts";
import { type GroupScope, type Membership, makeGroupScope, openMembership } from "./membership.ts";
import type { Planned, ReadSummary, RunContext, RunKind } from "./planned.ts";
import { planStaged } from "./planning.ts";
import { shieldedIds } from "./protection.ts";
import { stageReading } from "./reading.ts";
import type { Mode } from "./report.ts";
import type { SyncSource } from "./settings.ts";
import { doubtsOfStage, doubtsOfStanding, STANDING } from "./tally.ts";

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
	const found = kind.kind === "read" ? await readOn(context, state, kind.mode, at, signal) : undefined;
	stageRemembered(session, sync, state, kind, found?.due ?? []);
	const membership = source.memberKeys === undefined ? undefined : openMembership(session, state);
	const scope = membership && scopeOf(session, state, membership, found);
	if (membership !== undefined && scope !== undefined) stageTouched(session, state, membership);
	stageReports(session, state);
	const planning = await planStaged(
		session,
		sync,
		state,
		{
			at,
			viewChanged: found?.viewChanged,
			serverChanged: found?.summary.end.viewChanged,
			protection: found?.summary.end.protection,
			shielded: found?.shielded ?? new Set(),
			askedAgain: found?.askedAgain ?? new Set(),
			unreadable: found?.unreadable ?? new Set(),
			scope,
			onProgress: (done) => context.onProgress({ source: source.name, stage: "planning", done, of: undefined }),
		},
		signal,
	);
	const isFull = found?.summary.mode === "full";
	const standing = isFull ? doubtsOfStanding(session, state, planning.attributeCounts, found.summary.read) : [];
	const approvals = kind.kind === "decide" ? kind.approvals : extra;
	const judgement = judgeStage(session, sync, state, planning, approvals);
	const groupsViewChanged =
		state.groupScope !== undefined && state.groupScope !== source.groupScope
			? "the scope of groups in the configuration is another than at the last reading"
			: found?.viewChanged;
	const serverChanged = found?.summary.end.viewChanged;
	const isSettling = isFull && found.unsealed.length === 0 && serverChanged === undefined && groupsViewChanged === undefined;
	const groups = await judgeGroups(
		session,
		sync,
		state,
		{
			...{ membership, viewChanged: groupsViewChanged, serverChanged, isSettling, approvals },
			isCurrent: found?.summary.end.isCurrent === true && found.summary.isWhole,
		},
		signal,
	);
	const heldKinds = [...judgement.heldKinds, ...groups.heldKinds];
	return {
		at,
		state,
		reading: found?.summary,
		planning,
		judgement,
		groups,
		heldKinds,
		plan: heldKinds.length > 0 || isShown ? nameOf(session, heldKinds.length > 0) : undefined,
		unsealed: [...new Set([...(found?.unsealed ?? []), ...judgement.collapsed, ...standing])],
		warnings: [...(found?.warnings ?? []), ...(isFull && membership !== undefined ? cyclesOf(session, membership, source) : [])],
		shielded: found?.shielded,
		quarantined: session.decisions.countPlannedQuarantine(state.id),
		changedEntries: session.settlement.changedEntries(),
	};
}

/** Scope by group, by this reading or, without one, as the last one left it. */
function scopeOf(session: Session, state: SourceState, membership: Membership, found: Found | undefined): GroupScope | undefined {
	const groups = found === undefined ? session.groups.scope(state.id) : found.summary.end.scopeGroups;
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

interface Found {
	readonly summary: ReadSummary;
	readonly viewChanged: string | undefined;
	readonly unsealed: readonly string[];
	readonly unreadable: ReadonlySet<string>;
	readonly warnings: readonly string[];
	readonly shielded: ReadonlySet<number>;
	readonly askedAgain: ReadonlySet<number>;
	/** Whose time has come, and of whom that is certain. */
	readonly due: readonly number[];
}

/** Servers tried after one that broke in the middle of a reading. */
const MOST_RESTARTS = 3;

/**
 * A reading whose server breaks in the middle of it starts again from nothing on another one: what a run acts on, and its seal, come
 * from one server alone.
 */
async function readOn(context: RunContext, state: SourceState, mode: Mode | "auto", at: number, signal: AbortSignal): Promise<Found> {
	const { source } = context.sync;
	const broken: string[] = [];
	for (;;) {
		const progress = { isOpen: false };
		try {
			const found = await read(context, state, mode, at, progress, signal);
			return { ...found, warnings: [...broken, ...found.warnings] };
		} catch (error) {
			// Where no server could be connected to, all of them were tried already, several times.
			const isServers =
				error instanceof Failure && (error.code === "SOURCE_BROKE" || (error.code === "SOURCE_UNREACHABLE" && progress.isOpen));
			if (!isServers || !source.canFailOver || broken.length >= MOST_RESTARTS || signal.aborted) throw error;
			broken.push(`${error.message}; the reading was started again`);
			context.session.clear();
		}
	}
}

/** Reads, and finds out what became of those who were not there. The connection is closed before anything is planned. */
async function read(
	context: RunContext,
	state: SourceState,
	mode: Mode | "auto",
	at: number,
	progress: { isOpen: boolean },
	signal: AbortSignal,
): Promise<Found> {
	const { session, sync, onProgress } = context;
	const { source } = sync;
	onProgress({ source: source.name, stage: "connecting", done: 0, of: undefined });
	const { request, because, viewChanged } = chooseMode(session, source, state, mode);
	const reading = await source.read(request, signal);
	progress.isOpen = true;
	try {
		const of = reading.mode === "full" ? state.lastFullRead : undefined;
		const staged = await stageReading(session, source, state, reading, (done) =>
			onProgress({ source: source.name, stage: "reading", done, of }),
		);
		const groups = await stageGroups(session, source, state, reading);
		const end = reading.end();
		const { protection } = end;
		const locating: Locating = { session, source, state, reading, protection, shielded: shieldedIds(session, state, protection) };
		const found = reading.mode === "delta" ? await followDelta(locating, end) : await findUnseen(locating, end, staged);
		const leftGroups = await findGroups(locating, groups, found.unsealed.length === 0);
		const due = await findDue(locating, at, found.unsealed.length === 0);
		const summary: ReadSummary = {
			mode: reading.mode,
			server: reading.server,
			fullBecause: reading.mode === "full" ? (because ?? reading.fullBecause) : undefined,
			read: staged.seen,
			end,
			isWhole: end.unsealed.length === 0 && (reading.mode === "full" || found.unsealed.length === 0),
		};
		const warnings =
			leftGroups === 0 ? found.warnings : [...found.warnings, `${count(leftGroups)} known groups were not seen, and stay as they are`];
		return { summary, viewChanged, shielded: locating.shielded, due, ...found, warnings };
	} finally {
		await reading.close();
	}
}

/** What became of groups that a full reading did not have, and whether those that show no members have none. */
async function findGroups({ session, source, state, reading }: Locating, groups: StagedGroups, isSealed: boolean): Promise<number> {
	if (reading.groups === undefined) return 0;
	const absence: Absence =
		isSealed && reading.mode === "full"
			? { kind: "proves", evidence: `sealed reading of ${count(groups.seen)} groups` }
			: { kind: "proves-nothing" };
	const left = await locateGroups(session, source, state, reading.groups, groups.unseen, absence);
	await doubtEmptied(session, reading.groups);
	return left;
}

type Followed = Pick<Found, "unsealed" | "warnings" | "unreadable" | "askedAgain">;

async function followDelta(locating: Locating, end: ReadingEnd): Promise<Followed> {
	const left = await followMoves(locating, end);
	const askedAgain = end.isCurrent ? await askBehind(locating) : new Set<number>();
	const { unreadable, lost } = await lossesOfDelta(locating);
	const unsealed = [...end.unsealed];
	if (left > 0) unsealed.push(`${count(left)} entries that changed could not be seen when they were asked for`);
	// Whatever else changed while the state was hidden must be seen by the next delta.
	if (lost.has(STANDING)) unsealed.push("userAccountControl cannot be read any more on entries that changed: who is disabled is not known");
	return { unsealed, unreadable, warnings: end.warnings, askedAgain };
}

/** Those held because the server they were read from might not know yet: this one knows. Who is gone without a trace takes a full reading. */
async function askBehind(locating: Locating): Promise<ReadonlySet<number>> {
	const { session, state } = locating;
	const held = session.snapshot.held(state.id).filter(({ reason, gone }) => reason === "server" && gone !== "deleted");
	const ids = [...new Set(held.map(({ entry_id }) => entry_id))];
	const left = new Set(
		await locate(
			locating,
			ids.filter((id) => !session.stage.has(id)),
			{ kind: "proves-nothing" },
		),
	);
	return new Set(ids.filter((id) => !left.has(id)));
}

async function findUnseen(
	locating: Locating,
	end: ReadingEnd,
	staged: { readonly seen: number; readonly unseen: readonly number[] },
): Promise<Followed> {
	const { session, source, state } = locating;
	const doubts = staged.unseen.length === 0 ? [] : doubtsOfStage(session, source, state);
	const emptiness = doubtOfEmptiness(state.entries, staged.seen);
	const others = [...end.unsealed, ...doubts, ...openDoubts(session, state)];
	const unsealed = emptiness === undefined ? others : [emptiness, ...others];
	const evidence = `sealed reading of ${count(staged.seen)} entries`;
	const absence: Absence = unsealed.length === 0 ? { kind: "proves", evidence } : { kind: "proves-nothing" };
	const nameNow = makeNameNow(session, state, end.containers);
	const left = await locate(locating, staged.unseen, absence, nameNow);
	const unreadable = new Set<string>();
	// Everybody was found somewhere else: it is empty, and that is proven.
	if (emptiness !== undefined && left.length === 0 && others.length === 0) {
		return { unsealed: [], unreadable, warnings: end.warnings, askedAgain: new Set() };
	}
	const askedAgain =
		unsealed.length === 0 && end.viewChanged === undefined ? await askAgain(locating, absence, nameNow) : new Set<number>();
	const said = `${count(left.length)} known entries were not seen, and stay as they are: this reading is not sealed`;
	return { unsealed, unreadable, warnings: left.length > 0 ? [...end.warnings, said] : end.warnings, askedAgain };
}

/** Those held because they could not be seen for sure, or by that server: this reading may know. */
async function askAgain(locating: Locating, absence: Absence, nameNow: (dn: string) => string): Promise<ReadonlySet<number>> {
	const { session, state } = locating;
	const held = session.snapshot.held(state.id).filter(({ reason }) => isAskedAgain(reason));
	const gone = held.filter((row) => row.gone !== null && !session.stage.has(row.entry_id)).map(({ entry_id }) => entry_id);
	await locate(locating, [...new Set(gone)], absence, nameNow);
	return new Set(held.map(({ entry_id }) => entry_id));
}

/**
 * Whose time has come. Their entries are asked for first, since an expiry may have been put off and a leaver may be back. Who was
 * there and cannot be seen is left for another run, and nobody is deleted for absence by a run that proves none.
 */
async function findDue(locating: Locating, at: number, isSealed: boolean): Promise<readonly number[]> {
	const { session, state } = locating;
	const due = session.snapshot.due(state.id, at);
	const unread = due.filter(({ id }) => !session.stage.has(id));
	const left = new Set(
		await locate(
			locating,
			unread.map(({ id }) => id),
			{ kind: "proves-nothing" },
		),
	);
	return due.filter(({ id, gone }) => (gone === null ? !left.has(id) : isSealed)).map(({ id }) => id);
}

/**
 * A loss of attributes that still waits for a person: until then what is missing proves nothing. Entries that were read anew are
 * judged by what they show now.
 */
function openDoubts(session: Session, state: SourceState): readonly string[] {
	const open = session.snapshot
		.held(state.id)
		.filter(({ reason, entry_id }) => reason === "attribute-loss" && !session.stage.has(entry_id)).length;
	return open === 0 ? [] : [`attributes were lost on ${open.toLocaleString("en-US")} held changes: approve or reject them first`];
}

/** Full where a delta could miss something, with the reason as a sentence. */
function chooseMode(
	session: Session,
	source: Source,
	state: SourceState,
	mode: Mode | "auto",
): { readonly request: ReadRequest; readonly because: string | undefined; readonly viewChanged: string | undefined } {
	const viewChanged =
		state.identity !== undefined && state.identity !== source.identity
			? "another account reads the directory than at the last reading"
			: state.scope !== undefined && state.scope !== source.scope
				? "the scope in the configuration is another than at the last reading"
				: undefined;
	const attributes = JSON.stringify(source.attributes);
	const because =
		state.cursor === undefined
			? "there is no earlier reading to start from"
			: (viewChanged ?? (state.attributes !== attributes ? "other attributes are asked for than at the last reading" : undefined));
	const known = { pins: pinsOf(session, state), known: knownIn(session, source, state) };
	if (mode === "full") return { request: { ...known, mode: "full", cursor: state.cursor }, because: undefined, viewChanged };
	if (state.cursor === undefined || because !== undefined)
		return { request: { ...known, mode: "full", cursor: state.cursor }, because, viewChanged };
	return { request: { ...known, mode: "delta", cursor: state.cursor }, because: undefined, viewChanged };
}

function pinsOf(session: Session, state: SourceState): ReadonlyMap<string, Anchor> {
	return new Map((session.groups.scope(state.id) ?? []).map(({ dnKey, anchor }) => [dnKey, anchor]));
}

/** Tells a source what the snapshot has under a member's key. */
function knownIn(session: Session, source: Source, state: SourceState): ReadRequest["known"] {
	const { groups } = session;
	return (key) => {
		const id = source.memberKeys === "dn" ? groups.idByDn(state.id, key) : groups.idByAnchor(state.id, source.anchor(key));
		if (id === undefined) return groups.stranger(state.id, key) === undefined ? undefined : "other";
		return groups.byId(id) === undefined ? "other" : "group";
	};
}

/** Stages whoever must be planned again although the directory said nothing of them: held, quarantined, due, or all. */
function stageRemembered(session: Session, sync: SyncSource, state: SourceState, kind: RunKind, due: readonly number[]): void {
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
		for (const id of snapshot.quarantinedIds(state.id)) stage.known(id);
		for (const id of due) stage.known(id);
		stageHeldGroups(session, state);
	});
	if (state.rules === undefined || state.rules === sync.rules) return;
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

function count(value: number): string {
	return value.toLocaleString("en-US");
}

/** Makes a Failure of an abort, so that a report can say it. */
export function asStopped(error: unknown, signal: AbortSignal): unknown {
	return signal.aborted && !(error instanceof Failure && error.code === "CANCELLED")
		? new Failure("CANCELLED", "the run was stopped; nothing of it was kept", { cause: error })
		: error;
}
