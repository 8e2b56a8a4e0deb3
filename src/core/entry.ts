/** The identifier that survives renames. AD: objectGUID in its usual text form, lower case. */
export type Anchor = string & { readonly __brand: "Anchor" };

/** What the directory itself says of a person, before any rule of ours. `unknown`: it could not be read, which is not `disabled`. */
export type Standing = "enabled" | "disabled" | "unknown";

/** One object as its source returned it, decoded. */
export interface Entry {
	readonly anchor: Anchor;
	/** As the server wrote it. Compare with `dnKey`, never as text. */
	readonly dn: string;
	/** Attribute names in lower case; values as text, in the server's order. No value: no key. */
	readonly attributes: ReadonlyMap<string, readonly string[]>;
	readonly standing: Standing;
	/** Unix milliseconds at which the account stops being valid by itself (AD accountExpires), or never. */
	readonly expiresAt: number | undefined;
}

/**
 * An entry as bytes, opaque outside its source: hashed and compared before anything is decoded, and stored as it is in the
 * snapshot. Both views are good only until the next page is asked for: copy what is kept.
 */
export interface RawEntry {
	/** The anchor's bytes (AD: the 16 of objectGUID). */
	readonly key: Uint8Array;
	readonly raw: Uint8Array;
}
