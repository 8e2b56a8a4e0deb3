import { groupKey } from "../core/group-name.ts";
import type { ScopeGroup, Source } from "../source/source.ts";
import type { Session } from "../store/session.ts";
import type { SourceState } from "../store/snapshot.ts";
import type { PlanningResult } from "./planning.ts";
import type { ProspectContext } from "./prospects.ts";
import type { SyncSource } from "./settings.ts";
import { groupsOfViews } from "./views.ts";

/** What rules stand on in this run: the groups that they name and that are there, and the attributes that entries were asked for. */
export interface RulesNow {
	readonly groups: readonly ScopeGroup[];
	/** Keys of the names by which these were found. */
	readonly names: ReadonlySet<string>;
	readonly asked: ProspectContext["asked"];
	/** Whether everybody is planned anew: by other rules, or because a group that these name was found, or not found any more. */
	readonly isAnother: boolean;
	/** Whether everybody can be planned by all that the rules ask about. */
	readonly isUpToDate: boolean;
}

/** What a reading says of them. */
interface Read {
	readonly ruleGroups: readonly ScopeGroup[];
	/** Whether it saw everybody, for certain. */
	readonly isComplete: boolean;
}

/** `read` undefined: nothing is read in this run, and the last reading counts. */
export function rulesNow(session: Session, sync: SyncSource, state: SourceState, read: Read | undefined): RulesNow {
	const before = session.groups.named(state.id);
	const groups = read?.ruleGroups ?? before;
	const asked = askedFor(sync.source, state, read);
	const isFirst = state.id === 0 || state.rules === undefined;
	return {
		groups,
		names: new Set(groups.map((group) => group.nameKey)),
		asked,
		isAnother: !isFirst && (state.rules !== sync.rules || anchorsOf(sync, groups) !== anchorsOf(sync, before)),
		isUpToDate: isFirst || asked.before.size === asked.now.size,
	};
}

/** What rules could not tell: of groups that are not there, and of people although they are. */
export function untoldBy({ views }: SyncSource, { names }: RulesNow, { untold }: PlanningResult): readonly string[] {
	return views.flatMap(({ target, condition }) => {
		const missing = [...(condition?.groups ?? [])].filter(([key]) => !names.has(key));
		if (missing.length > 0)
			return missing.map(
				([, dn]) =>
					`target ${target}: the group "${dn}" is not there, or not visible to this account; who is in its scope by that cannot be told, and stays as is`,
			);
		const people = untold.get(target);
		if (people === undefined) return [];
		const number = people.count.toLocaleString("en-US");
		return [
			`target ${target}: of ${number} people it cannot be told whether they are in its scope (${people.why}); they stay as they are there`,
		];
	});
}

function anchorsOf({ views }: SyncSource, groups: readonly ScopeGroup[]): string {
	const anchors = new Map(groups.map((group) => [group.nameKey, group.anchor]));
	return JSON.stringify(groupsOfViews(views).map((name) => anchors.get(groupKey(name)) ?? null));
}

/** What the snapshot has of somebody unread was asked for by the last reading, unless this one saw everybody. */
function askedFor(source: Source, state: SourceState, read: Read | undefined): ProspectContext["asked"] {
	const now = new Set(source.attributes.map((name) => name.toLowerCase()));
	if (read?.isComplete === true) return { now, before: now };
	const before = new Set((JSON.parse(state.attributes ?? "[]") as string[]).map((name) => name.toLowerCase()));
	return { now, before: new Set([...now].filter((name) => before.has(name))) };
}
