import { Failure } from "../../core/errors.ts";
import { type Limiter, makeLimiter, type Permit } from "../../lib/limiter.ts";
import { rateLimitReset, retryAfter } from "../../lib/retry-after.ts";
import { backOff, type Wait } from "../../lib/waiting.ts";
import type { Answer, Exchange, Reply, Wire } from "../http/wire.ts";
import { type Auth, makeAuth } from "./auth.ts";
import { type Json, parseObject } from "./json.ts";
import type { ScimOptions } from "./options.ts";
import { isTaken, wordsOf } from "./words.ts";

export interface Ask {
	readonly method: Exchange["method"];
	/** Beneath the base URL, its parts encoded. */
	readonly path: string;
	readonly query?: Readonly<Record<string, string>>;
	readonly body?: Json;
	/** The version that this change was worked out from. */
	readonly ifMatch?: string | undefined;
}

export interface Answered extends Answer {
	/** Undefined: no JSON object. */
	readonly body: Json | undefined;
}

/** An answer that is not about the server's own trouble; or nothing but that: whether it was done is not known. */
export type Outcome = Answered | { readonly kind: "unknown"; readonly why: string };

/** Requests at the pace the target bears, each as who we are. All of these throw TARGET_UNREACHABLE and TARGET_REFUSED. */
export interface Requests {
	/** Sends what may be sent twice, several times if need be. */
	send(ask: Ask, signal: AbortSignal): Promise<Outcome>;
	/** Sends it once, but for answers that say it was not looked at (429, 415, 401). */
	sendOnce(ask: Ask, signal: AbortSignal): Promise<Outcome>;
	/** As `send`, for what we may not be allowed to see: 403 is an answer then. */
	look(ask: Ask, signal: AbortSignal): Promise<Outcome>;
	/** Waits before something is tried again for the `tries`th time. */
	breathe(tries: number, signal: AbortSignal): Promise<void>;
	/** The server's words, without our secrets. */
	words(answer: Answer): string;
}

export interface Surroundings {
	/** Unix milliseconds. */
	readonly clock: () => number;
	/** From 0 to 1, without 1. */
	readonly random: () => number;
	readonly wait: Wait;
}

/** A pause that takes longer is the engine's to wait for. */
const PATIENCE_MS = 60_000;
/** So many times is one request sent before its outcome is left unknown. */
export const MOST_TRIES = 4;
/** So many times is one request turned away as too much before the target counts as out of reach. */
const MOST_SLOWDOWNS = 20;
const BACK_OFF = { firstMs: 500, mostMs: 8000 };

