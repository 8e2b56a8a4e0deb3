import { connect as connectPlain, type Socket } from "node:net";
import { type ConnectionOptions, checkServerIdentity, connect as connectTls, type TLSSocket } from "node:tls";
import { Client, ResultCodeError } from "ldapts";
import { Failure } from "../../core/errors.ts";
import { type Address, expectedName, sniName } from "./address.ts";
import { bindFailure } from "./bind-failure.ts";
import { connectFailure } from "./connect-failure.ts";
import { printable, resultName } from "./result.ts";

export interface Tls {
	/** PEM of the authorities to trust instead of the system's. */
	readonly ca: string | undefined;
	/** Upgrades an ldap:// connection before anything is said on it. */
	readonly startTls: boolean;
	/** The name the certificate must carry, when it is not the URL's host. */
	readonly servername: string | undefined;
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
	readonly bind: { readonly user: string; readonly password: string };
	readonly timeouts: Timeouts;
	/** Allows a password over an ldap:// connection without StartTLS. */
	readonly insecure: boolean;
	readonly onRequest: (operation: Operation, seconds: number) => void;
}

/** A connection that is secured and bound, and nobody's data listener on it. */
export interface Line {
	readonly socket: Socket;
	/** Unix milliseconds; undefined on a plain connection. */
	readonly certificateExpiresAt: number | undefined;
}

/**
 * One try at one server: TCP, TLS, bind, each with a deadline that destroys the socket. ldapts does StartTLS and the bind on the
 * sockets we give it, and gets no second one: it would reconnect in silence, unbound, and after StartTLS in the clear.
 * Throws Failure SOURCE_UNREACHABLE, SOURCE_UNTRUSTED, SOURCE_REFUSED, SOURCE_BROKE or CANCELLED.
 */
export async function dial(address: Address, options: DialOptions, signal: AbortSignal): Promise<Line> {
	refuseUnsafe(address, options);
	const startedAt = performance.now();
	const { client, socket } = await reach(address, options, signal);
	try {
		options.onRequest("connect", (performance.now() - startedAt) / 1000);
		await bind(client, address, options, signal);
		socket.removeAllListeners("data");
		return { socket, certificateExpiresAt: expiryOf(socket) };
	} catch (cause) {
		socket.destroy();
		throw cause;
	}
}

/** Connects and secures, and says nothing yet. */
export async function reach(
	address: Address,
	{ tls, timeouts: { connectMs } }: Pick<DialOptions, "tls" | "timeouts">,
	signal: AbortSignal,
): Promise<{ readonly client: Client; readonly socket: Socket }> {
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
		return { client, socket };
	} catch (cause) {
		for (const socket of sockets) socket.destroy();
		throw connectFailure(address, name, cause);
	}
}

function refuseUnsafe(address: Address, { tls, bind: { user, password }, insecure }: DialOptions): void {
	if (!address.isSecure && !tls.startTls && !insecure) {
		throw new Failure("SOURCE_UNTRUSTED", `${address.url} would carry the password in clear`, {
			hint: "Use ldaps://, or tls.startTls: true; or allow it by insecure: true where nobody else is on the wire.",
		});
	}
	// Many servers take a name with an empty password for an anonymous bind, and say "success" (RFC 4513 §5.1.2).
	if (user === "" || password === "") {
		throw new Failure("SOURCE_REFUSED", `the ${user === "" ? "user" : "password"} for the bind at ${address.url} is empty`, {
			hint: "Check bind.user, and that the password's file or variable is not empty.",
		});
	}
}

/** Options by which the certificate is checked against `name`, whatever host Node thinks it talks to: for StartTLS and for IPs too. */
export function tlsOptions(name: string, { ca }: Tls): ConnectionOptions {
	const sni = sniName(name);
	return {
		minVersion: "TLSv1.2",
		rejectUnauthorized: true,
		checkServerIdentity: (_, cert) => checkServerIdentity(name, cert),
		...(sni === undefined ? {} : { servername: sni }),
		...(ca === undefined ? {} : { ca }),
	};
}

async function bind(client: Client, address: Address, options: DialOptions, signal: AbortSignal): Promise<void> {
	const { user, password } = options.bind;
	const startedAt = performance.now();
	const wait = client.bind(user, password).catch((cause: unknown) => {
		throw bindFailure(address.url, user, cause);
	});
	await within(
		options.timeouts.bindMs,
		wait,
		() => slow(`no answer from ${address.url} to the bind as ${user}`, options.timeouts.bindMs),
		signal,
	);
	options.onRequest("bind", (performance.now() - startedAt) / 1000);
}

function ready(socket: Socket, event: "connect" | "secureConnect"): Promise<void> {
	return new Promise((resolve, reject) => {
		socket.once(event, () => resolve());
		socket.once("error", reject);
		socket.once("close", () => reject(Object.assign(new Error("the connection was closed"), { code: "ECONNRESET" })));
	});
}

/** Waits no longer than `ms`, and no longer than the signal lasts. The caller destroys the sockets of what it gave up on. */
async function within<T>(ms: number, wait: Promise<T>, late: () => Failure, signal: AbortSignal): Promise<T> {
	let timer: NodeJS.Timeout | undefined;
	let onAbort: (() => void) | undefined;
	const limit = new Promise<never>((_, reject) => {
		timer = setTimeout(() => reject(late()), ms);
		onAbort = () => reject(new Failure("CANCELLED", "connecting was stopped"));
		if (signal.aborted) onAbort();
		else signal.addEventListener("abort", onAbort, { once: true });
	});
	wait.catch(() => {}); // It may fail after the limit did, when nobody listens any more.
	try {
		return await Promise.race([wait, limit]);
	} finally {
		clearTimeout(timer);
		if (onAbort !== undefined) signal.removeEventListener("abort", onAbort);
	}
}

function slow(what: string, ms: number): Failure {
	return new Failure("SOURCE_UNREACHABLE", `${what} within ${ms / 1000} s`, {
		hint: "The server is down or hangs, or a firewall drops the packets.",
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
