import type { AddressInfo } from "node:net";
import rateLimit from "@fastify/rate-limit";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { Secret } from "../config/secret.ts";
import { Failure } from "../core/errors.ts";
import { type Api, addApi } from "./api.ts";
import type { Health } from "./health.ts";
import { CONTENT_SECURITY_POLICY, renderPage } from "./page.ts";
import { PROBLEM_TYPE, problem, problemOf } from "./problem.ts";
import { isAuthorized } from "./token.ts";

/** What the server shows; all of it answers from memory. */
export interface HttpParts {
	readonly listen: { readonly host: string; readonly port: number };
	readonly token: Secret;
	health(): Health;
	isReady(): boolean;
	readonly metrics: { readonly contentType: string; text(): Promise<string> };
	readonly api: Api;
	/** An error that is no Failure: a bug. */
	onBug(error: unknown, where: string): void;
}

export interface HttpServer {
	/** Where it listens, as another process of this machine reaches it. */
	readonly url: string;
	/** Whether it would say so itself (/health/live). */
	isLive(): Promise<boolean>;
	/** Takes no new requests, and cuts off the ones that are not done after `timeoutMs`. */
	close(timeoutMs: number): Promise<void>;
}

/** Wrong tokens an address may try within a minute. */
const MOST_GUESSES = 10;

/** Opens the HTTP server. Throws Failure USAGE when it cannot listen there. */
export async function openHttp(parts: HttpParts): Promise<HttpServer> {
	const app = fastify({ logger: false, bodyLimit: 16_384, forceCloseConnections: "idle", trustProxy: false });
	app.addHook("onSend", async (_request, reply) => {
		reply.header("x-content-type-options", "nosniff");
		reply.header("referrer-policy", "no-referrer");
		if (!reply.hasHeader("cache-control")) reply.header("cache-control", "no-store");
	});
	app.setErrorHandler((error, request, reply) => {
		const details = problemOf(error);
		if (details.status >= 500 && !(error instanceof Failure)) parts.onBug(error, `${request.method} ${request.routeOptions.url ?? ""}`);
		return refuse(reply, details);
	});
	app.setNotFoundHandler((request, reply) =>
		refuse(reply, problem(404, "NOT_FOUND", `there is nothing at ${request.method} ${request.url}`)),
	);
	await app.register(rateLimit, { global: false });
	addOpenRoutes(app, parts);
	await app.register(
		async (scope) => {
			requireToken(scope, parts.token);
			addApi(scope, parts.api);
		},
		{ prefix: "/api/v1" },
	);
	await listen(app, parts.listen);
	return {
		url: urlOf(app.server.address() as AddressInfo),
		isLive: async () => app.server.listening && (await app.inject("/health/live")).statusCode === 200,
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
	app.get("/", async (_request, reply) =>
		reply
			.header("content-security-policy", CONTENT_SECURITY_POLICY)
			.header("x-frame-options", "DENY")
			.type("text/html; charset=utf-8")
			.send(renderPage(parts.health())),
	);
}

/** Everything in this scope needs the token. Only wrong tokens count against an address: nobody can lock out who has the right one. */
function requireToken(scope: FastifyInstance, token: Secret): void {
	const countGuess = scope.createRateLimit({ max: MOST_GUESSES, timeWindow: 60_000 });
	const guard = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
		if (isAuthorized(request.headers.authorization, token)) return undefined;
		const guesses = await countGuess(request);
		if (!guesses.isAllowed && guesses.isExceeded) {
			reply.header("retry-after", guesses.ttlInSeconds);
			return refuse(reply, problem(429, "USAGE", "too many wrong tokens", `Try again in ${guesses.ttlInSeconds} s.`));
		}
		reply.header("www-authenticate", 'Bearer realm="dirsyncd"');
		return refuse(
			reply,
			problem(401, "USAGE", "the API needs the admin token", "It stands in the file beside the database that ends in -token."),
		);
	};
	scope.addHook("onRequest", guard);
	// Also what is not there: without the token nobody learns what is.
	scope.setNotFoundHandler({ preHandler: guard }, (request, reply) =>
		refuse(reply, problem(404, "NOT_FOUND", `there is nothing at ${request.method} ${request.url}`)),
	);
}

function refuse(reply: FastifyReply, details: ReturnType<typeof problem>): FastifyReply {
	return reply.code(details.status).type(PROBLEM_TYPE).send(JSON.stringify(details));
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
function urlOf({ address, family, port }: AddressInfo): string {
	if (address === "0.0.0.0" || address === "::") return `http://127.0.0.1:${port}`;
	return family === "IPv6" ? `http://[${address}]:${port}` : `http://${address}:${port}`;
}
