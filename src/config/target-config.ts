import type { AccountField } from "../core/account-field.ts";
import type { Condition } from "../core/condition.ts";
import type { Limits } from "../core/gate.ts";
import type { Mapping } from "../core/mapping.ts";
import type { Secret } from "./secret.ts";

/** A target of the configuration, checked and complete: paths are absolute, times in milliseconds, secrets read. */
export type TargetConfig = LocalTarget | ScimTarget | FileTarget | WebhookTarget;

interface AnyTarget {
	readonly name: string;
	/** Whose accounts it gets; undefined: everybody's. */
	readonly when: Condition | undefined;
	/** Templates in the place of the sources' own for this target alone; an empty text leaves a field out. Undefined: as everywhere. */
	readonly mapping: Mapping | undefined;
	/** What becomes of an account at this target alone. Undefined: as everywhere. */
	readonly lifecycle: TargetLifecycle | undefined;
	/** The gate of what is planned for this target alone: who comes into or goes out of its scope, and what its lifecycle ends. */
	readonly limits: Limits;
	/** Whether it gets groups. */
	readonly groups: boolean;
}

/** `keep`: the account stays there as it is. */
export type EndAction = "disable" | "delete" | "keep";

export interface TargetLifecycle {
	/** The directory disabled the account, or it expired. */
	readonly onDisabled: EndAction;
	/** The person is not in scope any more: of the source, or of this target's `when`. */
	readonly onOutOfScope: EndAction;
	/** The person is not in the directory any more. */
	readonly onDeleted: EndAction;
}

export interface LocalTarget extends AnyTarget {
	readonly type: "local";
}

/** What becomes of an account that is there before we made it. `report`: it is left alone, and said. */
export type Adopt = "never" | "exact" | "report";

/** What becomes of an account that is not as we left it. `release`: it is left alone from then on. */
export type ReadBackAction = "report" | "repair" | "release";

export interface ScimTarget extends AnyTarget {
	readonly type: "scim";
	/** The base URL, without a slash at its end. */
	readonly url: string;
	readonly auth: ScimAuth;
	readonly tls: TargetTls;
	/** The HTTP proxy's URL; undefined: none, whatever the environment says. */
	readonly proxy: string | undefined;
	readonly adopt: Adopt;
	/** The SCIM attribute by which an account that is there is known, after externalId. */
	readonly match: "userName" | "emails.value" | "employeeNumber";
	/** How changes are sent: PATCH with paths, PATCH without, or PUT of the whole. */
	readonly dialect: "path" | "no-path" | "put";
	/** Requests at a time, at most. */
	readonly concurrency: number;
	/** Requests in a second, at most; undefined: as many as go. */
	readonly ratePerSecond: number | undefined;
	readonly timeoutMs: number;
	/** Members that one request adds to or removes from a group. */
	readonly memberBatch: number;
	/** Where features and policies go: "entitlements", "roles", or an attribute of a schema extension, "urn:…:User:attribute". Undefined: nowhere. */
	readonly features: string | undefined;
	readonly policies: string | undefined;
	readonly readBack: { readonly schedule: string; readonly timezone: string; readonly action: ReadBackAction } | undefined;
}

export type ScimAuth =
	| { readonly kind: "none" }
	| { readonly kind: "bearer"; readonly token: Secret }
	| { readonly kind: "basic"; readonly user: string; readonly password: Secret }
	/** OAuth 2.0 client credentials (RFC 6749 §4.4). */
	| {
			readonly kind: "oauth";
			readonly tokenUrl: string;
			readonly clientId: string;
			readonly clientSecret: Secret;
			readonly scope: string | undefined;
			/** How the client signs in at the token's URL (RFC 6749 §2.3.1). */
			readonly clientAuth: "body" | "basic";
	  };

export interface TargetTls {
	/** The private CA's certificates as PEM text. */
	readonly ca: string | undefined;
	/** The client certificate with its chain, and its key, as PEM text; both or none. */
	readonly cert: string | undefined;
	readonly key: Secret | undefined;
	readonly servername: string | undefined;
}

export interface FileTarget extends AnyTarget {
	readonly type: "file";
	readonly path: string;
	readonly format: FileFormat;
	/** `state`: the whole, replaced at once. `changes`: one record a change, appended. */
	readonly content: "state" | "changes";
}

export type FileFormat =
	/** Columns in their order. */
	| { readonly kind: "csv"; readonly columns: readonly FileColumn[] }
	| { readonly kind: "jsonl" }
	/** `base`: the DN beneath which the entries are. */
	| { readonly kind: "ldif"; readonly base: string };

export interface FileColumn {
	readonly heading: string;
	readonly field: AccountField;
}

export interface WebhookTarget extends AnyTarget {
	readonly type: "webhook";
	readonly url: string;
	readonly secret: Secret;
	readonly tls: TargetTls;
	readonly proxy: string | undefined;
	/** Changes in one POST, at most; 1: each by itself. */
	readonly batch: number;
	readonly concurrency: number;
	readonly timeoutMs: number;
}
