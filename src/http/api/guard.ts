import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { PageParts } from "../page-parts.ts";
import { problem, refuse } from "../problem.ts";
import { bearerOf, roleOf, type Tokens } from "../token.ts";

/**
 * Everything in this scope needs a token, and what changes anything the operator's. Only wrong tokens count against an address: nobody
 * can lock out who has the right one.
 */
export function requireToken(scope: FastifyInstance, tokens: Tokens, countGuess: PageParts["countGuess"]): void {
	const guard = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
		const role = roleOf(bearerOf(request.headers.authorization), tokens);
		if (role === "operator" || (role === "viewer" && isReading(request))) return undefined;
		if (role === "viewer") return refuse(reply, problem("FORBIDDEN", "the viewer's token only reads", "Use the admin token."));
		const guesses = await countGuess(request);
		if (!guesses.isAllowed && guesses.isExceeded) {
			reply.header("retry-after", guesses.ttlInSeconds);
			return refuse(reply, problem("TOO_MANY_REQUESTS", "too many wrong tokens", `Try again in ${guesses.ttlInSeconds} s.`));
		}
		reply.header("www-authenticate", 'Bearer realm="dirsyncd"');
		return refuse(
			reply,
			problem("UNAUTHENTICATED", "the API needs the admin token", "It stands in the file beside the database that ends in -token."),
		);
	};
	scope.addHook("onRequest", guard);
	// Also what is not there: without the token nobody learns what is.
	scope.setNotFoundHandler({ preHandler: guard }, (request, reply) =>
		refuse(reply, problem("NOT_FOUND", `there is nothing at ${request.method} ${request.url}`, "/api/v1/openapi.json has all there is.")),
	);
}

function isReading({ method }: FastifyRequest): boolean {
	return method === "GET" || method === "HEAD";
}
