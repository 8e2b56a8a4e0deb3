import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../../core/errors.ts";
import { parseAddress } from "../ldap/address.ts";
import { openConnection } from "../ldap/connection.ts";
import { protocolFailure, resultFailure } from "../ldap/result.ts";
import type { ServerMemory } from "../ldap/server-memory.ts";
import type { Result } from "../ldap/wire/answer.ts";
import { type Control, showDeleted } from "../ldap/wire/encode.ts";
import { probe, type Session } from "../ldap/wire/session.ts";
import { makeSifter, noticeAttributes } from "./notices.ts";
import type { ActiveDirectoryOptions } from "./options.ts";
import { anything, readRoot } from "./root.ts";
import type { Scope } from "./scope.ts";

/** An entry for each change from now on, instead of an answer (MS-ADTS §3.1.1.3.4.1.9). */
const changeNotification: Control = { oid: "1.2.840.113556.1.4.528", isCritical: true, value: undefined };

/**
 * So often is a connection that has nothing to say asked whether it still lives, and so long it has to answer: a firewall that
 * forgot it says nothing, and a domain controller ends those that ask nothing for 15 min (MaxConnIdleTime).
 */
const LONGEST_SILENCE_MS = 30_000;

/** Where a source is read: its watch has to be there, too, since a change reaches other servers only by and by. */
export interface ReadingPlace {
	/** Of the reading begun last. */
	server: string | undefined;
	/** Told of each reading that begins. */
	begun: () => void;
}

type WatchOptions = ActiveDirectoryOptions & { readonly memory: ServerMemory };

export function makeReadingPlace(): ReadingPlace {
	return { server: undefined, begun: () => {} };
}

/**
 * Stands by at the first server that answers, with a search on each domain that is told every change beneath its root, and goes
 * along when readings go to another server. Windows tells at once, Samba looks for changes every 5 s. See `Source.watch`.
 */
export async function watch(
	options: WatchOptions,
	scope: Scope,
	place: ReadingPlace,
	woken: () => void,
	signal: AbortSignal,
): Promise<never> {
	for (;;) await watchUntilMoved(options, scope, place, woken, signal);
}

async function watchUntilMoved(
	options: WatchOptions,
	scope: Scope,
	place: ReadingPlace,
	woken: () => void,
	signal: AbortSignal,
): Promise<void> {
	const silenceMs = Math.min(options.timeouts.requestMs, LONGEST_SILENCE_MS);
	const wanted = place.server;
	const { session, server } = await openConnection(
		{
			...options,
			timeouts: { ...options.timeouts, requestMs: silenceMs },
			readBefore: wanted === undefined ? [] : [parseAddress(wanted).host],
			memory: lookingOnly(options.memory),
			// No second round over the servers: who keeps the watch opens it again, and is told at once.
			pausesMs: [],
			onRequest: () => {},
		},
		signal,
	);
	const life = new AbortController();
	try {
		const root = await readRoot(session, scope);
		if (!root.controls.has(changeNotification.oid)) throw noNotices(server);
		const isNews = makeSifter(root.highestUsn);
		const tell = gather(woken, life.signal);
		const notice = (raw: Uint8Array): void => {
			if (isNews(raw)) tell();
		};
		const stands = root.domains.map(({ dn }) => stand(session, dn, notice));
		await Promise.race([...stands, prove(session, silenceMs, woken, life.signal), untilMoved(place, [wanted, server])]);
	} catch (cause) {
		throw brokenWatch(server, protocolFailure(server, cause));
	} finally {
		place.begun = () => {};
		life.abort();
		session.close();
	}
}

/** A watch that breaks, as an idle connection may, is no reason for readings to leave a server. */
function lookingOnly({ breakOf, found, site }: ServerMemory): ServerMemory {
	return { broke: () => {}, breakOf, found, site };
}

/** Resolves when readings are at none of these servers: for one that was wanted and not to be had, it would go round and round. */
function untilMoved(place: ReadingPlace, servers: readonly (string | undefined)[]): Promise<void> {
	return new Promise((resolve) => {
		place.begun = () => {
			if (!servers.includes(place.server)) resolve();
		};
		place.begun();
	});
}

/** Hands out notices until the search ends, which it should not: rejects always. */
async function stand(session: Session, base: string, notice: (raw: Uint8Array) => void): Promise<never> {
	const standWith = (controls: readonly Control[]): Promise<Result> => {
		const request = { base, scope: "sub", filter: anything, attributes: noticeAttributes, controls } as const;
		return new Promise((done, failed) => session.stand(request, { entry: notice, reference: () => {}, done, failed }));
	};
	// Samba tells of deletions only with it. Windows tells anyway, and nothing says that it takes both controls together.
	const first = await standWith([changeNotification, showDeleted]);
	const result = isUnwilling(first) ? await standWith([changeNotification]) : first;
	if (result.code !== 0) throw resultFailure(`watching "${base}"`, result, session.account);
	throw new Failure("SOURCE_BROKE", `${session.server} stopped telling of changes beneath "${base}"`);
}

/** unavailableCriticalExtension, unwillingToPerform. */
function isUnwilling({ code }: Result): boolean {
	return code === 12 || code === 53;
}

/** Asks for the root DSE again and again: the first answer says that the searches before it stand. Rejects when one does not come. */
async function prove(session: Session, everyMs: number, stands: () => void, signal: AbortSignal): Promise<never> {
	for (let isFirst = true; ; isFirst = false) {
		await probe(session, { base: "", filter: anything, attributes: ["currentTime"] });
		if (isFirst) stands();
		await sleep(everyMs, undefined, { signal });
	}
}

/** One call for all notices that come in one piece: a script that changes thousands makes hundreds of them. */
function gather(tell: () => void, signal: AbortSignal): () => void {
	let isDue = false;
	return () => {
		if (isDue) return;
		isDue = true;
		setImmediate(() => {
			isDue = false;
			if (!signal.aborted) tell();
		});
	};
}

function noNotices(server: string): Failure {
	return new Failure("SOURCE_PROTOCOL", `${server} does not notify of changes (control ${changeNotification.oid})`, {
		hint: "Set watch: false for this source: its schedule finds the changes.",
	});
}

/** A connection's own failures speak of a reading, which this is not. */
function brokenWatch(server: string, cause: unknown): unknown {
	if (!(cause instanceof Failure) || (cause.code !== "SOURCE_BROKE" && cause.code !== "SOURCE_UNREACHABLE")) return cause;
	return new Failure(cause.code, `the watch at ${server} ended: ${cause.message}`, {
		cause,
		hint: "It is opened again by itself; until then the schedule finds the changes.",
	});
}
