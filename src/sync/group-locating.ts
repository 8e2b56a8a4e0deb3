import type { Anchor } from "../core/entry.ts";
import type { GroupsReading, LastKnown, Source } from "../source/source.ts";
import type { Session } from "../store/session.ts";
import type { SourceState } from "../store/snapshot.ts";
import type { Absence } from "./locate.ts";

/** So many are asked for in one go. */
const BATCH = 500;

/** Asks where known groups are that were not seen, and stages what is certain. Returns how many could be found nowhere and stay. */
export async function locateGroups(
	session: Session,
	source: Source,
	state: SourceState,
	groups: GroupsReading,
	unseen: readonly number[],
	absence: Absence,
): Promise<number> {
	const known = new Map(unseen.length === 0 ? [] : session.groups.present(state.id).map((group) => [group.id, group]));
	let left = 0;
	for (let at = 0; at < unseen.length; at += BATCH) {
		const asked = new Map<Anchor, number>();
		const wanted: LastKnown[] = [];
		for (const id of unseen.slice(at, at + BATCH)) {
			const group = known.get(id);
			if (group === undefined) continue;
			asked.set(group.anchor, id);
			wanted.push({ anchor: group.anchor, dn: source.dn(group.bytes), had: [] });
		}
		const found = await groups.lookup(wanted);
		session.stage.batch(() => {
			for (const [anchor, id] of asked) {
				const where = found.get(anchor);
				const isCertain =
					absence.kind === "proves" || (where !== undefined && where.kind !== "unseen" && !("doubt" in where && where.doubt));
				if (where === undefined || where.kind === "in-scope" || !isCertain) left++;
				else if (where.kind === "out-of-scope") session.groupStage.gone(id, "out-of-scope", where.where, where.doubt);
				else if (where.kind === "deleted") session.groupStage.gone(id, "deleted", "its tombstone was seen", undefined);
				else session.groupStage.gone(id, "deleted", absence.kind === "proves" ? absence.evidence : "", where.doubt);
			}
		});
	}
	return left;
}

/** Groups that had members and show none: whether that can be believed. */
export async function doubtEmptied(session: Session, state: SourceState, groups: GroupsReading): Promise<void> {
	const emptied = session.groupStage.emptied(state.id);
	for (let at = 0; at < emptied.length; at += BATCH) {
		const batch = emptied.slice(at, at + BATCH);
		const doubts = await groups.doubtEmpty(batch.map(({ anchor }) => anchor));
		session.stage.batch(() => {
			for (const { id, anchor, is_remembered } of batch) {
				const because = doubts.get(anchor);
				if (because !== undefined) session.groupStage.doubt(id, because);
				else if (is_remembered === 1) session.groupStage.believe(id);
			}
		});
	}
}
