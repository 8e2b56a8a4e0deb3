import { Failure } from "../core/errors.ts";
import type { Flaw } from "./formats.ts";
import { type Gathering, isMap, isThere, sayMissing, textAt } from "./gathering.ts";
import { type Path, showPath } from "./problem.ts";
import { makeMissingSecret } from "./secret.ts";
import { readSecret, type SecretPlace } from "./secrets.ts";
import { isPlain } from "./servers.ts";
import { valueAt } from "./values.ts";

/** As whom a source reads: a user with its password, or whoever the client certificate names. */
export function checkBind(gathering: Gathering, source: Path): void {
	const bind = [...source, "bind"];
	const password = [...bind, "password"];
	checkSecret(gathering, password);
	if (!isMap(valueAt(gathering.document.values, bind))) return;
	const sasl = [...bind, "sasl"];
	if (isThere(gathering, sasl)) {
		if (textAt(gathering, sasl) === "external") checkExternal(gathering, source);
		return;
	}
	sayMissing(gathering, [...bind, "user"]);
	sayMissing(gathering, password);
	const authorizationId = [...bind, "authorizationId"];
	if (!isThere(gathering, authorizationId)) return;
	gathering.keyProblem(authorizationId, { message: "authorizationId without sasl: external", remedy: "remove it, or add sasl: external" });
}

/** SASL EXTERNAL takes its identity from the TLS layer (RFC 4422 appendix A): without a certificate shown there, there is none. */
function checkExternal(gathering: Gathering, source: Path): void {
	const bind = [...source, "bind"];
	for (const name of ["user", "password"]) {
		if (!isThere(gathering, [...bind, name])) continue;
		const message = `${name} beside sasl: external, where the client certificate says who we are`;
		gathering.keyProblem([...bind, name], { message, remedy: "remove one of the two" });
	}
	const sasl = [...bind, "sasl"];
	const tls = [...source, "tls"];
	const isUnread = gathering.document.isUnknown(tls) || gathering.document.mayBeUnread([...tls, "cert"]);
	if (!isUnread && !isThere(gathering, [...tls, "cert"]) && !isThere(gathering, [...tls, "key"])) {
		gathering.problem(sasl, { message: "sasl: external without a client certificate", remedy: "set tls.cert and tls.key" });
	}
	if (isPlain(gathering, source)) {
		const message = "sasl: external over plain LDAP, where no client certificate is shown";
		gathering.problem(sasl, { message, remedy: "use ldaps://, or set tls.startTls: true" });
	}
}

/** Reads a secret, and warns when it stands where everybody reads. Undefined when it is not there, or cannot be read. */
export function checkSecret(gathering: Gathering, where: Path): string | undefined {
	const place = secretPlace(valueAt(gathering.document.values, where));
	if (place === undefined) return undefined;
	const text = readPlace(gathering, where, place);
	if (text !== undefined && "text" in place && !gathering.document.isExpanded(where)) {
		gathering.warn(where, {
			message: `the ${secretNames[String(where.at(-1))] ?? "password"} stands in the configuration itself`,
			remedy: `move it to a file of its own: { file: ./secrets/${secretFiles[String(where[0])] ?? "corp"} }`,
		});
	}
	return text;
}

const secretFiles: Readonly<Record<string, string>> = { targets: "target", notify: "mail" };

const secretNames: Readonly<Record<string, string>> = { bearer: "token", clientSecret: "client's secret", secret: "secret" };

/** Reads a secret and keeps it. Undefined when it cannot be read, which was said. */
export function readPlace(gathering: Gathering, where: Path, place: SecretPlace): string | undefined {
	const { document, environment, directory } = gathering;
	if (document.isUnknown(where) || ["file", "env", "credential", "dpapi"].some((key) => document.isUnknown([...where, key])))
		return undefined;
	const reading = readSecret(place, environment, directory);
	if (reading.kind === "flaw") {
		gathering.secretProblem(where, reading.flaw);
		gathering.secrets.set(showPath(where), makeMissingSecret(failureOf(reading.flaw)));
		return undefined;
	}
	gathering.secrets.set(showPath(where), reading.secret);
	if (reading.warning !== undefined) gathering.warn(where, reading.warning);
	return reading.secret.reveal();
}

function failureOf({ message, remedy }: Flaw): Failure {
	return new Failure("SECRET_UNREADABLE", message, { hint: remedy });
}

/** The place that a value names, or undefined for what the schema refuses. */
export function secretPlace(value: unknown): SecretPlace | undefined {
	if (typeof value === "string") return value.trim() === "" ? undefined : { text: value };
	if (!isMap(value)) return undefined;
	const [[kind, name] = [], ...others] = Object.entries(value);
	if (others.length > 0 || typeof name !== "string" || name.trim() === "") return undefined;
	if (kind === "file") return { file: name };
	if (kind === "env") return { env: name };
	if (kind === "dpapi") return { dpapi: name };
	return kind === "credential" && /^[\w.-]+$/.test(name) ? { credential: name } : undefined;
}
