import type { Operation } from "./request.ts";
import type { ResultName } from "./result.ts";

/**
 * What can be made to go wrong. `after` counts the entries of one search over all its pages; 0 strikes before the first.
 * A fault on another operation than a search strikes at once.
 */
export type Fault =
	/** The connection ends (FIN), or is torn down (RST), or nothing more ever comes, or bytes that are no LDAP. */
	| { readonly kind: "cut" | "reset" | "hang" | "garbage"; readonly after: number }
	/** The unsolicited Notice of Disconnection (RFC 4511 §4.4.1), then the end. */
	| { readonly kind: "disconnection"; readonly after: number }
	/** The operation ends with this code. */
	| { readonly kind: "result"; readonly result: ResultName; readonly after: number }
	| { readonly kind: "referral"; readonly urls: readonly string[] }
	/** A page without entries, with a cookie: the search goes on afterwards. */
	| { readonly kind: "empty-page" }
	| { readonly kind: "no-paged-control" }
	| { readonly kind: "cookie-refused" }
	/** Every page (or other answer) comes so much later. */
	| { readonly kind: "slow"; readonly delayMs: number }
	/** Left out of the answers, although filters still see it. */
	| { readonly kind: "lost-attribute"; readonly attribute: string };

/** One request, as a predicate sees it. */
export interface Asked {
	readonly operation: Operation["kind"] | "connect";
	/** Connections are numbered from 1 as they come in. */
	readonly connection: number;
	/** DN of the account that is bound; empty when nobody is. */
	readonly account: string;
	/** The search asked for, else undefined; `page` counts from 1 within one paged search. */
	readonly search: Extract<Operation, { readonly kind: "search" }> | undefined;
	readonly page: number;
}

export interface FaultPlan {
	/** Strikes only requests for which this is true; left out: searches that look for more than one object. */
	readonly when?: (asked: Asked) => boolean;
	/** How often it strikes; without a limit when left out. */
	readonly times?: number;
}

/** A fault that fits a request. Call `strike` when it takes effect, so that `times` counts what really went wrong. */
export interface Armed {
	readonly fault: Fault;
	strike(): void;
}

export interface Faults {
	/** Sets a fault from now on; returns what takes it back. */
	set(fault: Fault, plan?: FaultPlan): () => void;
	clear(): void;
	/** How many times faults took effect so far. */
	struck(): number;
}

export interface FaultBook extends Faults {
	armedFor(asked: Asked): readonly Armed[];
}

interface Standing extends Armed {
	readonly when: (asked: Asked) => boolean;
	readonly isSpent: () => boolean;
}

function isWideSearch({ search }: Asked): boolean {
	return search !== undefined && search.scope !== "base";
}

export function makeFaults(): FaultBook {
	const standing = new Set<Standing>();
	let strikes = 0;
	return {
		set(fault, { when = isWideSearch, times = Number.POSITIVE_INFINITY } = {}) {
			let left = times;
			const strike = (): void => {
				left--;
				strikes++;
			};
			const one: Standing = { fault, when, strike, isSpent: () => left <= 0 };
			standing.add(one);
			return () => void standing.delete(one);
		},
		clear: () => standing.clear(),
		struck: () => strikes,
		armedFor: (asked) => [...standing].filter((one) => !one.isSpent() && one.when(asked)),
	};
}
