import { isIP } from "node:net";
import { Failure } from "../../core/errors.ts";

/** Where a server is, out of its URL. */
export interface Address {
	/** As a person knows it: "ldaps://dc1.corp.example.com". */
	readonly url: string;
	readonly host: string;
	readonly port: number;
	/** TLS from the first octet on. */
	readonly isSecure: boolean;
}

/** Reads "ldaps://dc1.corp.example.com:636". Throws Failure CONFIG_INVALID. */
export function parseAddress(url: string): Address {
	let parsed: URL;
	try {
		parsed = new URL(url);
	} catch (cause) {
		throw new Failure("CONFIG_INVALID", `"${url}" is not a URL`, { cause, hint: "Write ldaps://dc1.corp.example.com" });
	}
	const isSecure = parsed.protocol === "ldaps:";
	if ((!isSecure && parsed.protocol !== "ldap:") || parsed.hostname === "") {
		throw new Failure("CONFIG_INVALID", `"${url}" is not an LDAP URL`, { hint: "Write ldaps://dc1.corp.example.com" });
	}
	const host = parsed.hostname.replace(/^\[(.*)\]$/, "$1");
	const port = parsed.port === "" ? (isSecure ? 636 : 389) : Number(parsed.port);
	return { url: `${parsed.protocol}//${parsed.host}`, host, port, isSecure };
}

/** Of a server that was found by its host name. */
export function addressOf(host: string, port: number, scheme: "ldaps" | "ldap"): Address {
	const isSecure = scheme === "ldaps";
	return { url: `${scheme}://${host}${port === (isSecure ? 636 : 389) ? "" : `:${port}`}`, host, port, isSecure };
}

/** The name that the server's certificate must carry. */
export function expectedName(address: Address, servername: string | undefined): string {
	return servername ?? address.host;
}

/** The name for SNI; none for an IP address (RFC 6066 §3 forbids it). */
export function sniName(name: string): string | undefined {
	return isIP(name) === 0 ? name : undefined;
}
