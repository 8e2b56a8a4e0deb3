import type { Limit, Limits } from "../core/gate.ts";
import type { Lifecycle } from "../core/lifecycle.ts";
import type { Mapping } from "../core/mapping.ts";
import type { FeatureRule, PolicyRule } from "../core/rules.ts";
import type { ChannelConfig } from "./notify-config.ts";
import type { Secret } from "./secret.ts";
import type { TargetConfig } from "./target-config.ts";

/** The configuration, checked and complete: paths are absolute, times in milliseconds, secrets read. */
export interface Config {
	/** The file it was read from. */
	readonly file: string;
	readonly database: string;
	readonly http: HttpConfig;
	readonly log: LogConfig;
	readonly sources: readonly SourceConfig[];
	readonly lifecycle: Lifecycle;
	/** By which field a person who moved from one source to another keeps the one account. */
	readonly match: MatchField;
	/** DNs of people, groups and containers whose accounts are never disabled without approval. */
	readonly protect: readonly string[];
	readonly features: readonly FeatureConfig[];
	/** In the order in which they count. */
	readonly policies: readonly PolicyConfig[];
	readonly targets: readonly TargetConfig[];
	readonly notify: readonly ChannelConfig[];
	/** How long what was told of has to stay well before it is told to be over. */
	readonly settleMs: number;
	readonly retention: { readonly runsMs: number; readonly changesMs: number };
	readonly demo: DemoConfig | undefined;
}

/** A rule that gives a feature. */
export interface FeatureConfig extends FeatureRule {
	/** For people of this source alone; undefined: of all. */
	readonly source: string | undefined;
}

/** A rule that gives a policy a value. */
export interface PolicyConfig extends PolicyRule {
	readonly source: string | undefined;
}

export type MatchField = "none" | "userName" | "employeeNumber" | "email";

/** Where the daemon listens. */
export interface HttpConfig {
	readonly listen: Listen;
	/** Undefined: plain HTTP. */
	readonly tls: { readonly cert: string; readonly key: Secret } | undefined;
}

export interface Listen {
	readonly host: string;
	readonly port: number;
}

export interface LogConfig {
	readonly level: LogLevel;
	/** Undefined: standard output alone. */
	readonly file:
		| { readonly path: string; readonly bytes: number; readonly frequency: "daily" | "hourly"; readonly keep: number }
		| undefined;
}

type LogLevel = "silent" | "fatal" | "error" | "warn" | "info" | "debug" | "trace";

export type SourceConfig = ActiveDirectorySource | LdapSource;

interface AnySource {
	readonly name: string;
	/** In order of preference; empty when `domain` says where they are. */
	readonly urls: readonly string[];
	/** Whose servers DNS names (SRV records, RFC 2782), those of an Active Directory site first. */
	readonly domain: { readonly name: string; readonly site: string | undefined } | undefined;
	readonly bind: SimpleBind | ExternalBind;
	readonly tls: TlsConfig;
	readonly insecure: boolean;
	readonly bases: readonly string[];
	readonly users: {
		readonly filter: string | undefined;
		/** DNs of subtrees. */
		readonly exclude: readonly string[];
		/** DNs; who is in a group that is in one of them is in scope, too. Empty: everybody. */
		readonly groups: readonly string[];
	};
	/** Undefined: no groups are kept. */
	readonly groups: GroupScope | undefined;
	readonly schedule: { readonly delta: string; readonly full: string; readonly timezone: string };
	readonly timeouts: { readonly connectMs: number; readonly bindMs: number; readonly requestMs: number };
	readonly pageSize: number;
	/** Everybody's limits with its own lines on top. */
	readonly limits: Limits;
	/** The gate of groups: groups deleted, and memberships removed, in one run. */
	readonly groupLimits: { readonly deleted: Limit | undefined; readonly removed: Limit | undefined };
	/** The defaults of the source's type with the configuration's own lines on top. */
	readonly mapping: Mapping;
}

export interface ActiveDirectorySource extends AnySource {
	readonly type: "active-directory";
	readonly changes: "auto" | "usn" | "dirsync" | "full";
	/** Whether a change notification wakes a delta. */
	readonly watch: boolean;
}

export interface LdapSource extends AnySource {
	readonly type: "ldap";
	readonly preset: "openldap" | "389ds" | "freeipa" | "google";
	readonly changes: "auto" | "syncrepl" | "timestamp" | "full";
	/** What takes the place of the preset's lines; undefined: the preset's. */
	readonly overrides: {
		/** The attribute that survives renames. */
		readonly anchor: string | undefined;
		/** A filter of who is a person. */
		readonly people: string | undefined;
		/** A filter of which people are disabled; empty: nobody. */
		readonly disabled: string | undefined;
		/** A filter of what is a group. */
		readonly groupClasses: string | undefined;
		/** The attributes that name a group's members. */
		readonly members: readonly string[] | undefined;
	};
}

interface SimpleBind {
	readonly user: string;
	readonly password: Secret;
}

/** SASL EXTERNAL (RFC 4422 appendix A): the client certificate says who we are. */
interface ExternalBind {
	readonly sasl: "external";
	/** As whom to act, if not as the certificate's own identity: "dn:…" or "u:…" (RFC 4513 §5.2.1.8). */
	readonly authorizationId: string | undefined;
}

interface TlsConfig {
	/** The private CA's certificates as PEM text, and the file they came from. */
	readonly ca: string | undefined;
	readonly caFile: string | undefined;
	/** The client certificate with its chain as PEM text, and the file it came from. Both it and its key, or none. */
	readonly cert: string | undefined;
	readonly certFile: string | undefined;
	/** The client certificate's private key as PEM text; its file is undefined when it comes from elsewhere. */
	readonly key: Secret | undefined;
	readonly keyFile: string | undefined;
	readonly startTls: boolean;
	readonly servername: string | undefined;
}

interface GroupScope {
	readonly bases: readonly string[];
	readonly filter: string | undefined;
	/** DNs of subtrees. */
	readonly exclude: readonly string[];
	readonly kinds: readonly GroupKind[];
}

/** What Active Directory's groups are for (MS-ADTS §2.2.12): rights and mail, or mail alone. */
export type GroupKind = "security" | "distribution";

export interface DemoConfig {
	readonly listen: Listen;
	readonly people: number;
	readonly seed: number;
	readonly paceMs: number;
}
