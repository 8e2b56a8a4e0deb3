import type { SourceConfig } from "../config/config.ts";
import type { Loaded } from "../config/load.ts";
import type { Log } from "../telemetry/log.ts";

export interface Hello {
	readonly loaded: Loaded;
	/** A made-up directory, and the operator should hear how to get to a real one. */
	readonly isDemo: boolean;
	readonly version: string;
	/** Where HTTP listens. */
	readonly url: string;
}

/** The first lines on a terminal: what this is, and where to look. */
export function sayHello(write: (text: string) => void, { loaded, isDemo, version, url }: Hello): void {
	const { config } = loaded;
	const sources = config.sources.map((source) => `${source.name} (${serversOf(source).join(", ")})`).join("; ");
	write(`dirsyncd ${version} keeps accounts in step with the directory\n\n`);
	const places = { page: `${url}/`, health: `${url}/health`, metrics: `${url}/metrics` };
	const rows = { ...places, configuration: config.file, database: config.database, reads: sources };
	for (const [name, value] of Object.entries(rows)) write(`  ${name.padEnd(15)}${value}\n`);
	write("\n");
	if (isDemo) write(`${demoLines(config.demo?.people ?? 0)}\n`);
}

/** The same for a log that a program reads. */
export function logHello(log: Log, { loaded, isDemo, version, url }: Hello): void {
	const { config } = loaded;
	const sources = config.sources.map((source) => ({ source: source.name, urls: serversOf(source) }));
	const places = { page: `${url}/`, health: `${url}/health`, metrics: `${url}/metrics` };
	log.info(
		{ version, node: process.versions.node, pid: process.pid, ...places, config: config.file, database: config.database, sources },
		"dirsyncd starts",
	);
	if (isDemo) log.info({ next: NEXT_STEP }, "this is the demo, a made-up directory: nothing here is real");
}

/** Said at every start and after every new configuration: what works but should not stay as it is. */
export function logWarnings(log: Log, { config, warnings }: Loaded): void {
	// What the demo's configuration does is fine for a directory that is made up and never leaves the machine.
	for (const { line, column, path, message, remedy } of config.demo === undefined ? warnings : []) {
		log.warn({ at: `${config.file}:${line}:${column}`, path, remedy }, `configuration: ${message}`);
	}
	for (const { name, insecure, urls, domain, tls } of config.sources) {
		const isPlain = !tls.startTls && (domain !== undefined || urls.some((url) => url.toLowerCase().startsWith("ldap:")));
		if (insecure && isPlain) log.warn({ source: name }, "insecure source: its password and all that is read cross the network in clear");
	}
}

/** The URLs of a source, or whose servers DNS names. */
function serversOf({ urls, domain }: SourceConfig): readonly string[] {
	if (domain === undefined) return urls;
	return [`the servers of ${domain.name}${domain.site === undefined ? "" : `, site ${domain.site} first`}`];
}

const NEXT_STEP = "cp config/dirsyncd.example.yaml dirsyncd.yaml, adapt it, then: npm start -- --config dirsyncd.yaml";

function demoLines(people: number): string {
	return `This is the demo: a made-up directory of ${people} people, served over LDAP on this machine, who are hired, marry, move and
leave. See who has an account:   npm run --silent dirsyncd -- accounts
To sign in at the page:          npm run --silent dirsyncd -- token
For a directory of your own:     ${NEXT_STEP}
`;
}
