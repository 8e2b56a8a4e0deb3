import { createPrivateKey, X509Certificate } from "node:crypto";
import { Failure } from "../../core/errors.ts";
import { codeOf } from "../../lib/untrusted.ts";

/** What we show a server of ourselves within TLS. */
export interface ClientCertificate {
	/** "CN=dirsyncd,O=Corp", as a directory writes it (RFC 4514: the last part first). */
	readonly subject: string;
	/** Unix milliseconds. */
	readonly expiresAt: number;
}

/** PEM text of the certificate (with its intermediates) and of its key. */
interface Pem {
	readonly cert: string | undefined;
	readonly key: string | undefined;
}

/** Reads it; undefined where none is configured. Throws Failure CONFIG_INVALID when it is not one, or its key is another one's. */
export function readClientCertificate({ cert, key }: Pem): ClientCertificate | undefined {
	if (cert === undefined && key === undefined) return undefined;
	if (cert === undefined || key === undefined) {
		throw new Failure("CONFIG_INVALID", `there is tls.${cert === undefined ? "key without tls.cert" : "cert without tls.key"}`, {
			hint: "A client certificate is both: the certificate and its private key, in PEM.",
		});
	}
	const certificate = parsed("tls.cert is no certificate in PEM", "Export it as PEM.", () => new X509Certificate(cert));
	const [problem, hint] = /\bENCRYPTED\b/.test(key)
		? ["tls.key is encrypted with a passphrase", "Give it without one, readable by the daemon alone: openssl pkey -in KEY -out PLAIN"]
		: ["tls.key is no private key in PEM", "Export it as PEM."];
	const privateKey = parsed(problem, hint, () => createPrivateKey(key));
	if (!certificate.checkPrivateKey(privateKey)) {
		throw new Failure("CONFIG_INVALID", "tls.key is not the key of the certificate in tls.cert", {
			hint: "The client's own certificate must stand first in the file of tls.cert, before its intermediates.",
		});
	}
	return { subject: certificate.subject.split("\n").reverse().join(","), expiresAt: Date.parse(certificate.validTo) };
}

function parsed<T>(problem: string, hint: string, parse: () => T): T {
	try {
		return parse();
	} catch (cause) {
		throw new Failure("CONFIG_INVALID", problem, { cause, hint });
	}
}

/** TLS alerts by which a server says what it has against a client's certificate (RFC 8446 §6.2). */
const alerts: Readonly<Record<string, string>> = {
	"42": "it is damaged, or missing (bad_certificate)",
	"43": "it is of a kind that is not taken (unsupported_certificate)",
	"44": "it was revoked (certificate_revoked)",
	"45": "it has expired (certificate_expired)",
	"46": "it is not acceptable (certificate_unknown)",
	"48": "its authority is not trusted (unknown_ca)",
	"49": "it may not come in (access_denied)",
	"116": "none was shown (certificate_required)",
};

/** What it means that a server ended the connection; undefined when that has nothing to do with our certificate. */
export function clientCertificateFailure(
	server: string,
	certificate: ClientCertificate | undefined,
	cause: unknown,
	now: number,
): Failure | undefined {
	const alert = alerts[/SSL alert number (\d+)/.exec(cause instanceof Error ? cause.message : "")?.[1] ?? ""];
	if (certificate === undefined) {
		if (alert === undefined) return undefined;
		return new Failure("SOURCE_REFUSED", `${server} wants a client certificate: ${alert}`, {
			cause,
			hint: "Have one issued for this daemon, and name it in tls.cert and tls.key.",
		});
	}
	const shown = `the client certificate ${certificate.subject}`;
	const isCut = alert !== undefined || ["ECONNRESET", "EPIPE"].includes(codeOf(cause));
	if (isCut && now > certificate.expiresAt) {
		return new Failure("SOURCE_REFUSED", `${server} cut the connection: ${shown} has expired on ${day(certificate.expiresAt)}`, {
			cause,
			hint: "Renew it, and put the new one into the files of tls.cert and tls.key.",
		});
	}
	if (alert === undefined) return undefined;
	return new Failure("SOURCE_REFUSED", `${server} refused ${shown}: ${alert}`, {
		cause,
		hint: "See that the server trusts the authority that signed it (OpenLDAP: TLSCACertificateFile), and that tls.cert has the intermediates.",
	});
}

/** A certificate that lives no longer than this is worth a warning. */
export const SOON_DAYS = 30;
const DAY_MS = 24 * 60 * 60_000;

/** Whole days until then; negative when it is over. */
export function daysLeft(expiresAt: number, now: number): number {
	return Math.floor((expiresAt - now) / DAY_MS);
}

/** A sentence for whoever has to renew it, in time. */
export function expiryWarning(certificate: ClientCertificate, now: number): string | undefined {
	const days = daysLeft(certificate.expiresAt, now);
	if (days >= SOON_DAYS) return undefined;
	const until = `on ${day(certificate.expiresAt)}`;
	return `the client certificate ${certificate.subject} ${days < 0 ? `has expired ${until}` : `expires ${until}: ${days} days left`}`;
}

/** "2026-11-01". */
export function day(at: number): string {
	return new Date(at).toISOString().slice(0, 10);
}
