import type { Socket } from "node:net";
import { Failure } from "../../../core/errors.ts";
import { BerError, BerReader, tag } from "../../../lib/ber.ts";
import { printable, protocolFailure, resultFailure, resultName } from "../result.ts";
import { answer, decodeResult, decodeUrls, type Result } from "./answer.ts";
import { encodeAbandon, encodeSearch, encodeUnbind, type SearchRequest } from "./encode.ts";
import { makeFrames } from "./frames.ts";

/** What comes back for one search. Entries are views of the receive buffer: objectName and attributes, nothing around them. */
export interface Answers {
	/** `controls`: those that came with the entry, encoded; mostly none. */
	entry(raw: Uint8Array, controls: Uint8Array | undefined): void;
	/** An IntermediateResponse (RFC 4511 §4.13), its contents encoded. Left out: they are dropped. */
	intermediate?(contents: Uint8Array): void;
	reference(urls: readonly string[]): void;
	done(result: Result): void;
	/** At most once, and nothing after it. */
	failed(failure: Failure): void;
}

/** A bound connection on which everything is ours. The first thing that goes wrong ends it, for all that wait and all that come. */
export interface Session {
	/** For a person: "ldaps://dc1.corp.example.com". */
	readonly server: string;
	/** Who is bound, as far as that is known. */
	readonly account: string | undefined;
	/** Sends a search; returns its message id. */
	start(request: SearchRequest, answers: Answers): number;
	/** Sends a search that stands until it is abandoned: its next entry may be days away, so nobody waits for it. */
	stand(request: SearchRequest, answers: Answers): number;
	/** Forgets a search: what still comes for it is dropped. */
	abandon(id: number): void;
	/** Stops reading from the socket while the only search under way has more than its reader can take. */
	hold(): void;
	/** Reads on. */
	resume(): void;
	/** Says goodbye and destroys the socket. */
	close(): void;
}

export interface SessionOptions {
	readonly socket: Socket;
	readonly server: string;
	readonly account?: string;
	/** How long a whole message may take to come; a page may take ten times as long in all. */
	readonly requestMs: number;
	readonly longestMessage?: number;
	readonly onRequest: (operation: "search", seconds: number) => void;
	/** The server broke, or says that it cannot go on: another one may be better for a while. */
	readonly onTrouble?: (because: string) => void;
	readonly signal: AbortSignal;
}

interface Pending {
	readonly what: string;
	readonly answers: Answers;
	readonly startedAt: number;
	heldMs: number;
}

/** ldapts used the first few ids for StartTLS and bind. */
const FIRST_ID = 1000;
/** A search that trickles ends too: this many times `requestMs`. */
const TOTAL = 10;
/** RFC 4511 §4.4.1. */
const NOTICE_OF_DISCONNECTION = "1.3.6.1.4.1.1466.20036";

