import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** The least that a SCIM server can do: it knows who is there by two attributes, and takes everything that is sent. In a process of its own. */
const byValue = new Map<string, object>();
const server = createServer((request, response) => {
	let text = "";
	request.on("data", (chunk: Buffer) => {
		text += chunk;
	});
	request.on("end", () => {
		const answer = (status: number, body: object): void => {
			response.writeHead(status, { "content-type": "application/scim+json" });
			response.end(JSON.stringify(body));
		};
		const url = new URL(request.url ?? "/", "http://bench");
		if (url.pathname !== "/Users") return answer(404, { status: "404" });
		if (request.method === "GET") {
			const [, value = ""] = /^(?:externalId|userName) eq "(.*)"$/.exec(url.searchParams.get("filter") ?? "") ?? [];
			const found = byValue.get(value);
			return answer(200, { totalResults: found === undefined ? 0 : 1, Resources: found === undefined ? [] : [found] });
		}
		const user = { ...(JSON.parse(text) as { externalId: string; userName: string }), id: `u${byValue.size}` };
		byValue.set(user.externalId, user).set(user.userName, user);
		answer(201, user);
	});
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1");
await once(server, "listening");
process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
process.on("disconnect", () => process.exit(0));
