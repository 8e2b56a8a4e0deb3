import type { CompiledRules } from "../core/rules.ts";
import type { ScopeGroup, Source } from "../source/source.ts";
import type { PinnedGroup } from "../store/groups.ts";
import type { Session } from "../store/session.ts";
import type { SourceState } from "../store/snapshot.ts";
import type { PlanningResult } from "./planning.ts";
import type { SyncSource, TargetView } from "./settings.ts";
import type { SubjectContext } from "./subjects.ts";

/** What rules stand on in this run: the groups that they name and that are there, and the attributes that entries were asked for. */
export interface RulesNow {
	/** Those that are there. */
	readonly groups: readonly ScopeGroup[];
	/** These, and those that were there once: who is in one that is gone for certain is in no group. */
	readonly pinned: readonly PinnedGroup[];
	/** Keys of the names of those that are there. */
	readonly names: ReadonlySet<string>;
	readonly asked: SubjectContext["asked"];
	/** Whether everybody is planned anew: by other rules, because a group that these name was found, or not found any more, or by another scope. */
	readonly isAnother: boolean;
	/** Whether everybody can be planned by all that the rules ask about. */
	readonly isUpToDate: boolean;
}

/** What a reading says of them. */
interface Read {
	readonly ruleGroups: readonly ScopeGroup[];
	/** The groups that make the scope, if any do. */
	readonly scopeGroups: readonly ScopeGroup[] | undefined;
	/** Whether it saw everybody, for certain. */
	readonly isComplete: boolean;
}

/** `read` undefined: nothing is read in this run, and the last reading counts. */
export function rulesNow(session: Session, sync: SyncSource, state: SourceState, read: Read | undefined): RulesNow {
	const before = session.groups.named(state.id);
	const groups = read?.ruleGroups ?? before.filter(({ isMissing }) => isMissing !== true);
	const names = new Set(groups.map((group) => group.nameKey));
	const wanted = groupsOfRules(sync);
	const missing = before.filter(({ nameKey }) => wanted.has(nameKey) && !names.has(nameKey));
	const pinned = [...groups, ...missing.map((group) => ({ ...group, isMissing: true as const }))];
	const asked = askedFor(sync.source, state, read);
	const isFirst = state.id === 0 || state.rules === undefined;
	return {
		groups,
		pinned,
		names,
		asked,
		isAnother:
			!isFirst &&
			(state.rules !== sync.rules || anchorsOf(wanted, pinned) !== anchorsOf(wanted, before) || isScopeAnother(session, state, read)),
		isUpToDate: isFirst || asked.before.size === asked.now.size,
	};
}

/** Whether other groups make the scope than at the last reading. */
function isScopeAnother({ groups }: Session, state: SourceState, read: Read | undefined): boolean {
	const sorted = (scope: readonly ScopeGroup[] | undefined) => JSON.stringify(scope?.map(({ anchor }) => anchor).sort() ?? null);
	return read !== undefined && sorted(read.scopeGroups) !== sorted(groups.scope(state.id));
}

/** The groups that conditions name, of targets and of features and policies: as written, by their keys. */
export function groupsOfRules({ entitling, views }: RuleHolders): ReadonlyMap<string, string> {
	return new Map([...entitling.groups, ...views.flatMap(({ condition }) => [...(condition?.groups ?? [])])]);
}

/** The attributes that conditions follow from entry to entry. */
export function chainsOfRules({ entitling, views }: RuleHolders): ReadonlySet<string> {
	return new Set([...entitling.chains, ...views.flatMap(({ condition }) => [...(condition?.chains ?? [])])]);
}

export interface RuleHolders {
	readonly entitling: CompiledRules;
	readonly views: readonly TargetView[];
}

/** What rules could not tell: of groups that are not there, and of people although they are. */
export function untoldBy(sync: SyncSource, rules: RulesNow, planning: PlanningResult): readonly string[] {
	return [...untoldByViews(sync, rules, planning), ...untoldByRules(sync, rules, planning)];
}

function untoldByViews({ views }: SyncSource, { names }: RulesNow, { untold }: PlanningResult): readonly string[] {
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

function untoldByRules({ entitling }: SyncSource, { names, pinned }: RulesNow, { untoldRules }: PlanningResult): readonly string[] {
	const known = new Set(pinned.map(({ nameKey }) => nameKey));
	return entitling.all.flatMap(({ kind, name, place, condition }) => {
		const missing = [...(condition?.groups ?? [])].filter(([key]) => !names.has(key));
		if (missing.length > 0)
			return missing.map(([key, group]) => {
				const rule = `${place}: the group "${group}" of ${kind} ${name} is not there`;
				return known.has(key)
					? `${rule} any more, or not visible to this account; where that is certain nobody is in it, else who was still is`
					: `${rule}, or not visible to this account; who has ${name} keeps it, and nobody gets it by this rule`;
			});
		const people = untoldRules.get(place);
		if (people === undefined) return [];
		const number = people.count.toLocaleString("en-US");
		return [`${place}: of ${number} people it cannot be told whether they get ${kind} ${name} (${people.why}); they keep what they have`];
	});
}

/** Attributes that are asked for now, and that the snapshot's entries were not asked for. */
export function unreadOf({ asked }: RulesNow): ReadonlySet<string> {
	return new Set([...asked.now].filter((name) => !asked.before.has(name)));
}

/**
 * Rules of features and policies on attributes that nobody shows: misspelt perhaps, and then they would match nobody, or everybody, without a word. `unread`:
 * of these it is no wonder.
 */
export function unshownBy(
	session: Session,
	sync: SyncSource,
	state: SourceState,
	planning: PlanningResult,
	unread: ReadonlySet<string>,
): readonly string[] {
	const counts = session.snapshot.attributeCounts(state.id);
	const isShown = (name: string): boolean => (counts.get(name) ?? 0) + (planning.attributeCounts.get(name) ?? 0) > 0;
	return sync.entitling.all.flatMap(({ place, condition }) =>
		[...(condition?.attributes ?? [])]
			.filter((name) => name !== "distinguishedname" && !unread.has(name) && !isShown(name))
			.map(
				(name) =>
					`${place}: nobody shows the attribute ${name}: nobody has a value, it is not spelled so, or this account may not read it; dirsyncd check says which`,
			),
	);
}

function anchorsOf(wanted: ReadonlyMap<string, string>, groups: readonly PinnedGroup[]): string {
	const anchors = new Map(
		groups.map(({ nameKey, anchor, isMissing }) => [nameKey, `${anchor} ${isMissing === true ? "missing" : "there"}`]),
	);
	return JSON.stringify([...wanted.keys()].map((key) => anchors.get(key) ?? null));
}

/** What the snapshot has of somebody unread was asked for by the last reading, unless this one saw everybody. */
function askedFor(source: Source, state: SourceState, read: Read | undefined): SubjectContext["asked"] {
	const now = new Set(source.attributes.map((name) => name.toLowerCase()));
	if (read?.isComplete === true) return { now, before: now };
	const before = new Set((JSON.parse(state.attributes ?? "[]") as string[]).map((name) => name.toLowerCase()));
	return { now, before: new Set([...now].filter((name) => before.has(name))) };
}
