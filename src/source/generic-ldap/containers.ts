import { dnOf } from "../ldap/wire/entry.ts";
import type { Container } from "../source.ts";
import { containerFilter } from "./scope.ts";
import { type Visit, visitAll } from "./visit.ts";

/** Every container of the naming contexts in which the bases lie. One without a visible anchor cannot be followed, and is left out. */
export async function readContainers(visit: Visit): Promise<readonly Container[]> {
	const { anchors } = visit.scope;
	const containers: Container[] = [];
	for (const { dn } of visit.root.contexts) {
		for (const raw of await visitAll(visit, dn, containerFilter, [anchors.containers.attribute])) {
			const key = anchors.containers.keyOf(raw);
			if (key !== undefined) containers.push({ anchor: anchors.containerAnchorOf(key), dn: dnOf(raw) });
		}
	}
	return containers;
}
