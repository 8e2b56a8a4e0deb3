import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { makeSecret, type Secret } from "../config/secret.ts";
import { Failure } from "../core/errors.ts";
import type { Role } from "./session.ts";

/** 32 random bytes are beyond guessing; a shorter token in the file was put there by hand. */
const SHORTEST = 32;

/** A token from its file, which is made at the first start: whoever may read it may do what its role may. */
export function openToken(file: string): Secret {
	try {
		return makeToken(file) ?? readToken(file);
	} catch (cause) {
		if (cause instanceof Failure) throw cause;
		throw new Failure(
			"SECRET_UNREADABLE",
			`the token in ${file} cannot be read or made: ${cause instanceof Error ? cause.message : String(cause)}`,
			{
				cause,
				hint: "Check that the file and its folder belong to dirsyncd's user.",
			},
		);
	}
}

/** By which token somebody is known: the operator's is the admin token. */
export type Tokens = Readonly<Record<Role, Secret>>;

/** Whose token it is, or undefined for a wrong one. Takes the same time for every wrong one. */
export function roleOf(given: string | undefined, { operator, viewer }: Tokens): Role | undefined {
	if (given === undefined) return undefined;
	const [isOperator, isViewer] = [operator, viewer].map((token) => timingSafeEqual(hash(given), hash(token.reveal())));
	if (isOperator) return "operator";
	return isViewer ? "viewer" : undefined;
}

/** The token that a request's Authorization header carries. */
export function bearerOf(header: string | undefined): string | undefined {
	return /^Bearer +([\x21-\x7e]+) *$/i.exec(header ?? "")?.[1];
}

function makeToken(file: string): Secret | undefined {
	const text = randomBytes(32).toString("base64url");
	try {
		writeFileSync(file, `${text}\n`, { mode: 0o600, flag: "wx" });
		return makeSecret(text);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "EEXIST") return undefined;
		throw error;
	}
}

function readToken(file: string): Secret {
	const text = readFileSync(file, "utf8").trim();
	if (text.length < SHORTEST) {
		throw new Failure("SECRET_UNREADABLE", `the token in ${file} is shorter than ${SHORTEST} characters`, {
			hint: "Remove the file: the next start makes a new one.",
		});
	}
	// A copy or a restore may have opened it to everybody.
	chmodSync(file, 0o600);
	return makeSecret(text);
}

/** Of one length whatever was given: timingSafeEqual wants that. */
function hash(text: string): Buffer {
	return createHash("sha256").update(text).digest();
}
