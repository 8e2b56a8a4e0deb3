import { createHash } from "node:crypto";
import type { AddressInfo } from "node:net";
import { Server as TlsServer } from "node:tls";
import helmet, { type FastifyHelmetOptions } from "@fastify/helmet";
import rateLimit from "@fastify/rate-limit";
import fastify, { type FastifyInstance, type FastifyServerOptions } from "fastify";
import type { Secret } from "../config/secret.ts";
import { Failure } from "../core/errors.ts";
import { addApi } from "./api/scope.ts";
import type { Api } from "./api.ts";
import type { Health } from "./health.ts";
import type { Look } from "./look.ts";
import { script } from "./page/script.ts";
import { style } from "./page/style.ts";
import { addPage } from "./page.ts";
import { problem, problemOf, refuse } from "./problem.ts";
import type { Reads } from "./reads.ts";
import type { Tokens } from "./token.ts";

/** What the server shows. */
export interface HttpParts {
	readonly listen: { readonly host: string; readonly port: number };
	/** PEM texts. Undefined: plain HTTP. */
	readonly tls: { readonly cert: string; readonly key: Secret } | undefined;
	readonly tokens: Tokens;
	/** Unix milliseconds. */
	readonly clock: () => number;
	health(): Health;
	isReady(): boolean;
	readonly metrics: { readonly contentType: string; text(): Promise<string> };
	readonly api: Api;
	readonly reads: Reads;
	readonly look: Look;
	/** How long a client may take for a request, in milliseconds; by default 30 s. */
	readonly patienceMs?: number;
	/** An error that is no Failure: a bug. */
	onBug(error: unknown, where: string): void;
}

export interface HttpServer {
	/** Where it listens, as another process of this machine reaches it. */
	readonly url: string;
	/** Whether it would say so itself (/health/live). */
	isLive(): Promise<boolean>;
	/** Shows another certificate from now on. Only for who speaks TLS already. */
	renew(tls: NonNullable<HttpParts["tls"]>): void;
	/** Takes no new requests, and cuts off the ones that are not done after `timeoutMs`. */
	close(timeoutMs: number): Promise<void>;
}

const OLDEST_TLS = "TLSv1.2";

/** Wrong tokens an address may try within a minute. */
const MOST_GUESSES = 10;

/** How long a client may take to say what it wants, in milliseconds. How long the answer takes is another matter. */
const PATIENCE_MS = 30_000;

/** Opens the HTTP server. Throws Failure USAGE when it cannot listen there. */
export async function openHttp(parts: HttpParts): Promise<HttpServer> {
	const app = makeApp(parts);
	await app.register(helmet, headers(parts.tls !== undefined));
	app.addHook("onSend", async (_request, reply) => {
		if (!reply.hasHeader("cache-control")) reply.header("cache-control", "no-store");
	});
	app.setErrorHandler((error, request, reply) => {
		const details = problemOf(error);
		if (details.status >= 500 && !(error instanceof Failure)) parts.onBug(error, `${request.method} ${request.routeOptions.url ?? ""}`);
		return refuse(reply, details);
	});
	app.setNotFoundHandler((request, reply) => refuse(reply, problem("NOT_FOUND", `there is nothing at ${request.method} ${request.url}`)));
	await app.register(rateLimit, { global: false });
	const countGuess = app.createRateLimit({ max: MOST_GUESSES, timeWindow: 60_000 });
	addOpenRoutes(app, parts);
	await app.register(async (scope) => addPage(scope, { ...parts, isSecure: parts.tls !== undefined, countGuess }));
	await app.register(async (scope) => addApi(scope, { ...parts, countGuess }), { prefix: "/api/v1" });
	await listen(app, parts.listen);
	return {
		url: urlOf(parts.tls === undefined ? "http" : "https", app.server.address() as AddressInfo),
		isLive: async () => app.server.listening && (await app.inject("/health/live")).statusCode === 200,
		renew: ({ cert, key }) => {
			if (app.server instanceof TlsServer) app.server.setSecureContext({ cert, key: key.reveal(), minVersion: OLDEST_TLS });
		},
		close: async (timeoutMs) => {
			const cut = setTimeout(() => app.server.closeAllConnections(), timeoutMs);
			await app.close();
			clearTimeout(cut);
		},
	};
}

