/** What somebody may want to be told of. */
export const matterKinds = ["held", "failed", "unsealed", "target", "quarantine", "certificate", "database"] as const;
export type MatterKind = (typeof matterKinds)[number];

/** Whom a certificate's matter is about that is not a source's, but the one that the page shows: no source can be called so. */
export const PAGE = "the page";

/** What there is to say of a matter, in facts: the words are made when it is sent. Instants are Unix milliseconds. */
export type MatterDetail =
	| HeldDetail
	| {
			readonly kind: "failed";
			/** Runs that failed, one after the other. */
			readonly runs: number;
			readonly because: string;
			readonly hint: string | undefined;
			readonly lastSuccessAt: number | undefined;
	  }
	| { readonly kind: "unsealed"; readonly reasons: readonly string[] }
	| {
			readonly kind: "target";
			readonly because: string;
			readonly hint: string | undefined;
			readonly pending: number;
			readonly retryAt: number;
	  }
	| { readonly kind: "quarantine"; readonly count: number; readonly first: readonly Aside[] }
	| { readonly kind: "certificate"; readonly expiresAt: number }
	| { readonly kind: "database"; readonly because: string; readonly hint: string | undefined };

export interface HeldDetail {
	readonly kind: "held";
	readonly plan: string;
	readonly count: number;
	readonly kinds: readonly HeldCount[];
	/** The first of them by name. */
	readonly first: readonly HeldName[];
}

export interface HeldCount {
	/** "disable", "group delete". */
	readonly kind: string;
	/** Held at this target alone; empty: everywhere. */
	readonly target: string;
	/** A phrase: "limit 50". */
	readonly because: string;
	readonly count: number;
}

interface HeldName {
	readonly name: string;
	readonly kind: string;
	readonly why: string;
}

interface Aside {
	readonly name: string;
	readonly reason: string;
}

/** Something that is not as it should be, from the moment it was first seen until it is over. */
export interface Matter {
	/** Kind and whom it is about: there is at most one open matter of each. */
	readonly key: string;
	/** The source or target that it is about, or `PAGE`. */
	readonly about: string;
	/** Unix milliseconds: with the key, the name of this one occurrence. */
	readonly since: number;
	readonly detail: MatterDetail;
	/** The newest run that says so; undefined: none does, or it is not known. */
	readonly run: number | undefined;
	/** When the newest run in it ended; undefined: it is not counted in runs. */
	readonly runAt: number | undefined;
	/** Since when it is not there any more, and told to be over only if it stays so; undefined: it is there. Unix milliseconds. */
	readonly wellSince: number | undefined;
	/** What was told last, and when; undefined: it is not told before it lasts. */
	readonly told: { readonly at: number; readonly mark: string } | undefined;
}

/** opened, changed, reminder: it is there; recovered: it is over. */
export type NoticeState = "opened" | "changed" | "reminder" | "recovered";

/** One thing to say about a matter. */
export interface MatterNotice {
	readonly matter: Matter;
	readonly state: NoticeState;
	/** Unix milliseconds. */
	readonly at: number;
}

export function keyOf(kind: MatterKind, about: string): string {
	return `${kind} ${about}`;
}
