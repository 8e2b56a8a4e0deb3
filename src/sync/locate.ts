import { dnKey, isBeneath, parentDn } from "../core/dn.ts";
import type { Anchor } from "../core/entry.ts";
import { unreachable } from "../core/errors.ts";
import { LAST_BELIEVED } from "../core/seal.ts";
import type { Container, LastKnown, Protection, Reading, ReadingEnd, Source, Whereabouts } from "../source/source.ts";
import type { Session } from "../store/session.ts";
import type { SourceState } from "../store/snapshot.ts";
import type { MovedRow } from "../store/stage.ts";
import { decodeIfPossible, lostAttributes } from "./attributes.ts";
import { coversDn } from "./protection.ts";
import { dnDigest, stageIfChanged } from "./reading.ts";

/** So many are asked for in one go; memory stays bounded however many are missing. */
const BATCH = 500;
/** More attributes than this are not probed in one delta: a full reading judges such a case by its numbers. */
const PROBES = 20;

/** What absence counts for in this reading. */
export type Absence =
	/** The reading is sealed: who is nowhere is gone. `evidence` is the phrase that says so. */
	| { readonly kind: "proves"; readonly evidence: string }
	/** Only what was seen counts: an entry elsewhere, a tombstone. */
	| { readonly kind: "proves-nothing" };

/** Who is asked, about whom, on what connection. */
export interface Locating {
	readonly session: Session;
	readonly source: Source;
	readonly state: SourceState;
	readonly reading: Reading;
	readonly protection: Protection;
	/** Gathers the ids of those that protection covers where they are now. */
	readonly shielded: Set<number>;
}

/** Asks where these known entries are and stages what is certain. Returns those that could be found nowhere and stay as they are. */
export async function locate(
	locating: Locating,
	ids: readonly number[],
	absence: Absence,
	nameNow: (dn: string) => string = (dn) => dn,
): Promise<readonly number[]> {
	const { session, source, reading } = locating;
	const left: number[] = [];
	for (let at = 0; at < ids.length; at += BATCH) {
		const asked = new Map<Anchor, number>();
		const wanted: LastKnown[] = [];
		for (const id of ids.slice(at, at + BATCH)) {
			const stored = session.snapshot.bytes(id);
			if (stored === undefined) continue;
			asked.set(stored.anchor, id);
			const entry = decodeIfPossible(source, stored.bytes);
			wanted.push({ anchor: stored.anchor, dn: nameNow(source.dn(stored.bytes)), had: [...(entry?.attributes.keys() ?? [])] });
		}
		const found = await reading.lookup(wanted);
		session.stage.batch(() => {
			for (const [anchor, id] of asked) {
				const where = found.get(anchor);
				if (where === undefined || !stageWhereabouts(locating, id, where, absence)) left.push(id);
			}
		});
	}
	return left;
}

/**
 * Translates a DN of an earlier day into today's, where a container above it has been renamed or moved since: whoever is gone was
 * not read again when that happened. `now` are today's containers.
 */
export function makeNameNow(session: Session, state: SourceState, now: readonly Container[]): (dn: string) => string {
	const anchors = new Map(session.snapshot.containerNames(state.id).map(({ anchor, dn }) => [dnKey(dn), anchor]));
	const current = new Map(now.map(({ anchor, dn }) => [anchor, dn]));
	return (dn) => {
		for (let above = parentDn(dn); above !== undefined; above = parentDn(above)) {
			const anchor = anchors.get(dnKey(above));
			const today = anchor === undefined ? undefined : current.get(anchor);
			if (today !== undefined) return dn.slice(0, dn.length - above.length) + today;
		}
		return dn;
	};
}

/** Returns false when it says nothing that can be acted on. */
function stageWhereabouts(locating: Locating, id: number, where: Whereabouts, absence: Absence): boolean {
	const { session, source, state, protection, shielded } = locating;
	switch (where.kind) {
		case "in-scope":
			stageIfChanged(session, source, state, where.entry);
			return true;
		case "out-of-scope":
			if (where.doubt !== undefined && absence.kind === "proves-nothing") return false;
			// Where it was may not be protected, and where it is now be.
			if (coversDn(protection, dnKey(where.dn))) shielded.add(id);
			session.stage.gone(id, "out-of-scope", where.where, where.doubt);
			return true;
		case "deleted":
			session.stage.gone(id, "deleted", absence.kind === "proves" ? absence.evidence : "its tombstone was seen", undefined);
			return true;
		case "unseen":
			if (absence.kind === "proves-nothing") return false;
			session.stage.gone(id, "deleted", absence.evidence, where.doubt);
			return true;
		default:
			return unreachable(where);
	}
}

