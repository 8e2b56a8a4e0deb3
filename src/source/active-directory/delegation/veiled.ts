import { dnKey, isBeneath } from "../../../core/dn.ts";
import { dnOf, textsOf } from "../../ldap/wire/entry.ts";
import { anything } from "../root.ts";
import { type Visit, visitPages } from "../visit.ts";

/** So many objects are looked at for those that show nothing. */
const MOST_OBJECTS = 50_000;

/**
 * What is there and shows not even what it is: an object that takes nothing over from its base. Asked by a filter that every object
 * passes: by any other one an object of which nothing may be read is not found.
 */
export async function findVeiled(visit: Visit, base: string): Promise<readonly string[]> {
	const veiled: string[] = [];
	let count = 0;
	for await (const page of visitPages(visit, base, anything, ["objectClass"])) {
		for (const raw of page) if (textsOf(raw, "objectClass").length === 0) veiled.push(dnOf(raw));
		count += page.length;
		if (count >= MOST_OBJECTS) break;
	}
	return veiled;
}

/** Containers of every domain that hold settings, and neither people nor groups (MS-ADTS §6.1.1.4). */
const ofTheSystem = ["CN=System", "CN=Program Data", "CN=NTDS Quotas", "CN=TPM Devices", "CN=Keys", "CN=Infrastructure"];

/** Whether something lies where nobody is looked for. */
export function makeElsewhere({ root, scope }: Visit): (dn: string) => boolean {
	const system = root.domains.flatMap(({ dn }) => ofTheSystem.map((name) => dnKey(`${name},${dn}`)));
	const keys = [...system, ...scope.excluded.map(({ key }) => key)];
	return (dn) => keys.some((key) => isBeneath(dnKey(dn), key));
}
