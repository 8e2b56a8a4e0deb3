import tls from "node:tls";
import { Agent, type Dispatcher, ProxyAgent } from "undici";
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
	readonly url: string;
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

/** Connections to the target, by way of the proxy if there is one. */
export function openWire({ tls: own, proxy, timeoutMs, concurrency }: WireOptions): Wire {
	// Beside the well-known authorities, since the token's URL may be elsewhere than the private one's server.
	const trusted = own.ca === undefined ? {} : { ca: [...tls.rootCertificates, own.ca] };
	const identity = own.cert === undefined || own.key === undefined ? {} : { cert: own.cert, key: own.key() };
	const connect = {
		...trusted,
		...identity,
		...(own.servername === undefined ? {} : { servername: own.servername }),
		timeout: Math.min(timeoutMs, MOST_CONNECT_MS),
	};
	const pool = {
		connections: concurrency + 1,
		headersTimeout: timeoutMs,
		bodyTimeout: timeoutMs,
		maxResponseSize: MOST_ANSWER_BYTES,
		allowH2: false,
	};
	const dispatcher: Dispatcher =
		proxy === undefined
			? new Agent({ ...pool, connect })
			: new ProxyAgent({ ...pool, uri: proxy, requestTls: connect, proxyTls: trusted, connect: { timeout: connect.timeout } });

	return {
		exchange: async ({ method, url, headers, body }, signal) => {
			signal.throwIfAborted();
			const { origin, pathname, search } = new URL(url);
			try {
				const response = await dispatcher.request({
					origin,
					path: `${pathname}${search}`,
					method,
					headers,
					signal,
					...(body === undefined ? {} : { body }),
				});
				const text = await response.body.text();
				const header = (name: string): string | undefined => [response.headers[name] ?? []].flat()[0];
				return { kind: "answer", status: response.statusCode, header, text };
			} catch (cause) {
				if (signal.aborted) throw signal.reason;
				const failure = connectFailure({ origin, proxy }, cause);
				if (failure !== undefined) throw failure;
				return { kind: "lost", why: lostBecause(cause, timeoutMs) };
			}
		},
		close: () => dispatcher.destroy(),
	};
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
