import { Failure } from "../../core/errors.ts";
import type { Address } from "./address.ts";
import { printable } from "./result.ts";

/** What went wrong on the way to a secured connection, in words with a remedy. `name`: what the certificate should say. */
export function connectFailure(address: Address, name: string, cause: unknown): Failure {
	if (cause instanceof Failure) return cause;
	const code = codeOf(cause);
	const untrusted = certificateProblem(code, name, cause);
	if (untrusted !== undefined) {
		return new Failure("SOURCE_UNTRUSTED", `the certificate of ${address.url} ${untrusted.what}`, { cause, hint: untrusted.hint });
	}
	const { what, hint } = networkProblem(code, address, cause);
	return new Failure("SOURCE_UNREACHABLE", `cannot connect to ${address.url}: ${what}`, { cause, hint });
}

interface Problem {
	readonly what: string;
	readonly hint: string;
}

const CA_HINT = "Put the certificate of the authority that signed it (PEM, with intermediates) into the file that tls.ca names.";

function certificateProblem(code: string, name: string, cause: unknown): Problem | undefined {
	switch (code) {
		case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
		case "UNABLE_TO_GET_ISSUER_CERT":
		case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
		case "CERT_UNTRUSTED":
		case "CERT_SIGNATURE_FAILURE":
		case "INVALID_CA":
			return { what: `is not signed by a trusted authority (${code})`, hint: CA_HINT };
		case "SELF_SIGNED_CERT_IN_CHAIN":
			return { what: "comes from a private authority that is not trusted here (self-signed root in its chain)", hint: CA_HINT };
		case "DEPTH_ZERO_SELF_SIGNED_CERT":
			return {
				what: "is self-signed and not trusted",
				hint: "Put this very certificate into the file that tls.ca names, or give the server one of an authority.",
			};
		case "CERT_HAS_EXPIRED":
			return { what: "has expired", hint: "Renew the server's certificate (or the authority's), and check the clock of this machine." };
		case "CERT_NOT_YET_VALID":
			return { what: "is not valid yet", hint: "Check the clock of this machine and of the server." };
		case "CERT_REVOKED":
			return { what: "was revoked", hint: "Give the server a new certificate." };
		case "ERR_TLS_CERT_ALTNAME_INVALID":
			return {
				what: `is for another name: it says ${namesOf(cause)}, but "${name}" is expected`,
				hint: "Use one of those names in urls, or set tls.servername to it, or give the server a certificate with the name used.",
			};
		default:
			return undefined;
	}
}

function networkProblem(code: string, { host, port, isSecure }: Address, cause: unknown): Problem {
	switch (code) {
		case "ENOTFOUND":
			return { what: `DNS knows no "${host}" (ENOTFOUND)`, hint: "Check the name's spelling and this machine's DNS servers." };
		case "EAI_AGAIN":
			return { what: `DNS gave no answer for "${host}" (EAI_AGAIN)`, hint: "Check that this machine reaches its DNS servers." };
		case "ECONNREFUSED":
			return {
				what: `port ${port} refuses (ECONNREFUSED)`,
				hint: "Nothing listens there, or a firewall rejects it: check that the directory runs, and the port.",
			};
		case "ECONNRESET":
		case "EPIPE":
			return {
				what: `the server cut the connection (${code})`,
				hint: isSecure
					? "It may have no certificate for LDAPS, want a client certificate (tls.cert and tls.key), or this is a plain port: check urls."
					: "This may be a TLS port: write ldaps://, or set tls.startTls.",
			};
		case "EHOSTUNREACH":
		case "ENETUNREACH":
			return { what: `no route (${code})`, hint: "Check network, VPN and firewall." };
		case "ETIMEDOUT":
			return { what: `no answer from port ${port} (ETIMEDOUT)`, hint: "A firewall may drop the packets, or the server is down." };
		default:
			if (code.startsWith("ERR_SSL_") || code === "EPROTO") {
				return {
					what: `no TLS could be agreed on (${code})`,
					hint: "This may be a plain port, or the server only speaks versions older than TLS 1.2, or wants a client certificate (tls.cert and tls.key).",
				};
			}
			return { what: printable(cause instanceof Error ? cause.message : String(cause)), hint: "Check urls and the network." };
	}
}

export function codeOf(cause: unknown): string {
	const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
	return typeof code === "string" ? code : "";
}

/** The names of a certificate that was for somebody else, as a person may copy them. */
function namesOf(cause: unknown): string {
	const cert =
		cause instanceof Error && "cert" in cause ? (cause.cert as { subjectaltname?: unknown; subject?: { CN?: unknown } }) : undefined;
	return certificateNames(cert).join(", ") || "no name";
}

export function certificateNames(
	cert: { readonly subjectaltname?: unknown; readonly subject?: { readonly CN?: unknown } } | undefined,
): readonly string[] {
	if (typeof cert?.subjectaltname === "string" && cert.subjectaltname !== "") {
		return cert.subjectaltname.split(", ").map((name) => name.replace(/^(DNS|IP Address):/, ""));
	}
	return typeof cert?.subject?.CN === "string" ? [cert.subject.CN] : [];
}
