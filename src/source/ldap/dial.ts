import { connect as connectPlain, type Socket } from "node:net";
import { type ConnectionOptions, checkServerIdentity, connect as connectTls, type TLSSocket } from "node:tls";
import { Client, ResultCodeError } from "ldapts";
import { Failure } from "../../core/errors.ts";
import { type Address, expectedName, sniName } from "./address.ts";
import { type Bind, bind } from "./bind.ts";
import { type ClientCertificate, clientCertificateFailure, readClientCertificate } from "./client-certificate.ts";
import { connectFailure } from "./connect-failure.ts";
import { slow, within } from "./deadline.ts";
import { printable, resultName } from "./result.ts";

export interface Tls {
	/** PEM of the authorities to trust instead of the system's. */
	readonly ca: string | undefined;
	/** Upgrades an ldap:// connection before anything is said on it. */
	readonly startTls: boolean;
	/** The name the certificate must carry, when it is not the URL's host. */
	readonly servername: string | undefined;
	/** PEM of the certificate that we show a server that asks for one, with its intermediates, and of its key. */
	readonly cert: string | undefined;
	readonly key: string | undefined;
}

export interface Timeouts {
	/** For each of TCP, TLS and StartTLS. */
	readonly connectMs: number;
	readonly bindMs: number;
	readonly requestMs: number;
}

export type Operation = "connect" | "bind" | "search";

export interface DialOptions {
	readonly tls: Tls;
	readonly bind: Bind;
	readonly timeouts: Timeouts;
	/** Allows a password over an ldap:// connection without StartTLS. */
	readonly insecure: boolean;
	/** Unix milliseconds. */
	readonly clock: () => number;
	readonly onRequest: (operation: Operation, seconds: number) => void;
}

/** A connection that is secured and bound, and nobody's data listener on it. */
export interface Line {
	readonly socket: Socket;
	/** Unix milliseconds; undefined on a plain connection. */
	readonly certificateExpiresAt: number | undefined;
	/** Who is bound, as the server knows it where it tells: a DN, or "svc@corp.example.com". */
	readonly account: string;
}

/**
 * One try at one server: TCP, TLS, bind, each with a deadline that destroys the socket. ldapts does StartTLS and the bind on the
 * sockets we give it, and gets no second one: it would reconnect in silence, unbound, and after StartTLS in the clear.
 * Throws Failure SOURCE_UNREACHABLE, SOURCE_UNTRUSTED, SOURCE_REFUSED, SOURCE_BROKE, CONFIG_INVALID or CANCELLED.
 */
export async function dial(address: Address, options: DialOptions, signal: AbortSignal): Promise<Line> {
	refuseUnsafe(address, options);
	const startedAt = performance.now();
	const { client, socket, certificate } = await reach(address, options, signal);
	try {
		const reachedAt = performance.now();
		options.onRequest("connect", (reachedAt - startedAt) / 1000);
		const { timeouts, clock } = options;
		const binding = {
			server: address.url,
			bind: options.bind,
			certificate,
			isTlsPort: address.isSecure,
			timeoutMs: timeouts.bindMs,
			clock,
		};
		const account = await bind(client, socket, binding, signal);
		options.onRequest("bind", (performance.now() - reachedAt) / 1000);
		socket.removeAllListeners("data");
		return { socket, certificateExpiresAt: expiryOf(socket), account };
	} catch (cause) {
		socket.destroy();
		throw cause;
	}
}

interface Reached {
	readonly client: Client;
	readonly socket: Socket;
	/** What we show if the server asks for it. */
	readonly certificate: ClientCertificate | undefined;
}

