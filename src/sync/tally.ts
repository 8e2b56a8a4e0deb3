import { collapsed, unreadableStanding } from "../core/seal.ts";
import type { Source } from "../source/source.ts";
import type { Session } from "../store/session.ts";
import type { SourceState } from "../store/snapshot.ts";
import { decodeIfPossible, lostAttributes } from "./attributes.ts";

const PAGE = 500;

/**
 * Why the entries read so far cannot be believed whole: attributes that many lost, states that cannot be read. Asked before
 * absence is taken for anything, and only if somebody is absent: it decodes what changed once more.
 */
export function doubtsOfStage(session: Session, source: Source, state: SourceState): readonly string[] {
	const stored = session.snapshot.attributeCounts(state.id);
	const losses = new Map<string, number>();
	const standing = { shown: stored.get(STANDING) ?? 0, entries: state.entries };
	for (let after = 0; ; ) {
		const page = session.stage.page(after, PAGE);
		for (const row of page) {
			after = row.id;
			if (row.bytes === null || row.presence !== "present") continue;
			const is = decodeIfPossible(source, row.bytes);
			const was = row.old_bytes === null || row.gone !== null ? undefined : decodeIfPossible(source, row.old_bytes);
			standing.shown += Number(is?.attributes.has(STANDING) ?? false) - Number(was?.attributes.has(STANDING) ?? false);
			if (was === undefined) standing.entries++;
			if (is && was) for (const name of lostAttributes(source, was, is)) losses.set(name, (losses.get(name) ?? 0) + 1);
		}
		if (page.length < PAGE) break;
	}
	return [
		...collapsed([...losses].map(([attribute, lost]) => ({ attribute, lost, had: stored.get(attribute) ?? 0 }))),
		...(stored.has(STANDING) ? unreadableStanding(standing.shown, standing.entries) : []),
	];
}

/** The same of the state alone, once everything is planned: `counts` is what the plan adds. */
export function doubtsOfStanding(
	session: Session,
	state: SourceState,
	counts: ReadonlyMap<string, number>,
	entries: number,
): readonly string[] {
	const stored = session.snapshot.attributeCounts(state.id).get(STANDING);
	// Never seen at all: a source that has its state from elsewhere.
	return stored === undefined ? [] : unreadableStanding(stored + (counts.get(STANDING) ?? 0), entries);
}

/** The attribute that says whether an account of AD is disabled. */
export const STANDING = "useraccountcontrol";
