import type { Anchor } from "../core/entry.ts";
import { Failure } from "../core/errors.ts";
import { isAskedAgain } from "../core/hold.ts";
import { doubtOfEmptiness } from "../core/seal.ts";
import type { ReadingEnd, ReadRequest, Source } from "../source/source.ts";
import type { Session } from "../store/session.ts";
import type { SourceState } from "../store/snapshot.ts";
import { doubtEmptied, locateGroups } from "./group-locating.ts";
import { type StagedGroups, stageGroups } from "./group-reading.ts";
import { type Absence, followMoves, type Locating, locate, lossesOfDelta, makeNameNow } from "./locate.ts";
import { meantGroups } from "./meant-groups.ts";
import type { ReadSummary, RunContext } from "./planned.ts";
import { shieldedIds } from "./protection.ts";
import { stageReading } from "./reading.ts";
import type { Mode } from "./report.ts";
import { doubtsOfStage, STANDING } from "./tally.ts";
import { whyViewChanged } from "./view-change.ts";

/** What a reading found out, beside what it left on the stage. */
export interface Found {
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

const RESTORED = "the database was restored from a backup";

/** Servers tried after one that broke in the middle of a reading. */
const MOST_RESTARTS = 3;

/**
 * A reading whose server breaks in the middle of it starts again from nothing on another one: what a run acts on, and its seal, come
 * from one server alone.
 */
export async function readOn(
	context: RunContext,
	state: SourceState,
	mode: Mode | "auto",
	at: number,
	signal: AbortSignal,
): Promise<Found> {
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
			end: { ...end, ...meantGroups(session, state, end) },
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
	await doubtEmptied(session, state, reading.groups);
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

/** Those held because the server they were read from might not know yet: this one knows. Who left no trace takes a full reading. */
async function askBehind(locating: Locating): Promise<ReadonlySet<number>> {
	const { session, state } = locating;
	const held = session.snapshot.held(state.id).filter(({ reason }) => reason === "server");
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
	const viewChanged = whyViewChanged(source, state);
	const attributes = JSON.stringify(source.attributes);
	const because =
		state.cursor === undefined
			? "there is no earlier reading to start from"
			: (viewChanged ??
				(state.restoredAt !== undefined ? RESTORED : undefined) ??
				(state.attributes !== attributes ? "other attributes are asked for than at the last reading" : undefined));
	const known = { pins: pinsOf(session, state), known: knownIn(session, source, state) };
	if (mode === "full") return { request: { ...known, mode: "full", cursor: state.cursor }, because: undefined, viewChanged };
	if (state.cursor === undefined || because !== undefined)
		return { request: { ...known, mode: "full", cursor: state.cursor }, because, viewChanged };
	return { request: { ...known, mode: "delta", cursor: state.cursor }, because: undefined, viewChanged };
}

function pinsOf(session: Session, state: SourceState): ReadonlyMap<string, Anchor> {
	const { groups } = session;
	return new Map([...groups.named(state.id), ...(groups.scope(state.id) ?? [])].map(({ nameKey, anchor }) => [nameKey, anchor]));
}

/** Tells a source what the snapshot has under a member's key. */
function knownIn(session: Session, source: Source, state: SourceState): ReadRequest["known"] {
	const { groups } = session;
	return (key) => {
		const id = source.memberKeys === "dn" ? groups.idByDn(state.id, key) : groups.idByAnchor(state.id, source.anchor(key));
		if (id === undefined) return groups.stranger(state.id, key) === undefined ? undefined : "other";
		const group = groups.byId(id);
		if (group === undefined) return "other";
		// What is gone for certain has no members here: where it is named again it must be read.
		return group.gone !== null && group.gone_doubt === null ? undefined : "group";
	};
}

function count(value: number): string {
	return value.toLocaleString("en-US");
}
