import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../../core/errors.ts";
import type { Address } from "./address.ts";
import { expiryWarning, readClientCertificate } from "./client-certificate.ts";
import { type DialOptions, dial } from "./dial.ts";
import type { Discovered } from "./discovery.ts";
import { protocolFailure } from "./result.ts";
import { findServers, type ServerOptions } from "./servers.ts";
import { ownSite } from "./site.ts";
import { openSession, type Session } from "./wire/session.ts";

export interface ConnectionOptions extends DialOptions, ServerOptions {
	/** 0 to below 1, for the jitter of the back-off and the lot among servers of one weight. */
	readonly random: () => number;
	/** Pauses between rounds over all servers, in milliseconds; as many rounds more as there are pauses. */
	readonly pausesMs: readonly number[];
}

export interface Connection {
	/** For a person: "ldaps://dc1.corp.example.com". */
	readonly server: string;
	/** When the server's certificate expires, Unix milliseconds; undefined on a plain connection. */
	readonly certificateExpiresAt: number | undefined;
	/** What failed before a server answered, which servers are avoided, and what will fail soon. */
	readonly warnings: readonly string[];
	readonly session: Session;
}

/**
 * Connects to the first server that answers, and goes round again after a pause when none does. A refused password ends it at
 * once: the next server would refuse it too, and each try counts towards its lockout. A domain controller that was found by DNS
 * is left for one of this machine's own site when it says that there are some.
 */
export async function openConnection(options: ConnectionOptions, signal: AbortSignal): Promise<Connection> {
	const { discovery, memory } = options;
	const { connection, found } = await connectToAny(options, signal);
	if (discovery === undefined || discovery.site !== undefined || !found.isActiveDirectory) return connection;
	const site = await ownSite(connection.session, discovery.domain);
	if (site === undefined || site === memory.site) return connection;
	memory.site = site;
	const near = await nearOf(options, signal);
	if (near.length === 0 || near.includes(connection.server)) return connection;
	connection.session.close();
	return (await connectToAny(options, signal)).connection;
}

/** Asks something on a connection that is opened for it and closed after it. Throws what opening and asking throw. */
export async function onConnection<T>(
	options: ConnectionOptions,
	ask: (connection: Connection) => Promise<T>,
	signal: AbortSignal,
): Promise<T> {
	const connection = await openConnection(options, signal);
	try {
		return await ask(connection);
	} catch (cause) {
		throw protocolFailure(connection.server, cause);
	} finally {
		connection.session.close();
	}
}

/** The servers of our site, now that it is known. A DNS that fails just now leaves us where we are. */
async function nearOf(options: ConnectionOptions, signal: AbortSignal): Promise<readonly string[]> {
	try {
		return (await findServers(options, signal)).near;
	} catch (cause) {
		if (cause instanceof Failure) return [];
		throw cause;
	}
}

interface Answered {
	readonly connection: Connection;
	readonly found: Discovered;
}

async function connectToAny(options: ConnectionOptions, signal: AbortSignal): Promise<Answered> {
	let failures: Failure[] = [];
	const attempt = async <T>(what: Promise<T>): Promise<T | undefined> => {
		try {
			return await what;
		} catch (cause) {
			if (!(cause instanceof Failure) || isFinal(cause, options)) throw cause;
			failures.push(cause);
			return undefined;
		}
	};
	for (let round = 0; round <= options.pausesMs.length; round++) {
		if (round > 0) await pause(options, round - 1, signal);
		failures = [];
		const found = await attempt(findServers(options, signal));
		for (const address of found?.addresses ?? []) {
			const connection = await attempt(connect(address, options, signal));
			if (connection === undefined || found === undefined) {
				options.memory.broke(address.url, failures.at(-1)?.message ?? "");
				continue;
			}
			const warnings = [...found.warnings, ...failures.map(({ message }) => message), ...connection.warnings];
			return { connection: { ...connection, warnings }, found };
		}
		if (!failures.some(isPassing)) break;
	}
	throw together(failures);
}

async function connect(address: Address, options: ConnectionOptions, signal: AbortSignal): Promise<Connection> {
	const { socket, certificateExpiresAt, account } = await dial(address, options, signal);
	const session = openSession({
		socket,
		server: address.url,
		account,
		requestMs: options.timeouts.requestMs,
		onRequest: options.onRequest,
		onTrouble: (because) => options.memory.broke(address.url, because),
		signal,
	});
	const certificate = readClientCertificate(options.tls);
	const expiry = certificate === undefined ? undefined : expiryWarning(certificate, options.clock());
	return { server: address.url, certificateExpiresAt, warnings: expiry === undefined ? [] : [expiry], session };
}

/** No other server and no other time will make it better. A refused certificate locks nobody out: the next server may take it. */
function isFinal({ code }: Failure, { bind }: ConnectionOptions): boolean {
	return code === "CANCELLED" || code === "CONFIG_INVALID" || (code === "SOURCE_REFUSED" && "user" in bind);
}

/** Worth another try in a moment: not a certificate. */
function isPassing({ code }: Failure): boolean {
	return code === "SOURCE_UNREACHABLE" || code === "SOURCE_BROKE";
}

function together(failures: readonly Failure[]): Failure {
	const [first] = failures;
	if (first === undefined) return new Failure("CONFIG_INVALID", "urls names no server");
	if (failures.length === 1) return first;
	// A certificate that is refused, by us or by them, says more than a server that is down.
	const worst = failures.find(({ code }) => code === "SOURCE_UNTRUSTED" || code === "SOURCE_REFUSED") ?? first;
	return new Failure(worst.code, `no server can be used: ${failures.map(({ message }) => message).join("; ")}`, {
		cause: worst,
		...(worst.hint === undefined ? {} : { hint: worst.hint }),
	});
}

async function pause({ pausesMs, random }: ConnectionOptions, round: number, signal: AbortSignal): Promise<void> {
	const full = pausesMs[round] as number;
	try {
		// Half to all of it: many daemons that lost the same server do not come back in step.
		await sleep(full * (0.5 + random() / 2), undefined, { signal });
	} catch (cause) {
		throw new Failure("CANCELLED", "connecting was stopped", { cause });
	}
}
