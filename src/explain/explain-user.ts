import type { Anchor } from "../core/entry.ts";
import { Failure } from "../core/errors.ts";
import type { FoundPerson, Source } from "../source/source.ts";
import type { People } from "../store/people.ts";
import type { Session } from "../store/session.ts";
import { changesOf, type Explained, explainPerson } from "./explain.ts";
import type { Explanation } from "./explanation.ts";
import { fieldsOf } from "./field-facts.ts";
import { findPeople } from "./find-people.ts";
import { scopeOf } from "./scope-fact.ts";

export interface ExplainContext {
	readonly session: Session;
	readonly people: People;
	readonly sources: readonly Explained[];
	/** Unix milliseconds. */
	readonly clock: () => number;
}

/**
 * Explains whoever is meant by a name: those whom the snapshot knows, else those whom the directory has now, else those whom the change
 * log remembers. There is always an answer.
 */
export async function explainUser(context: ExplainContext, user: string, signal: AbortSignal): Promise<readonly Explanation[]> {
	const known = explainKnown(context, findPeople(context.people, sourceById(context), user));
	if (known.length > 0) return known;
	const notes: string[] = [];
	const found: Explanation[] = [];
	for (const each of context.sources) {
		try {
			const { server, people } = await each.sync.source.find(user, signal);
			for (const person of people) found.push(...explainFound(context, each, person, server));
		} catch (error) {
			if (!(error instanceof Failure) || signal.aborted) throw error;
			notes.push(`source ${each.sync.source.name} could not be asked: ${error.message}`);
		}
	}
	if (found.length > 0) return found.map((one) => ({ ...one, notes: [...one.notes, ...notes] }));
	const once = context.people.onceNamed(user).map(({ anchor, source }) => remembered(context, anchor, source, notes));
	return once.length > 0 ? once : [nobody(context, user, notes)];
}

function explainKnown({ session, people, sources, clock }: ExplainContext, ids: readonly number[]): readonly Explanation[] {
	return ids.flatMap((id) => {
		const row = people.person(id);
		if (row === undefined) return [];
		const of = sources.find(({ sync }) => sync.source.name === row.source);
		if (of !== undefined) return [explainPerson(session, people, of, row, clock())];
		const summary = `source ${row.source} is not in the configuration any more: the account stays as it is`;
		return [{ ...blank, source: row.source, anchor: row.anchor, state: "unknown" as const, summary, changes: changesOf(people, row) }];
	});
}

/** Whose bytes are whose: a source of another type cannot read them. */
function sourceById({ people, sources }: ExplainContext): (id: number) => Source | undefined {
	const only = sources.length === 1 ? sources[0] : undefined;
	return (id) => {
		const name = only === undefined ? people.person(id)?.source : only.sync.source.name;
		return sources.find(({ sync }) => sync.source.name === name)?.sync.source;
	};
}

function explainFound(context: ExplainContext, of: Explained, person: FoundPerson, server: string): readonly Explanation[] {
	const { sync, lines } = of;
	const { place, anchor, dn } = person;
	const known = anchor === undefined ? [] : context.people.byName(anchor);
	// Known after all, by a name that the snapshot does not have.
	if (known.length > 0) return explainKnown(context, known);
	const at = context.clock();
	const entry = anchor === undefined ? undefined : sync.source.decode(person.raw);
	const isPerson = place.kind !== "not-a-person" && place.kind !== "deleted";
	return [
		{
			...blank,
			...{ source: sync.source.name, anchor, dn },
			...wordsFor(place),
			entry: entry && { attributes: Object.fromEntries(entry.attributes), server, at, run: undefined, seen: undefined },
			scope:
				place.kind === "deleted" ? { isIn: false, line: undefined, why: "only its tombstone is there" } : scopeOf(place, dn, lines, false),
			fields: entry === undefined || !isPerson ? [] : fieldsOf(entry, lines, undefined, () => undefined),
			changes: anchor === undefined ? [] : changesOf(context.people, { anchor, source: sync.source.name }),
		},
	];
}

function wordsFor(place: FoundPerson["place"]): Pick<Explanation, "state" | "summary"> {
	switch (place.kind) {
		case "in-scope":
			return { state: "unread", summary: "no account yet: in scope, and not read so far; the next run reads it" };
		case "elsewhere":
			return { state: "elsewhere", summary: `no account: ${place.where}` };
		case "excluded":
			return { state: "excluded", summary: `no account: beneath the excluded ${place.by}` };
		case "filtered":
			return { state: "filtered", summary: `no account: ${place.why}` };
		case "not-a-person":
			return { state: "not-a-person", summary: `no account: it is ${place.what}` };
		case "unknown":
			return { state: "unknown", summary: place.why };
		case "deleted": {
			const where = place.where === undefined ? "" : `, it was ${place.where}`;
			const when = place.changedAt === undefined ? "" : `, since ${new Date(place.changedAt).toISOString().slice(0, 10)} or earlier`;
			return { state: "deleted", summary: `no account: deleted in the directory${where}${when}, and never an account here` };
		}
	}
}

function remembered({ people }: ExplainContext, anchor: Anchor, source: string, notes: readonly string[]): Explanation {
	const changes = changesOf(people, { anchor, source });
	const [last] = changes;
	const what = last === undefined ? "" : `; the last change: ${last.kind} in run ${last.run}, ${last.why}`;
	return {
		...blank,
		source,
		anchor,
		state: "deleted",
		summary: `no account any more, and nobody of this name in the directory${what}`,
		changes,
		notes,
	};
}

function nobody({ sources }: ExplainContext, user: string, notes: readonly string[]): Explanation {
	const names = sources.map(({ sync }) => sync.source.name).join(", ");
	const asked = notes.length < sources.length ? `, and nobody of this name that its account may see in ${names}` : "";
	const summary = `nobody called ${JSON.stringify(user)} is known: no entry, no account and no change here${asked}`;
	return { ...blank, source: names, state: "never-there", summary, notes };
}

const blank: Omit<Explanation, "source" | "state" | "summary"> = {
	...{ anchor: undefined, dn: undefined, entry: undefined, scope: undefined, account: undefined, quarantine: undefined },
	...{ fields: [], groups: [], features: [], policies: [], held: [], refused: [], pins: [], targets: [], changes: [], notes: [] },
};
