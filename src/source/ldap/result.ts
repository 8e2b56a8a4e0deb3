import { Failure, type FailureCode } from "../../core/errors.ts";
import { BerError } from "../../lib/ber.ts";
import { limitHint } from "./limits.ts";
import type { Result } from "./wire/answer.ts";

/** Names of the result codes a search or bind may end with (RFC 4511 §4.1.9), for a person. */
const names: Readonly<Record<number, string>> = {
	1: "operationsError",
	2: "protocolError",
	3: "timeLimitExceeded",
	4: "sizeLimitExceeded",
	7: "authMethodNotSupported",
	8: "strongerAuthRequired",
	10: "referral",
	11: "adminLimitExceeded",
	12: "unavailableCriticalExtension",
	13: "confidentialityRequired",
	16: "noSuchAttribute",
	18: "inappropriateMatching",
	21: "invalidAttributeSyntax",
	32: "noSuchObject",
	34: "invalidDNSyntax",
	48: "inappropriateAuthentication",
	49: "invalidCredentials",
	50: "insufficientAccessRights",
	51: "busy",
	52: "unavailable",
	53: "unwillingToPerform",
	80: "other",
	123: "authorizationDenied",
};

const codes: Readonly<Record<number, { readonly code: FailureCode; readonly hint: string }>> = {
	1: { code: "SOURCE_PROTOCOL", hint: "Active Directory answers so when the connection is not bound; look into the server's log." },
	10: { code: "SOURCE_PROTOCOL", hint: "The base lies on another server: name that server in urls." },
	12: { code: "SOURCE_PROTOCOL", hint: "The server does not know the paged-results control, or lost the cookie." },
	32: { code: "SOURCE_BASE_MISSING", hint: "Check the DN, and that the service account may see it." },
	34: { code: "SOURCE_BASE_MISSING", hint: "The server does not take this for a DN: check its spelling and escaping." },
	50: { code: "SOURCE_REFUSED", hint: "Give the service account the right to read there." },
	51: { code: "SOURCE_UNREACHABLE", hint: "The server is busy; the next run tries again." },
	52: { code: "SOURCE_UNREACHABLE", hint: "The server is shutting down or starting; the next run tries again." },
};

/** "sizeLimitExceeded (4)". */
export function resultName(code: number): string {
	return `${names[code] ?? "result"} (${code})`;
}

/** The Failure that a result is, for an operation such as `the search under "OU=People,…"`. `account`: who is bound, where that is known. */
export function resultFailure(operation: string, result: Result, account?: string): Failure {
	const diagnostic = result.message === "" ? "" : `: ${printable(result.message)}`;
	const matched = result.matched === "" ? "" : ` (found as far as "${result.matched}")`;
	const referrals = result.referrals.length === 0 ? "" : ` to ${result.referrals.join(", ")}`;
	const message = `${operation} ended with ${resultName(result.code)}${referrals}${diagnostic}${matched}`;
	if (result.code === 3 || result.code === 4 || result.code === 11) {
		return new Failure("SOURCE_LIMIT", message, { hint: limitHint(result.code, account) });
	}
	const { code, hint } = codes[result.code] ?? { code: "SOURCE_PROTOCOL" as const, hint: "The server's own log says more." };
	return new Failure(code, message, { hint });
}

/** Samba and Windows end their messages with a zero byte or a line feed. */
export function printable(message: string): string {
	return message.replace(/[\p{Cc}\s]+/gu, " ").trim();
}

/** What went wrong while looking into a server's answer; bytes that are no LDAP become a Failure SOURCE_PROTOCOL. */
export function protocolFailure(server: string, cause: unknown): unknown {
	if (!(cause instanceof BerError)) return cause;
	return new Failure("SOURCE_PROTOCOL", `${server} sent what is not LDAP: ${cause.message}`, {
		cause,
		hint: "The server is broken, or something between changes its answers.",
	});
}
