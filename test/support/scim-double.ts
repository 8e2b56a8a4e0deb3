import { randomUUID } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import {
	type Attribute,
	attributesOf,
	type Body,
	checkResource,
	core,
	coreGroup,
	enterprise,
	filtered,
	patched,
	Refusal,
	type Schemas,
} from "./scim-double-rules.ts";

/** How the double is not as it should be. */
export interface Faults {
	/** The Authorization header it wants. */
	readonly authorization: string | undefined;
	/** So many of the next requests are answered 401 although the header is right. */
	unauthorized: number;
	/** Each nth request is turned away. */
	readonly tooMany: { readonly each: number; readonly status: 429 | 503; readonly headers: Readonly<Record<string, string>> } | undefined;
	/** Each nth request is answered 500, before it is looked at. */
	readonly trouble: number | undefined;
	/** Each nth request that changes something is done, and the connection cut in the place of an answer. */
	readonly drops: number | undefined;
	/** So many of the next requests of this method are done, and: the connection is cut, or 500 or nothing is answered. */
	lose: { readonly method: string; times: number; readonly by: "cut" | "500" | "silence" | "not doing it" } | undefined;
	readonly filters: "kept" | "case-sensitive" | "passed over" | "400" | "404" | "404 for none" | "find nothing";
	readonly paging: "kept" | "passed over" | "total of the page" | "counts to 50";
	readonly errors: "scim" | "text" | "html" | "status as text" | "object";
	readonly taken: 409 | 400 | 500;
	readonly creates: "shown" | "without a body" | "without an id";
	readonly isActiveShown: boolean;
	readonly documents: "all" | "none" | "garbage" | "a first page";
	readonly patch: "kept" | "405" | "404" | "not supported";
	readonly isDuplicatingMembers: boolean;
	/** A member that is there already is an error. */
	readonly isRefusingMembers: boolean;
	/** `as none`: every group's list is empty. */
	readonly areMembersShown: boolean | "as none";
	readonly id: "own" | "userName";
	readonly isLowerCasing: boolean;
	readonly manager: "kept" | "dropped";
	readonly etag: "none" | "kept" | "wanted";
	readonly mostMembers: number;
	readonly mediaType: "application/scim+json" | "application/json";
	/** What its schemas do not have, or have otherwise: "title" or "manager", as the mutability it gets; undefined: it is not there. */
	readonly attributes: Readonly<Record<string, string | undefined>>;
	readonly hasEnterprise: boolean;
	readonly extension: { readonly urn: string; readonly attributes: readonly Attribute[] } | undefined;
	readonly isDeleting: "kept" | "500 for the second";
	readonly isStrictlyRemoving: boolean;
	readonly hasGroups: boolean;
	/** Whether it can be asked for a part of a resource. */
	readonly isProjecting: boolean;
	/** Creates are answered when so many of them wait for it. */
	readonly together: number;
}

const good: Faults = {
	authorization: "Bearer scim-token",
	unauthorized: 0,
	tooMany: undefined,
	trouble: undefined,
	drops: undefined,
	lose: undefined,
	filters: "kept",
	paging: "kept",
	errors: "scim",
	taken: 409,
	creates: "shown",
	isActiveShown: true,
	documents: "all",
	patch: "kept",
	isDuplicatingMembers: false,
	isRefusingMembers: false,
	areMembersShown: true,
	id: "own",
	isLowerCasing: false,
	manager: "kept",
	etag: "none",
	mostMembers: 1000,
	mediaType: "application/scim+json",
	attributes: {},
	hasEnterprise: true,
	extension: undefined,
	isDeleting: "kept",
	isStrictlyRemoving: false,
	hasGroups: true,
	isProjecting: true,
	together: 1,
};

/** One request that came in. */
export interface Came {
	readonly method: string;
	/** Without the base, decoded. */
	readonly path: string;
	readonly query: URLSearchParams;
	readonly headers: http.IncomingHttpHeaders;
	readonly body: Body | undefined;
}

interface Sent {
	readonly status: number;
	readonly body?: Body | string;
	readonly headers?: Readonly<Record<string, string>>;
}

