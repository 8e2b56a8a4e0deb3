import type { Bind } from "../ldap/bind.ts";
import type { Operation, Timeouts, Tls } from "../ldap/dial.ts";
import type { Discovery } from "../ldap/discovery.ts";
import type { PresetName } from "./presets.ts";

/** What one source of type ldap is made of; the configuration gives it, with its defaults filled in. */
export interface GenericLdapOptions {
	readonly name: string;
	/** In order of preference; empty when they are discovered. */
	readonly urls: readonly string[];
	/** Servers by DNS, instead of `urls`. */
	readonly discovery: Discovery | undefined;
	/** The password in clear: it goes into the bind and nowhere else. */
	readonly bind: Bind;
	readonly tls: Tls;
	/** Allows a password over an ldap:// connection without StartTLS. */
	readonly insecure: boolean;
	readonly bases: readonly string[];
	readonly users: {
		/** RFC 4515; narrows down who of the people is in scope. */
		readonly filter: string | undefined;
		/** DNs of subtrees that are out of scope. */
		readonly exclude: readonly string[];
		/** DNs of groups: who is in none of them, nested, is out of scope. Empty: everyone is in. */
		readonly groups: readonly string[];
	};
	/** Groups that rules name, by DN, GUID, SID or name: read wherever they are; without one of them nothing is decided by it. */
	readonly ruleGroups: readonly string[];
	/** Undefined: no groups are kept. */
	readonly groups:
		| { readonly bases: readonly string[]; readonly filter: string | undefined; readonly exclude: readonly string[] }
		| undefined;
	/** DNs of people, groups and containers that are never disabled without approval. */
	readonly protect: readonly string[];
	/** The attributes that the mapping needs; this source adds its own. */
	readonly attributes: readonly string[];
	/** Whose manners the server has. */
	readonly preset: PresetName;
	readonly overrides: Overrides;
	/** How changes are found between full readings. */
	readonly changes: Changes;
	readonly pageSize: number;
	readonly timeouts: Timeouts;
	/** Pauses between rounds over all urls when none answers, in milliseconds. */
	readonly pausesMs: readonly number[];
	/** Unix milliseconds. */
	readonly clock: () => number;
	/** 0 to below 1. */
	readonly random: () => number;
	readonly observe: {
		/** After each operation on a server; for the metric. */
		request(operation: Operation, seconds: number): void;
		/** At each connection: when the server's certificate expires, Unix milliseconds. */
		certificate(expiresAt: number): void;
	};
}

export type Changes = "auto" | "syncrepl" | "timestamp" | "full";

/** What takes the place of the preset's lines; undefined: the preset's. */
export interface Overrides {
	/** The attribute that survives renames. */
	readonly anchor: string | undefined;
	/** A filter of who is a person. */
	readonly people: string | undefined;
	/** A filter of which people are disabled; empty: nobody. Judged here, on what entries show. */
	readonly disabled: string | undefined;
	/** A filter of what is a group. */
	readonly groupClasses: string | undefined;
	/** The attributes that name a group's members, by DN; `memberUid` by uid. */
	readonly members: readonly string[] | undefined;
}

/** Defaults for the configuration. */
export const genericLdapDefaults = {
	ruleGroups: [],
	pageSize: 1000,
	timeouts: { connectMs: 10_000, bindMs: 10_000, requestMs: 60_000 },
	pausesMs: [1000, 3000],
} as const;