/** Connects and secures, and says nothing yet. */
export async function reach(
	address: Address,
	{ tls, timeouts: { connectMs }, clock }: Pick<DialOptions, "tls" | "timeouts" | "clock">,
	signal: AbortSignal,
): Promise<Reached> {
	const certificate = readClientCertificate(tls);
	const name = expectedName(address, tls.servername);
	const sockets: Socket[] = [];
	const keep = <T extends Socket>(socket: T): T => {
		socket.on("error", () => {}); // Whoever waits for it rejects; without any listener the process would end.
		sockets.push(socket);
		return socket;
	};
	const secure = (on: Socket): TLSSocket => keep(connectTls({ ...tlsOptions(name, tls), socket: on }));
	try {
		const plain = keep(
			connectPlain({ host: address.host, port: address.port, keepAlive: true, keepAliveInitialDelay: 30_000, noDelay: true }),
		);
		await within(connectMs, ready(plain, "connect"), () => slow(`cannot connect to ${address.url}: no answer`, connectMs), signal);
		let socket: Socket = plain;
		if (address.isSecure) {
			const secured = secure(plain);
			await within(connectMs, ready(secured, "secureConnect"), () => slow(`no TLS with ${address.url}`, connectMs), signal);
			socket = secured;
		}
		const connected = giveOnce(address);
		const upgrade = giveOnce(address);
		const onSecure = (...args: readonly unknown[]): Socket => {
			if (address.isSecure) return connected(() => socket);
			return upgrade(() => {
				socket = secure(socketOf(args));
				return socket;
			});
		};
		const client = new Client({
			url: address.url,
			createConnection: () => connected(() => socket),
			createSecureConnection: onSecure as typeof connectTls,
		});
		if (!address.isSecure && tls.startTls) {
			const wait = client.startTLS().catch((cause: unknown) => {
				throw startTlsFailure(address, cause);
			});
			await within(connectMs, wait, () => slow(`no StartTLS with ${address.url}`, connectMs), signal);
		}
		return { client, socket, certificate };
	} catch (cause) {
		for (const socket of sockets) socket.destroy();
		throw clientCertificateFailure(address.url, certificate, cause, clock()) ?? connectFailure(address, name, cause);
	}
}

function refuseUnsafe(address: Address, { tls, bind, insecure }: DialOptions): void {
	const isTls = address.isSecure || tls.startTls;
	if (!("user" in bind)) {
		if (isTls && tls.cert !== undefined) return;
		const what = isTls ? "there is no client certificate" : `${address.url} is not secured, and a client certificate is part of TLS`;
		throw new Failure("CONFIG_INVALID", `cannot bind by certificate: ${what}`, {
			hint: "Set tls.cert and tls.key, and use ldaps:// or tls.startTls: true.",
		});
	}
	if (!isTls && !insecure) {
		throw new Failure("SOURCE_UNTRUSTED", `${address.url} would carry the password in clear`, {
			hint: "Use ldaps://, or tls.startTls: true; or allow it by insecure: true where nobody else is on the wire.",
		});
	}
	// Many servers take a name with an empty password for an anonymous bind, and say "success" (RFC 4513 §5.1.2).
	if (bind.user === "" || bind.password === "") {
		throw new Failure("SOURCE_REFUSED", `the ${bind.user === "" ? "user" : "password"} for the bind at ${address.url} is empty`, {
			hint: "Check bind.user, and that the password's file or variable is not empty.",
		});
	}
}

/** Options by which the certificate is checked against `name`, whatever host Node thinks it talks to: for StartTLS and for IPs too. */
export function tlsOptions(name: string, { ca, cert, key }: Tls): ConnectionOptions {
	const sni = sniName(name);
	return {
		minVersion: "TLSv1.2",
		rejectUnauthorized: true,
		checkServerIdentity: (_, cert) => checkServerIdentity(name, cert),
		...(sni === undefined ? {} : { servername: sni }),
		...(ca === undefined ? {} : { ca }),
		...(cert === undefined ? {} : { cert }),
		...(key === undefined ? {} : { key }),
	};
}

function ready(socket: Socket, event: "connect" | "secureConnect"): Promise<void> {
	return new Promise((resolve, reject) => {
		socket.once(event, () => resolve());
		socket.once("error", reject);
		socket.once("close", () => reject(Object.assign(new Error("the connection was closed"), { code: "ECONNRESET" })));
	});
}

function giveOnce(address: Address): <T>(make: () => T) => T {
	let isGiven = false;
	return (make) => {
		if (isGiven) throw new Failure("SOURCE_BROKE", `the connection to ${address.url} was lost, and is not opened again in silence`);
		isGiven = true;
		return make();
	};
}

/** What ldapts hands to its TLS hook on StartTLS: options with the socket to upgrade. */
function socketOf(args: readonly unknown[]): Socket {
	return (args[0] as { readonly socket: Socket }).socket;
}

function startTlsFailure(address: Address, cause: unknown): unknown {
	if (!(cause instanceof ResultCodeError)) return cause;
	return new Failure("SOURCE_UNTRUSTED", `${address.url} does not do StartTLS: ${resultName(cause.code)}: ${printable(cause.message)}`, {
		cause,
		hint: "The server may have no certificate; use ldaps:// or give it one.",
	});
}

function expiryOf(socket: Socket): number | undefined {
	if (!("getPeerCertificate" in socket)) return undefined;
	const expiresAt = Date.parse((socket as TLSSocket).getPeerCertificate().valid_to ?? "");
	return Number.isNaN(expiresAt) ? undefined : expiresAt;
}
