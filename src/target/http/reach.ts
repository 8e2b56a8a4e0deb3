import { request } from "node:http";
import net, { isIP, type Socket } from "node:net";
import tls, { type TLSSocket } from "node:tls";
import { Failure } from "../../core/errors.ts";
import type { Finding } from "../finding.ts";
import { connectFailure } from "./connect-failure.ts";
import type { WireOptions } from "./wire.ts";

export interface Reached extends Pick<WireOptions, "tls" | "proxy" | "timeoutMs"> {
	readonly url: string;
}

/** So long before its end, a certificate is due. */
const SOON_MS = 14 * 86_400_000;

/** Goes the way to a server: name, TCP, the proxy, TLS. Sends no request. `clock`: Unix milliseconds. */
export async function* diagnoseReach(reached: Reached, clock: () => number, signal: AbortSignal): AsyncGenerator<Finding, void> {
	const { url, proxy, timeoutMs } = reached;
	const { origin, host, protocol } = new URL(url);
	const timeout = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
	let step = "network";
	let socket: Socket | undefined;
	try {
		socket = proxy === undefined ? await connect(new URL(url), timeout) : await tunnel(new URL(proxy), new URL(url), timeout);
		const way = proxy === undefined ? "answers" : `answers by way of the proxy ${new URL(proxy).host}`;
		yield { step, subject: host, state: "passed", detail: way };
		step = "tls";
		if (protocol === "https:") yield judgeTls(host, await handshake(socket, reached, timeout), clock());
		else
			yield {
				step,
				subject: host,
				state: "warned",
				detail: "plain HTTP: whoever is on the line reads everything",
				remedy: "Use https://.",
			};
	} catch (cause) {
		signal.throwIfAborted();
		yield { step, subject: host, state: "failed", ...problemOf({ origin, proxy }, cause, timeoutMs) };
	} finally {
		socket?.destroy();
	}
}

function problemOf(way: { origin: string; proxy: string | undefined }, cause: unknown, timeoutMs: number) {
	if (cause instanceof Error && cause.name === "TimeoutError") {
		return { detail: `no answer within ${timeoutMs / 1000} s`, remedy: "Check firewalls on the way; a proxy may be needed (proxy)." };
	}
	const failure = cause instanceof Failure ? cause : connectFailure(way, cause);
	return { detail: failure?.message ?? String(cause), remedy: failure?.hint };
}

function connect({ hostname, port, protocol }: URL, signal: AbortSignal): Promise<Socket> {
	const socket = net.connect({ host: bare(hostname), port: Number(port) || (protocol === "https:" ? 443 : 80) });
	return settled(socket, "connect", signal);
}

/** Asks the proxy for a way through (RFC 9110 §9.3.6). */
function tunnel(proxy: URL, { hostname, port, protocol }: URL, signal: AbortSignal): Promise<Socket> {
	const { promise, resolve, reject } = Promise.withResolvers<Socket>();
	const path = `${hostname}:${Number(port) || (protocol === "https:" ? 443 : 80)}`;
	const user = [proxy.username, proxy.password].map(decodeURIComponent).join(":");
	const headers = { host: path, ...(user !== ":" && { "proxy-authorization": `Basic ${Buffer.from(user).toString("base64")}` }) };
	const asked = request({ host: bare(proxy.hostname), port: Number(proxy.port) || 80, method: "CONNECT", path, headers, signal });
	asked.on("connect", ({ statusCode }, socket) => {
		if (statusCode === 200) return resolve(socket as Socket);
		socket.destroy();
		const hint = "Check the proxy's rules.";
		reject(new Failure("TARGET_UNREACHABLE", `the proxy ${proxy.host} does not let us through: ${statusCode}`, { hint }));
	});
	asked.on("error", reject);
	asked.end();
	return promise;
}

function handshake(socket: Socket, { url, tls: own }: Reached, signal: AbortSignal): Promise<TLSSocket> {
	const host = bare(new URL(url).hostname);
	const servername = own.servername ?? (isIP(host) === 0 ? host : undefined);
	const secure = tls.connect({
		...{ socket, host: own.servername ?? host },
		...(servername !== undefined && { servername }),
		...(own.ca !== undefined && { ca: [...tls.rootCertificates, own.ca] }),
		...(own.cert !== undefined && own.key !== undefined && { cert: own.cert, key: own.key() }),
	});
	return settled(secure, "secureConnect", signal);
}

/** The socket once it is what it was to become. */
function settled<S extends Socket>(socket: S, event: "connect" | "secureConnect", signal: AbortSignal): Promise<S> {
	const { promise, resolve, reject } = Promise.withResolvers<S>();
	const onAbort = (): void => {
		socket.destroy();
		reject(signal.reason);
	};
	signal.addEventListener("abort", onAbort, { once: true });
	socket.once(event, () => resolve(socket));
	socket.once("error", reject);
	return promise.finally(() => signal.removeEventListener("abort", onAbort));
}

function judgeTls(host: string, socket: TLSSocket, now: number): Finding {
	const until = Date.parse(socket.getPeerCertificate().valid_to);
	const day = new Date(until).toISOString().slice(0, 10);
	const detail = `${socket.getProtocol()}, the certificate is trusted until ${day}`;
	if (until - now > SOON_MS) return { step: "tls", subject: host, state: "passed", detail };
	return { step: "tls", subject: host, state: "warned", detail, remedy: "Have the server's certificate renewed." };
}

/** An IPv6 address without its brackets. */
function bare(hostname: string): string {
	return hostname.replace(/^\[|\]$/g, "");
}
