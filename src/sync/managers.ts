import type { Anchor } from "../core/entry.ts";
import type { Session } from "../store/session.ts";
import type { SourceState } from "../store/snapshot.ts";
import { dnDigest } from "./reading.ts";

/** Managers looked up lately; a company has far fewer of them than people. */
const KEPT = 20_000;

/** Who is where by now: a manager is named by DN. Each is looked up once in a run. */
export function openManagers({ stage, snapshot }: Session, state: SourceState) {
	const digests = new Map<string, Buffer>();
	const anchors = new Map<string, Anchor | undefined>();
	stage.indexDns();
	return {
		digestOf: (dn: string): Buffer => {
			const known = digests.get(dn) ?? dnDigest(dn);
			if (digests.size >= KEPT) digests.clear();
			digests.set(dn, known);
			return known;
		},
		/** The anchor of whoever is in scope there. */
		at: (digest: Buffer): Anchor | undefined => {
			const key = digest.toString("latin1");
			if (anchors.has(key)) return anchors.get(key);
			// The stage first: it knows where people are now. Whoever is on it is not where the snapshot has them.
			const known = snapshot.byDn(state.id, digest);
			const isThere = known !== undefined && (!stage.has(known.id) || stage.isDoubted(known.id));
			const anchor = stage.anchorByDn(digest) ?? (isThere ? known.anchor : undefined);
			if (anchors.size >= KEPT) anchors.clear();
			anchors.set(key, anchor);
			return anchor;
		},
	};
}
