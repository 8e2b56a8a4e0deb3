import type { ActiveDirectoryOptions } from "../../src/source/active-directory/options.ts";
import type { Record } from "../support/ldif.ts";

/** Attribute values to write. An empty list takes the attribute away. */
export type Values = Readonly<{ [attribute: string]: string | readonly string[] }>;

/**
 * A directory that the contract is tried on. The contract changes it and looks into it by this, never by our own source, so that
 * the two are independent.
 */
export interface Directory {
	readonly baseDn: string;
	/** DNS name of the domain, which AD's implicit userPrincipalName ends in. */
	readonly domain: string;
	/** How a source reaches it, as an account that may read and nothing else. */
	readonly connection: Pick<ActiveDirectoryOptions, "urls" | "tls" | "insecure" | "changes"> & {
		readonly bind: { readonly user: string; readonly password: string };
	};
	add(dn: string, values: Values): Promise<void>;
	/** Replaces the values of attributes. */
	modify(dn: string, values: Values): Promise<void>;
	/** Renames or moves, or both, an entry with all beneath it. */
	move(dn: string, newDn: string): Promise<void>;
	remove(dn: string): Promise<void>;
	/** An independent look beneath `base`. */
	search(base: string, filter: string, attributes: readonly string[]): Promise<readonly Record[]>;
}

/** An attribute value inside a DN (RFC 4514 §2.4). */
export function escapeValue(value: string): string {
	return value
		.replace(/[\\,+"<>;=]/g, (character) => `\\${character}`)
		.replace(/^[ #]/, (character) => `\\${character}`)
		.replace(/ $/, "\\ ");
}

export function person(name: string, ou: string): string {
	return `CN=${escapeValue(name)},${ou}`;
}
