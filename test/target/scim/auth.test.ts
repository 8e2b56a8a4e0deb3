import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ScimAuth } from "../../../src/target/scim/options.ts";
import { type ScimDouble, startScimDouble } from "../../support/scim-double.ts";
import { accountOf, deliveryOf, failureOf, makeTime, openTarget } from "../../support/scim-options.ts";

const SECRET = "s3cr+t/&=";
let server: ScimDouble;
let tokens: Awaited<ReturnType<typeof startTokens>>;
beforeAll(async () => {
	server = await startScimDouble();
	tokens = await startTokens();
});
afterAll(async () => {
	await server.close();
	await tokens.close();
});
beforeEach(() => {
	server.reset();
	tokens.reset();
});

/** An authorization server (RFC 6749 §4.4): each token is another one, and the target takes the newest only. */
async function startTokens() {
	const came: { readonly authorization: string | undefined; readonly form: URLSearchParams }[] = [];
	const how = { status: 200, error: "", expiresIn: 3600 as number | string | undefined };
	const endpoint = http.createServer(async (request, response) => {
		let text = "";
		for await (const chunk of request) text += chunk;
		came.push({ authorization: request.headers.authorization, form: new URLSearchParams(text) });
		server.how.authorization = `Bearer token-${came.length}`;
		response.writeHead(how.status, { "content-type": "application/json", "retry-after": "5" });
		const granted = { access_token: `token-${came.length}`, token_type: "Bearer", expires_in: how.expiresIn };
		response.end(JSON.stringify(how.status === 200 ? granted : { error: "invalid_client", error_description: how.error }));
	});
	endpoint.listen(0, "127.0.0.1");
	await once(endpoint, "listening");
	return {
		url: `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/token?hint=${SECRET}`,
		came,
		how,
		reset: (): void => {
			came.length = 0;
			Object.assign(how, { status: 200, error: "", expiresIn: 3600 });
		},
		close: async (): Promise<void> => {
			endpoint.closeAllConnections();
			endpoint.close();
			await once(endpoint, "close");
		},
	};
}

function oauth(more: Partial<Extract<ScimAuth, { kind: "oauth" }>> = {}): ScimAuth {
	const client = { clientId: "dir syncd", clientSecret: () => SECRET, scope: "scim.write", clientAuth: "body" } as const;
	return { kind: "oauth", tokenUrl: tokens.url, ...client, ...more };
}

describe("who we are", () => {
	it("is nobody where a certificate says it", async () => {
		server.how.authorization = undefined;
		await openTarget(server.url, { auth: { kind: "none" } }).create(1);
		expect(server.came[0]?.headers.authorization).toBeUndefined();
	});

	it("is a name and a password", async () => {
		server.how.authorization = `Basic ${Buffer.from("sync:päss").toString("base64")}`;
		await openTarget(server.url, { auth: { kind: "basic", user: "sync", password: () => "päss" } }).create(1);
	});

	it.each([
		{ clientAuth: "body", authorization: undefined, id: "dir syncd", secret: SECRET },
		{
			clientAuth: "basic",
			authorization: `Basic ${Buffer.from("dir+syncd:s3cr%2Bt%2F%26%3D").toString("base64")}`,
			id: null,
			secret: null,
		},
	] as const)("is a client of an authorization server, by $clientAuth", async ({ clientAuth, authorization, id, secret }) => {
		await openTarget(server.url, { auth: oauth({ clientAuth }) }).create(1);
		expect(tokens.came[0]?.authorization).toBe(authorization);
		const form = tokens.came[0]?.form;
		expect([form?.get("grant_type"), form?.get("scope"), form?.get("client_id"), form?.get("client_secret")]).toEqual([
			"client_credentials",
			"scim.write",
			id,
			secret,
		]);
	});
});

describe("a token", () => {
	it("is fetched once, by however many wait for it", async () => {
		const { create } = openTarget(server.url, { auth: oauth() });
		await Promise.all([1, 2, 3, 4].map((number) => create(number)));
		expect(tokens.came).toHaveLength(1);
	});

	it.each([
		{ expiresIn: 3600, lasts: 3539, renewed: 3541 },
		{ expiresIn: "100", lasts: 89, renewed: 91 },
	])("of $expiresIn s is renewed before it ends", async ({ expiresIn, lasts, renewed }) => {
		tokens.how.expiresIn = expiresIn;
		const time = makeTime();
		const { create } = openTarget(server.url, { auth: oauth() }, time);
		await create(1);
		time.pass(lasts * 1000);
		await create(2);
		expect(tokens.came).toHaveLength(1);
		time.pass((renewed - lasts) * 1000);
		await create(3);
		expect(tokens.came).toHaveLength(2);
	});

	it("is renewed once when it is refused, and the request sent again", async () => {
		const { create } = openTarget(server.url, { auth: oauth() });
		await create(1);
		server.how.unauthorized = 1;
		await create(2);
		expect(tokens.came).toHaveLength(2);
		expect(server.users.size).toBe(2);
	});

	it("that is refused again stops the target", async () => {
		const { create, apply } = openTarget(server.url, { auth: oauth() });
		await create(1);
		server.how.unauthorized = 1000;
		expect(await failureOf(apply(deliveryOf(2)))).toMatchObject({ code: "TARGET_REFUSED" });
		expect(tokens.came).toHaveLength(2);
	});

	it.each([
		{ status: 401, code: "TARGET_REFUSED", retryAfterMs: undefined },
		{ status: 400, code: "TARGET_REFUSED", retryAfterMs: undefined },
		{ status: 503, code: "TARGET_UNREACHABLE", retryAfterMs: 5000 },
	])("that is not given ($status) stops the target, and says why without the secret", async ({ status, code, retryAfterMs }) => {
		Object.assign(tokens.how, { status, error: `no client with ${SECRET}` });
		const { apply } = openTarget(server.url, { auth: oauth() });
		const failure = await failureOf(apply(deliveryOf(1)));
		expect(failure).toMatchObject({ code, retryAfterMs, message: expect.stringContaining("invalid_client") });
		expect(failure.message).not.toContain(SECRET);
	});
});

describe("a secret", () => {
	it.each(["scim", "text", "object"] as const)("is in no error, though the server repeats it: %s", async (errors) => {
		server.how.errors = errors;
		const auth: ScimAuth = { kind: "bearer", token: () => "wrong-and-secret" };
		const failure = await failureOf(openTarget(server.url, { auth }).apply(deliveryOf(1)));
		expect(failure).toMatchObject({ code: "TARGET_REFUSED", message: expect.stringContaining("who is Bearer [secret]?") });
		expect(JSON.stringify([failure.message, failure.hint, failure.stack])).not.toContain("wrong-and-secret");
	});

	it("is in no refusal of an account either", async () => {
		const { apply } = openTarget(server.url);
		const wanted = accountOf(1, { userName: "scim-token" });
		await apply(deliveryOf(1, { wanted }));
		expect(await apply(deliveryOf(2, { wanted }))).toEqual({
			kind: "conflict",
			error: "409 uniqueness: the userName [secret] already exists",
		});
	});
});
