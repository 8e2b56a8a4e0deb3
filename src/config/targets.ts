import path from "node:path";
import { checkCertificates } from "./certificates.ts";
import { checkSecret } from "./credentials.ts";
import { checkEndpoints } from "./endpoints.ts";
import type { Flaw } from "./formats.ts";
import { type Gathering, isMap, isThere, listAt, sayMissing, textAt } from "./gathering.ts";
import type { Path } from "./problem.ts";
import { type TargetType, targetTypes } from "./target-schema.ts";
import { valueAt } from "./values.ts";

/** What the targets have to be, each by itself and beside the others. */
export function checkTargets(gathering: Gathering): void {
	const targets = [...listAt(gathering, ["targets"]).keys()].map((index) => ["targets", index]);
	checkOnlyStore(gathering, targets);
	checkFiles(gathering, targets);
	for (const target of targets) {
		const type = targetTypes.find((known) => known === textAt(gathering, [...target, "type"]));
		// What is missing in a type that nobody knows cannot be said, and what is wrong in it neither.
		if (type === undefined) continue;
		checkBelonging(gathering, target, type);
		checkEndpoints(gathering, target);
		checkAuth(gathering, target, type);
		checkCertificates(gathering, target);
		checkFormat(gathering, target);
		checkAttributes(gathering, target);
		checkMatch(gathering, target);
	}
}

/** Keys that not every type has, and those among them that a type must have. */
const keys: readonly { readonly names: readonly string[]; readonly types: readonly TargetType[]; readonly isRequired?: true }[] = [
	{ names: ["url"], types: ["scim", "webhook"], isRequired: true },
	{ names: ["insecure", "tls", "proxy", "concurrency", "timeout"], types: ["scim", "webhook"] },
	{ names: ["auth", "adopt", "match", "dialect", "features", "policies", "rate", "memberBatch", "readBack"], types: ["scim"] },
	{ names: ["path", "format"], types: ["file"], isRequired: true },
	{ names: ["content", "columns", "ldifBase"], types: ["file"] },
	{ names: ["secret"], types: ["webhook"], isRequired: true },
	{ names: ["batch"], types: ["webhook"] },
];

function checkBelonging(gathering: Gathering, target: Path, type: TargetType): void {
	for (const { names, types, isRequired } of keys) {
		for (const name of names) {
			const at = [...target, name];
			if (types.includes(type)) {
				if (isRequired === true) sayMissing(gathering, at);
			} else if (isThere(gathering, at)) {
				gathering.keyProblem(at, { message: `${name} is for targets of type ${types.join(" and ")}`, remedy: "remove it" });
			}
		}
	}
}

function checkOnlyStore(gathering: Gathering, targets: readonly Path[]): void {
	const locals = targets.filter((target) => textAt(gathering, [...target, "type"]) === "local");
	const [, second] = locals;
	if (second === undefined) return;
	const message = "there is one local account store, and it is a target already";
	gathering.problem([...second, "type"], { message, remedy: "remove this target" });
}

/** A file is written by one target alone, and is not the database. */
function checkFiles(gathering: Gathering, targets: readonly Path[]): void {
	const database = path.resolve(gathering.directory, textAt(gathering, ["database"]) ?? "./data/dirsyncd.db");
	const seen = new Set<string>();
	for (const target of targets) {
		const at = [...target, "path"];
		const name = textAt(gathering, at);
		if (name === undefined || name.trim() === "") continue;
		const file = path.resolve(gathering.directory, name);
		// The database has files beside it that begin with its name.
		if (file.startsWith(database)) gathering.problem(at, { message: "is the database", remedy: "name a file of its own" });
		if (seen.has(file)) gathering.problem(at, { message: "another target writes this file", remedy: "give each target a file of its own" });
		seen.add(file);
		if (name.endsWith("/")) gathering.problem(at, { message: "a folder where a file belongs", remedy: `write ${name}accounts.csv` });
	}
}

