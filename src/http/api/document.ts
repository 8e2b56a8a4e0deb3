import swagger from "@fastify/swagger";
import type { FastifyInstance } from "fastify";
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from "fastify-type-provider-zod";
import { z } from "zod";
import { component, documented } from "./fields.ts";

component(
	"Problem",
	"What went wrong (RFC 9457). `type` leads to the table of codes, `GET /api/v1/problems`.",
	z.strictObject({
		...{ type: z.string(), title: z.string(), status: z.int(), detail: z.string(), instance: z.string().optional() },
		errors: z
			.array(
				z.strictObject({
					...{ parameter: z.string().optional(), pointer: z.string().optional(), detail: z.string() },
					...{ value: z.unknown(), remedy: z.string() },
				}),
			)
			.optional(),
		error: z.strictObject({ code: z.string(), message: z.string(), hint: z.string().optional() }),
	}),
);

/** Problems that are answered, by status, and to whom. */
const problems = {
	400: "Something is wrong with the request; `errors` names all of it, each with its place and remedy.",
	401: "No token, or a wrong one.",
	403: "The viewer's token only reads.",
	404: "What was asked for is not there.",
	405: "What is there does not take this method; the header `Allow` says which.",
	409: "It cannot be done as things are now: a name means several, a plan has changed, a run is going on.",
	413: "The body is too large.",
	415: "The body is no JSON.",
	429: "Too many wrong tokens from this address; the header `Retry-After` says for how long.",
	500: "A bug of dirsyncd; its log says more.",
	502: "A source or a target cannot be reached, or refuses.",
	503: "dirsyncd is starting or stopping, or its database cannot be written.",
} as const;

const OPEN = new Set(["getDocument", "listProblems"]);

/**
 * Has every route that is added from here on described (OpenAPI 3.1), from the schemas by which it parses and answers. Returns the
 * document, which is made when it is first asked for.
 */
export async function addDocument(scope: FastifyInstance, version: string): Promise<() => object> {
	await scope.register(swagger, {
		openapi: {
			openapi: "3.1.1",
			info: { title: "dirsyncd", version, description, license: { name: "MIT", identifier: "MIT" } },
			servers: [{ url: "/", description: "The daemon that gave this document" }],
			security: [{ bearer: [] }],
			components: {
				securitySchemes: {
					bearer: {
						type: "http",
						scheme: "bearer",
						description: "`dirsyncd token` prints the operator's token, `dirsyncd token --viewer` one that only reads.",
					},
				},
			},
			tags: [
				{ name: "state", description: "How it stands" },
				{ name: "people", description: "Accounts, groups, and why they are as they are" },
				{ name: "runs", description: "Runs, what they changed, and taking them back" },
				{ name: "decisions", description: "What waits for a person" },
				{ name: "targets", description: "What is known of targets" },
				{ name: "api", description: "About this interface" },
			],
		},
		transform: createJsonSchemaTransform({ schemaRegistry: documented }),
		transformObject: (given) => finish(transformObject(given) as unknown as Document) as never,
	});
	let document: object | undefined;
	return () => {
		document ??= scope.swagger();
		return document;
	};
}

const transformObject = createJsonSchemaTransformObject({ schemaRegistry: documented });

const description = `What the commands read and do, over HTTP. Answers are the JSON that the commands print with \`--json\`.

Every request needs a bearer token, but for this document and the table of problems. The viewer's token only reads; the operator's does
everything. Lists come in pages: give \`next\` of one as \`after\` of the next one, or follow the header \`Link\`. What was added meanwhile
comes in its place, and nothing comes twice. Instants are ISO 8601 in UTC. Unknown parameters and members are refused.`;

interface Operation {
	readonly operationId: string;
	readonly summary: string;
	readonly parameters?: readonly unknown[];
	requestBody?: { required?: boolean };
	security?: readonly unknown[];
	readonly responses: Record<string, unknown>;
}

interface Document {
	readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
	readonly components: { readonly schemas: Record<string, unknown>; responses?: Record<string, unknown> };
}

/** What the routes' schemas do not say: the problems of each operation, once for all, and the header of pages. */
function finish(document: Document): Document {
	const { components, paths } = document;
	// The same schemas as those of answers: no body is made of them.
	for (const name of Object.keys(components.schemas)) if (name.endsWith("Input")) delete components.schemas[name];
	components.responses = Object.fromEntries(
		Object.entries(problems).map(([status, text]) => [
			`Problem${status}`,
			{ description: text, content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } } },
		]),
	);
	for (const [path, methods] of Object.entries(paths)) {
		for (const [method, operation] of Object.entries(methods)) finishOperation(operation, statusesOf(path, method, operation));
	}
	return document;
}

function finishOperation(operation: Operation, statuses: readonly number[]): void {
	const { responses, requestBody, operationId, summary } = operation;
	// Nothing in any body has to be there.
	if (requestBody !== undefined) requestBody.required = false;
	if (OPEN.has(operationId)) operation.security = [];
	const good = responses["200"] as { description: string; headers?: object; content?: Readonly<Record<string, { schema?: Schema }>> };
	good.description = summary;
	if (good.content?.["application/json"]?.schema?.properties?.["next"] !== undefined) {
		const text = 'Of the next page, `rel="next"` (RFC 8288); not there on the last one.';
		good.headers = { Link: { description: text, schema: { type: "string" } } };
	}
	for (const status of statuses) responses[status] = { $ref: `#/components/responses/Problem${status}` };
}

interface Schema {
	readonly properties?: Readonly<Record<string, unknown>>;
}

function statusesOf(path: string, method: string, { operationId, parameters = [] }: Operation): readonly number[] {
	if (OPEN.has(operationId)) return [405, 500];
	const isAsking = method === "post" || parameters.length > 0;
	return [
		...(isAsking ? [400] : []),
		401,
		...(method === "post" ? [403] : []),
		...(isAsking ? [404] : []),
		405,
		...(method === "post" || path.includes("{") ? [409] : []),
		...(method === "post" ? [413, 415] : []),
		429,
		500,
		...(method === "post" || operationId === "explain" ? [502] : []),
		503,
	];
}
