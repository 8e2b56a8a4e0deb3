import { closeNesting, type Nesting } from "../core/membership.ts";
import type { ScopeGroup } from "../source/source.ts";
import type { GroupInfo } from "../store/group-stage.ts";
import type { Session } from "../store/session.ts";
import type { SourceState } from "../store/snapshot.ts";

/** Who is in which groups, nested ones included, as this run leaves it: snapshot and stage together. Made once per run. */
export interface Membership {
	readonly groups: ReadonlyMap<number, GroupInfo>;
	readonly nesting: Nesting;
	/** Every group that a person is in; `primaryId` is what its own entry names. */
	groupsOf(person: number, primaryId: string | undefined): ReadonlySet<number>;
	/** Those among them that name the person themselves. */
	directGroupsOf(person: number): readonly number[];
	/** Why a group may have members that cannot be seen, by itself or by a group within it; undefined: who is in it is known. */
	doubtOf(group: number): string | undefined;
	/** People whose groups may be others than at the last commit; also ids that are no people. */
	touched(): ReadonlySet<number>;
}

export function openMembership(session: Session, state: SourceState): Membership {
	const { groupStage, groupPlan } = session;
	groupStage.indexMembers();
	// Asked for when somebody's groups are: a delta in which nothing happened should not look at a single group.
	const groupsNow = once(() => new Map(groupStage.info(state.id).map((group) => [group.id, group])));
	const edges = once(() => [...groupStage.nested(state.id)]);
	const everyNesting = once(() => closeNesting(edges()));
	const byPrimaryId = once(
		() => new Map([...groupsNow().values()].flatMap(({ id, primary_id }) => (primary_id === null ? [] : [[primary_id, id] as const]))),
	);
	// What is gone for certain gives nothing to anyone; what is doubted does as before.
	const counts = (id: number): boolean => {
		const group = groupsNow().get(id);
		return group !== undefined && (group.presence === "present" || group.doubt !== null);
	};

	// Nobody is in a group through one that is gone, though whoever was has to be looked at again.
	const nestingNow = once(() => {
		const living = edges().filter(({ parent, child }) => counts(parent) && counts(child));
		return living.length === edges().length ? everyNesting() : closeNesting(living);
	});

	/** Kept, since a full evaluation asks for everybody: a company has far fewer groups than people. */
	const known = new Map<number, readonly number[]>();
	const aboveOf = (group: number): readonly number[] => {
		const above = known.get(group) ?? nestingNow().above(group).filter(counts);
		known.set(group, above);
		return above;
	};

	/** What is hidden of a group is hidden of every group that it is in. */
	const doubts = once(() => {
		const found = new Map<number, string>();
		for (const { id, doubt } of groupsNow().values()) {
			if (doubt !== null) for (const above of everyNesting().above(id)) if (!found.has(above)) found.set(above, doubt);
		}
		return found;
	});

	const peopleBeneath = (start: number, into: Set<number>): void => {
		const seen = new Set([start]);
		for (const group of seen) {
			for (const child of everyNesting().children(group)) seen.add(child);
			for (const member of groupStage.membersOf(group)) into.add(member);
			const primaryId = groupsNow().get(group)?.primary_id ?? null;
			if (primaryId !== null) for (const person of groupPlan.primaryPeople(state.id, primaryId)) into.add(person);
		}
	};

	return {
		get groups() {
			return groupsNow();
		},
		get nesting() {
			return nestingNow();
		},
		directGroupsOf: (person) => groupStage.groupsOf(person).filter(counts),
		groupsOf: (person, primaryId) => {
			const direct = groupStage.groupsOf(person).filter(counts);
			const primary = primaryId === undefined ? undefined : byPrimaryId().get(primaryId);
			if (primary !== undefined && counts(primary)) direct.push(primary);
			const all = new Set<number>();
			for (const group of direct) for (const above of aboveOf(group)) all.add(above);
			return all;
		},
		doubtOf: (group) => doubts().get(group),
		touched: () => {
			const people = new Set<number>();
			if (groupStage.isEmpty()) return people;
			for (const member of groupStage.changedMembers()) people.add(member);
			for (const { child } of groupStage.changedNesting(state.id)) peopleBeneath(child, people);
			for (const { id, is_turned } of groupsNow().values()) if (is_turned === 1) peopleBeneath(id, people);
			return people;
		},
	};
}

/** Scope by group: who is in none of the groups that `users.groups` names is not in scope. */
export interface GroupScope {
	has(person: number, primaryId: string | undefined): boolean;
	/** Why one of the groups may have members that cannot be seen, if so. */
	readonly doubt: string | undefined;
}

export function makeGroupScope(session: Session, state: SourceState, membership: Membership, scope: readonly ScopeGroup[]): GroupScope {
	const ids = scope.flatMap((group) => idOfGroup(session, state, group) ?? []);
	return {
		has: (person, primaryId) => {
			const groups = membership.groupsOf(person, primaryId);
			return ids.some((id) => groups.has(id));
		},
		get doubt() {
			return ids.flatMap((id) => membership.doubtOf(id) ?? [])[0];
		},
	};
}

/** The groups that rules name, as far as they were found, and who is in them. */
export interface NamedGroups {
	/** By the key of its name (see `groupKey`); undefined: it cannot be found. */
	idOf(nameKey: string): number | undefined;
	/** The groups that a person is in, by ways that a condition tells apart (see `Subject`). */
	readonly waysOf: Readonly<Record<"nested" | "direct" | "chain", (person: number, primaryId: string | undefined) => ReadonlySet<number>>>;
	/** Why one of these may have members that cannot be seen, if so. */
	doubtOf(nameKeys: Iterable<string>): string | undefined;
}

export function makeNamedGroups(session: Session, state: SourceState, membership: Membership, found: readonly ScopeGroup[]): NamedGroups {
	const ids = new Map(found.map((group) => [group.nameKey, idOfGroup(session, state, group)]));
	return {
		idOf: (nameKey) => ids.get(nameKey),
		waysOf: {
			nested: (person, primaryId) => membership.groupsOf(person, primaryId),
			direct: (person) => new Set(membership.directGroupsOf(person)),
			chain: (person) => membership.groupsOf(person, undefined),
		},
		doubtOf: (nameKeys) => {
			for (const key of nameKeys) {
				const id = ids.get(key);
				const doubt = id === undefined ? undefined : membership.doubtOf(id);
				if (doubt !== undefined) return doubt;
			}
			return undefined;
		},
	};
}

function idOfGroup({ groupStage, groups }: Session, state: SourceState, { anchor }: ScopeGroup): number | undefined {
	return groupStage.idByAnchor(anchor) ?? groups.byAnchor(state.id, anchor)?.id;
}

function once<T>(make: () => T): () => T {
	let made: { readonly value: T } | undefined;
	return () => {
		made ??= { value: make() };
		return made.value;
	};
}
