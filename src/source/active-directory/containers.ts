import type { Filter } from "../../core/filter.ts";
import { parseFilter } from "../../core/filter-text.ts";
import { dnOf } from "../ldap/wire/entry.ts";
import type { Container } from "../source.ts";
import { guidAnchor } from "./guid.ts";
import { keyOf, type Visit, visitAll } from "./visit.ts";

/** Classes of objects that others live beneath. A move or rename of one moves the DN of all of them, and nobody's USN. */
export const containerClasses = ["organizationalUnit", "container", "builtinDomain", "organization", "locality", "country", "lostAndFound"];

export const containerFilter: Filter = {
	kind: "or",
	parts: containerClasses.map((name) => parseFilter(`(objectClass=${name})`)),
};

/** Every container of the domains in which the bases lie. One without a visible GUID cannot be followed, and is left out. */
export async function readContainers(visit: Visit): Promise<readonly Container[]> {
	const containers: Container[] = [];
	for (const domain of visit.root.domains) {
		for (const raw of await visitAll(visit, domain.dn, containerFilter, ["objectGUID"])) {
			const key = keyOf(raw);
			if (key !== undefined) containers.push({ anchor: guidAnchor(key), dn: dnOf(raw) });
		}
	}
	return containers;
}
