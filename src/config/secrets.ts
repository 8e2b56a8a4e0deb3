import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import type { Environment } from "./expand.ts";
import type { Flaw } from "./formats.ts";
import { makeSecret, type Secret } from "./secret.ts";

export type SecretReading =
	| { readonly kind: "secret"; readonly secret: Secret; readonly warning: Flaw | undefined }
	| { readonly kind: "flaw"; readonly flaw: Flaw };

/** Where a secret is, as the configuration says it. */
export type SecretPlace =
	| { readonly text: string }
	| { readonly file: string }
	| { readonly env: string }
	| { readonly credential: string };

/** Reads a secret from where it is. `directory` is the one that relative paths are relative to. */
export function readSecret(place: SecretPlace, environment: Environment, directory: string): SecretReading {
	if ("text" in place) return { kind: "secret", secret: makeSecret(place.text), warning: undefined };
	if ("env" in place) return fromEnvironment(place.env, environment);
	if ("file" in place) return fromFile(path.resolve(directory, place.file), "the file", true);
	const credentials = environment["CREDENTIALS_DIRECTORY"];
	if (credentials === undefined || credentials === "") {
		const remedy = `add LoadCredential=${place.credential}:/path/to/the/secret to the systemd unit, or use { file: … }`;
		return { kind: "flaw", flaw: { message: "systemd gave this process no credentials ($CREDENTIALS_DIRECTORY is not set)", remedy } };
	}
	return fromFile(path.join(credentials, place.credential), "the credential", false);
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

function fromFile(file: string, what: string, asksForReaders: boolean): SecretReading {
	try {
		// Editors end a file with a newline that is not part of the secret.
		const text = readFileSync(file, "utf8").replace(/\r?\n$/, "");
		if (text === "") return { kind: "flaw", flaw: { message: `${what} ${file} is empty`, remedy: "write the secret into it" } };
		const readers = asksForReaders ? readersOf(file) : "owner";
		if (readers === "everybody") return { kind: "flaw", flaw: openFlaw(file, "everybody on this machine") };
		return { kind: "secret", secret: makeSecret(text), warning: readers === "group" ? openFlaw(file, "others of its group") : undefined };
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

/** Who has anything of a file's besides root. */
function readersOf(file: string): "owner" | "group" | "everybody" {
	// Windows keeps rights in access lists; its mode bits say nothing.
	if (process.platform === "win32") return "owner";
	const { mode } = statSync(file);
	if ((mode & 0o007) !== 0) return "everybody";
	return (mode & 0o070) === 0 ? "owner" : "group";
}

function openFlaw(file: string, who: string): Flaw {
	const mode = (statSync(file).mode & 0o777).toString(8);
	return { message: `the secret in ${file} is open to ${who} (mode ${mode})`, remedy: `chmod 600 ${file}` };
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
