import { dnKey, parentDn } from "../../core/dn.ts";
import type { Anchor } from "../../core/entry.ts";
import type { Filter } from "../../core/filter.ts";
import { type Reach, standpointOf } from "../ldap/place.ts";
import { dnOf } from "../ldap/wire/entry.ts";
import type { LastKnown, Whereabouts } from "../source.ts";
import { type AnchorAttribute, byAnchor } from "./anchor.ts";
import { makeDoubts } from "./doubt.ts";
import { batchesOf, both, nameIn, not, type Visit, visitFew } from "./visit.ts";

/** What is looked for: people, or groups. */
export interface Sought {
	readonly anchor: AnchorAttribute;
	readonly reach: Reach;
	/** Those in scope. */
	readonly filter: Filter;
	/** The kind alone. */
	readonly kind: Filter;
	readonly attributes: readonly string[];
	/** "not a person any more". */
	readonly otherKind: string;
	/** "no longer matches users.filter". */
	readonly unmatched: string;
	/** The bytes as they are handed out. */
	finish(raw: Uint8Array): Promise<Uint8Array>;
}

type Lookup = (wanted: readonly LastKnown[]) => Promise<ReadonlyMap<Anchor, Whereabouts>>;

/** Asks for single entries by anchor; every one of them gets an answer. */
export function makeLookup(visit: Visit, sought: Sought): Lookup {
	const doubtUnseen = makeDoubts(visit);
	return async (wanted) => {
		const answers = new Map<Anchor, Whereabouts>();
		for (const batch of batchesOf(wanted)) {
			const live = await findLive(visit, sought, batch);
			for (const one of batch) {
				const raw = live.matching.get(one.anchor) ?? live.seen.get(one.anchor);
				answers.set(
					one.anchor,
					raw === undefined ? await unseen(visit, doubtUnseen, one) : await seen(visit, sought, live, one.anchor, raw),
				);
			}
		}
		return answers;
	};
}

interface Live {
	/** Whatever it is now, wherever it is now. */
	readonly seen: ReadonlyMap<Anchor, Uint8Array>;
	/** Those that match as in scope; where they are is not yet said. */
	readonly matching: ReadonlyMap<Anchor, Uint8Array>;
	/** Those within the bases of which the server says that they do not match: more than not saying that they do. */
	readonly refuted: ReadonlySet<Anchor>;
	/** Those that are of the kind, though not in scope. */
	readonly kind: ReadonlySet<Anchor>;
}

async function findLive(visit: Visit, sought: Sought, batch: readonly LastKnown[]): Promise<Live> {
	const { anchor, filter, kind, attributes, reach } = sought;
	const { anchors } = visit.scope;
	const find = async (narrow: Filter | undefined, among: readonly Anchor[], asked: readonly string[]): Promise<Map<Anchor, Uint8Array>> => {
		const found = new Map<Anchor, Uint8Array>();
		if (among.length === 0) return found;
		const ids = byAnchor(anchor, among);
		for (const { dn } of visit.root.contexts) {
			for (const raw of await visitFew(visit, dn, narrow === undefined ? ids : both(narrow, ids), asked)) {
				const key = anchor.keyOf(raw);
				if (key !== undefined) found.set(anchors.anchorOf(key), raw);
			}
		}
		return found;
	};
	const all = batch.map((one) => one.anchor);
	const own = [anchor.attribute];
	const matching = await find(filter, all, attributes);
	const seen = await find(
		undefined,
		all.filter((one) => !matching.has(one)),
		own,
	);
	const unmatched = [...seen].filter(([, raw]) => standpointOf(reach, dnKey(dnOf(raw))).kind === "inside").map(([one]) => one);
	const refuted = await find(not(filter), unmatched, own);
	const ofKind = await find(kind, unmatched, own);
	return { seen, matching, refuted: new Set(refuted.keys()), kind: new Set(ofKind.keys()) };
}

async function unseen(visit: Visit, doubtUnseen: (one: LastKnown) => Promise<string | undefined>, one: LastKnown): Promise<Whereabouts> {
	const doubt = await doubtUnseen(one);
	// The server counts as deleted what does not match any more: hidden by a change of its own, it would be that, too.
	return doubt === undefined && visit.deleted.has(one.anchor) ? { kind: "deleted" } : { kind: "unseen", doubt };
}

async function seen(visit: Visit, sought: Sought, live: Live, anchor: Anchor, raw: Uint8Array): Promise<Whereabouts> {
	const dn = dnOf(raw);
	const standpoint = standpointOf(sought.reach, dnKey(dn));
	if (standpoint.kind === "elsewhere") {
		return { kind: "out-of-scope", dn, where: `now in ${nameIn(visit, parentDn(dn) ?? dn)}`, doubt: undefined };
	}
	if (standpoint.kind === "excluded") {
		return { kind: "out-of-scope", dn, where: `now in the excluded ${nameIn(visit, standpoint.by.dn)}`, doubt: undefined };
	}
	const key = sought.anchor.keyOf(raw);
	if (live.matching.has(anchor) && key !== undefined) return { kind: "in-scope", entry: { key, raw: await sought.finish(raw) } };
	// A filter that asks about a hidden attribute selects neither by itself nor negated (RFC 4511 §4.5.1.7).
	const doubt = live.refuted.has(anchor)
		? undefined
		: "the server finds it neither by the filter nor by its contrary: an attribute of the filter may be hidden from this account";
	return { kind: "out-of-scope", dn, where: live.kind.has(anchor) ? sought.unmatched : sought.otherKind, doubt };
}
