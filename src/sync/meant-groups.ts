import type { Anchor } from "../core/entry.ts";
import type { ReadingEnd, ScopeGroup } from "../source/source.ts";
import type { Session } from "../store/session.ts";
import type { SourceState } from "../store/snapshot.ts";

/**
 * The groups that are meant by the names in the configuration, as a reading ends. A source that cannot see the one that was meant until
 * now may find another one of its name: that is the one meant only once the first is gone for certain. Until then who is in it is
 * as the snapshot has it. Call when it is known what became of groups that were not seen.
 */
export function meantGroups(session: Session, state: SourceState, end: ReadingEnd): Pick<ReadingEnd, "scopeGroups" | "ruleGroups"> {
	const { groups } = session;
	const pinned = (before: readonly ScopeGroup[]) => new Map(before.map(({ nameKey, anchor }) => [nameKey, anchor]));
	const [scope, rules] = [pinned(groups.scope(state.id) ?? []), pinned(groups.named(state.id))];
	const isAnother = (pin: Anchor | undefined, found: Anchor): pin is Anchor =>
		pin !== undefined && pin !== found && !isGone(session, state, pin);
	return {
		scopeGroups: end.scopeGroups?.map((found) => {
			const pin = scope.get(found.nameKey);
			return isAnother(pin, found.anchor) ? { ...found, anchor: pin } : found;
		}),
		// The one that was meant is missing then, as if nothing had been found.
		ruleGroups: end.ruleGroups.filter(({ nameKey, anchor }) => !isAnother(rules.get(nameKey), anchor)),
	};
}

function isGone({ groupStage }: Session, state: SourceState, anchor: Anchor): boolean {
	const group = groupStage.info(state.id).find((each) => each.anchor === anchor);
	return group === undefined || (group.presence !== "present" && group.doubt === null);
}
