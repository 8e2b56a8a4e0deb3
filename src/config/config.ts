import type { Limits } from "../core/gate.ts";
import type { Lifecycle } from "../core/lifecycle.ts";
import type { Mapping } from "../core/mapping.ts";
import type { Secret } from "./secret.ts";

/** The configuration, checked and complete: paths are absolute, times in milliseconds, secrets read. */
export interface Config {
	/** The file it was read from. */
	readonly file: string;
	readonly database: string;
	readonly http: { readonly listen: Listen };
	readonly log: { readonly level: LogLevel };
	readonly sources: readonly SourceConfig[];
	readonly lifecycle: Lifecycle;
	readonly limits: Limits;
	/** DNs of people, groups and containers whose accounts are never disabled without approval. */
	readonly protect: readonly string[];
	readonly targets: readonly TargetConfig[];
	readonly retention: { readonly runsMs: number; readonly changesMs: number };
	readonly demo: DemoConfig | undefined;
}

export interface Listen {
	readonly host: string;
	readonly port: number;
}

export type LogLevel = "silent" | "fatal" | "error" | "warn" | "info" | "debug" | "trace";

export interface SourceConfig {
	readonly name: string;
	readonly type: "active-directory";
	/** In order of preference. */
	readonly urls: readonly string[];
	readonly bind: { readonly user: string; readonly password: Secret };
	readonly tls: {
		/** The private CA's certificates as PEM text, and the file they came from. */
		readonly ca: string | undefined;
		readonly caFile: string | undefined;
		readonly startTls: boolean;
		readonly servername: string | undefined;
	};
	readonly insecure: boolean;
	readonly bases: readonly string[];
	readonly users: { readonly filter: string | undefined; readonly exclude: readonly string[] };
	readonly schedule: { readonly delta: string; readonly full: string; readonly timezone: string };
	readonly changes: "auto" | "usn";
	readonly timeouts: { readonly connectMs: number; readonly bindMs: number; readonly requestMs: number };
	readonly pageSize: number;
	/** The defaults of the source's type with the configuration's own lines on top. */
	readonly mapping: Mapping;
}

export interface TargetConfig {
	readonly name: string;
	readonly type: "local";
}

export interface DemoConfig {
	readonly listen: Listen;
	readonly people: number;
	readonly seed: number;
	readonly paceMs: number;
}