/** As whom we are at a target: secrets are read here, whatever the rest of it says. */
function checkAuth(gathering: Gathering, target: Path, type: TargetType): void {
	const auth = [...target, "auth"];
	const written = valueAt(gathering.document.values, auth);
	const ways = ["bearer", "basic", "oauth"].filter((way) => isThere(gathering, [...auth, way]));
	// Of keys that are unknown, one was meant to be there.
	if (isMap(written) && (ways.length > 1 || Object.keys(written).length === 0)) {
		const remedy = "write one of bearer, basic, oauth, as in { bearer: { env: SCIM_TOKEN } }";
		gathering.problem(auth, { message: "not exactly one way to sign in", remedy });
	}
	for (const way of [["bearer"], ["basic", "password"], ["oauth", "clientSecret"]]) checkSecret(gathering, [...auth, ...way]);
	const secret = [...target, "secret"];
	const text = checkSecret(gathering, secret);
	const flaw = shortSecretFlaw(text);
	if (flaw !== undefined) gathering.warn(secret, flaw);
	if (type !== "scim") return;
	const tls = [...target, "tls"];
	const isByCertificate = isThere(gathering, [...tls, "cert"]) || gathering.document.isUnknown(tls);
	if (!isByCertificate) sayMissing(gathering, auth);
	if (textAt(gathering, auth) === "none" && !isByCertificate) {
		const message = "auth: none: whoever reaches this URL may change accounts there";
		gathering.warn(auth, { message, remedy: "let the server ask for a token" });
	}
}

/** Standard Webhooks asks for 24 octets at least. */
const SHORTEST_SECRET = 24;

/** Of a secret that signs, what is wrong with its length. */
export function shortSecretFlaw(text: string | undefined): Flaw | undefined {
	if (text === undefined || text.length >= SHORTEST_SECRET) return undefined;
	const remedy = `make a longer one, of ${SHORTEST_SECRET} characters or more: openssl rand -base64 32`;
	return { message: "a secret so short can be found by trying", remedy };
}

/** Keys of one format alone. */
function checkFormat(gathering: Gathering, target: Path): void {
	const format = textAt(gathering, [...target, "format"]);
	if (format === undefined) return;
	const ldifBase = [...target, "ldifBase"];
	if (format === "ldif") sayMissing(gathering, ldifBase);
	for (const { at, owner } of [
		{ at: ldifBase, owner: "ldif" },
		{ at: [...target, "columns"], owner: "csv" },
	]) {
		if (format === owner || !isThere(gathering, at)) continue;
		gathering.keyProblem(at, { message: `${String(at.at(-1))} is for format ${owner}`, remedy: "remove it" });
	}
	const seen = new Set<string>();
	for (const [index, column] of listAt(gathering, [...target, "columns"]).entries()) {
		const heading = isMap(column) ? column["heading"] : column;
		if (typeof heading !== "string") continue;
		const at = [...target, "columns", index];
		if (seen.has(heading))
			gathering.problem(at, { message: `another column is headed ${heading}`, remedy: "give it a heading of its own" });
		seen.add(heading);
	}
}

function checkAttributes(gathering: Gathering, target: Path): void {
	const [features, policies] = [textAt(gathering, [...target, "features"]), textAt(gathering, [...target, "policies"])];
	if (features === undefined || features !== policies) return;
	const message = "features go to this attribute already, and policies would take their place";
	gathering.problem([...target, "policies"], { message, remedy: "give each an attribute of its own" });
}

/** A field that the mapping leaves out matches nobody. */
function checkMatch(gathering: Gathering, target: Path): void {
	const at = [...target, "match"];
	const match = textAt(gathering, at) ?? "userName";
	const field = match === "emails.value" ? "emails.primary" : match;
	const template = textAt(gathering, [...target, "mapping", field]) ?? textAt(gathering, ["mapping", field]);
	if (template !== "" || match === "userName") return;
	gathering.warn(at, { message: `matches nobody: mapping leaves ${field} out`, remedy: `give mapping a ${field}, or match by another` });
}

/** The places of a condition and all that are within it. */
export function conditionsAt(gathering: Gathering, at: Path): readonly Path[] {
	if (!isMap(valueAt(gathering.document.values, at))) return [];
	const lists = ["all", "any"].flatMap((kind) => [...listAt(gathering, [...at, kind]).keys()].map((index) => [...at, kind, index]));
	return [at, ...[...lists, [...at, "not"]].flatMap((inner) => conditionsAt(gathering, inner))];
}
