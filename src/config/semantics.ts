import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { dnKey, isBeneath, parseDn } from "../core/dn.ts";
import { Failure } from "../core/errors.ts";
import type { ConfigDocument } from "./document.ts";
import type { Environment } from "./expand.ts";
import { checkDn, checkServerUrl, type Flaw } from "./formats.ts";
import { shownValue } from "./issues.ts";
import { type Path, type Problem, showPath } from "./problem.ts";
import { makeMissingSecret, type Secret } from "./secret.ts";
import { readSecret, reasonOf, type SecretPlace } from "./secrets.ts";
import { valueAt } from "./values.ts";
import { laterType } from "./vocabulary.ts";

export interface Semantics {
	readonly problems: readonly Problem[];
	/** Secrets that cannot be read. */
	readonly secretProblems: readonly Problem[];
	readonly warnings: readonly Problem[];
	/** Secrets read, by `showPath` of where they stand. */
	readonly secrets: ReadonlyMap<string, Secret>;
	/** Texts of the files that `tls.ca` names, by `showPath`. */
	readonly certificates: ReadonlyMap<string, string>;
}

interface Gathering {
	readonly document: ConfigDocument;
	readonly environment: Environment;
	readonly directory: string;
	readonly problem: (path: Path, flaw: Flaw) => void;
	readonly secretProblem: (path: Path, flaw: Flaw) => void;
	readonly warn: (path: Path, flaw: Flaw) => void;
	readonly secrets: Map<string, Secret>;
	readonly certificates: Map<string, string>;
}

/**
 * What two values together, a file or the environment have to say. Works on the values as they stand, whether or not the schema
 * found something wrong beside them, so that nothing hides anything.
 */
export function checkSemantics(document: ConfigDocument, environment: Environment, directory: string): Semantics {
	const problems: Problem[] = [];
	const secretProblems: Problem[] = [];
	const warnings: Problem[] = [];
	const place = (at: Path, { message, remedy }: Flaw): Problem => {
		return { ...document.placeOf(at), path: showPath(at), value: shownValue(document, at), message, remedy };
	};
	const gathering: Gathering = {
		document,
		environment,
		directory,
		problem: (at, flaw) => problems.push(place(at, flaw)),
		secretProblem: (at, flaw) => secretProblems.push(place(at, flaw)),
		warn: (at, flaw) => warnings.push(place(at, flaw)),
		secrets: new Map(),
		certificates: new Map(),
	};
	checkNames(gathering, "sources");
	checkNames(gathering, "targets");
	checkLocalTargets(gathering);
	checkSplitDns(gathering, ["protect"]);
	for (const index of listAt(gathering, ["sources"]).keys()) checkSource(gathering, ["sources", index]);
	return { problems, secretProblems, warnings, secrets: gathering.secrets, certificates: gathering.certificates };
}

function checkNames(gathering: Gathering, section: "sources" | "targets"): void {
	const seen = new Set<string>();
	for (const index of listAt(gathering, [section]).keys()) {
		const at = [section, index, "name"];
		const name = textAt(gathering, at);
		if (name === undefined) continue;
		const kind = section === "sources" ? "source" : "target";
		if (seen.has(name.toLowerCase()))
			gathering.problem(at, { message: `there is another ${kind} of this name`, remedy: "give each its own name" });
		seen.add(name.toLowerCase());
	}
}

function checkLocalTargets(gathering: Gathering): void {
	let locals = 0;
	for (const index of listAt(gathering, ["targets"]).keys()) {
		const at = ["targets", index, "type"];
		if (textAt(gathering, at) !== "local") continue;
		locals += 1;
		if (locals === 2)
			gathering.problem(at, { message: "there is one local account store, and it is a target already", remedy: "remove this target" });
	}
}

function checkSource(gathering: Gathering, source: Path): void {
	// A source of a later type has keys of its own.
	const type = [...source, "type"];
	if (laterType(type, valueAt(gathering.document.values, type)) !== undefined) return;
	checkUrls(gathering, source);
	const isSplit = checkSplitDns(gathering, [...source, "base"]);
	if (!checkSplitDns(gathering, [...source, "users", "exclude"]) && !isSplit) checkBases(gathering, source);
	checkPassword(gathering, [...source, "bind", "password"]);
	checkAuthority(gathering, [...source, "tls", "ca"]);
}

function checkUrls(gathering: Gathering, source: Path): void {
	const { document } = gathering;
	const isInsecure = valueAt(document.values, [...source, "insecure"]) === true;
	const startsTls = valueAt(document.values, [...source, "tls", "startTls"]) === true;
	const texts = listAt(gathering, [...source, "urls"]).map((url, index) => ({ url, path: [...source, "urls", index] }));
	const seen = new Set<string>();
	for (const { url, path: where } of texts) {
		if (typeof url !== "string" || checkServerUrl(url) !== undefined) continue;
		const secured = url.toLowerCase().startsWith("ldaps:");
		if (seen.has(url.toLowerCase())) gathering.problem(where, { message: "the same URL again", remedy: "remove it" });
		seen.add(url.toLowerCase());
		if (secured && startsTls) {
			gathering.problem(where, {
				message: "StartTLS is for ldap://, and ldaps:// is TLS already",
				remedy: "write ldap://, or remove tls.startTls",
			});
		} else if (!secured && !startsTls && !isInsecure) {
			const remedy = "write ldaps://, or set tls.startTls: true (or insecure: true where nobody else is on the line)";
			gathering.problem(where, { message: "plain LDAP, which sends the password in clear", remedy });
		} else if (!secured && !startsTls) {
			gathering.warn(where, {
				message: "plain LDAP: the password and all that is read cross the network in clear",
				remedy: "use ldaps:// or tls.startTls: true",
			});
		}
	}
}

