import { Failure } from "../../core/errors.ts";
import { printable } from "../../lib/table.ts";
import { certificateProblem, codeOf } from "../../lib/untrusted.ts";
import type { SmtpOptions } from "./options.ts";

/** Why a mail did not go out, in words with a remedy. */
export function smtpFailure(options: SmtpOptions, cause: unknown): Failure {
	if (cause instanceof Failure) return cause;
	const server = `${options.host}:${options.port}`;
	const certificate = certificateProblem(certificateCode(cause), cause, { expected: options.host, key: "url" });
	if (certificate !== undefined) {
		// What says so of other connections says it of keys that a channel does not have.
		const hint = "Put the certificate of the authority that signed it into the file that ca names, and its name into host.";
		return new Failure("CHANNEL_UNREACHABLE", `the certificate of ${server} ${certificate.what}`, { cause, hint });
	}
	const { code, what, hint } = problemOf(codeOf(cause), options, saidBy(cause));
	return new Failure(code, `${server} ${what}`, { cause, hint });
}

/** nodemailer puts a code of its own in the place of OpenSSL's, and leaves its words. */
function certificateCode(cause: unknown): string {
	const text = cause instanceof Error ? cause.message : "";
	return CERTIFICATE_WORDS.find(([words]) => words.test(text))?.[1] ?? codeOf(cause);
}

const CERTIFICATE_WORDS = [
	[/unable to verify the first certificate/, "UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
	[/unable to get (?:local )?issuer certificate/, "UNABLE_TO_GET_ISSUER_CERT"],
	[/self.signed certificate in certificate chain/, "SELF_SIGNED_CERT_IN_CHAIN"],
	[/self.signed certificate/, "DEPTH_ZERO_SELF_SIGNED_CERT"],
	[/certificate has expired/, "CERT_HAS_EXPIRED"],
	[/certificate is not yet valid/, "CERT_NOT_YET_VALID"],
	[/does not match certificate's altnames/, "ERR_TLS_CERT_ALTNAME_INVALID"],
] as const;

function problemOf(code: string, { auth, tls }: SmtpOptions, said: string): { code: Failure["code"]; what: string; hint: string } {
	switch (code) {
		case "EAUTH":
		case "ENOAUTH":
			return {
				code: "CHANNEL_REFUSED",
				what: `refuses ${auth?.user ?? "us, who do not sign in"}: ${said}`,
				hint: "Check auth.user and auth.password; some providers want a password made for programs.",
			};
		case "EENVELOPE":
			return {
				code: "CHANNEL_REFUSED",
				what: `takes no mail with this sender and these readers: ${said}`,
				hint: "Check from and to, and whether it wants auth.",
			};
		case "EMESSAGE":
			return { code: "CHANNEL_REFUSED", what: `does not take the mail: ${said}`, hint: "The mail server's log says more." };
		case "ETLS":
		case "EREQUIRETLS":
			return {
				code: "CHANNEL_UNREACHABLE",
				what: `cannot be secured: ${said}`,
				hint: "Check tls: many servers want starttls at port 587, and tls at port 465.",
			};
		case "EDNS":
		case "ENOTFOUND":
			return {
				code: "CHANNEL_UNREACHABLE",
				what: `is not known to DNS: ${said}`,
				hint: "Check the spelling of host and this machine's DNS servers.",
			};
		case "ETIMEDOUT":
			return {
				code: "CHANNEL_UNREACHABLE",
				what: `does not answer: ${said}`,
				hint: `A firewall may drop the packets, or the port wants another tls than ${tls}.`,
			};
		default:
			return {
				code: "CHANNEL_UNREACHABLE",
				what: `cannot be reached: ${said}`,
				hint: `Check host and port, whether the mail server runs, and whether the port wants another tls than ${tls}.`,
			};
	}
}

/** The server's words, or the network's, on one line. */
function saidBy(cause: unknown): string {
	const text =
		cause instanceof Error ? ("response" in cause && typeof cause.response === "string" ? cause.response : cause.message) : String(cause);
	return printable(text.replaceAll(/\s+/g, " ")).slice(0, 300);
}
