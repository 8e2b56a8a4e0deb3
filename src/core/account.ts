import type { Anchor } from "./entry.ts";

export interface Email {
	readonly value: string;
	readonly type: "work" | "other";
	readonly primary?: true;
}

export interface PhoneNumber {
	readonly value: string;
	readonly type: "work" | "mobile";
}

/** What an account may do, by rules. Without any value each is left out, so that equal ones have equal JSON. */
export interface Entitlements {
	/** Names of the features that are on, sorted. */
	readonly features?: readonly string[];
	/** Value of each policy, by name, names sorted. */
	readonly policies?: Readonly<Record<string, string>>;
}

/** One person's account as we want it, in SCIM's field names (RFC 7643 §4.1). A field without a value is left out. */
export interface Account extends Entitlements {
	readonly userName: string;
	readonly displayName?: string;
	readonly name?: { readonly givenName?: string; readonly familyName?: string };
	readonly emails?: readonly Email[];
	readonly active: boolean;
	readonly title?: string;
	readonly department?: string;
	readonly phoneNumbers?: readonly PhoneNumber[];
	/** The anchor of the manager, when the manager is in scope. */
	readonly manager?: Anchor;
	readonly employeeNumber?: string;
}
