import { dnKey } from "../../core/dn.ts";
import type { Anchor } from "../../core/entry.ts";
import { equal } from "../../core/filter-text.ts";
import { dnOf, textsOf } from "../ldap/wire/entry.ts";
import { byAnchor } from "./anchor.ts";
import { batchesOf, both, either, type Visit, visitFew } from "./visit.ts";

/**
 * Who names these entries as their manager, by their DNs of now: OpenLDAP's refint corrects such links without a trace in
 * modifyTimestamp and entryCSN (measured). Entries without any are left out.
 */
export async function readReports(visit: Visit, managers: readonly Anchor[]): Promise<ReadonlyMap<Anchor, readonly string[]>> {
	const { scope, root } = visit;
	const { people } = scope.anchors;
	const reports = new Map<Anchor, string[]>();
	for (const batch of batchesOf(managers)) {
		const byDn = new Map<string, Anchor>();
		const names: string[] = [];
		for (const { dn } of root.contexts) {
			for (const raw of await visitFew(visit, dn, byAnchor(people, batch), [people.attribute])) {
				const key = people.keyOf(raw);
				if (key === undefined) continue;
				names.push(dnOf(raw));
				byDn.set(dnKey(dnOf(raw)), scope.anchors.anchorOf(key));
			}
		}
		if (names.length === 0) continue;
		const filter = both(scope.persons, either(names.map((name) => equal("manager", name))));
		for (const { dn } of scope.bases) {
			for (const raw of await visitFew(visit, dn, filter, ["manager"])) {
				for (const manager of textsOf(raw, "manager")) {
					const anchor = byDn.get(dnKey(manager));
					if (anchor !== undefined) reports.set(anchor, [...(reports.get(anchor) ?? []), dnOf(raw)]);
				}
			}
		}
	}
	return reports;
}
