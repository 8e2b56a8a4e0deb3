/** What a first configuration says. */
export interface Draft {
	readonly name: string;
	readonly servers: { readonly kind: "domain"; readonly domain: string } | { readonly kind: "urls"; readonly urls: readonly string[] };
	readonly security: "tls" | "start-tls" | "clear";
	/** Path of the authorities' file; undefined: the system's. */
	readonly ca: string | undefined;
	readonly user: string;
	readonly password: { readonly file: string } | { readonly env: string } | { readonly credential: string };
	readonly bases: readonly string[];
	readonly exclude: readonly string[];
	readonly hasGroups: boolean;
	readonly database: string;
}

/** The configuration as a file, with comments for whoever goes on with it. */
export function draftText(draft: Draft, at: string): string {
	const { name, servers, security, ca, user, password, bases, exclude, hasGroups, database } = draft;
	const tls = [...(ca === undefined ? [] : [`ca: ${quote(ca)}`]), ...(security === "start-tls" ? ["startTls: true"] : [])];
	const [[kind, place] = ["file", ""]] = Object.entries(password);
	const secret = `{ ${kind}: ${quote(place)} }`;
	return [
		`# Made by "dirsyncd init" on ${at}. Every key there is, with its meaning: config/dirsyncd.example.yaml.`,
		"# After a change: dirsyncd config validate, then dirsyncd whatif or dirsyncd plan, which change nothing.",
		"",
		"# All that dirsyncd knows. On a local disk; dirsyncd backup copies it while the daemon runs.",
		`database: ${quote(database)}`,
		"",
		"sources:",
		`  - name: ${quote(name)}`,
		"    type: active-directory",
		...(servers.kind === "domain"
			? ["    # DNS names its domain controllers, those of this machine's site first.", `    domain: ${quote(servers.domain)}`]
			: ["    # In order of preference.", `    urls: ${list(servers.urls)}`]),
		"    # An account that may read, and nothing else.",
		`    bind: { user: ${quote(user)}, password: ${secret} }`,
		...(tls.length === 0 ? [] : [`    tls: { ${tls.join(", ")} }`]),
		...(security === "clear" ? ["    # The password and all that is read cross the network in clear.", "    insecure: true"] : []),
		`    base: ${bases.length === 1 ? quote(bases[0] ?? "") : list(bases)}`,
		"    users:",
		"      # Who is a person is in scope, unless a filter says otherwise:",
		'      # filter: "(mail=*)"',
		"      # Containers beneath base whose people are not:",
		`      exclude: ${list(exclude)}`,
		"      # Only the members of these groups, by DN; nested ones included. Empty: everybody.",
		"      groups: []",
		"    # Which groups are kept, with their members; left out: none.",
		hasGroups ? "    groups: {}" : "    # groups: {}",
		"    schedule:",
		"      # Changes; and everything, which alone shows deletions.",
		'      delta: "*/5 * * * *"',
		'      full: "0 2 * * *"',
		"",
		"# More than this at once waits for a person: dirsyncd approve. What is left out has its default.",
		"# limits: { disable: { count: 50, percent: 5, floor: 3 } }",
		"",
		"# Where accounts go. Left out: the embedded store alone, which dirsyncd accounts shows.",
		"# targets:",
		"#   - { name: accounts, type: local }",
		"",
	].join("\n");
}

function list(texts: readonly string[]): string {
	return `[${texts.map(quote).join(", ")}]`;
}

/** YAML reads what JSON writes; a dollar before a brace would be replaced by the environment. */
function quote(text: string): string {
	return JSON.stringify(text).replaceAll("${", () => "$${");
}
