import type { Anchor } from "../../core/entry.ts";
import { showDeleted } from "../ldap/wire/encode.ts";
import { textsOf } from "../ldap/wire/entry.ts";
import { guidAnchor } from "./guid.ts";
import { byGuid, keyOf, type Visit, visitFew, visitOne } from "./visit.ts";

/** Where the deleted objects of a naming context are: under this name in every one (MS-ADTS §6.1.1.4.2). */
export function deletedObjectsDn(domain: string): string {
	return `CN=Deleted Objects,${domain}`;
}

/**
 * Whether this account may look into the deleted objects. Without the right a search shows none and ends well, just as if nobody
 * had been deleted; Samba shows the container's DN to everyone, but nothing of it.
 */
export async function seesDeletedObjects(visit: Visit): Promise<boolean> {
	if (!visit.root.controls.has(showDeleted.oid)) return false;
	for (const { dn } of visit.root.domains) {
		const seen = await visitOne(visit, deletedObjectsDn(dn), ["objectClass"], [showDeleted]);
		if (seen === undefined || textsOf(seen, "objectClass").length === 0) return false;
	}
	return true;
}

/** Those of a batch whose tombstones are seen, now or by the changes that this reading began with. */
export async function findDeleted(visit: Visit, batch: readonly Anchor[]): Promise<ReadonlySet<Anchor>> {
	const deleted = new Set(batch.filter((anchor) => visit.deleted.has(anchor)));
	const open = batch.filter((anchor) => !deleted.has(anchor));
	if (open.length === 0 || !visit.root.controls.has(showDeleted.oid)) return deleted;
	const request = { scope: "sub", filter: byGuid(open), attributes: ["objectGUID", "isDeleted"] } as const;
	for (const { dn } of visit.root.domains) {
		for (const raw of await visitFew(visit, { base: dn, ...request }, [showDeleted])) {
			const key = keyOf(raw);
			if (key !== undefined && isTombstone(raw)) deleted.add(guidAnchor(key));
		}
	}
	return deleted;
}

export function isTombstone(raw: Uint8Array): boolean {
	return textsOf(raw, "isDeleted")[0]?.toUpperCase() === "TRUE";
}
