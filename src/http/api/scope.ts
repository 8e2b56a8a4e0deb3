import type { FastifyInstance, HTTPMethods } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import type { Api } from "../api.ts";
import type { PageParts } from "../page-parts.ts";
import { problem, refuse } from "../problem.ts";
import { problemKinds } from "../problem-table.ts";
import type { Reads } from "../reads.ts";
import type { Tokens } from "../token.ts";
import { addAccountRoutes } from "./account-routes.ts";
import { addDocument } from "./document.ts";
import { answer } from "./fields.ts";
import { addGroupRoutes } from "./group-routes.ts";
import { requireToken } from "./guard.ts";
import { addLogRoutes } from "./log-routes.ts";
import type { ApiScope } from "./operation.ts";
import { addPlanRoutes } from "./plan-routes.ts";
import { addRunRoutes } from "./run-routes.ts";
import { addStateRoutes } from "./state-routes.ts";
import { addTargetRoutes } from "./target-routes.ts";
import { validate } from "./validating.ts";

export interface ApiParts {
	readonly api: Api;
	readonly reads: Reads;
	readonly tokens: Tokens;
	countGuess: PageParts["countGuess"];
}

/** /api/v1. Each route is defined once: its schemas parse requests, give the types, and make the OpenAPI document. */
export async function addApi(scope: FastifyInstance, { api, reads, tokens, countGuess }: ApiParts): Promise<void> {
	const routes = collectRoutes(scope);
	const document = await addDocument(scope, reads.version());
	// What came in was parsed by `validate`; what goes out has its type, and tests hold real answers against the document.
	scope.setValidatorCompiler(() => (value) => ({ value }));
	scope.setSerializerCompiler(() => (value) => JSON.stringify(value));
	scope.addHook("preValidation", validate);
	// No form and no text: another site's page could send these.
	scope.removeContentTypeParser("text/plain");
	addOpenRoutes(scope.withTypeProvider<ZodTypeProvider>(), document);
	await scope.register(async (inner) => {
		requireToken(inner, tokens, countGuess);
		const typed = inner.withTypeProvider<ZodTypeProvider>();
		addStateRoutes(typed, reads);
		addAccountRoutes(typed, reads, api);
		addGroupRoutes(typed, reads);
		addRunRoutes(typed, reads, api);
		addPlanRoutes(typed, reads, api);
		addTargetRoutes(typed, api);
		addLogRoutes(typed, reads);
		refuseOtherMethods(inner, routes);
	});
}

const kinds = z.strictObject({
	items: z.array(z.strictObject({ code: z.string(), type: z.string(), title: z.string(), status: z.int(), meaning: z.string() })),
	next: z.null(),
});

/** They tell nothing of anybody, and tools fetch them without a token. */
function addOpenRoutes(scope: ApiScope, document: () => object): void {
	const tags = ["api"];
	scope.get(
		"/openapi.json",
		{
			schema: {
				...{ operationId: "getDocument", tags, summary: "This document", description: "Needs no token." },
				response: { 200: z.looseObject({}) },
			},
		},
		async () => ({ ...document() }),
	);
	scope.get(
		"/problems",
		{
			schema: {
				...{ operationId: "listProblems", tags, summary: "Every code that a problem may have", description: "Needs no token." },
				response: { 200: kinds },
			},
		},
		async () => answer(kinds, { items: problemKinds, next: null }),
	);
}

const METHODS: readonly HTTPMethods[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** By path, from here on. */
function collectRoutes(scope: FastifyInstance): ReadonlyMap<string, Set<string>> {
	const routes = new Map<string, Set<string>>();
	scope.addHook("onRoute", ({ routePath, method }) => {
		const known = routes.get(routePath) ?? new Set();
		for (const each of [method].flat()) known.add(each);
		routes.set(routePath, known);
	});
	return routes;
}

/** What is there and does not take a method says which it takes. */
function refuseOtherMethods(scope: FastifyInstance, routes: ReadonlyMap<string, ReadonlySet<string>>): void {
	for (const [url, known] of [...routes]) {
		const allowed = METHODS.filter((method) => known.has(method)).join(", ");
		scope.route({
			method: METHODS.filter((method) => !known.has(method)),
			url,
			schema: { hide: true },
			handler: async (request, reply) => {
				reply.header("allow", allowed);
				const hint = `It takes ${allowed}.`;
				return refuse(reply, problem("METHOD_NOT_ALLOWED", `${request.url} does not take ${request.method}`, hint));
			},
		});
	}
}
