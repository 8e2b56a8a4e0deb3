import { dnKey, parentDn } from "../../core/dn.ts";
import type { Anchor } from "../../core/entry.ts";
import type { Filter } from "../../core/filter.ts";
import { standpointOf } from "../ldap/place.ts";
import { dnOf, hasRanges, textsOf } from "../ldap/wire/entry.ts";
import { completeRanges } from "../ldap/wire/range.ts";
import type { LastKnown, Whereabouts } from "../source.ts";
import { findDeleted } from "./deleted.ts";
import { type Doubts, makeDoubts } from "./doubt.ts";
import { guidAnchor } from "./guid.ts";
import type { Unmatched } from "./unmatched.ts";
import { byGuid, keyOf, placeName, type Visit, visitFew } from "./visit.ts";

/** Anchors asked for in one search. */
const BATCH = 50;

/** sAMAccountType of a normal user (MS-ADTS §2.2.16). */
const PERSON = "805306368";

/** Asks for single entries of the scope's kind by anchor; every one of them gets an answer. */
export function makeLookup(visit: Visit): (wanted: readonly LastKnown[]) => Promise<ReadonlyMap<Anchor, Whereabouts>> {
	const doubts = makeDoubts(visit);
	return async (wanted) => {
		const batches: Batch[] = [];
		for (let at = 0; at < wanted.length; at += BATCH) {
			const people = wanted.slice(at, at + BATCH);
			const live = await findLive(visit, people);
			const missing = people.map(({ anchor }) => anchor).filter((anchor) => !live.seen.has(anchor));
			batches.push({ people, live, deleted: await findDeleted(visit, missing) });
		}
		// Who lost what together with whom must be known before the first one is judged.
		for (const { people, live } of batches) {
			for (const person of people) {
				const unmatched = findUnmatched(visit, person, live);
				if (unmatched !== undefined) doubts.note(unmatched);
			}
		}
		const answers = new Map<Anchor, Whereabouts>();
		for (const { people, live, deleted } of batches) {
			for (const person of people) answers.set(person.anchor, await whereabouts(visit, doubts, person, live, deleted));
		}
		return answers;
	};
}

interface Batch {
	readonly people: readonly LastKnown[];
	readonly live: Live;
	readonly deleted: ReadonlySet<Anchor>;
}

interface Live {
	/** Whatever it is now, wherever it is now. */
	readonly seen: ReadonlyMap<Anchor, Uint8Array>;
	/** Those that match as people in scope; where they are is not yet said. */
	readonly matching: ReadonlyMap<Anchor, Uint8Array>;
}

async function findLive(visit: Visit, batch: readonly LastKnown[]): Promise<Live> {
	const filter = byGuid(batch.map(({ anchor }) => anchor));
	const attributes = visit.scope.attributes;
	const seen = new Map<Anchor, Uint8Array>();
	const matching = new Map<Anchor, Uint8Array>();
	for (const { dn } of visit.root.domains) {
		await collect(visit, seen, dn, filter);
		const people: Filter = { kind: "and", parts: [visit.scope.wanted, filter] };
		for (const raw of await visitFew(visit, { base: dn, scope: "sub", filter: people, attributes })) {
			const key = keyOf(raw);
			if (key !== undefined) matching.set(guidAnchor(key), hasRanges(raw) ? await completeRanges(visit.session, raw) : raw);
		}
	}
	return { seen, matching };
}

async function collect(visit: Visit, into: Map<Anchor, Uint8Array>, base: string, filter: Filter): Promise<void> {
	const attributes = [...visit.scope.attributes, "objectCategory"]; // Doubts want to know whether it can be read.
	for (const raw of await visitFew(visit, { base, scope: "sub", filter, attributes })) {
		const key = keyOf(raw);
		if (key !== undefined) into.set(guidAnchor(key), raw);
	}
}

/** Somebody in a base who is seen, but not among the people in scope. */
function findUnmatched(visit: Visit, person: LastKnown, live: Live): Unmatched | undefined {
	const raw = live.matching.has(person.anchor) ? undefined : live.seen.get(person.anchor);
	if (raw === undefined) return undefined;
	const dn = dnOf(raw);
	return standpointOf(visit.scope, dnKey(dn)).kind === "inside" ? { person, dn, raw } : undefined;
}

async function whereabouts(
	visit: Visit,
	doubts: Doubts,
	person: LastKnown,
	live: Live,
	deleted: ReadonlySet<Anchor>,
): Promise<Whereabouts> {
	const raw = live.matching.get(person.anchor) ?? live.seen.get(person.anchor);
	if (raw === undefined) return deleted.has(person.anchor) ? { kind: "deleted" } : { kind: "unseen", doubt: await doubts.unseen(person) };
	const dn = dnOf(raw);
	const standpoint = standpointOf(visit.scope, dnKey(dn));
	if (standpoint.kind === "elsewhere") {
		return { kind: "out-of-scope", dn, where: `now in ${placeName(parentDn(dn) ?? dn, visit.root)}`, doubt: undefined };
	}
	if (standpoint.kind === "excluded") {
		return { kind: "out-of-scope", dn, where: `now in the excluded ${placeName(standpoint.by.dn, visit.root)}`, doubt: undefined };
	}
	if (live.matching.has(person.anchor)) return { kind: "in-scope", entry: { key: keyOf(raw) as Uint8Array, raw } };
	const doubt = await doubts.unmatched({ person, dn, raw });
	const { one, filter } = visit.scope.words;
	return { kind: "out-of-scope", dn, where: isOfKind(raw, one) ? `no longer matches ${filter}` : `not a ${one} any more`, doubt };
}

function isOfKind(raw: Uint8Array, one: string): boolean {
	if (one === "person") return textsOf(raw, "sAMAccountType")[0] === PERSON;
	return textsOf(raw, "objectClass").some((name) => name.toLowerCase() === one);
}
