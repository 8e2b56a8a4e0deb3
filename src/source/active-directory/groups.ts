import type { GroupsReading, ReadGroup, ReadRequest, ScopeGroup } from "../source.ts";
import type { Marked } from "./delta.ts";
import { deltaGroups } from "./group-delta.ts";
import { doubtEmptyGroups } from "./group-doubt.ts";
import { readGroupEntry } from "./group-entry.ts";
import { fullGroups, type GroupTally } from "./group-pages.ts";
import type { GroupScope } from "./group-scope.ts";
import { makeLookup } from "./lookup.ts";
import { findNamedGroups, findRuleGroups, type NamedGroup } from "./named-groups.ts";
import { requireBases } from "./root.ts";
import type { Visit } from "./visit.ts";

/** The groups' side of a reading that has begun. */
export interface PreparedGroups {
	/** What changed, or undefined for all of them. */
	reading(marked: Marked | undefined): GroupsReading;
	/** Adds what is wrong to the reading's own lists. Call after the last page. */
	end(): void;
	readonly scopeGroups: readonly ScopeGroup[] | undefined;
	readonly ruleGroups: readonly ScopeGroup[];
}

/** Makes sure that the bases and the named groups are there. Throws Failure SOURCE_BASE_MISSING naming the one that is not. */
export async function prepareGroups(people: Visit, { scope, named, ruled }: GroupScope, request: ReadRequest): Promise<PreparedGroups> {
	const visit: Visit = { ...people, scope };
	await requireBases(visit.session, scope);
	const found = await findNamedGroups(visit, named, request.pins);
	const foundByRules = await findRuleGroups(visit, ruled, request.pins);
	const tally: GroupTally = { nameless: 0, isComplete: false };
	return {
		reading: (marked) => ({
			pages: pagesOf(visit, [...found, ...foundByRules], marked, request, tally),
			lookup: lookupGroups(visit),
			doubtEmpty: (groups) => doubtEmptyGroups(visit, groups),
		}),
		end: () => {
			if (!tally.isComplete) visit.unsealed.push("the reading of groups was not followed to its end");
			if (tally.nameless > 1) visit.unsealed.push(`${tally.nameless} groups in all show no objectGUID`);
		},
		scopeGroups: named.length === 0 ? undefined : found.map(pinOf),
		ruleGroups: foundByRules.map(pinOf),
	};
}

function pinOf({ nameKey, anchor }: NamedGroup): ScopeGroup {
	return { nameKey, anchor };
}

function pagesOf(
	visit: Visit,
	named: readonly NamedGroup[],
	marked: Marked | undefined,
	{ known }: ReadRequest,
	tally: GroupTally,
): AsyncIterable<readonly ReadGroup[]> {
	return marked === undefined ? fullGroups(visit, named, tally) : deltaGroups(visit, { marked, named, known }, tally);
}

/** The same bytes as those of a reading, where a group is found. */
function lookupGroups(visit: Visit): GroupsReading["lookup"] {
	const lookup = makeLookup(visit);
	return async (wanted) => {
		const answers = new Map(await lookup(wanted));
		for (const [anchor, where] of answers) {
			if (where.kind !== "in-scope") continue;
			answers.set(anchor, { kind: "in-scope", entry: { key: where.entry.key, raw: readGroupEntry(where.entry.raw).raw } });
		}
		return answers;
	};
}
