import type { ConfigDocument } from "./document.ts";
import type { Flaw } from "./formats.ts";
import type { Path } from "./problem.ts";
import { valueAt } from "./values.ts";
import { keysAt, meantKey } from "./vocabulary.ts";

/** What is said of a key that is not there, with an example of how it is written. */
export function missingFlaw(path: Path): Flaw {
	const name = String(path.at(-1));
	const own = path[0] === "targets" ? targetExamples : path[0] === "notify" ? channelExamples : undefined;
	const example = own?.[name] ?? examples[name];
	return { message: `${name} is missing`, remedy: `add ${name}: ${example ?? "…"}` };
}

/** Whether an unknown key beside it is probably meant for the one at a path: then it is misspelled and not missing. */
export function isMisspelled(document: ConfigDocument, path: Path): boolean {
	const above = path.slice(0, -1);
	const map = valueAt(document.values, above);
	if (typeof map !== "object" || map === null) return false;
	const known = keysAt(above);
	return Object.keys(map).some((name) => !known.includes(name) && meantKey(above, name) === path.at(-1));
}

const examples: Readonly<Record<string, string>> = {
	sources: "[{ name: corp, type: active-directory, … }]",
	name: "corp",
	type: "active-directory",
	preset: "openldap (or 389ds, freeipa, google)",
	urls: "[ldaps://dc1.corp.example.com]",
	bind: "{ user: svc-dirsyncd@corp.example.com, password: { file: ./secrets/corp } }",
	user: "svc-dirsyncd@corp.example.com",
	password: "{ file: ./secrets/corp }",
	cert: "./dirsyncd.pem",
	key: "./secrets/dirsyncd.key",
	base: "DC=corp,DC=example,DC=com",
};

/** Where a target's key is written otherwise than a source's, or is a target's alone. */
const targetExamples: Readonly<Record<string, string>> = {
	name: "mail-gateway",
	type: "scim (or local, file, webhook)",
	url: "https://scim.example.com/v2",
	auth: "{ bearer: { env: SCIM_TOKEN } }",
	user: "dirsyncd",
	password: "{ file: ./secrets/scim }",
	tokenUrl: "https://login.example.com/oauth2/token",
	clientId: "dirsyncd",
	clientSecret: "{ env: SCIM_CLIENT_SECRET }",
	schedule: '"0 4 * * 0"',
	path: "./out/accounts.csv",
	format: "csv (or jsonl, ldif)",
	ldifBase: '"ou=people,dc=example,dc=com"',
	heading: "E-mail",
	field: "emails.primary",
	secret: "{ env: HOOK_SECRET }",
};

/** The same of a channel. */
const channelExamples: Readonly<Record<string, string>> = {
	name: "admins",
	type: "smtp (or webhook)",
	host: "mail.example.com",
	from: "dirsyncd@example.com",
	to: "[admins@example.com]",
	user: "dirsyncd",
	password: "{ file: ./secrets/mail }",
	url: "https://hooks.example.com/dirsyncd",
	secret: "{ env: HOOK_SECRET }",
};
