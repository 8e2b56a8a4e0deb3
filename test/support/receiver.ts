import { createHmac, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createSecureServer, type ServerOptions } from "node:https";
import type { AddressInfo } from "node:net";
import type { Account } from "../../src/core/account.ts";
import type { Anchor } from "../../src/core/entry.ts";
import type { Group } from "../../src/core/group.ts";

export interface Came {
	readonly headers: IncomingHttpHeaders;
	readonly body: string;
	readonly events: readonly Event[];
}

export interface Event {
	readonly id: string;
	readonly type: string;
	readonly subject: string;
	readonly time: string;
	readonly data: {
		readonly externalId: Anchor;
		readonly account?: Account;
		readonly group?: Group;
		readonly added?: readonly string[];
		readonly removed?: readonly string[];
	};
}

/** What a request is answered with; "cut": the connection ends without an answer, after the work is done. */
export type Reply = { readonly status: number; readonly headers?: Record<string, string>; readonly text?: string } | "cut";

export type Receiver = Awaited<ReturnType<typeof startReceiver>>;

/**
 * A receiver of webhooks as its operator may have written it: it takes nothing whose signature is wrong or old, nothing twice, keeps
 * accounts and groups, and refuses a userName that another account has. Written apart from src on purpose.
 */
export async function startReceiver(secret: string, now: () => number, secure?: ServerOptions) {
	const accounts = new Map<string, Account>();
	const groups = new Map<string, { group: Group; members: Set<string> }>();
	const known = new Set<string>();
	const came: Came[] = [];
	const how: { reply: (nth: number, events: readonly Event[]) => Reply | undefined } = { reply: () => undefined };

	const take = ({ id, type, data }: Event): void => {
		if (known.has(id)) return;
		known.add(id);
		const key = data.externalId;
		if (type.startsWith("dirsyncd.account.")) {
			if (data.account === undefined) accounts.delete(key);
			else accounts.set(key, data.account);
		} else if (data.group === undefined) groups.delete(key);
		else {
			const members = groups.get(key)?.members ?? new Set();
			for (const one of data.added ?? []) members.add(one);
			for (const one of data.removed ?? []) members.delete(one);
			groups.set(key, { group: data.group, members });
		}
	};
	/** Takes all of them or none. */
	const judge = (events: readonly Event[]): Exclude<Reply, "cut"> => {
		const names = new Map([...accounts].map(([key, { userName }]) => [userName.toLowerCase(), key]));
		for (const { data } of events) {
			for (const [name, key] of names) if (key === data.externalId) names.delete(name);
			if (data.account === undefined) continue;
			const name = data.account.userName.toLowerCase();
			if (names.has(name)) return { status: 409, text: JSON.stringify({ error: `${data.account.userName} is taken` }) };
			names.set(name, data.externalId);
		}
		for (const event of events) take(event);
		return { status: 204 };
	};
	const listen: RequestListener = async (request, response) => {
		let body = "";
		for await (const chunk of request.setEncoding("utf8")) body += chunk;
		if (!isSigned(request.headers, body, secret, now())) return answer(response, { status: 401, text: "wrong signature" });
		const parsed = JSON.parse(body) as Event | Event[];
		const events = Array.isArray(parsed) ? parsed : [parsed];
		came.push({ headers: request.headers, body, events });
		const reply = how.reply(came.length, events);
		if (reply !== undefined && reply !== "cut") return answer(response, reply);
		const verdict = judge(events);
		if (reply === "cut") response.destroy();
		else answer(response, verdict);
	};

	const server = secure === undefined ? createServer(listen) : createSecureServer(secure, listen);
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = server.address() as AddressInfo;
	return {
		url: `${secure === undefined ? "http" : "https"}://127.0.0.1:${port}/people`,
		...{ accounts, groups, came, how },
		reset: () => {
			for (const kept of [accounts, groups, known]) kept.clear();
			came.length = 0;
			how.reply = () => undefined;
		},
		close: async () => {
			server.closeAllConnections();
			await new Promise((resolve) => server.close(resolve));
		},
	};
}

/** As the README tells receivers to do it. */
function isSigned(headers: IncomingHttpHeaders, body: string, secret: string, now: number): boolean {
	const [id, timestamp, signatures] = ["webhook-id", "webhook-timestamp", "webhook-signature"].map((name) => String(headers[name]));
	if (Math.abs(now / 1000 - Number(timestamp)) > 300) return false;
	const key = secret.startsWith("whsec_") ? Buffer.from(secret.slice(6), "base64") : Buffer.from(secret);
	const wanted = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest();
	return String(signatures)
		.split(" ")
		.some((one) => {
			const given = Buffer.from(one.replace(/^v1,/, ""), "base64");
			return given.length === wanted.length && timingSafeEqual(given, wanted);
		});
}

function answer(response: ServerResponse, { status, headers, text }: Exclude<Reply, "cut">): void {
	response.writeHead(status, headers).end(text);
}
