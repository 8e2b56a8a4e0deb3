import type { Entry } from "./entry.ts";

/** What a run found of one person. */
export type Presence =
	| { readonly kind: "present"; readonly entry: Entry }
	/** Seen elsewhere, or seen not to match any more. `where`: "now in OU=Leavers". */
	| { readonly kind: "out-of-scope"; readonly where: string; readonly doubt: string | undefined }
	/** Its tombstone was seen, or a sealed reading did not have it. `evidence`: "sealed reading of 12,408 entries". */
	| { readonly kind: "deleted"; readonly evidence: string; readonly doubt: string | undefined };
