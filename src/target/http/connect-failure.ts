import { Failure } from "../../core/errors.ts";
import { certificateProblem, codeOf, type Problem } from "../../lib/untrusted.ts";

interface Way {
	readonly origin: string;
	/** Its URL, of which only the host is ever shown: there may be a password in it. */
	readonly proxy: string | undefined;
}

/** What kept a request from being sent at all, in words with a remedy; undefined when it may have been sent. */
export function connectFailure({ origin, proxy }: Way, cause: unknown): Failure | undefined {
	const root = rootOf(cause);
	const code = codeOf(root) || codeOf(cause);
	const untrusted = certificateProblem(code, root, { expected: undefined, key: "url" });
	if (untrusted !== undefined) {
		return new Failure("TARGET_UNREACHABLE", `the certificate of ${origin} ${untrusted.what}`, { cause, hint: untrusted.hint });
	}
	const way = proxy === undefined ? "" : ` by way of the proxy ${new URL(proxy).host}`;
	const problem = networkProblem(code, cause, proxy === undefined ? new URL(origin).host : new URL(proxy).host);
	if (problem === undefined) return undefined;
	return new Failure("TARGET_UNREACHABLE", `cannot connect to ${origin}${way}: ${problem.what}`, { cause, hint: problem.hint });
}

function networkProblem(code: string, cause: unknown, host: string): Problem | undefined {
	switch (code) {
		case "ENOTFOUND":
			return { what: `DNS knows no "${host}" (ENOTFOUND)`, hint: "Check the name's spelling and this machine's DNS servers." };
		case "EAI_AGAIN":
			return { what: `DNS gave no answer for "${host}" (EAI_AGAIN)`, hint: "Check that this machine reaches its DNS servers." };
		case "ECONNREFUSED":
			return {
				what: `${host} refuses (ECONNREFUSED)`,
				hint: "Nothing listens there, or a firewall rejects it: check the URL and its port.",
			};
		case "EHOSTUNREACH":
		case "ENETUNREACH":
			return { what: `no route to ${host} (${code})`, hint: "Check network, VPN and firewall; a proxy may be needed (proxy)." };
		case "ETIMEDOUT":
		case "UND_ERR_CONNECT_TIMEOUT":
			return {
				what: `${host} does not answer`,
				hint: "A firewall may drop the packets, or the server is down; a proxy may be needed (proxy).",
			};
		case "UND_ERR_PRX_CONN":
		case "UND_ERR_PRX_TLS":
			return { what: "the proxy does not take us", hint: "Check the proxy's URL, and the name and password in it." };
	}
	if (isCertificateWanted(code)) {
		return {
			what: `it wants a client certificate, or does not take ours (${code})`,
			hint: "Check tls.cert and tls.key: the certificate must be of an authority that the target trusts, and not expired.",
		};
	}
	if (code.startsWith("ERR_OSSL_")) {
		return {
			what: `what tls says cannot be used (${code})`,
			hint: "Check the files of tls.ca, tls.cert and tls.key: PEM, and the key must be the certificate's.",
		};
	}
	if (code.startsWith("ERR_SSL_") || code === "EPROTO") {
		return {
			what: `no TLS could be agreed on (${code})`,
			hint: "This may be a plain port: check url; or the server only speaks versions older than TLS 1.2.",
		};
	}
	// undici answers a proxy that refuses to connect with an abort of its own.
	if (cause instanceof Error && /proxy/i.test(cause.message)) {
		return { what: "the proxy does not let us through", hint: "Check the proxy's rules, its URL, and the name and password in it." };
	}
	return undefined;
}

function isCertificateWanted(code: string): boolean {
	return /ALERT_(CERTIFICATE_REQUIRED|BAD_CERTIFICATE|UNKNOWN_CA|CERTIFICATE_EXPIRED|HANDSHAKE_FAILURE|CERTIFICATE_UNKNOWN)/.test(code);
}

/** The first of several addresses that were tried stands for all, and what a wrapper wraps for the wrapper. */
function rootOf(cause: unknown): unknown {
	if (cause instanceof AggregateError) return rootOf(cause.errors[0]);
	if (cause instanceof Error && cause.cause instanceof Error && codeOf(cause).startsWith("UND_ERR")) return rootOf(cause.cause);
	return cause;
}