const CHANGING = new Set(["POST", "PUT", "PATCH", "DELETE"]);
const PAGE = 100;

export type ScimDouble = Awaited<ReturnType<typeof startScimDouble>>;

/** A SCIM server that takes the RFCs at their word, and misbehaves as it is told, over real HTTP. */
export async function startScimDouble(faults: Partial<Faults> = {}, secure?: https.ServerOptions) {
	const how = { ...good, ...faults } as { -readonly [K in keyof Faults]: Faults[K] };
	const users = new Map<string, Body>();
	const groups = new Map<string, Body>();
	const came: Came[] = [];
	const watched = new Set<{ readonly is: () => boolean; readonly resolve: () => void }>();
	let changes = 0;
	let underWay = 0;
	let mostAtOnce = 0;
	let waiting: (() => void)[] = [];

	const serve = (request: Came): Sent => {
		const count = came.length;
		if (how.unauthorized > 0) {
			how.unauthorized--;
			throw new Refusal(401, undefined, "the token has ended");
		}
		if (how.authorization !== undefined && request.headers.authorization !== how.authorization) {
			throw new Refusal(401, undefined, `who is ${request.headers.authorization}?`);
		}
		if (how.tooMany !== undefined && count % how.tooMany.each === 0) {
			return {
				status: how.tooMany.status,
				body: errorBody(how, how.tooMany.status, undefined, "slower, please"),
				headers: how.tooMany.headers,
			};
		}
		if (how.trouble !== undefined && count % how.trouble === 0) throw new Refusal(500, undefined, "something broke");
		const document = documentAt(request.path, how);
		if (document !== undefined) return document;
		const [, type, id] = /^\/(Users|Groups)(?:\/(.+))?$/.exec(request.path) ?? [];
		if (type === undefined || (type === "Groups" && !how.hasGroups)) throw new Refusal(404, undefined, `there is no ${request.path}`);
		if (!how.isProjecting && (request.query.has("attributes") || request.query.has("excludedAttributes"))) {
			throw new Refusal(400, "invalidSyntax", "unknown parameter");
		}
		const store = type === "Users" ? makeUserStore(users, how) : makeGroupStore(groups, users, how);
		return answer(store, request, id, how);
	};

	const onRequest = async (request: http.IncomingMessage, response: http.ServerResponse): Promise<void> => {
		mostAtOnce = Math.max(mostAtOnce, ++underWay);
		response.on("close", () => underWay--);
		const url = new URL(request.url ?? "/", "http://double");
		let text = "";
		for await (const chunk of request) text += chunk;
		const { method = "GET", headers } = request;
		const path = decodeURIComponent(url.pathname.replace(/^\/scim/, ""));
		const body = text === "" ? undefined : (JSON.parse(text) as Body);
		const one: Came = { method, path, query: url.searchParams, headers, body };
		came.push(one);
		if (method === "POST") {
			await new Promise<void>((resolve) => {
				waiting.push(resolve);
				if (waiting.length < how.together) return;
				for (const release of waiting) release();
				waiting = [];
			});
		}
		const losing = how.lose !== undefined && how.lose.method === method && how.lose.times > 0 ? how.lose : undefined;
		if (losing !== undefined) losing.times--;
		let sent: Sent;
		try {
			if (losing?.by === "not doing it") sent = { status: 500 };
			else {
				const mediaType = headers["content-type"]?.split(";")[0];
				if (text !== "" && mediaType !== how.mediaType) throw new Refusal(415, undefined, `send ${how.mediaType}`);
				sent = serve(one);
			}
		} catch (cause) {
			if (!(cause instanceof Refusal)) throw cause;
			sent = { status: cause.status, body: errorBody(how, cause.status, cause.scimType, cause.message) };
		}
		const isDropped = CHANGING.has(method) && sent.status < 300 && how.drops !== undefined && ++changes % how.drops === 0;
		if (isDropped || losing?.by === "cut") return void request.socket.destroy();
		if (losing?.by === "silence") return;
		if (losing !== undefined) sent = { status: 500, body: "broken" };
		for (const one of watched) {
			if (!one.is()) continue;
			watched.delete(one);
			one.resolve();
		}
		const json = typeof sent.body === "string" ? sent.body : sent.body === undefined ? "" : JSON.stringify(sent.body);
		response.writeHead(sent.status, { "content-type": "application/scim+json", ...sent.headers });
		response.end(json);
	};
	const listener = (request: http.IncomingMessage, response: http.ServerResponse): void => void onRequest(request, response);
	const server = secure === undefined ? http.createServer(listener) : https.createServer(secure, listener);
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = server.address() as AddressInfo;
	return {
		url: `${secure === undefined ? "http" : "https"}://127.0.0.1:${port}/scim`,
		users,
		groups,
		/** Every request, in order. */
		came,
		/** Those of a method, or all that change something. */
		of: (method: string): readonly Came[] =>
			came.filter((one) => (method === "changing" ? CHANGING.has(one.method) : one.method === method)),
		how,
		/** How many requests there were at once, at most. */
		mostAtOnce: () => mostAtOnce,
		/** Resolves after the first request from now on that makes `is` true, before it is answered. */
		when: (is: () => boolean): Promise<void> => new Promise((resolve) => watched.add({ is, resolve })),
		/** Puts an account there, as somebody else would. */
		plant: (user: Body): string => {
			const id = randomUUID();
			users.set(id, { id, schemas: [core], ...user });
			return id;
		},
		reset: (): void => {
			users.clear();
			groups.clear();
			came.length = 0;
			mostAtOnce = 0;
			Object.assign(how, good, faults);
		},
		close: async (): Promise<void> => {
			server.closeAllConnections();
			server.close();
			await once(server, "close");
		},
	};
}

