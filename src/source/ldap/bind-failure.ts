import { ResultCodeError } from "ldapts";
import { Failure } from "../../core/errors.ts";
import { printable, resultName } from "./result.ts";

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
export function bindFailure(server: string, user: string, cause: unknown): Failure {
	if (cause instanceof Failure) return cause;
	if (!(cause instanceof ResultCodeError)) {
		const what = cause instanceof Error ? printable(cause.message) : String(cause);
		return new Failure("SOURCE_BROKE", `the connection to ${server} broke during the bind as ${user}: ${what}`, {
			cause,
			hint: "The server closed the connection; its log says why.",
		});
	}
	const refused = (what: string, hint: string): Failure =>
		new Failure("SOURCE_REFUSED", `${server} refused the bind as ${user}: ${what}`, { cause, hint });
	switch (cause.code) {
		case 49: {
			const data = /\bdata ([0-9a-f]+)\b/i.exec(cause.message)?.[1]?.toLowerCase();
			const reason = data === undefined ? undefined : reasons[data];
			if (reason !== undefined) return refused(`${reason.what} (data ${data})`, reason.hint);
			return refused("wrong password, or no such account", "Check bind.user and the password; too many tries lock the account.");
		}
		case 8:
			return refused("it wants signing or encryption (strongerAuthRequired)", "Use an ldaps:// URL, or set tls.startTls: true.");
		case 13:
			return refused("it wants an encrypted connection (confidentialityRequired)", "Use an ldaps:// URL, or set tls.startTls: true.");
		case 7:
		case 48:
			return refused(
				`it does not allow a simple bind here, ${resultName(cause.code)}`,
				"Use an ldaps:// URL, and an account that may bind with a password.",
			);
		case 32:
		case 34:
			return refused(
				`it does not take "${user}" for an account, ${resultName(cause.code)}`,
				"Write bind.user as user@domain, or as a full DN.",
			);
		case 51:
		case 52:
			return new Failure("SOURCE_UNREACHABLE", `${server} takes no bind now, ${resultName(cause.code)}`, {
				cause,
				hint: "The server is busy, starting or shutting down.",
			});
		default:
			return refused(`${resultName(cause.code)}: ${printable(cause.message)}`, "The server's log says more.");
	}
}
