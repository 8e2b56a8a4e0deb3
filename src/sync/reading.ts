import { dnKey } from "../core/dn.ts";
import type { RawEntry } from "../core/entry.ts";
import { digest } from "../lib/digest.ts";
import { makeKnownTable } from "../lib/known-table.ts";
import type { Reading, Source } from "../source/source.ts";
import type { Session } from "../store/session.ts";
import type { SourceState } from "../store/snapshot.ts";

/** Entries that differ from the snapshot are on the stage; `unseen` are the known ones a full reading did not have. */
export interface StagedReading {
	readonly seen: number;
	readonly unseen: readonly number[];
}

/**
 * Reads all pages and stages what differs. An entry whose bytes hash to the known digest is not decoded at all, which makes a
 * reading of an unchanged directory as cheap as reading it.
 */
export async function stageReading(
	session: Session,
	source: Source,
	state: SourceState,
	reading: Reading,
	onPage: (done: number) => void,
): Promise<StagedReading> {
	return reading.mode === "full"
		? stageFull(session, source, state, reading, onPage)
		: { seen: await stageDelta(session, source, state, reading, onPage), unseen: [] };
}

async function stageFull(
	session: Session,
	source: Source,
	state: SourceState,
	reading: Reading,
	onPage: (done: number) => void,
): Promise<StagedReading> {
	const { stage, snapshot } = session;
	const known = makeKnownTable(state.entries);
	for (const [id, key, entryDigest] of snapshot.present(state.id)) known.add(key, entryDigest, id);
	let seen = 0;
	for await (const page of reading.pages) {
		stage.batch(() => {
			for (const entry of page) {
				const entryDigest = digest(entry.raw);
				if (known.seeUnchanged(entry.key, entryDigest) !== 0) continue;
				const isKnown = known.see(entry.key) !== 0;
				const id = stageEntry(session, source, state, entry, entryDigest, isKnown);
				if (!isKnown) known.addSeen(entry.key, entryDigest, id);
			}
		});
		seen += page.length;
		onPage(seen);
	}
	const unseen: number[] = [];
	for (const id of known.unseen()) unseen.push(id);
	return { seen, unseen };
}

async function stageDelta(
	session: Session,
	source: Source,
	state: SourceState,
	reading: Reading,
	onPage: (done: number) => void,
): Promise<number> {
	let seen = 0;
	for await (const page of reading.pages) {
		session.stage.batch(() => {
			for (const entry of page) stageIfChanged(session, source, state, entry);
		});
		seen += page.length;
		onPage(seen);
	}
	return seen;
}

/** Stages an entry unless the snapshot has just these bytes. Returns its id when it was staged. */
export function stageIfChanged(session: Session, source: Source, state: SourceState, entry: RawEntry): number | undefined {
	const entryDigest = digest(entry.raw);
	const anchor = source.anchor(entry.key);
	const known = session.snapshot.byAnchor(state.id, anchor);
	if (known !== undefined && known.gone === null && known.digest.equals(entryDigest)) return undefined;
	return stageEntry(session, source, state, entry, entryDigest, true);
}

/** `mayBeKnown` false: neither the snapshot nor the stage has this key, for certain. */
function stageEntry(
	session: Session,
	source: Source,
	state: SourceState,
	{ key, raw }: RawEntry,
	entryDigest: Buffer,
	mayBeKnown: boolean,
): number {
	const { stage, snapshot } = session;
	const anchor = source.anchor(key);
	// Entries that are gone are in the snapshot too, and never in the table.
	const known = mayBeKnown || state.gone > 0 ? snapshot.byAnchor(state.id, anchor) : undefined;
	// An entry that moves between two pages comes twice: the later one stands.
	const dn = dnDigest(source.dn(raw));
	const id = known?.id ?? (mayBeKnown ? stage.idOf(anchor) : undefined) ?? strangerId(session, source, state, key, dn) ?? stage.allocate();
	stage.entry({ id, anchor, key, digest: entryDigest, dnDigest: dn, bytes: raw, isNew: known === undefined });
	return id;
}

/** The id under which groups have somebody as a member who is an entry only now. */
function strangerId({ groups }: Session, source: Source, state: SourceState, key: Uint8Array, dn: Uint8Array): number | undefined {
	if (source.memberKeys === undefined || state.id === 0) return undefined;
	return groups.stranger(state.id, source.memberKeys === "anchor" ? key : dn);
}

/** What a DN is found by. */
export function dnDigest(dn: string): Buffer {
	return digest(dnKey(dn));
}
