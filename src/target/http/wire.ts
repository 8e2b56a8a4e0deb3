import tls from "node:tls";
import { Agent, type Dispatcher, errors, ProxyAgent } from "undici";
import { connectFailure } from "./connect-failure.ts";

export interface WireOptions {
	/** PEM texts. */
	readonly tls: {
		/** A private authority's certificates. */
		readonly ca: string | undefined;
		/** The client certificate with its chain, and its key; both or none. */
		readonly cert: string | undefined;
		readonly key: (() => string) | undefined;
		readonly servername: string | undefined;
	};
	/** The HTTP proxy's URL, name and password in it if it wants them. */
	readonly proxy: string | undefined;
	readonly timeoutMs: number;
	/** Requests at a time, at most. */
	readonly concurrency: number;
}

export interface Exchange {
	readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
	/** Scheme, host and port. */
	readonly origin: string;
	/** What comes after, the query included. */
	readonly path: string;
	readonly headers: Readonly<Record<string, string>>;
	readonly body: string | undefined;
}

/** What came back: an answer, or none, although the request may have arrived and been obeyed. */
export type Reply = Answer | { readonly kind: "lost"; readonly why: string };

export interface Answer {
	readonly kind: "answer";
	readonly status: number;
	/** A header by its name in lower case. */
	readonly header: (name: string) => string | undefined;
	readonly text: string;
}

export interface Wire {
	/** One request, sent once. Throws TARGET_UNREACHABLE when nothing was sent, for whatever reason; else says what came back. */
	exchange(exchange: Exchange, signal: AbortSignal): Promise<Reply>;
	close(): Promise<void>;
}

/** A group of 200,000 members is an answer of some 20 MB. */
const MOST_ANSWER_BYTES = 128 * 1024 * 1024;
const MOST_CONNECT_MS = 10_000;

/** The way to the target, through the proxy if there is one. Nothing is read or opened before the first request. */
export function openWire(options: WireOptions): Wire {
	const { proxy, timeoutMs } = options;
	let dispatcher: Dispatcher | undefined;
	return {
		exchange: async ({ method, origin, path, headers, body }, signal) => {
			signal.throwIfAborted();
			dispatcher ??= makeDispatcher(options);
			try {
				const response = await dispatcher.request({ origin, path, method, headers, signal, ...(body === undefined ? {} : { body }) });
				const text = await response.body.text();
				const header = (name: string): string | undefined => [response.headers[name] ?? []].flat()[0];
				return { kind: "answer", status: response.statusCode, header, text };
			} catch (cause) {
				if (signal.aborted) throw signal.reason;
				const failure = connectFailure({ origin, proxy }, cause);
				if (failure !== undefined) throw failure;
				const maybe = origin.startsWith("https:") && hasReadNothing(cause) ? MAYBE_CERTIFICATE : "";
				return { kind: "lost", why: `${lostBecause(cause, timeoutMs)}${maybe}` };
			}
		},
		close: async () => dispatcher?.destroy(),
	};
}

function makeDispatcher({ tls: own, proxy, timeoutMs, concurrency }: WireOptions): Dispatcher {
	// Beside the well-known authorities, since the token's URL may be elsewhere than the private one's server.
	const trusted = own.ca === undefined ? {} : { ca: [...tls.rootCertificates, own.ca] };
	const identity = own.cert === undefined || own.key === undefined ? {} : { cert: own.cert, key: own.key() };
	const name = own.servername === undefined ? {} : { servername: own.servername };
	const connect = { ...trusted, ...identity, ...name, timeout: Math.min(timeoutMs, MOST_CONNECT_MS) };
	const pool = {
		connections: concurrency,
		headersTimeout: timeoutMs,
		bodyTimeout: timeoutMs,
		maxResponseSize: MOST_ANSWER_BYTES,
		allowH2: false,
	};
	if (proxy === undefined) return new Agent({ ...pool, connect });
	return new ProxyAgent({ ...pool, uri: proxy, requestTls: connect, proxyTls: trusted, connectTimeout: connect.timeout });
}

/** Why there is no answer to what was, or may have been, sent. */
function lostBecause(cause: unknown, timeoutMs: number): string {
	const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
	switch (code) {
		case "UND_ERR_HEADERS_TIMEOUT":
		case "UND_ERR_BODY_TIMEOUT":
			return `no answer within ${timeoutMs / 1000} s`;
		case "UND_ERR_SOCKET":
		case "ECONNRESET":
		case "EPIPE":
			return "the connection was cut before the answer";
		case "UND_ERR_RES_EXCEEDED_MAX_SIZE":
			return `an answer of more than ${MOST_ANSWER_BYTES / 1024 / 1024} MB`;
		default:
			return code.startsWith("HPE_") ? "an answer that is no HTTP" : `no answer (${code === "" ? String(cause) : code})`;
	}
}

/** With TLS 1.3 a server finds out after the handshake that a certificate is missing, and not all say so before they hang up. */
const MAYBE_CERTIFICATE = ", as soon as it was there: the server may want a client certificate (tls.cert and tls.key), or another one";

function hasReadNothing(cause: unknown): boolean {
	return cause instanceof errors.SocketError && cause.socket?.bytesRead === 0;
}