interface Store {
	readonly own: string;
	readonly schemas: Schemas;
	readonly resources: Map<string, Body>;
	/** What it becomes when it is stored under this id, undefined for a new one; throws when a value is taken. */
	settle(body: Body, id: string | undefined): Body;
	shown(body: Body): Body;
}

function schemasOf(how: Faults): Schemas {
	const adjusted = (schema: string): readonly Attribute[] =>
		attributesOf(schema).flatMap((attribute) => {
			if (!Object.hasOwn(how.attributes, attribute.name)) return [attribute];
			const mutability = how.attributes[attribute.name];
			return mutability === undefined ? [] : [{ ...attribute, mutability }];
		});
	const schemas = new Map([core, coreGroup, ...(how.hasEnterprise ? [enterprise] : [])].map((urn) => [urn, adjusted(urn)] as const));
	if (how.extension !== undefined) schemas.set(how.extension.urn, how.extension.attributes);
	return schemas;
}

function makeUserStore(resources: Map<string, Body>, how: Faults): Store {
	const lower = (value: unknown): unknown => (typeof value === "string" && how.isLowerCasing ? value.toLowerCase() : value);
	return {
		own: core,
		schemas: schemasOf(how),
		resources,
		settle: (body, id) => {
			const userName = body["userName"];
			if (typeof userName !== "string") throw new Refusal(400, "invalidValue", "userName is required");
			for (const [key, other] of resources) {
				if (key !== id && String(other["userName"]).toLowerCase() === userName.toLowerCase()) {
					throw new Refusal(how.taken, how.taken === 409 ? "uniqueness" : undefined, `the userName ${userName} already exists`);
				}
			}
			const settled = { ...body, userName: lower(userName) };
			const extension = settled[enterprise as keyof typeof settled] as Body | undefined;
			if (extension !== undefined && how.manager === "dropped") {
				const { manager: _, ...rest } = extension;
				(settled as Body)[enterprise] = rest;
			}
			return settled;
		},
		shown: (body) => {
			const { active, ...rest } = body;
			return how.isActiveShown ? body : rest;
		},
	};
}

