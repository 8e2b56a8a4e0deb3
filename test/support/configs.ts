import type { ActiveDirectorySource, Config, LdapSource } from "../../src/config/config.ts";
import { makeSecret } from "../../src/config/secret.ts";

/** A complete source of type active-directory; what matters to a test stands in `differences`. */
export function makeActiveDirectorySource(differences: Partial<ActiveDirectorySource> = {}): ActiveDirectorySource {
	return { ...any, type: "active-directory", changes: "auto", watch: false, ...differences };
}

/** A complete source of type ldap. */
export function makeLdapSource(differences: Partial<LdapSource> = {}): LdapSource {
	const overrides = { anchor: undefined, people: undefined, disabled: undefined, groupClasses: undefined, members: undefined };
	return { ...any, type: "ldap", preset: "openldap", changes: "auto", overrides, ...differences };
}

/** A complete configuration of one source; what matters to a test stands in `differences`. */
export function makeConfig(differences: Partial<Config> = {}): Config {
	return {
		file: "/etc/dirsyncd/dirsyncd.yaml",
		database: "/var/lib/dirsyncd/dirsyncd.db",
		http: { listen: { host: "127.0.0.1", port: 0 }, tls: undefined },
		log: { level: "info", file: undefined },
		sources: [makeActiveDirectorySource()],
		lifecycle: { onDisabled: "disable", onOutOfScope: "disable", onDeleted: "disable", deleteAfterMs: undefined },
		match: "none",
		protect: [],
		features: [],
		policies: [],
		targets: [{ name: "accounts", type: "local", when: undefined, mapping: undefined, lifecycle: undefined, limits: {}, groups: true }],
		notify: [],
		settleMs: 900_000,
		retention: { runsMs: 1, changesMs: 1 },
		demo: undefined,
		...differences,
	};
}

const any = {
	limits: {},
	groupLimits: { deleted: undefined, removed: undefined },
	name: "corp",
	urls: ["ldaps://dc1.corp.example.com"],
	domain: undefined,
	bind: { user: "svc@corp.example.com", password: makeSecret("the password") },
	tls: {
		ca: undefined,
		caFile: undefined,
		cert: undefined,
		certFile: undefined,
		key: undefined,
		keyFile: undefined,
		startTls: false,
		servername: undefined,
	},
	insecure: false,
	bases: ["DC=corp,DC=example,DC=com"],
	users: { filter: undefined, exclude: [], groups: [] },
	groups: undefined,
	schedule: { delta: "*/5 * * * *", full: "0 2 * * *", timezone: "UTC" },
	timeouts: { connectMs: 1000, bindMs: 1000, requestMs: 1000 },
	pageSize: 1000,
	mapping: {},
} as const;

/** The password of the first source, in clear; undefined when it has none. */
export function passwordIn({ sources: [source] }: Config): string | undefined {
	return source !== undefined && "password" in source.bind ? source.bind.password.reveal() : undefined;
}
