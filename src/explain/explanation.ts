import type { Account } from "../core/account.ts";
import type { Anchor } from "../core/entry.ts";
import type { PinRecord } from "../core/pin.ts";

/** Where somebody stands, in one word. */
export type StateWord =
	| "active"
	| "disabled"
	| "expired"
	/** In the directory, and not in scope any more. */
	| "out-of-scope"
	| "deleted"
	/** The account waits for a person to decide. */
	| "held"
	| "quarantined"
	/** There is no account since a run was taken back. */
	| "pinned"
	/** Never was in scope: beneath none of the bases, beneath an exclusion, not selected by users.filter, in none of users.groups, no person. */
	| "elsewhere"
	| "excluded"
	| "filtered"
	| "outside-groups"
	| "not-a-person"
	/** In scope, and not read yet. */
	| "unread"
	| "unknown"
	/** Nobody of this name is known, here or in the directory. */
	| "never-there";

/** Why a person has the account they have, or none: the whole story, in the order in which it happened. */
export interface Explanation {
	readonly source: string;
	readonly anchor: Anchor | undefined;
	readonly dn: string | undefined;
	readonly state: StateWord;
	/** One sentence. */
	readonly summary: string;
	readonly entry: ReadEntry | undefined;
	readonly scope: ScopeFact | undefined;
	readonly fields: readonly FieldFact[];
	readonly groups: readonly GroupFact[];
	readonly features: readonly GrantFact[];
	readonly policies: readonly GrantFact[];
	readonly account: AccountFact | undefined;
	readonly quarantine: { readonly because: string; readonly since: number } | undefined;
	readonly held: readonly HeldFact[];
	/** Changes that a person refused. */
	readonly refused: readonly RefusedFact[];
	/** What is kept since a run was taken back, whatever the directory says. */
	readonly pins: readonly PinRecord[];
	readonly targets: readonly TargetFact[];
	/** Newest first. */
	readonly changes: readonly ChangeFact[];
	/** What could not be looked at, for a person. */
	readonly notes: readonly string[];
}

/** An entry as it was read. Instants are Unix milliseconds. */
export interface ReadEntry {
	readonly attributes: Readonly<Record<string, readonly string[]>>;
	readonly server: string | undefined;
	readonly at: number | undefined;
	/** The run that read it; undefined: it was asked for just now, or that run is forgotten. */
	readonly run: number | undefined;
	/** When everybody was last seen, it among them. */
	readonly seen: { readonly run: number; readonly at: number; readonly server: string | undefined; readonly sealed: boolean } | undefined;
}

export interface ScopeFact {
	readonly isIn: boolean | undefined;
	/** The line of the configuration that decides: `sources[0].users.exclude[1]`. */
	readonly line: string | undefined;
	readonly why: string;
}

export interface FieldFact {
	readonly field: string;
	readonly value: string | undefined;
	/** The template, and where it stands; undefined: it is the default of the source's type. */
	readonly template: string;
	readonly line: string | undefined;
	/** The attributes that gave the value. */
	readonly used: readonly string[];
	/** All the attributes it asks for, as far as they have values. */
	readonly from: Readonly<Record<string, readonly string[]>>;
	/** What the account has, where that is something else. */
	readonly instead: string | undefined;
}

export interface GroupFact {
	readonly name: string;
	readonly dn: string;
	/** Names of the groups by which the person is in it, the one that names them first; none: it names the person itself. */
	readonly through: readonly string[];
	/** Whether the way begins with the primary group, which names nobody. */
	readonly isPrimary: boolean;
}

/** One feature, or one policy. */
export interface GrantFact {
	readonly name: string;
	/** Of a feature "on" or undefined, of a policy its value. */
	readonly value: string | undefined;
	/** What the rules give now, where the account has something else. */
	readonly planned: string | undefined;
	/** Every rule of this name, in order, with what it says of the person. */
	readonly rules: readonly RuleFact[];
}

export interface RuleFact {
	/** "features[3]". */
	readonly line: string;
	readonly value: string | undefined;
	/** `later`: an earlier rule of the same policy counts. */
	readonly verdict: "gives" | "does-not-match" | "cannot-be-told" | "later";
	readonly why: string;
}

export interface AccountFact {
	readonly account: Account;
	readonly because: string | undefined;
	readonly since: number | undefined;
	/** When it is looked at again although nothing changes: it expires, or is deleted. */
	readonly dueAt: number | undefined;
	readonly isProtected: boolean;
}

export interface HeldFact {
	readonly kind: string;
	readonly target: string | undefined;
	readonly why: string;
	readonly because: string;
	readonly plan: string;
	readonly since: number;
}

export interface RefusedFact {
	readonly kind: string;
	readonly target: string | undefined;
	readonly by: string;
	readonly at: number;
}

export interface TargetFact {
	readonly target: string;
	/** Why the person is in or out of the target's own scope; undefined: it has none. */
	readonly scope: { readonly isIn: boolean | undefined; readonly why: string } | undefined;
	/** "active", "disabled", or "none". */
	readonly wanted: string;
	readonly applied: string;
	/** What the target has otherwise than it should. */
	readonly differs: readonly string[];
	readonly state: "applied" | "pending" | "held" | "failed" | "released" | "none";
	readonly remoteId: string | undefined;
	readonly origin: string | undefined;
	readonly attempts: number;
	readonly nextAt: number | undefined;
	readonly error: string | undefined;
	/** Why the target takes nothing at all, if so. */
	readonly trouble: string | undefined;
}

export interface ChangeFact {
	readonly at: number;
	readonly run: number;
	readonly kind: string;
	readonly target: string | undefined;
	readonly why: string;
	readonly result: string;
}
