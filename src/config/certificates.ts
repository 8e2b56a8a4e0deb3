import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { readPlace, secretPlace } from "./credentials.ts";
import type { Flaw } from "./formats.ts";
import { type Gathering, isThere, sayMissing, textAt } from "./gathering.ts";
import { type Path, showPath } from "./problem.ts";
import { reasonOf } from "./secrets.ts";
import { valueAt } from "./values.ts";

/** The certificates of a source: the authority's, and the client's own with its key. */
export function checkCertificates(gathering: Gathering, source: Path): void {
	readAuthority(gathering, [...source, "tls", "ca"]);
	checkOwn(gathering, source, { what: "the client certificate", refusing: "servers refuse" });
}

/** The daemon's own certificate, and its key. */
export function checkServerCertificate(gathering: Gathering): void {
	checkOwn(gathering, ["http"], { what: "the server's certificate", refusing: "browsers refuse" });
}

interface Owned {
	/** "the client certificate" */
	readonly what: string;
	/** Who would not take it, out of its time. */
	readonly refusing: string;
}

function checkOwn(gathering: Gathering, above: Path, owned: Owned): void {
	const cert = [...above, "tls", "cert"];
	const key = [...above, "tls", "key"];
	const certificate = readCertificates(gathering, cert, owned.what);
	if (certificate !== undefined) checkValidity(gathering, cert, certificate, owned);
	const privateKey = readKey(gathering, key);
	if (isThere(gathering, cert)) sayMissing(gathering, key);
	else if (isThere(gathering, key)) sayMissing(gathering, cert);
	if (certificate === undefined || privateKey === undefined || certificate.checkPrivateKey(privateKey)) return;
	const remedy = "give the certificate and the key that were made together (the server's own certificate first in the file)";
	gathering.problem(key, { message: "not the key of the certificate in tls.cert", remedy });
}

/** The certificates of a private authority, which are kept for whoever connects. */
export function readAuthority(gathering: Gathering, where: Path): void {
	readCertificates(gathering, where, "the CA's certificate");
}

/** The first certificate of a PEM file, or undefined with a problem said. */
function readCertificates(gathering: Gathering, where: Path, what: string): X509Certificate | undefined {
	const name = textAt(gathering, where);
	if (name === undefined || name.trim() === "") return undefined;
	const remedy = `give the path of a file with ${what} in PEM form (-----BEGIN CERTIFICATE-----)`;
	if (isPem(name)) {
		gathering.problem(where, { message: "the certificate itself where the path of its file belongs", remedy });
		return undefined;
	}
	const file = path.resolve(gathering.directory, name);
	try {
		const text = readFileSync(file, "utf8");
		const blocks = text.match(/-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]+-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g) ?? [];
		const [first] = blocks.map((block) => new X509Certificate(block));
		if (first === undefined) gathering.problem(where, { message: `${file} holds no certificate`, remedy });
		// Nothing but the certificates: a private key may stand in the same file.
		else gathering.certificates.set(showPath(where), `${blocks.join("\n")}\n`);
		return first;
	} catch (error) {
		const isRead = error instanceof Error && "syscall" in error;
		const message = isRead ? `the file ${file} cannot be read: ${reasonOf(error)}` : `${file} holds a certificate that cannot be read`;
		gathering.problem(where, { message, remedy });
		return undefined;
	}
}

/** So long before its end, a certificate is due: requests take their time in many companies. */
const SOON_MS = 14 * 86_400_000;

function checkValidity(
	{ now, warn }: Gathering,
	where: Path,
	{ validFromDate, validToDate }: X509Certificate,
	{ what, refusing }: Owned,
): void {
	const remedy = `have it renewed: ${refusing} a certificate out of its time`;
	const [from, to] = [validFromDate.getTime(), validToDate.getTime()];
	if (now > to) warn(where, { message: `${what} expired on ${instant(to)}`, remedy });
	else if (now < from) warn(where, { message: `${what} is not valid before ${instant(from)}`, remedy: "check the clock, too" });
	else if (now > to - SOON_MS) warn(where, { message: `${what} expires on ${instant(to)}`, remedy });
}

function instant(at: number): string {
	return new Date(at).toISOString().replace(/\.\d+Z$/, "Z");
}

/** The private key of `tls.key`: a text there is a path, and not the secret itself. Undefined with a problem said. */
function readKey(gathering: Gathering, where: Path): KeyObject | undefined {
	const place = secretPlace(valueAt(gathering.document.values, where));
	if (place === undefined) return undefined;
	if ("text" in place && isPem(place.text)) {
		gathering.problem(where, { message: "the key itself where the path of its file belongs", remedy: "move it to a file (chmod 600)" });
		return undefined;
	}
	const text = readPlace(gathering, where, "text" in place ? { file: place.text } : place);
	if (text === undefined) return undefined;
	const flaw = flawOfKey(text);
	if (flaw !== undefined) gathering.problem(where, flaw);
	return flaw === undefined ? createPrivateKey(text) : undefined;
}

function flawOfKey(text: string): Flaw | undefined {
	const remedy = "give the private key in PEM form (-----BEGIN PRIVATE KEY-----)";
	if (!isPem(text)) return { message: "no private key", remedy };
	if (/ENCRYPTED/.test(text)) {
		return {
			message: "a private key with a passphrase, which nobody is there to type",
			remedy: "take it off (openssl pkey -in FILE -out NEW), and keep the file to dirsyncd's user (chmod 600)",
		};
	}
	try {
		createPrivateKey(text);
		return undefined;
	} catch {
		// What OpenSSL says of it is for its programmers, and may quote what is in the file.
		return { message: "a private key that cannot be read", remedy };
	}
}

function isPem(text: string): boolean {
	return text.includes("-----BEGIN");
}