/** Takes over a socket that is connected, secured and bound. Its data listeners must be gone. */
export function openSession(options: SessionOptions): Session {
	const { socket, server, requestMs, signal } = options;
	const pending = new Map<number, Pending>();
	const standing = new Map<number, Pending>();
	let nextId = FIRST_ID;
	let broken: Failure | undefined;
	let lastMessageAt = performance.now();
	let heldSince: number | undefined;
	let timer: NodeJS.Timeout | undefined;

	const fail = (failure: Failure): void => {
		if (broken !== undefined) return;
		broken = failure;
		clearTimeout(timer);
		signal.removeEventListener("abort", onAbort);
		socket.destroy();
		if (failure.code !== "CANCELLED") options.onTrouble?.(failure.message);
		const waiting = [...pending.values(), ...standing.values()];
		pending.clear();
		standing.clear();
		for (const { answers } of waiting) answers.failed(failure);
	};
	const onAbort = (): void => fail(new Failure("CANCELLED", `reading from ${server} was stopped`));

	/** One timer for the whole session: a timer set anew for each of 100,000 messages would cost more than reading them. */
	const watch = (): void => {
		if (broken !== undefined || pending.size === 0 || heldSince !== undefined) return;
		const now = performance.now();
		const first = pending.values().next().value as Pending;
		const left = Math.min(lastMessageAt + requestMs - now, first.startedAt + first.heldMs + TOTAL * requestMs - now);
		if (left <= 0) fail(tooSlow(server, first.what, requestMs));
		else timer = setTimeout(watch, Math.ceil(left));
	};
	const rearm = (): void => {
		clearTimeout(timer);
		watch();
	};

	const take = (bytes: Uint8Array, start: number, end: number): void => {
		if (broken !== undefined) return;
		const message = new BerReader(bytes, start, end);
		const messageEnd = message.enter(tag.sequence);
		const id = message.integer();
		const operation = message.peek();
		const stop = message.enter();
		if (id === 0) {
			fail(noticeFailure(server, bytes, message.offset, stop, messageEnd));
			return;
		}
		const search = pending.get(id) ?? standing.get(id);
		if (search === undefined) return; // Abandoned.
		lastMessageAt = performance.now();
		if (operation === answer.entry)
			search.answers.entry(bytes.subarray(message.offset, stop), stop < messageEnd ? bytes.subarray(stop, messageEnd) : undefined);
		else if (operation === answer.reference) search.answers.reference(decodeUrls(new BerReader(bytes, message.offset, stop)));
		else if (operation === answer.done) {
			const result = decodeResult(bytes, message.offset, stop, messageEnd);
			// How long one stood says nothing about the server.
			if (pending.delete(id)) options.onRequest("search", (performance.now() - search.startedAt - search.heldMs) / 1000);
			else standing.delete(id);
			if (result.code === 51 || result.code === 52) options.onTrouble?.(`${search.what} ended with ${resultName(result.code)}`);
			search.answers.done(result);
		} else if (operation === answer.intermediate) search.answers.intermediate?.(bytes.subarray(message.offset, stop));
		else {
			throw new BerError(`operation 0x${operation.toString(16)} in answer to a search`);
		}
	};
	const frames = makeFrames(take, options.longestMessage);
	const underway = (): string => [...pending.values(), ...standing.values()][0]?.what ?? "waiting";

	socket.on("data", (chunk: Buffer) => {
		try {
			frames(chunk);
		} catch (cause) {
			// Whatever it is ends the connection: an exception out of a data event would end the process.
			const found = protocolFailure(server, cause);
			fail(found instanceof Failure ? found : new Failure("SOURCE_PROTOCOL", `an answer of ${server} cannot be read`, { cause }));
		}
	});
	socket.on("error", (cause: Error) => fail(brokeFailure(server, underway(), cause)));
	socket.on("end", () => fail(brokeFailure(server, underway(), undefined)));
	socket.on("close", () => fail(brokeFailure(server, underway(), undefined)));
	signal.addEventListener("abort", onAbort, { once: true });
	if (signal.aborted) onAbort();
	else socket.resume();

	const resume = (): void => {
		if (heldSince === undefined) return;
		const held = performance.now() - heldSince;
		for (const search of pending.values()) search.heldMs += held;
		heldSince = undefined;
		lastMessageAt = performance.now();
		socket.resume();
		rearm();
	};

	const send = (request: SearchRequest, answers: Answers, to: Map<number, Pending>): number => {
		const id = nextId++;
		if (broken !== undefined) {
			const failure = broken;
			queueMicrotask(() => answers.failed(failure));
			return id;
		}
		resume();
		if (pending.size === 0) lastMessageAt = performance.now();
		to.set(id, { what: describeSearch(request), answers, startedAt: performance.now(), heldMs: 0 });
		socket.write(encodeSearch(id, request));
		if (pending.size === 1) rearm();
		return id;
	};

	return {
		server,
		account: options.account,
		start: (request, answers) => send(request, answers, pending),
		stand: (request, answers) => send(request, answers, standing),
		abandon: (id) => {
			if (!(pending.delete(id) || standing.delete(id)) || broken !== undefined) return;
			resume();
			socket.write(encodeAbandon(nextId++, id));
		},
		hold: () => {
			if (heldSince !== undefined || pending.size + standing.size > 1 || broken !== undefined) return;
			heldSince = performance.now();
			socket.pause();
		},
		resume,
		close: () => {
			if (broken !== undefined) return;
			if (socket.writable) socket.write(encodeUnbind(nextId++));
			fail(new Failure("CANCELLED", `the connection to ${server} was closed`));
		},
	};
}

