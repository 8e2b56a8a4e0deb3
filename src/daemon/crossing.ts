import type { Config } from "../config/config.ts";
import { makeSecret, type Secret } from "../config/secret.ts";
import { Failure, type FailureCode } from "../core/errors.ts";

/**
 * What crosses between the daemon and its engine's thread is copied, and functions are not: secrets and failures are taken apart
 * here and put together again there. Nothing of it leaves the process.
 */
export interface CrossingError {
	/** Undefined: a bug, no Failure. */
	readonly code: FailureCode | undefined;
	readonly message: string;
	readonly hint: string | undefined;
	readonly stack: string | undefined;
}

const SECRET = "\u0000secret";

/** A configuration as plain data, secrets in clear. Only for the thread that reads the sources. */
export function packConfig(config: Config): unknown {
	return map(config, (value) => (isSecret(value) ? { [SECRET]: value.reveal() } : undefined));
}

/** The configuration that `packConfig` took apart. */
export function unpackConfig(packed: unknown): Config {
	const made = map(packed, (value) => {
		if (typeof value !== "object" || value === null || !(SECRET in value)) return undefined;
		return makeSecret(String(value[SECRET]));
	});
	return made as Config;
}

export function packError(error: unknown): CrossingError {
	if (error instanceof Failure) return { code: error.code, message: error.message, hint: error.hint, stack: error.stack };
	const { message, stack } = error instanceof Error ? error : { message: String(error), stack: undefined };
	return { code: undefined, message, hint: undefined, stack };
}

export function unpackError({ code, message, hint, stack }: CrossingError): Error {
	const error = code === undefined ? new Error(message) : new Failure(code, message, hint === undefined ? {} : { hint });
	if (stack !== undefined) error.stack = stack;
	return error;
}

function isSecret(value: unknown): value is Secret {
	return typeof value === "object" && value !== null && "reveal" in value && typeof value.reveal === "function";
}

/** A copy of plain data in which `replace` may put another value in the place of any. */
function map(value: unknown, replace: (value: unknown) => unknown): unknown {
	const replaced = replace(value);
	if (replaced !== undefined) return replaced;
	if (Array.isArray(value)) return value.map((item) => map(item, replace));
	if (typeof value !== "object" || value === null) return value;
	return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, map(item, replace)]));
}