function addOpenRoutes(app: FastifyInstance, parts: HttpParts): void {
	app.get("/health", async (_request, reply) => {
		const health = parts.health();
		return reply
			.code(health.status === "fail" ? 503 : 200)
			.type("application/health+json")
			.send(JSON.stringify(health));
	});
	app.get("/health/live", async (_request, reply) => reply.type("application/health+json").send('{"status":"pass"}'));
	app.get("/health/ready", async (_request, reply) => {
		const isReady = parts.isReady();
		return reply
			.code(isReady ? 200 : 503)
			.type("application/health+json")
			.send(isReady ? '{"status":"pass"}' : '{"status":"fail"}');
	});
	app.get("/metrics", async (_request, reply) => reply.type(parts.metrics.contentType).send(await parts.metrics.text()));
}

function makeApp({ tls, patienceMs = PATIENCE_MS }: HttpParts): FastifyInstance {
	// Names in paths may be DNs.
	const routerOptions = { maxParamLength: 1000 };
	const options: FastifyServerOptions = {
		...{ logger: false, bodyLimit: 16_384, forceCloseConnections: "idle", trustProxy: false, routerOptions, requestTimeout: patienceMs },
		// Before any route, and any hook: a path that is not encoded as paths are, or a name in it that is too long.
		frameworkErrors: (error, _request, reply) => void refuse(reply.header("cache-control", "no-store"), problemOf(error)),
	};
	// Node takes the longer of the two for the whole request; and how often it looks for who takes longer.
	const limits = { headersTimeout: patienceMs, connectionsCheckingInterval: patienceMs };
	if (tls === undefined) return fastify({ ...options, http: limits });
	// What browsers and agents see is the same server: only the socket below it is another kind.
	const secured = { ...options, https: { ...limits, cert: tls.cert, key: tls.key.reveal(), minVersion: OLDEST_TLS } } as const;
	return fastify(secured) as unknown as FastifyInstance;
}

/** Nothing from anywhere, only our own style and our one script, each by its hash, and forms that go nowhere else. */
function headers(isSecure: boolean): FastifyHelmetOptions {
	return {
		contentSecurityPolicy: {
			useDefaults: false,
			directives: {
				defaultSrc: ["'none'"],
				styleSrc: [hashOf(style)],
				scriptSrc: [hashOf(script)],
				connectSrc: ["'self'"],
				formAction: ["'self'"],
				baseUri: ["'none'"],
				frameAncestors: ["'none'"],
			},
		},
		frameguard: { action: "deny" },
		// Not no-referrer: browsers would call the origin of our own forms null.
		referrerPolicy: { policy: "same-origin" },
		// Whoever opens it by name over TLS is kept there; elsewhere it would mean nothing.
		hsts: isSecure ? { maxAge: 31_536_000, includeSubDomains: false } : false,
	};
}

/** As a policy names what may stand in a document (CSP Level 3 §2.3.1). */
function hashOf(text: string): string {
	return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

async function listen(app: FastifyInstance, { host, port }: HttpParts["listen"]): Promise<void> {
	try {
		await app.listen({ host, port });
	} catch (cause) {
		await app.close();
		const reasons: Readonly<Record<string, string>> = {
			EADDRINUSE: "another program listens there",
			EACCES: "this user may not listen there",
			EADDRNOTAVAIL: "this machine does not have that address",
			ENOTFOUND: "that name is not known",
		};
		const code = (cause as NodeJS.ErrnoException).code ?? "";
		throw new Failure("USAGE", `cannot listen on ${host}:${port}: ${reasons[code] ?? (cause as Error).message}`, {
			cause,
			hint: "Change http.listen in the configuration, or end the other program.",
		});
	}
}

/** Who listens everywhere is reached on loopback. */
function urlOf(scheme: "http" | "https", { address, family, port }: AddressInfo): string {
	if (address === "0.0.0.0" || address === "::") return `${scheme}://127.0.0.1:${port}`;
	return family === "IPv6" ? `${scheme}://[${address}]:${port}` : `${scheme}://${address}:${port}`;
}
