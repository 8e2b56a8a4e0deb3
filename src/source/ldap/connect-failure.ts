import { Failure } from "../../core/errors.ts";
import { certificateProblem, codeOf, type Problem } from "../../lib/untrusted.ts";
import type { Address } from "./address.ts";
import { printable } from "./result.ts";

/** What went wrong on the way to a secured connection, in words with a remedy. `name`: what the certificate should say. */
export function connectFailure(address: Address, name: string, cause: unknown): Failure {
	if (cause instanceof Failure) return cause;
	const code = codeOf(cause);
	const untrusted = certificateProblem(code, cause, { expected: name, key: "urls" });
	if (untrusted !== undefined) {
		return new Failure("SOURCE_UNTRUSTED", `the certificate of ${address.url} ${untrusted.what}`, { cause, hint: untrusted.hint });
	}
	const { what, hint } = networkProblem(code, address, cause);
	return new Failure("SOURCE_UNREACHABLE", `cannot connect to ${address.url}: ${what}`, { cause, hint });
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
