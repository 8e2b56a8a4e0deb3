import { ResultCodeError } from "ldapts";
import { Failure } from "../../core/errors.ts";
import { type ClientCertificate, clientCertificateFailure } from "./client-certificate.ts";
import { printable, resultName } from "./result.ts";

/** A bind that was tried. */
export interface Attempt {
	readonly server: string;
	/** For a person. */
	readonly account: string;
	/** SASL EXTERNAL, without a password. */
	readonly isByCertificate: boolean;
	/** Shown within TLS, whatever the bind. */
	readonly certificate: ClientCertificate | undefined;
	/** Unix milliseconds. */
	readonly now: number;
}

/** Active Directory's own reasons, in hex, in the message of an invalidCredentials ("… data 52e, v1db1"). */
const reasons: Readonly<Record<string, { readonly what: string; readonly hint: string }>> = {
	"525": { what: "there is no such account", hint: "Check bind.user: user@domain, or the full DN." },
	"52e": {
		what: "wrong password, or no such account",
		hint: "Check bind.user and the password; too many tries lock the account, so no other server was tried.",
	},
	"530": { what: "not allowed to log on at this time", hint: "Widen the service account's logon hours." },
	"531": { what: "not allowed to log on from this machine", hint: "Allow this machine in the service account's logon workstations." },
	"532": { what: "the password has expired", hint: "Set a new password, and let the service account's never expire." },
	"533": { what: "the account is disabled", hint: "Enable the service account in the directory." },
	"701": { what: "the account has expired", hint: "Lift or move the service account's expiry date (accountExpires)." },
	"773": { what: "the password must be changed first", hint: 'Set a password and clear "user must change password at next logon".' },
	"775": { what: "the account is locked", hint: "Unlock it, and check that nothing else uses an old password." },
};

/** What a refused or failed bind means. The password is in none of it. */
export function bindFailure(attempt: Attempt, cause: unknown): Failure {
	if (cause instanceof Failure) return cause;
	if (!(cause instanceof ResultCodeError)) return brokeFailure(attempt, cause);
	const { server, account } = attempt;
	const refused = (what: string, hint: string): Failure =>
		new Failure("SOURCE_REFUSED", `${server} refused the bind as ${account}: ${what}`, { cause, hint });
	if (cause.code === 51 || cause.code === 52) {
		return new Failure("SOURCE_UNREACHABLE", `${server} takes no bind now, ${resultName(cause.code)}`, {
			cause,
			hint: "The server is busy, starting or shutting down.",
		});
	}
	const { what, hint } = (attempt.isByCertificate ? certificateRefusal : passwordRefusal)(account, cause);
	return refused(what, hint);
}

function brokeFailure({ server, account, certificate, now }: Attempt, cause: unknown): Failure {
	const refused = clientCertificateFailure(server, certificate, cause, now);
	if (refused !== undefined) return refused;
	const what = cause instanceof Error ? printable(cause.message) : String(cause);
	const shown = certificate === undefined ? "" : `, after it was shown the client certificate ${certificate.subject}`;
	return new Failure("SOURCE_BROKE", `the connection to ${server} broke during the bind as ${account}${shown}: ${what}`, {
		cause,
		hint:
			certificate === undefined
				? "The server closed the connection, and its log says why: it may want a client certificate (tls.cert and tls.key)."
				: "The server's log says why: it may not trust the authority that signed that certificate.",
	});
}

interface Refusal {
	readonly what: string;
	readonly hint: string;
}

function passwordRefusal(user: string, cause: ResultCodeError): Refusal {
	switch (cause.code) {
		case 49: {
			const data = /\bdata ([0-9a-f]+)\b/i.exec(cause.message)?.[1]?.toLowerCase();
			const reason = data === undefined ? undefined : reasons[data];
			if (reason !== undefined) return { what: `${reason.what} (data ${data})`, hint: reason.hint };
			return {
				what: "wrong password, or no such account",
				hint: "Check bind.user and the password; too many tries lock the account.",
			};
		}
		case 8:
			return { what: "it wants signing or encryption (strongerAuthRequired)", hint: ENCRYPT };
		case 13:
			return { what: "it wants an encrypted connection (confidentialityRequired)", hint: ENCRYPT };
		case 7:
		case 48:
			return {
				what: `it does not allow a simple bind here, ${resultName(cause.code)}`,
				hint: "Use an ldaps:// URL, and an account that may bind with a password.",
			};
		case 32:
		case 34:
			return {
				what: `it does not take "${user}" for an account, ${resultName(cause.code)}`,
				hint: "Write bind.user as user@domain, or as a full DN.",
			};
		default:
			return otherRefusal(cause);
	}
}

const ENCRYPT = "Use an ldaps:// URL, or set tls.startTls: true.";

/** SASL EXTERNAL has its own ways to fail (RFC 4513 §5.2.3). */
function certificateRefusal(_: string, cause: ResultCodeError): Refusal {
	switch (cause.code) {
		case 49:
			return {
				what: "it knows no account for the client certificate, invalidCredentials (49)",
				hint: "Map the certificate to an account there (389 Directory Server: certmap.conf; Active Directory: altSecurityIdentities), and see that its authority is trusted.",
			};
		case 7:
		case 48:
			return {
				what: `it takes no client certificate for a bind here, ${resultName(cause.code)}`,
				hint: "Let it ask for client certificates (OpenLDAP: TLSVerifyClient demand, with TLSCACertificateFile; 389 Directory Server: nsSSLClientAuth).",
			};
		case 50:
		case 123:
			return {
				what: `the client certificate may not act as that, ${resultName(cause.code)}`,
				hint: "Leave out bind.authorizationId, or allow it there (OpenLDAP: authz-policy, and authzTo in the account's entry).",
			};
		default:
			return otherRefusal(cause);
	}
}

function otherRefusal(cause: ResultCodeError): Refusal {
	return { what: `${resultName(cause.code)}: ${printable(cause.message)}`, hint: "The server's log says more." };
}
