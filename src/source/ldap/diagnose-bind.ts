import { Failure } from "../../core/errors.ts";
import type { Address } from "./address.ts";
import { accountName, type ExternalBind } from "./bind.ts";
import { readClientCertificate } from "./client-certificate.ts";
import { diagnoseClientCertificate, diagnoseServer, diagnoseServers, type Finding, failed, passed } from "./diagnose.ts";
import { dial, type Timeouts, type Tls } from "./dial.ts";
import type { Discovery } from "./discovery.ts";
import { makeServerMemory } from "./server-memory.ts";
import { openSession, type Session } from "./wire/session.ts";

/** How a source reaches its servers, as the configuration has it. */
export interface Reached {
	readonly urls: readonly string[];
	readonly discovery: Discovery | undefined;
	readonly bind: { readonly user: string; readonly password: { reveal(): string } } | ExternalBind;
	readonly tls: Tls;
	readonly insecure: boolean;
	readonly timeouts: Timeouts;
}

/** The way to every server and the account there, step by step. Returns a session with the first that takes it; the caller closes it. */
export async function* diagnoseBinds(
	source: Reached,
	clock: () => number,
	signal: AbortSignal,
): AsyncGenerator<Finding, Session | undefined> {
	let session: Session | undefined;
	let isRefused = false;
	let isDone = false;
	try {
		yield* diagnoseClientCertificate(source.tls, clock());
		const servers = { ...source, memory: makeServerMemory(clock), readBefore: [], random: () => 0, clock };
		for (const address of yield* diagnoseServers(servers, signal)) {
			let isReached = true;
			for await (const finding of diagnoseServer({ ...source, address, clock }, signal)) {
				isReached = finding.state !== "failed";
				yield finding;
			}
			// A refused password is not tried on the next server: each try counts towards the lockout.
			if (!isReached || isRefused) continue;
			const bound = await tryBind(source, address, clock, signal);
			isRefused = bound.isRefused;
			if (session === undefined) session = bound.session;
			else bound.session?.close();
			yield bound.finding;
		}
		isDone = true;
		return session;
	} finally {
		if (!isDone) session?.close();
	}
}

interface Bound {
	readonly finding: Finding;
	readonly session: Session | undefined;
	readonly isRefused: boolean;
}

async function tryBind(source: Reached, address: Address, clock: () => number, signal: AbortSignal): Promise<Bound> {
	const bind = "user" in source.bind ? { user: source.bind.user, password: source.bind.password.reveal() } : source.bind;
	let subject = `bind at ${address.url}`;
	const onRequest = (): void => {};
	try {
		subject = `${accountName(bind, readClientCertificate(source.tls))} at ${address.url}`;
		const { socket, account } = await dial(address, { ...source, bind, clock, onRequest }, signal);
		const session = openSession({ socket, server: address.url, account, requestMs: source.timeouts.requestMs, onRequest, signal });
		return { finding: passed("bind", subject, "user" in bind ? "is taken" : `is taken: we are ${account}`), session, isRefused: false };
	} catch (cause) {
		const isRefused = cause instanceof Failure && cause.code === "SOURCE_REFUSED" && "user" in bind;
		return { finding: failed("bind", subject, cause), session: undefined, isRefused };
	}
}
