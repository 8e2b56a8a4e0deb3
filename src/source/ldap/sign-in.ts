import { Failure } from "../../core/errors.ts";
import type { Reached } from "./diagnose-bind.ts";
import { dial } from "./dial.ts";
import { makeServerMemory } from "./server-memory.ts";
import { describeServers, findServers } from "./servers.ts";
import { openSession, type Session } from "./wire/session.ts";

/**
 * A session with the first server that answers, for a command that asks some things once. Throws what `dial` throws; a refused password
 * is not tried on the next server, since each try counts towards the lockout.
 */
export async function signIn(source: Reached, clock: () => number, signal: AbortSignal): Promise<Session> {
	const bind = "user" in source.bind ? { user: source.bind.user, password: source.bind.password.reveal() } : source.bind;
	const onRequest = (): void => {};
	const servers = { ...source, memory: makeServerMemory(clock), readBefore: [], random: () => 0, clock };
	let last: unknown = new Failure("SOURCE_UNREACHABLE", `none of ${describeServers(source)} can be reached`);
	for (const address of (await findServers(servers, signal)).addresses) {
		try {
			const { socket, account } = await dial(address, { ...source, bind, clock, onRequest }, signal);
			return openSession({ socket, server: address.url, account, requestMs: source.timeouts.requestMs, onRequest, signal });
		} catch (cause) {
			if (!(cause instanceof Failure) || cause.code === "SOURCE_REFUSED" || cause.code === "CANCELLED") throw cause;
			last = cause;
		}
	}
	throw last;
}
