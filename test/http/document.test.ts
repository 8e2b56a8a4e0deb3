import { readFileSync } from "node:fs";
import path from "node:path";
import { Validator } from "@seriousme/openapi-schema-validator";
import fastify, { type FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeSecret } from "../../src/config/secret.ts";
import { addApi } from "../../src/http/api/scope.ts";
import type { Api } from "../../src/http/api.ts";
import { problemKinds } from "../../src/http/problem-table.ts";
import type { Document, Operation } from "../support/open-api.ts";
import { nothingToRead } from "../support/reads.ts";

let app: FastifyInstance;
let routes: string[];
let document: Document;

beforeAll(async () => {
	app = fastify();
	routes = [];
	app.addHook("onRoute", ({ url, method, schema }) => {
		// What only says which methods there are is none.
		if ((schema as { hide?: boolean } | undefined)?.hide === true) return;
		for (const each of [method].flat()) if (each !== "HEAD") routes.push(`${each.toLowerCase()} ${url.replace(/:(\w+)/g, "{$1}")}`);
	});
	const token = makeSecret("a-token-that-nobody-can-guess-0123456789");
	const parts = {
		reads: nothingToRead,
		api: {} as Api,
		tokens: { operator: token, viewer: token },
		countGuess: async () => ({ isAllowed: true }) as const,
	};
	await app.register(async (scope) => addApi(scope, parts), { prefix: "/api/v1" });
	await app.ready();
	document = (await app.inject("/api/v1/openapi.json")).json();
});

afterAll(() => app.close());

const operations = (): readonly (readonly [string, Operation])[] =>
	Object.entries(document.paths).flatMap(([path, methods]) =>
		Object.entries(methods).map(([method, operation]) => [`${method} ${path}`, operation] as const),
	);

describe("the OpenAPI document", () => {
	it("is valid OpenAPI 3.1, of this version, and needs no token", async () => {
		expect(await new Validator().validate(structuredClone(document) as never)).toEqual({ valid: true });
		expect(document).toMatchObject({ openapi: "3.1.1", info: { version: "1.2.3" } });
	});

	it("has every route there is, and no other", () => {
		expect(
			operations()
				.map(([name]) => name)
				.sort(),
		).toEqual(routes.sort());
		expect(routes).toHaveLength(29);
	});

	it("says of each operation who may, what it answers, and which problems there are; of each parameter what it is", () => {
		expect(new Set(operations().map(([, { operationId }]) => operationId)).size).toBe(operations().length);
		for (const [name, operation] of operations()) {
			const isOpen = /openapi\.json|problems/.test(name);
			const needs = isOpen ? /Needs no token/ : name.startsWith("get") ? /viewer's or the operator's token/ : /Needs the operator's token/;
			expect(operation.description, name).toMatch(needs);
			expect(operation.security, name).toEqual(isOpen ? [] : undefined);
			expect(Object.keys(operation.responses), name).toEqual(
				expect.arrayContaining(name.startsWith("post") ? ["200", "400", "401", "403", "404", "409", "413", "415", "429", "503"] : ["200"]),
			);
			for (const parameter of operation.parameters ?? [])
				expect(parameter, name).toMatchObject({ description: expect.stringMatching(/./) });
		}
	});

	it("has what the README shows", () => {
		const readme = readFileSync(path.join(import.meta.dirname, "..", "..", "README.md"), "utf8");
		const shown = [...readme.matchAll(/\$api(\/[\w/-]+)/g)].map(([, where]) => `/api/v1${where?.replace(/\d+/, "{run}")}`);
		expect(shown).toHaveLength(8);
		for (const where of shown) expect(Object.keys(document.paths)).toContain(where);
	});

	it("has no schema that nothing leads to", () => {
		const text = JSON.stringify(document);
		for (const name of Object.keys(document.components["schemas"] ?? {})) expect(text).toContain(`"#/components/schemas/${name}"`);
	});
});

it("the table of problems has each code once, with the reference that problems carry", async () => {
	const { items } = (await app.inject("/api/v1/problems")).json();
	expect(items).toEqual(problemKinds);
	expect(items).toContainEqual({
		...{ code: "PLAN_CHANGED", type: "/api/v1/problems#PLAN_CHANGED", title: "Plan Changed", status: 409 },
		meaning: "what would be done is no longer what was shown",
	});
});
