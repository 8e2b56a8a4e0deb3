import { randomUUID } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
// express brings no types; the little of it that is used is written down below.
// @ts-expect-error
import express from "express";
import SCIMMY from "scimmy";
import SCIMMYRouters from "scimmy-routers";

interface Stored {
	readonly id: string;
	readonly [attribute: string]: unknown;
}

interface Request {
	readonly query: Readonly<Record<string, string>>;
	header(name: string): string | undefined;
}

/** What an account is to the store beneath. */
interface Resource {
	readonly id?: string;
	readonly filter?: { match(values: readonly Stored[]): readonly Stored[] };
}

const users = new Map<string, Stored>();
const groups = new Map<string, Stored>();
const token = "scimmy-token";
let isDeclared = false;

/**
 * A SCIM server from another hand: scimmy with its routers, over maps. `paging`: with the routers' paging mended, which Express 5 broke
 * (its `query` is read anew each time, so that the numbers they put there are lost), or as it comes, always the first 20.
 * One at a time: scimmy keeps what it knows in the module.
 */
export async function startScimmy(paging: "mended" | "as it comes" = "mended") {
	users.clear();
	groups.clear();
	declare();
	const app = express();
	if (paging === "mended") {
		app.use((request: Request, _: unknown, next: () => void) => {
			Object.defineProperty(request, "query", { value: { ...request.query } });
			next();
		});
	}
	const handler = (request: Request): string => {
		if (request.header("authorization") !== `Bearer ${token}`) throw new Error("who are you?");
		return "dirsyncd";
	};
	app.use("/scim", new SCIMMYRouters({ type: "bearer", handler: handler as never }));
	const server = app.listen(0, "127.0.0.1");
	await once(server, "listening");
	return {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/scim`,
		token,
		users,
		groups,
		close: async (): Promise<void> => {
			server.closeAllConnections();
			server.close();
			await once(server, "close");
		},
	};
}

function declare(): void {
	if (isDeclared) return;
	isDeclared = true;
	SCIMMY.Resources.declare(SCIMMY.Resources.User.extend(SCIMMY.Schemas.EnterpriseUser), handlers(users, "userName") as never);
	SCIMMY.Resources.declare(SCIMMY.Resources.Group, handlers(groups, "displayName") as never);
}

function handlers(store: Map<string, Stored>, unique: string) {
	return {
		ingress: ({ id }: Resource, instance: object): Stored => {
			const body = JSON.parse(JSON.stringify(instance)) as Record<string, unknown>;
			if (id !== undefined && !store.has(id)) throw new SCIMMY.Types.Error(404, null as never, `Resource ${id} not found`);
			const name = String(body[unique]).toLowerCase();
			const holder = [...store.values()].find((one) => String(one[unique]).toLowerCase() === name);
			if (holder !== undefined && holder.id !== id) throw new SCIMMY.Types.Error(409, "uniqueness", `${unique} ${name} is taken`);
			const now = new Date().toISOString();
			const stored: Stored = { ...body, id: id ?? randomUUID(), meta: { created: now, lastModified: now } };
			store.set(stored.id, stored);
			return stored;
		},
		egress: ({ id, filter }: Resource): Stored | readonly Stored[] => {
			if (id === undefined) return filter === undefined ? [...store.values()] : filter.match([...store.values()]);
			const stored = store.get(id);
			if (stored === undefined) throw new SCIMMY.Types.Error(404, null as never, `Resource ${id} not found`);
			return stored;
		},
		degress: ({ id = "" }: Resource): void => {
			if (!store.delete(id)) throw new SCIMMY.Types.Error(404, null as never, `Resource ${id} not found`);
		},
	};
}
