/** A problem in words, with its remedy. */
export interface Problem {
	readonly what: string;
	readonly hint: string;
}

/** Whose certificate was looked at. */
export interface Presented {
	/** What it should say; undefined: that is not known here. */
	readonly expected: string | undefined;
	/** The key of the configuration that says where it is. */
	readonly key: "url" | "urls";
}

const CA_HINT = "Put the certificate of the authority that signed it (PEM, with intermediates) into the file that tls.ca names.";

/** Why a server's certificate is not trusted, by the code that Node.js (OpenSSL) gives; undefined when it is something else. */
export function certificateProblem(code: string, cause: unknown, { expected, key }: Presented): Problem | undefined {
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
			return {
				what: "has expired",
				hint: "The server has to renew it (or its authority's certificate); check the clock of this machine, too.",
			};
		case "CERT_NOT_YET_VALID":
			return { what: "is not valid yet", hint: "Check the clock of this machine and of the server." };
		case "CERT_REVOKED":
			return { what: "was revoked", hint: "Give the server a new certificate." };
		case "ERR_TLS_CERT_ALTNAME_INVALID":
			return {
				what: `is for another name: it says ${namesOf(cause)}${expected === undefined ? "" : `, but "${expected}" is expected`}`,
				hint: `Use one of those names in ${key}, or set tls.servername to it, or give the server a certificate with the name used.`,
			};
		default:
			return undefined;
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
