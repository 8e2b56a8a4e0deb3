/**
 * Every code a Failure may carry, with what it means. A code is forever: scripts and alerts lean on it. The same table stands
 * in src/README.md.
 */
export const failureCodes = {
	CONFIG_INVALID: "the configuration has problems; all of them are listed",
	USAGE: "the command line, or a request, is wrong",
	SECRET_UNREADABLE: "a secret's file, variable or credential cannot be read",
	SOURCE_UNREACHABLE: "no connection: name, route, refused, reset, or no answer in time",
	SOURCE_UNTRUSTED: "the server's certificate is not trusted, expired, or for another name",
	SOURCE_REFUSED: "the server refused the account: password, disabled, expired, locked",
	SOURCE_BROKE: "the connection or the answer broke in the middle of a reading",
	SOURCE_LIMIT: "the server stopped at a size, time or admin limit",
	SOURCE_PROTOCOL: "the server answered against the protocol",
	SOURCE_BASE_MISSING: "a configured base is not there, or not visible to this account",
	CURSOR_REFUSED: "the stored cursor cannot be used any more",
	ENTRY_UNREADABLE: "an entry cannot be decoded",
	DATABASE_LOCKED: "another process holds this database",
	DAEMON_UNREACHABLE: "the daemon that holds the database does not answer as it should",
	DATABASE_NEWER: "the database was written by a newer version",
	DATABASE_CORRUPT: "the database does not pass its integrity check",
	DATABASE_UNWRITABLE: "the database cannot be written",
	PLAN_UNKNOWN: "no plan of this hash is waiting",
	PLAN_CHANGED: "what would be done is no longer what was shown",
	TARGET_UNREACHABLE: "a target cannot be reached",
	TARGET_REFUSED: "a target refuses us as a whole",
	TARGET_LISTING_PARTIAL: "a target's list of accounts cannot be proven complete",
	CHANNEL_UNREACHABLE: "a channel by which people are told cannot be reached",
	CHANNEL_REFUSED: "a mail server, or a webhook, takes nothing of ours",
	RUN_ALREADY_ACTIVE: "a run of this source is going on",
	ENGINE_DOWN: "the daemon's engine is down or hangs, and is being started again",
	OUTPUT_UNWRITABLE: "a file that was asked for cannot be written",
	NOT_FOUND: "what was asked for is not there",
	AMBIGUOUS: "a name means more than one",
	FORBIDDEN: "who asks may not, or did not ask by a form of the page",
	CANCELLED: "stopped because the process is ending",
} as const satisfies Record<string, string>;

export type FailureCode = keyof typeof failureCodes;

/**
 * The only thing this project throws on purpose. The message, in lower case, says what was tried on what, and never holds a
 * secret; the hint says what a person can do about it.
 */
export class Failure extends Error {
	readonly code: FailureCode;
	readonly hint: string | undefined;
	/** Milliseconds to wait before the next try, where the other side said so. */
	readonly retryAfterMs: number | undefined;

	constructor(code: FailureCode, message: string, options: { cause?: unknown; hint?: string; retryAfterMs?: number } = {}) {
		super(message, options.cause === undefined ? undefined : { cause: options.cause });
		this.name = "Failure";
		this.code = code;
		this.hint = options.hint;
		this.retryAfterMs = options.retryAfterMs;
	}
}

/** For the default branch of a switch over a union: a new kind fails to compile there. */
export function unreachable(value: never): never {
	throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