function makeGroupStore(resources: Map<string, Body>, users: Map<string, Body>, how: Faults): Store {
	return {
		own: coreGroup,
		schemas: schemasOf(how),
		resources,
		settle: (body, id) => {
			const members = (body["members"] ?? []) as Body[];
			const before = new Set(((resources.get(id ?? "")?.["members"] ?? []) as Body[]).map((one) => one["value"]));
			const seen = new Set<unknown>();
			const kept = members.filter(({ value }) => {
				if (!users.has(String(value))) throw new Refusal(400, "invalidValue", `there is no user ${value}`);
				if (seen.has(value) && how.isRefusingMembers && before.has(value)) throw new Refusal(409, undefined, `${value} is a member`);
				const isNew = !seen.has(value);
				seen.add(value);
				return isNew || how.isDuplicatingMembers;
			});
			const { members: _, ...rest } = body;
			return kept.length === 0 ? rest : { ...rest, members: kept };
		},
		shown: (body) => {
			const { members: _, ...rest } = body;
			if (how.areMembersShown === "as none") return { ...rest, members: [] };
			return how.areMembersShown ? body : rest;
		},
	};
}

function answer(store: Store, { method, query, headers, body = {} }: Came, id: string | undefined, how: Faults): Sent {
	if (id === undefined) {
		if (method === "GET") return { status: 200, body: list(store, query, how) };
		if (method !== "POST") throw new Refusal(405, undefined, `no ${method} here`);
		return create(store, body, how);
	}
	const found = store.resources.get(id);
	if (method === "DELETE" && found === undefined && how.isDeleting !== "kept") throw new Refusal(500, undefined, "null pointer");
	if (found === undefined) throw new Refusal(404, undefined, `there is no ${id}`);
	if (CHANGING.has(method)) checkVersion(found, headers["if-match"], how);
	switch (method) {
		case "GET":
			return show(store, found, query, how);
		case "PUT": {
			checkResource(body, store.own, store.schemas);
			return keep(store, id, body, how);
		}
		case "PATCH": {
			if (how.patch !== "kept") throw new Refusal(how.patch === "404" ? 404 : 405, undefined, "no PATCH here");
			const { id: _, meta: __, ...rest } = found;
			return keep(
				store,
				id,
				patched(rest, body, store.own, store.schemas, { mostMembers: how.mostMembers, isStrict: how.isStrictlyRemoving }),
				how,
			);
		}
		case "DELETE":
			store.resources.delete(id);
			return { status: 204 };
		default:
			throw new Refusal(405, undefined, `no ${method} here`);
	}
}

function checkVersion(found: Body, ifMatch: string | undefined, how: Faults): void {
	if (how.etag === "none") return;
	if (ifMatch === undefined && how.etag === "wanted") throw new Refusal(428, undefined, "say which version");
	if (ifMatch !== undefined && ifMatch !== versionOf(found)) throw new Refusal(412, undefined, `it is at ${versionOf(found)}`);
}

function versionOf(resource: Body): string {
	return `W/"${(resource["meta"] as Body | undefined)?.["version"] ?? 0}"`;
}

function show(store: Store, resource: Body, query: URLSearchParams, how: Faults): Sent {
	const version = how.etag === "none" ? {} : { etag: versionOf(resource) };
	return { status: 200, body: selected(store.shown(resource), query), headers: version };
}

function selected(resource: Body, query: URLSearchParams): Body {
	const only = query.get("attributes")?.split(",");
	const without = query.get("excludedAttributes")?.split(",") ?? [];
	return Object.fromEntries(
		Object.entries(resource).filter(
			([name]) => ["id", "schemas"].includes(name) || (!without.includes(name) && (only === undefined || only.includes(name))),
		),
	);
}

function create(store: Store, body: Body, how: Faults): Sent {
	checkResource(body, store.own, store.schemas);
	const settled = store.settle(body, undefined);
	const id = how.id === "userName" ? String(settled["userName"] ?? settled["displayName"]) : randomUUID();
	const stored: Body = { ...settled, id, meta: { version: 1 } };
	store.resources.set(id, stored);
	if (how.creates === "without a body") return { status: 200 };
	const { id: _, ...anonymous } = store.shown(stored);
	return { status: 201, body: how.creates === "without an id" ? anonymous : store.shown(stored) };
}

