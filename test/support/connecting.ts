import { type ConnectionOptions, openConnection } from "../../src/source/ldap/connection.ts";
import { makeServerMemory } from "../../src/source/ldap/server-memory.ts";
import { noTls } from "./tls.ts";

export const password = "correct horse battery staple";

/** For one round over these servers, on a plain connection unless told otherwise. */
export function options(urls: readonly string[], more: Partial<ConnectionOptions> = {}): ConnectionOptions {
	return {
		urls,
		discovery: undefined,
		readBefore: [],
		memory: makeServerMemory(Date.now),
		bind: { user: "svc@corp.example.test", password },
		tls: noTls,
		insecure: true,
		timeouts: { connectMs: 10_000, bindMs: 10_000, requestMs: 10_000 },
		pausesMs: [],
		random: () => 0,
		clock: Date.now,
		onRequest: () => {},
		...more,
	};
}

/** Connects, and closes again; what it threw. */
export async function connect(given: ConnectionOptions, signal = new AbortController().signal): Promise<unknown> {
	try {
		const connection = await openConnection(given, signal);
		connection.session.close();
		return undefined;
	} catch (failure) {
		return failure;
	}
}
