import type { ConfigLines } from "../core/config-lines.ts";
import { dnKey, isBeneath } from "../core/dn.ts";
import type { ScopePlace } from "../core/scope.ts";
import type { PersonRow } from "../store/people.ts";
import type { ScopeFact } from "./explanation.ts";

/** Where somebody who is there stands, and which line says so. */
export function scopeOf(place: ScopePlace | undefined, dn: string | undefined, lines: ConfigLines, isOutside: boolean): ScopeFact {
	switch (place?.kind) {
		case undefined:
			return { isIn: undefined, line: undefined, why: "the entry cannot be read" };
		case "in-scope": {
			if (isOutside) {
				const names = lines.groups.map(({ text }) => text).join(", ");
				return { isIn: false, line: `${lines.source}.users.groups`, why: `in none of the groups of users.groups: ${names}` };
			}
			const base = lines.bases.find(({ text }) => dn !== undefined && isBeneath(dnKey(dn), dnKey(text)));
			const filter = lines.filter === undefined ? "" : `, and matches users.filter ${lines.filter}`;
			return { isIn: true, line: base?.line, why: `beneath ${base?.text ?? "a base"}${filter}` };
		}
		case "elsewhere":
			return { isIn: false, line: `${lines.source}.base`, why: place.where };
		case "excluded": {
			const line = lines.excluded.find(({ text }) => dnKey(text) === dnKey(place.by));
			return { isIn: false, line: line?.line ?? `${lines.source}.users.exclude`, why: `beneath the excluded ${place.by}` };
		}
		case "filtered":
			return { isIn: false, line: `${lines.source}.users.filter`, why: place.why };
		case "not-a-person":
			return { isIn: false, line: undefined, why: `it is ${place.what}` };
		case "unknown":
			return { isIn: undefined, line: undefined, why: place.why };
	}
}

export function goneFrom({ gone, gone_evidence, gone_doubt }: PersonRow, lines: ConfigLines): ScopeFact {
	const doubt = gone_doubt === null ? "" : ` (doubted: ${gone_doubt})`;
	const evidence = gone_evidence ?? "";
	if (gone === "deleted") return { isIn: false, line: undefined, why: `not in the directory any more: ${evidence}${doubt}` };
	return { isIn: false, line: `${lines.source}.${lineOf(evidence)}`, why: `${evidence}${doubt}` };
}

/** By how the sources say it: what follows "now in" is a place of somebody else's naming. */
function lineOf(evidence: string): "base" | "users.exclude" | "users.filter" {
	if (evidence.startsWith("now in the excluded ")) return "users.exclude";
	return !evidence.startsWith("now in ") && evidence.includes("users.filter") ? "users.filter" : "base";
}
