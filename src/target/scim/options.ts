/** What a SCIM target needs to know, checked and complete. Secrets are asked for when they are needed. */
export interface ScimOptions {
	readonly name: string;
	/** The base URL, without a slash at its end. */
	readonly url: string;
	readonly auth: ScimAuth;
	readonly tls: ScimTls;
	/** The HTTP proxy's URL, name and password in it if it wants them. */
	readonly proxy: string | undefined;
	/** The SCIM attribute by which an account that is there is known: "userName", "emails.value", "employeeNumber". */
	readonly match: string;
	/** How changes are sent: PATCH with paths, PATCH without, or PUT of the whole. */
	readonly dialect: Dialect;
	/** Requests at a time, at most. */
	readonly concurrency: number;
	/** Requests in a second, at most; undefined: as many as go. */
	readonly ratePerSecond: number | undefined;
	readonly timeoutMs: number;
	/** Members that one request adds to or removes from a group. */
	readonly memberBatch: number;
	/** Where features and policies go: "entitlements", "roles", or an attribute of an extension, "urn:…:User:attribute". Undefined: nowhere. */
	readonly features: string | undefined;
	readonly policies: string | undefined;
	/** Whether it gets groups. */
	readonly groups: boolean;
}

export type Dialect = "path" | "no-path" | "put";

export type ScimAuth =
	| { readonly kind: "none" }
	| { readonly kind: "bearer"; readonly token: Reveal }
	| { readonly kind: "basic"; readonly user: string; readonly password: Reveal }
	| ClientCredentials;

/** OAuth 2.0 client credentials (RFC 6749 §4.4). */
export interface ClientCredentials {
	readonly kind: "oauth";
	readonly tokenUrl: string;
	readonly clientId: string;
	readonly clientSecret: Reveal;
	readonly scope: string | undefined;
	/** How the client signs in at the token's URL (RFC 6749 §2.3.1). */
	readonly clientAuth: "body" | "basic";
}

/** PEM texts. */
export interface ScimTls {
	/** A private authority's certificates. */
	readonly ca: string | undefined;
	/** The client certificate with its chain, and its key; both or none. */
	readonly cert: string | undefined;
	readonly key: Reveal | undefined;
	readonly servername: string | undefined;
}

export type Reveal = () => string;
