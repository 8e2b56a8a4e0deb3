import type { Anchor } from "../../core/entry.ts";
import { firstValue, textsOf } from "../ldap/wire/entry.ts";
import { sidOf } from "./group-entry.ts";
import { batches } from "./group-read.ts";
import { guidAnchor } from "./guid.ts";
import { accessListOnly, DESCRIPTOR, ownSids } from "./listing.ts";
import { mayReadProperty } from "./security-descriptor.ts";
import { ridOf } from "./sid.ts";
import { byGuid, keyOf, placeName, type Visit, visitFew } from "./visit.ts";

/** schemaIDGUID of `member`, and the GUID of its property set, Membership (MS-ADA2, MS-ADTS §3.1.1.2.3.3). */
export const MEMBER = ["bf9679c0-0de6-11d0-a285-00aa003049e2", "bc0ac240-79a9-11d0-9020-00c04fc2d4cf"];
/** Domain Users, Domain Guests, Domain Computers and Domain Controllers: people are in them by primaryGroupID (MS-ADTS §6.1.1.6). */
const byPrimaryGroup = new Set([513, 514, 515, 516]);

/** Whether a group is one of those that show no members anywhere. */
export function isAlwaysEmpty(rid: number | undefined): boolean {
	return rid !== undefined && byPrimaryGroup.has(rid);
}

/**
 * Why groups that show no members may have some: an empty group and one whose members may not be read look alike. Its access list
 * tells them apart; a group that is empty for certain is left out.
 */
export async function doubtEmptyGroups(visit: Visit, groups: readonly Anchor[]): Promise<ReadonlyMap<Anchor, string>> {
	const doubts = new Map<Anchor, string>(groups.map((anchor) => [anchor, "the group cannot be seen any more, so neither its members"]));
	if (groups.length === 0) return doubts;
	const sids = await ownSids(visit);
	const attributes = ["objectGUID", "objectSid", "cn", "nTSecurityDescriptor"];
	for (const batch of batches(groups)) {
		for (const domain of visit.root.domains) {
			const request = { base: domain.dn, scope: "sub", filter: byGuid(batch), attributes } as const;
			for (const raw of await visitFew(visit, request, [accessListOnly])) {
				const key = keyOf(raw);
				if (key === undefined) continue;
				const sid = sidOf(raw);
				const descriptor = firstValue(raw, DESCRIPTOR);
				const isReadable = descriptor !== undefined && mayReadProperty(descriptor, sids, MEMBER) === true;
				const anchor = guidAnchor(key);
				if (isReadable || isAlwaysEmpty(sid === undefined ? undefined : ridOf(sid))) doubts.delete(anchor);
				else {
					const name = textsOf(raw, "cn")[0] ?? placeName(anchor, visit.root);
					doubts.set(anchor, `"${name}" shows no members: it is empty, or they cannot be read by this account`);
				}
			}
		}
	}
	return doubts;
}
