import type { Config } from "../../src/config/config.ts";
import { makeSecret } from "../../src/config/secret.ts";

/** A complete configuration of one source; what matters to a test stands in `differences`. */
export function makeConfig(differences: Partial<Config> = {}): Config {
	return {
		file: "/etc/dirsyncd/dirsyncd.yaml",
		database: "/var/lib/dirsyncd/dirsyncd.db",
		http: { listen: { host: "127.0.0.1", port: 0 } },
		log: { level: "info" },
		sources: [
			{
				name: "corp",
				type: "active-directory",
				urls: ["ldaps://dc1.corp.example.com"],
				bind: { user: "svc@corp.example.com", password: makeSecret("the password") },
				tls: { ca: undefined, caFile: undefined, startTls: false, servername: undefined },
				insecure: false,
				bases: ["DC=corp,DC=example,DC=com"],
				users: { filter: undefined, exclude: [] },
				schedule: { delta: "*/5 * * * *", full: "0 2 * * *", timezone: "UTC" },
				changes: "auto",
				timeouts: { connectMs: 1000, bindMs: 1000, requestMs: 1000 },
				pageSize: 1000,
				mapping: {},
			},
		],
		lifecycle: { onDisabled: "disable", onOutOfScope: "disable", onDeleted: "disable", deleteAfterMs: undefined },
		limits: {},
		protect: [],
		targets: [{ name: "accounts", type: "local" }],
		retention: { runsMs: 1, changesMs: 1 },
		demo: undefined,
		...differences,
	};
}