function keep(store: Store, id: string, body: Body, how: Faults): Sent {
	const version = Number((store.resources.get(id)?.["meta"] as Body | undefined)?.["version"] ?? 0) + 1;
	const settled = store.settle(body, id);
	const newId = how.id === "userName" ? String(settled["userName"] ?? settled["displayName"]) : id;
	const stored: Body = { ...settled, id: newId, meta: { version } };
	store.resources.delete(id);
	store.resources.set(newId, stored);
	return { status: 200, body: store.shown(stored) };
}

function list(store: Store, query: URLSearchParams, how: Faults): Body {
	const all = [...store.resources.values()].map((resource) => selected(store.shown(resource), query));
	const filter = query.get("filter");
	let found: readonly Body[] = all;
	if (filter !== null) {
		if (how.filters === "400") throw new Refusal(400, "invalidFilter", "no filters here");
		if (how.filters === "404") throw new Refusal(404, undefined, "no filters here");
		if (how.filters === "find nothing") found = [];
		else if (how.filters !== "passed over") found = filtered(all, filter, store.schemas, store.own, how.filters === "case-sensitive");
		if (found.length === 0 && how.filters === "404 for none") throw new Refusal(404, undefined, "nobody");
	}
	const isPaging = how.paging !== "passed over";
	const start = isPaging ? Math.max(1, Number(query.get("startIndex") ?? 1)) : 1;
	const count = isPaging ? Math.min(PAGE, Number(query.get("count") ?? PAGE)) : 20;
	const Resources = found.slice(start - 1, start - 1 + count);
	const counted = how.paging === "counts to 50" ? Math.min(50, found.length) : found.length;
	const totalResults = how.paging === "total of the page" ? Resources.length : counted;
	return {
		schemas: ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
		totalResults,
		startIndex: start,
		itemsPerPage: count,
		Resources,
	};
}

function documentAt(path: string, how: Faults): Sent | undefined {
	if (!["/ServiceProviderConfig", "/ResourceTypes", "/Schemas"].includes(path)) return undefined;
	if (how.documents === "none" || (how.documents === "a first page" && path === "/ResourceTypes"))
		throw new Refusal(404, undefined, "no documents here");
	if (how.documents === "garbage") return { status: 200, body: "<html>welcome</html>" };
	if (path === "/ServiceProviderConfig") {
		const patch = { supported: how.patch !== "not supported" };
		return {
			status: 200,
			body: { patch, bulk: { supported: false }, filter: { supported: true, maxResults: 200 }, etag: { supported: how.etag !== "none" } },
		};
	}
	const schemas = [...schemasOf(how)];
	if (path === "/Schemas") {
		const Resources = schemas.map(([id, attributes]) => ({ id, attributes }));
		const shown = how.documents === "all" ? Resources : Resources.slice(0, 1);
		return { status: 200, body: { totalResults: Resources.length, Resources: shown } };
	}
	const extensions = schemas.filter(([id]) => id !== core && id !== coreGroup).map(([schema]) => ({ schema, required: false }));
	const Resources = [
		{ id: "User", endpoint: "/Users", schema: core, schemaExtensions: extensions },
		...(how.hasGroups ? [{ id: "Group", endpoint: "/Groups", schema: coreGroup }] : []),
	];
	return { status: 200, body: { totalResults: Resources.length, Resources } };
}

function errorBody(how: Faults, status: number, scimType: string | undefined, detail: string): Body | string {
	const schemas = ["urn:ietf:params:scim:api:messages:2.0:Error"];
	switch (how.errors) {
		case "text":
			return detail;
		case "html":
			return `<html><style>p { color: red }</style><body><h1>Error</h1><p>${detail}</p>${"<p>blah</p>".repeat(1000)}</body></html>`;
		case "status as text":
			return { schemas, status: String(status), scimType, detail };
		case "object":
			return { error: { code: status, message: detail } };
		case "scim":
			return { schemas, status, scimType, detail };
	}
}