function checkBases(gathering: Gathering, source: Path): void {
	const single = textAt(gathering, [...source, "base"]);
	const at: readonly Path[] =
		single === undefined
			? [...listAt(gathering, [...source, "base"]).keys()].map((index) => [...source, "base", index])
			: [[...source, "base"]];
	const bases = at.flatMap((where) => keyedDn(gathering, where));
	for (const [index, base] of bases.entries()) {
		const outer = bases.find((other, before) => (other.key === base.key ? before < index : isBeneath(base.key, other.key)));
		if (outer !== undefined) {
			gathering.problem(base.path, { message: `is read already, as part of ${outer.dn}`, remedy: "remove one of the two" });
		}
	}
	for (const index of listAt(gathering, [...source, "users", "exclude"]).keys()) {
		for (const excluded of keyedDn(gathering, [...source, "users", "exclude", index])) {
			const isAll = bases.some((base) => isBeneath(base.key, excluded.key));
			if (bases.length === 0 || (!isAll && bases.some((base) => isBeneath(excluded.key, base.key)))) continue;
			const message = isAll ? "excludes a whole base: nobody of it is in scope" : "excludes nothing: it is not beneath any base";
			gathering.warn(excluded.path, { message, remedy: "check it against base" });
		}
	}
}

/** `[OU=Staff,DC=corp]` without quotes is a list of two, each of them a DN of its own, and neither the one that was meant. */
function checkSplitDns(gathering: Gathering, list: Path): boolean {
	const items = listAt(gathering, list);
	const index = items.findIndex((item) => typeof item === "string" && checkDn(item) === undefined && parseDn(item).length === 1);
	if (items.length < 2 || index < 0) return false;
	const isInBrackets = gathering.document.written(list)?.startsWith("[") === true;
	if (!isInBrackets || /^["']/.test(gathering.document.written([...list, index]) ?? "")) return false;
	const remedy = `put each DN in quotes, as in ["${items.join(",")}"]`;
	gathering.problem([...list, index], { message: "a single part of a DN: the commas of a DN without quotes divide it", remedy });
	return true;
}

function keyedDn(gathering: Gathering, where: Path): readonly { readonly path: Path; readonly dn: string; readonly key: string }[] {
	const dn = textAt(gathering, where);
	return dn === undefined || checkDn(dn) !== undefined ? [] : [{ path: where, dn, key: dnKey(dn) }];
}

function checkPassword(gathering: Gathering, where: Path): void {
	const { document, environment, directory } = gathering;
	const place = secretPlace(valueAt(document.values, where));
	if (place === undefined || document.isUnknown(where) || ["file", "env", "credential"].some((key) => document.isUnknown([...where, key])))
		return;
	const reading = readSecret(place, environment, directory);
	if (reading.kind === "flaw") {
		const { message, remedy } = reading.flaw;
		gathering.secretProblem(where, reading.flaw);
		gathering.secrets.set(showPath(where), makeMissingSecret(new Failure("SECRET_UNREADABLE", message, { hint: remedy })));
		return;
	}
	gathering.secrets.set(showPath(where), reading.secret);
	if (reading.warning !== undefined) gathering.warn(where, reading.warning);
	if ("text" in place && !document.isExpanded(where)) {
		gathering.warn(where, {
			message: "the password stands in the configuration itself",
			remedy: "move it to a file of its own: { file: ./secrets/corp }",
		});
	}
}

/** The place that a value names, or undefined for what the schema refuses. */
function secretPlace(value: unknown): SecretPlace | undefined {
	if (typeof value === "string") return value.trim() === "" ? undefined : { text: value };
	if (!isMap(value)) return undefined;
	const [[kind, name] = [], ...others] = Object.entries(value);
	if (others.length > 0 || typeof name !== "string" || name.trim() === "") return undefined;
	if (kind === "file") return { file: name };
	if (kind === "env") return { env: name };
	return kind === "credential" && /^[\w.-]+$/.test(name) ? { credential: name } : undefined;
}

function checkAuthority(gathering: Gathering, where: Path): void {
	const name = textAt(gathering, where);
	if (name === undefined || name.trim() === "") return;
	const file = path.resolve(gathering.directory, name);
	try {
		const text = readFileSync(file, "utf8");
		const blocks = text.match(/-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]+-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g) ?? [];
		for (const block of blocks) new X509Certificate(block);
		if (blocks.length > 0) gathering.certificates.set(showPath(where), text);
		else
			gathering.problem(where, {
				message: `${file} holds no certificate`,
				remedy: "give the CA's certificate in PEM form (-----BEGIN CERTIFICATE-----)",
			});
	} catch (error) {
		const isRead = error instanceof Error && "syscall" in error;
		const message = isRead ? `the file ${file} cannot be read: ${reasonOf(error)}` : `${file} holds a certificate that cannot be read`;
		gathering.problem(where, { message, remedy: "give the path of the CA's certificate in PEM form" });
	}
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textAt({ document }: Gathering, at: Path): string | undefined {
	const value = valueAt(document.values, at);
	return typeof value === "string" ? value : undefined;
}

function listAt({ document }: Gathering, at: Path): readonly unknown[] {
	const value = valueAt(document.values, at);
	return Array.isArray(value) ? value : [];
}
