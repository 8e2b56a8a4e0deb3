import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Message } from "../../src/notify/channel.ts";
import { makeWebhookChannel } from "../../src/notify/webhook/webhook.ts";

const SECRET = "a secret of 24 characters or more";
const NOW = Date.UTC(2026, 10, 27, 9);
const never = new AbortController().signal;

let server: Server;
let came: { readonly headers: IncomingHttpHeaders; readonly body: string }[];
let status: number;

beforeEach(async () => {
	came = [];
	status = 204;
	server = createServer(async (request, response) => {
		let body = "";
		for await (const chunk of request) body += String(chunk);
		if (request.method === "POST") came.push({ headers: request.headers, body });
		response.writeHead(request.method === "POST" ? status : 405).end();
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
});

afterEach(() => {
	server.closeAllConnections();
	server.close();
});

const channel = () =>
	makeWebhookChannel({
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?a=b`,
		...{ ca: undefined, secret: () => SECRET, clock: () => NOW },
	});

const held: Message = {
	...{ id: "one", first: undefined, at: NOW },
	letter: { subject: "dirsyncd corp: 62 disables are held", blocks: [{ kind: "text", text: "62 disables are held." }] },
	facts: {
		kind: "matter",
		notice: {
			...{ state: "opened", at: NOW },
			matter: {
				...{ key: "held corp", about: "corp", since: NOW, run: undefined, runAt: undefined, wellSince: undefined, told: undefined },
				detail: { kind: "held", plan: "sha256:abc", count: 62, kinds: [], first: [] },
			},
		},
	},
};

describe("a webhook that tells", () => {
	it("gets JSON with words and facts, signed as Standard Webhooks has it", async () => {
		await channel().send(held, never);
		const [{ headers, body } = { headers: {}, body: "" }] = came;
		expect(JSON.parse(body)).toEqual({
			...{ type: "dirsyncd.matter", matter: "held", about: "corp", state: "opened" },
			...{ since: "2026-11-27T09:00:00.000Z", at: "2026-11-27T09:00:00.000Z" },
			...{ subject: "dirsyncd corp: 62 disables are held", text: "62 disables are held.\n" },
			detail: { kind: "held", plan: "sha256:abc", count: 62, kinds: [], first: [] },
		});
		const signature = createHmac("sha256", SECRET)
			.update(`${headers["webhook-id"]}.${NOW / 1000}.${body}`)
			.digest("base64");
		expect(headers["webhook-signature"]).toBe(`v1,${signature}`);
		expect(body).not.toContain(SECRET);
	});

	it("gets the same id when it is sent again, and another for another", async () => {
		for (const id of ["one", "one", "two"]) await channel().send({ ...held, id }, never);
		const ids = came.map(({ headers }) => headers["webhook-id"]);
		expect(ids[1]).toBe(ids[0]);
		expect(ids[2]).not.toBe(ids[0]);
	});

	it.each([400, 401, 404, 500, 302])("has not taken what it answers with %i", async (answer) => {
		status = answer;
		await expect(channel().send(held, never)).rejects.toMatchObject({ code: "CHANNEL_REFUSED" });
	});

	it("is found by check without an event", async () => {
		expect(await channel().probe(never)).toMatch(/^http:\/\/127\.0\.0\.1:\d+ answers$/);
		expect(came).toEqual([]);
		const gone = channel();
		server.closeAllConnections();
		server.close();
		await expect(gone.probe(never)).rejects.toMatchObject({ code: "CHANNEL_UNREACHABLE", hint: expect.any(String) });
	});
});
