import type { Bind } from "../ldap/bind.ts";
import type { Operation, Timeouts, Tls } from "../ldap/dial.ts";
import type { Discovery } from "../ldap/discovery.ts";
import type { Changes } from "./strategy.ts";

/** What one source of type active-directory is made of; the configuration gives it, with its defaults filled in. */
export interface ActiveDirectoryOptions {
	readonly name: string;
	/** In order of preference; empty when they are discovered. */
	readonly urls: readonly string[];
	/** Domain controllers by DNS, instead of `urls`. */
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
		/** DNs of groups: only who is in one of them, nested, is in scope. None: everyone is. */
		readonly groups: readonly string[];
	};
	/** Groups that rules name, by DN, GUID, SID or name: read wherever they are; without one of them nothing is decided by it. */
	readonly ruleGroups: readonly string[];
	/** Which groups are kept at the targets; undefined: none. */
	readonly groups: GroupOptions | undefined;
	/** How changes are found. */
	readonly changes: Changes;
	/** DNs of people, groups and containers that are never disabled without approval. */
	readonly protect: readonly string[];
	/** The attributes that the mapping needs; this source adds its own. */
	readonly attributes: readonly string[];
	/** Whether a change notification wakes whoever reads. */
	readonly watch: boolean;
	readonly pageSize: number;
	readonly timeouts: Timeouts;
	/** Pauses between rounds over all servers when none answers, in milliseconds. */
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

export interface GroupOptions {
	readonly bases: readonly string[];
	/** RFC 4515. */
	readonly filter: string | undefined;
	/** DNs of subtrees that are out of scope. */
	readonly exclude: readonly string[];
	/** Both, or none named: any. */
	readonly kinds: readonly GroupKind[];
}

/** What a group is for: rights and mail, or mail alone. */
export type GroupKind = "security" | "distribution";

/** Defaults for the configuration. A first page of 1,000,000 people took Samba about a minute. */
export const activeDirectoryDefaults = {
	ruleGroups: [],
	watch: false,
	pageSize: 1000,
	timeouts: { connectMs: 10_000, bindMs: 10_000, requestMs: 60_000 },
	pausesMs: [1000, 3000],
} as const;
