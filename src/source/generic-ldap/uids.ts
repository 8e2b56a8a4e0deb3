import { equal } from "../../core/filter-text.ts";
import { dnOf, textsOf } from "../ldap/wire/entry.ts";
import { batchesOf, both, either, type Visit, visitFew } from "./visit.ts";

/** Whose uid it is, among the people beneath the bases. */
export interface Uids {
	/** Asks for those that are not known yet; lower case. */
	learn(uids: readonly string[]): Promise<void>;
	dnOf(uid: string): string | undefined;
}

/** uids are short: this many make a filter as long as 50 DNs do. */
const UIDS = 200;

/** Answers are kept for as long as the reading lasts: the same people are in many groups. */
export function makeUids(visit: Visit): Uids {
	const known = new Map<string, string | undefined>();
	const ambiguous = new Set<string>();
	const found = (uid: string, dn: string): void => {
		const other = known.get(uid);
		if (other === undefined && !ambiguous.has(uid)) known.set(uid, dn);
		else if (!ambiguous.has(uid)) {
			// Who is meant cannot be told, and to let both in may be to let in a stranger.
			visit.warnings.push(`uid ${uid} is two people's, "${other}" and "${dn}": by memberUid it is neither's`);
			ambiguous.add(uid);
			known.set(uid, undefined);
		}
	};
	return {
		dnOf: (uid) => known.get(uid),
		learn: async (uids) => {
			const asked = [...new Set(uids)].filter((uid) => uid !== "" && !known.has(uid));
			for (const batch of batchesOf(asked, UIDS)) {
				for (const uid of batch) known.set(uid, undefined);
				const filter = both(visit.scope.persons, either(batch.map((uid) => equal("uid", uid))));
				for (const { dn } of visit.scope.bases) {
					for (const raw of await visitFew(visit, dn, filter, ["uid"])) {
						for (const text of textsOf(raw, "uid")) {
							const uid = text.toLowerCase();
							if (batch.includes(uid)) found(uid, dnOf(raw));
						}
					}
				}
			}
		},
	};
}
