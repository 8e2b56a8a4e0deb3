import type { Anchor } from "../../core/entry.ts";
import { hasRanges, textsOf } from "../ldap/wire/entry.ts";
import { completeRanges } from "../ldap/wire/range.ts";
import { guidAnchor } from "./guid.ts";
import { byGuid, keyOf, type Visit, visitFew } from "./visit.ts";

/** Anchors asked for in one search. */
const BATCH = 50;

/** Who names these entries as their manager, by AD's back-link directReports; entries without any, or that hide it, are left out. */
export async function readReports(visit: Visit, managers: readonly Anchor[]): Promise<ReadonlyMap<Anchor, readonly string[]>> {
	const reports = new Map<Anchor, readonly string[]>();
	for (let at = 0; at < managers.length; at += BATCH) {
		const filter = byGuid(managers.slice(at, at + BATCH));
		for (const { dn } of visit.root.domains) {
			for (const raw of await visitFew(visit, { base: dn, scope: "sub", filter, attributes: ["objectGUID", "directReports"] })) {
				const whole = hasRanges(raw) ? await completeRanges(visit.session, raw) : raw;
				const key = keyOf(whole);
				const dns = textsOf(whole, "directReports");
				if (key !== undefined && dns.length > 0) reports.set(guidAnchor(key), dns);
			}
		}
	}
	return reports;
}