export function makeRequests(options: ScimOptions, wire: Wire, { clock, random, wait }: Surroundings): Requests {
	const auth = makeAuth(options.auth, wire, clock);
	const limiter = makeLimiter({
		most: options.concurrency,
		ratePerSecond: options.ratePerSecond,
		clock,
		wait,
		patienceMs: PATIENCE_MS,
		tooLong: (ms) =>
			new Failure("TARGET_UNREACHABLE", `${options.url} asks for a pause of ${Math.ceil(ms / 1000)} s`, { retryAfterMs: Math.ceil(ms) }),
	});
	const { origin, pathname } = new URL(options.url);
	const base: Base = { origin, path: pathname.replace(/\/$/, "") };
	const media = { type: "application/scim+json" };
	const words = (answer: Answer): string => wordsOf(answer, auth.hide);
	const breathe = (tries: number, signal: AbortSignal): Promise<void> => wait(backOff(tries, random, BACK_OFF), signal);

	const deliver = async (ask: Ask, most: number, refusal: "throw" | "answer", signal: AbortSignal): Promise<Outcome> => {
		let slowdowns = 0;
		for (let tries = 1; ; ) {
			const reply = await turn(ask, signal);
			if (reply.kind === "answer" && isTooMuch(reply)) {
				if (++slowdowns > MOST_SLOWDOWNS) {
					throw new Failure("TARGET_UNREACHABLE", `${options.url} turns everything away: ${words(reply)}`, { retryAfterMs: PATIENCE_MS });
				}
				limiter.pause(pauseOf(reply, clock()) ?? backOff(slowdowns, random, BACK_OFF));
				// A gateway says 503 also when what is behind it has done the work and died.
				if (reply.status === 503 && most === 1) return { kind: "unknown", why: words(reply) };
				continue;
			}
			if (reply.kind === "answer" && !isTrouble(reply)) return judge(ask, reply, refusal);
			const why = reply.kind === "lost" ? reply.why : words(reply);
			if (tries >= most) return { kind: "unknown", why };
			await breathe(tries++, signal);
		}
	};

	/** One request when its turn has come, in the words and as the person that the server wants. */
	const turn = async (ask: Ask, signal: AbortSignal): Promise<Reply> => {
		const permit = await limiter.enter(signal);
		let reply: Reply | undefined;
		try {
			let sentAs = await auth.header(signal);
			reply = await wire.exchange(exchangeOf(base, ask, media.type, sentAs), signal);
			if (reply.kind === "answer" && reply.status === 401 && auth.renew(sentAs)) {
				sentAs = await auth.header(signal);
				reply = await wire.exchange(exchangeOf(base, ask, media.type, sentAs), signal);
			}
			if (reply.kind === "answer" && reply.status === 415 && media.type !== "application/json") {
				media.type = "application/json";
				reply = await wire.exchange(exchangeOf(base, ask, media.type, sentAs), signal);
			}
			return reply;
		} catch (cause) {
			if (!(cause instanceof Failure) || cause.code !== "SECRET_UNREADABLE") throw cause;
			// This target's trouble, and nobody else's.
			throw new Failure("TARGET_REFUSED", cause.message, cause.hint === undefined ? { cause } : { cause, hint: cause.hint });
		} finally {
			leave(limiter, permit, reply);
		}
	};

	const judge = (ask: Ask, answer: Answer, refusal: "throw" | "answer"): Answered => {
		const what = `${ask.method} ${options.url}${ask.path}`;
		if (answer.status === 401) throw refused(auth, `${options.url} does not take our credentials: ${words(answer)}`);
		if (answer.status === 403 && refusal === "throw") {
			throw new Failure("TARGET_REFUSED", `${what} is not allowed to us: ${words(answer)}`, {
				hint: "Give the token or client the right to read and write users and groups.",
			});
		}
		if (answer.status >= 300 && answer.status < 400 && answer.status !== 304) {
			throw new Failure("TARGET_REFUSED", `${what} was answered with a redirect (${answer.status})`, {
				hint: "Put the URL where the service really is into url.",
			});
		}
		return { ...answer, body: parseObject(answer.text) };
	};

	return {
		send: (ask, signal) => deliver(ask, MOST_TRIES, "throw", signal),
		sendOnce: (ask, signal) => deliver(ask, 1, "throw", signal),
		look: (ask, signal) => deliver(ask, MOST_TRIES, "answer", signal),
		breathe,
		words,
	};
}

interface Base {
	readonly origin: string;
	readonly path: string;
}

function exchangeOf(
	base: Base,
	{ method, path, query, body, ifMatch }: Ask,
	mediaType: string,
	authorization: string | undefined,
): Exchange {
	const search = query === undefined ? "" : `?${new URLSearchParams(query).toString().replaceAll("+", "%20")}`;
	return {
		method,
		origin: base.origin,
		path: `${base.path}${path}${search}`,
		headers: {
			accept: "application/scim+json, application/json;q=0.9",
			...(body === undefined ? {} : { "content-type": mediaType }),
			...(authorization === undefined ? {} : { authorization }),
			...(ifMatch === undefined ? {} : { "if-match": ifMatch }),
		},
		body: body === undefined ? undefined : JSON.stringify(body),
	};
}

function isTooMuch({ status }: Answer): boolean {
	return status === 429 || status === 503;
}

/** Trouble of the server's own, after which it may be as well as before; 501 says that it never will be otherwise. */
function isTrouble(answer: Answer): boolean {
	return answer.status >= 500 && answer.status !== 501 && !isTaken(answer);
}

/** How long the server wants to be left alone, if it says so. */
function pauseOf({ header }: Answer, now: number): number | undefined {
	return retryAfter(header("retry-after"), now) ?? rateLimitReset(header("x-ratelimit-reset") ?? header("x-rate-limit-reset"), now);
}

function leave(limiter: Limiter, permit: Permit, reply: Reply | undefined): void {
	if (reply?.kind !== "answer") limiter.leave(permit, "otherwise");
	else if (isTooMuch(reply)) limiter.leave(permit, "slower");
	else limiter.leave(permit, reply.status < 500 ? "well" : "otherwise");
}

function refused(auth: Auth, message: string): Failure {
	return new Failure("TARGET_REFUSED", auth.hide(message), { hint: "Check auth: the token or password may be wrong, or may have ended." });
}