/**
 * After a delta's pages: follows what moved without its own mark moving. Returns how many that changed could not be seen any more
 * when they were asked for: what became of them is not known, so this reading is none to go on from.
 */
export async function followMoves(locating: Locating, end: ReadingEnd): Promise<number> {
	const { session, source, state, reading } = locating;
	const nothing: Absence = { kind: "proves-nothing" };
	const outside = end.outside.flatMap(({ anchor }) => {
		const known = session.snapshot.byAnchor(state.id, anchor);
		return known === undefined || known.gone !== null ? [] : [known.id];
	});
	const left = await locate(locating, outside, nothing);
	await locate(locating, peopleBeneathMoved(session, source, state, end), nothing);

	if (!source.attributes.includes("manager")) return left.length;
	const ids = new Set<number>();
	for (const moved of movedPages(session)) {
		const reports = await reading.reportsOf(moved.map(({ anchor }) => anchor));
		for (const dns of reports.values()) {
			for (const dn of dns) {
				const known = session.snapshot.byDn(state.id, dnDigest(dn));
				if (known !== undefined) ids.add(known.id);
			}
		}
	}
	await locate(locating, [...ids], nothing);
	return left.length;
}

/** Known people who lived beneath a container that has another DN now. A walk over the snapshot, as rare as a move of an OU. */
function peopleBeneathMoved(session: Session, source: Source, state: SourceState, end: ReadingEnd): readonly number[] {
	const moved = end.containers.flatMap(({ anchor, dn }) => {
		const old = session.snapshot.containerDn(state.id, anchor);
		return old === undefined || dnKey(old) === dnKey(dn) ? [] : [dnKey(old)];
	});
	if (moved.length === 0) return [];
	const ids: number[] = [];
	for (let after = 0; ; ) {
		const page = session.snapshot.presentIds(state.id, after, BATCH);
		for (const id of page) {
			const stored = session.snapshot.bytes(id);
			if (stored === undefined) continue;
			const key = dnKey(source.dn(stored.bytes));
			if (moved.some((container) => isBeneath(key, container))) ids.push(id);
		}
		const last = page.at(-1);
		if (last === undefined) return ids;
		after = last;
	}
}

/** What changed entries of a delta lost. */
export interface DeltaLoss {
	/** Attributes that nobody shows any more: lost rights. */
	readonly unreadable: ReadonlySet<string>;
	/** Every attribute that somebody lost. */
	readonly lost: ReadonlySet<string>;
}

export async function lossesOfDelta({ session, source, state, reading }: Locating): Promise<DeltaLoss> {
	const lost = new Set<string>();
	for (let after = 0; ; ) {
		const page = session.stage.page(after, BATCH);
		for (const row of page) {
			after = row.id;
			if (row.bytes === null || row.old_bytes === null || row.presence !== "present" || row.gone !== null) continue;
			const was = decodeIfPossible(source, row.old_bytes);
			const is = decodeIfPossible(source, row.bytes);
			if (was && is) for (const name of lostAttributes(source, was, is)) lost.add(name);
		}
		if (page.length < BATCH) break;
	}
	const unreadable = new Set<string>();
	if (lost.size === 0) return { unreadable, lost };
	const counts = session.snapshot.attributeCounts(state.id);
	// What hardly anybody had may well be gone from all of them.
	const telling = [...lost].filter((name) => (counts.get(name) ?? 0) > LAST_BELIEVED).sort();
	for (const name of telling.slice(0, PROBES)) if (!(await reading.isReadable(name))) unreadable.add(name);
	return { unreadable, lost };
}

/** Stages whoever names a moved entry as manager, as far as the snapshot knows: their `manager` may resolve differently now. */
export function stageReports(session: Session, state: SourceState): void {
	const { stage, snapshot } = session;
	if (state.active + state.inactive === 0) return;
	for (const moved of movedPages(session)) {
		stage.batch(() => {
			for (const { dn_digest, old_dn_digest } of moved) {
				for (const digest of [dn_digest, old_dn_digest]) {
					if (digest !== null) for (const id of snapshot.reportsOf(state.id, digest)) stage.known(id);
				}
			}
		});
	}
}

function* movedPages(session: Session): Generator<readonly MovedRow[]> {
	for (let after = 0; ; ) {
		const page = session.stage.moved(after, BATCH);
		const last = page.at(-1);
		if (last === undefined) return;
		yield page;
		after = last.id;
	}
}