/** "the search under "OU=People,DC=corp"". */
export function describeSearch({ base, scope }: SearchRequest): string {
	if (base === "" && scope === "base") return "reading the root DSE";
	return scope === "base" ? `reading "${base}"` : `the search under "${base}"`;
}

function tooSlow(server: string, what: string, requestMs: number): Failure {
	return new Failure("SOURCE_UNREACHABLE", `${server} gave no answer within ${requestMs / 1000} s in ${what}`, {
		hint: "The server hangs or is overloaded, or the search is slow there: look at its load, simplify users.filter, or raise timeouts.request.",
	});
}

function brokeFailure(server: string, what: string, cause: Error | undefined): Failure {
	const why = cause === undefined ? "was closed by the server" : `broke (${cause.message})`;
	return new Failure("SOURCE_BROKE", `the connection to ${server} ${why} in the middle of ${what}`, {
		...(cause === undefined ? {} : { cause }),
		hint: "Nothing of this reading is used; the next run starts a new one.",
	});
}

function noticeFailure(server: string, bytes: Uint8Array, offset: number, stop: number, messageEnd: number): Failure {
	const result = decodeResult(bytes, offset, stop, messageEnd);
	const said = result.message === "" ? "" : `: ${printable(result.message)}`;
	if (result.code === 0) return new Failure("SOURCE_PROTOCOL", `${server} sent a notice nobody asked for${said}`);
	return new Failure(
		"SOURCE_BROKE",
		`${server} said that it closes the connection (${NOTICE_OF_DISCONNECTION}), ${resultName(result.code)}${said}`,
		{
			hint: "The server is shutting down, or cut this connection for its own reasons; the next run starts a new one.",
		},
	);
}

export interface Found {
	/** Views of the receive buffer. */
	readonly entries: readonly Uint8Array[];
	/** False: there is no such base, or it is not visible. */
	readonly isThere: boolean;
}

/**
 * One search whose answer is small, from a base that is known to be there: a batch of lookups, some examples. Throws Failure on any
 * result but success: "no such object" about a base that is there is a broken answer, never an empty one.
 */
export async function search(session: Session, request: SearchRequest): Promise<readonly Uint8Array[]> {
	return (await ask(session, request, () => false)).entries;
}

/** Asks whether an object is there at all, and for some of its attributes. Throws Failure on any result but success and noSuchObject. */
export function probe(session: Session, request: Omit<SearchRequest, "scope">): Promise<Found> {
	// A server that is no Active Directory takes <GUID=…> for a broken DN.
	return ask(session, { ...request, scope: "base" }, (code) => code === 32 || (code === 34 && request.base.startsWith("<")));
}

/** The same for a name that a rule gives, of which the server may know nothing: not a DN there (34), or another server's (10). */
export function probeName(session: Session, request: Omit<SearchRequest, "scope">): Promise<Found> {
	return ask(session, { ...request, scope: "base" }, (code) => code === 32 || code === 34 || code === 10);
}

function ask(session: Session, request: SearchRequest, meansAbsent: (code: number) => boolean): Promise<Found> {
	return new Promise((resolve, reject) => {
		const entries: Uint8Array[] = [];
		session.start(request, {
			entry: (raw) => void entries.push(raw),
			reference: () => {}, // To other naming contexts: nothing that was asked for lies there.
			done: (result) => {
				const isCut = request.atMost !== undefined && result.code === 4;
				if (result.code === 0 || isCut) resolve({ entries, isThere: true });
				// An answer that hands something out and then knows of nothing contradicts itself.
				else if (meansAbsent(result.code) && entries.length === 0) resolve({ entries, isThere: false });
				else reject(resultFailure(describeSearch(request), result, session.account));
			},
			failed: reject,
		});
	});
}
