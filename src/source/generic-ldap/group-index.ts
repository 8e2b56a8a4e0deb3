import { dnKey } from "../../core/dn.ts";
import type { Anchor } from "../../core/entry.ts";
import { dnOf } from "../ldap/wire/entry.ts";
import { type Visit, visitAll } from "./visit.ts";

/** Every group of the naming contexts by the normal form of its DN, in scope or not: which members are groups themselves. */
export type GroupIndex = ReadonlyMap<string, Anchor>;

/** Read at most once in a reading, and only when it is asked for: no search finds entries by a list of DNs. */
export function makeGroupIndex(visit: Visit): () => Promise<GroupIndex> {
	let asked: Promise<GroupIndex> | undefined;
	return () => {
		asked ??= readIndex(visit);
		return asked;
	};
}

async function readIndex(visit: Visit): Promise<GroupIndex> {
	const { anchors, groupClasses } = visit.scope;
	const index = new Map<string, Anchor>();
	for (const { dn } of visit.root.contexts) {
		for (const raw of await visitAll(visit, dn, groupClasses, [anchors.groups.attribute])) {
			const key = anchors.groups.keyOf(raw);
			if (key !== undefined) index.set(dnKey(dnOf(raw)), anchors.anchorOf(key));
		}
	}
	return index;
}
