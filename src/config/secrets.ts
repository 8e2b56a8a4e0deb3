import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { type Dpapi, unprotect, windowsDpapi } from "./dpapi.ts";
import type { Environment } from "./expand.ts";
import type { Flaw } from "./formats.ts";
import { makeSecret, type Secret } from "./secret.ts";
import { type AccessLists, readersFlaw, windowsAccessLists } from "./secret-access.ts";

export type SecretReading =
	| { readonly kind: "secret"; readonly secret: Secret; readonly warning: Flaw | undefined }
	| { readonly kind: "flaw"; readonly flaw: Flaw };

/** Where a secret is, as the configuration says it. */
export type SecretPlace =
	| { readonly text: string }
	| { readonly file: string }
	| { readonly env: string }
	| { readonly credential: string }
	/** A file that Windows' data protection made for this machine. */
	| { readonly dpapi: string };

/** What of Windows is asked for secrets; elsewhere it is not there, and not asked. */
export interface WindowsTools {
	readonly dpapi: Dpapi;
	readonly accessLists: AccessLists;
}

/** Reads a secret from where it is. `directory` is the one that relative paths are relative to. */
export function readSecret(
	place: SecretPlace,
	environment: Environment,
	directory: string,
	windows: WindowsTools = { dpapi: windowsDpapi(environment), accessLists: windowsAccessLists(environment) },
): SecretReading {
	if ("text" in place) return { kind: "secret", secret: makeSecret(place.text), warning: undefined };
	if ("env" in place) return fromEnvironment(place.env, environment);
	if ("file" in place) return fromFile(path.resolve(directory, place.file), "the file", windows.accessLists);
	if ("dpapi" in place) return fromDpapi(path.resolve(directory, place.dpapi), windows.dpapi);
	const credentials = environment["CREDENTIALS_DIRECTORY"];
	if (credentials === undefined || credentials === "") {
		const remedy = `add LoadCredential=${place.credential}:/path/to/the/secret to the systemd unit, or use { file: … }`;
		return { kind: "flaw", flaw: { message: "systemd gave this process no credentials ($CREDENTIALS_DIRECTORY is not set)", remedy } };
	}
	return fromFile(path.join(credentials, place.credential), "the credential", undefined);
}

function fromEnvironment(name: string, environment: Environment): SecretReading {
	const text = environment[name];
	if (text !== undefined && text !== "") return { kind: "secret", secret: makeSecret(text), warning: undefined };
	const state = text === undefined ? "not set" : "empty";
	return {
		kind: "flaw",
		flaw: { message: `the environment variable ${name} is ${state}`, remedy: `set ${name} in the environment of dirsyncd` },
	};
}

function fromDpapi(file: string, dpapi: Dpapi): SecretReading {
	// Elsewhere the file has nothing to say, if there is one.
	const reading = dpapi.platform === "win32" ? fromFile(file, "the file", undefined) : undefined;
	if (reading?.kind === "flaw") return reading;
	const unprotected = unprotect(file, reading?.secret.reveal() ?? "", dpapi);
	if (unprotected.kind === "flaw") return unprotected;
	const text = unprotected.text.replace(/\r?\n$/, "");
	if (text === "") return { kind: "flaw", flaw: { message: `the secret in ${file} is empty`, remedy: "make it anew" } };
	return { kind: "secret", secret: makeSecret(text), warning: undefined };
}

/** `accessLists`: where it is to be looked who else may read it. */
function fromFile(file: string, what: string, accessLists: AccessLists | undefined): SecretReading {
	try {
		// Editors end a file with a newline that is not part of the secret.
		const text = readFileSync(file, "utf8").replace(/\r?\n$/, "");
		if (text === "") return { kind: "flaw", flaw: { message: `${what} ${file} is empty`, remedy: "write the secret into it" } };
		const found = accessLists && openTo(file, accessLists);
		if (found?.isToEverybody === true) return { kind: "flaw", flaw: found.flaw };
		return { kind: "secret", secret: makeSecret(text), warning: found?.flaw };
	} catch (error) {
		return {
			kind: "flaw",
			flaw: {
				message: `${what} ${file} cannot be read: ${reasonOf(error)}`,
				remedy: "check the path, and that dirsyncd's user may read it",
			},
		};
	}
}

/** Who else may read a secret's file. */
interface Open {
	/** Refused, and not only warned of. */
	readonly isToEverybody: boolean;
	readonly flaw: Flaw;
}

function openTo(file: string, accessLists: AccessLists): Open | undefined {
	// Windows keeps rights in access lists; its mode bits say nothing.
	if (accessLists.platform === "win32") {
		const flaw = readersFlaw(file, accessLists);
		return flaw && { isToEverybody: false, flaw };
	}
	const { mode: bits, uid } = statSync(file);
	const mode = bits & 0o777;
	if ((mode & 0o077) === 0) return undefined;
	// Somebody else's, and we may read it as one of its group alone: so do Kubernetes (fsGroup) and administrators hand them over.
	if ((mode & 0o077) === 0o040 && uid !== process.geteuid?.()) return undefined;
	const isToEverybody = (mode & 0o007) !== 0;
	const who = isToEverybody ? "everybody on this machine" : "others of its group";
	return {
		isToEverybody,
		flaw: { message: `the secret in ${file} is open to ${who} (mode ${mode.toString(8)})`, remedy: `chmod 600 ${file}` },
	};
}

/** Why a file cannot be read, for a person. */
export function reasonOf(error: unknown): string {
	const code = error instanceof Error && "code" in error ? String(error.code) : "";
	const reasons: Readonly<Record<string, string>> = {
		ENOENT: "there is no such file",
		EACCES: "this user may not read it",
		EPERM: "this user may not read it",
		EISDIR: "it is a directory",
		ENOTDIR: "a part of its path is not a directory",
	};
	return reasons[code] ?? (error instanceof Error ? error.message : String(error));
}
