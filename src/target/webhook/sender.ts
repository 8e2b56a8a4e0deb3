import { Failure } from "../../core/errors.ts";
import { digest } from "../../lib/digest.ts";
import { makeLimiter } from "../../lib/limiter.ts";
import { retryAfter } from "../../lib/retry-after.ts";
import { backOff, type Wait } from "../../lib/waiting.ts";
import { signed } from "../../lib/webhook-signature.ts";
import { plain } from "../http/plain.ts";
import type { Answer, Reply, Wire } from "../http/wire.ts";
import type { WebhookOptions } from "./options.ts";

/** What became of one POST. */
export type Outcome =
	| { readonly kind: "taken" }
	/** By the receiver, in its words: the events themselves are at fault. */
	| { readonly kind: "refused"; readonly error: string }
	/** Not known to be taken, after several tries. */
	| { readonly kind: "later"; readonly error: string };

export interface Message {
	/** The same for every try. */
	readonly id: string;
	readonly mediaType: string;
	readonly body: string;
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
const MOST_TRIES = 4;
/** So many times is one message turned away as too much before the target counts as out of reach. */
const MOST_SLOWDOWNS = 20;
const BACK_OFF = { firstMs: 500, mostMs: 8000 };

/** Sends messages, each until it is taken or refused, at the pace that the receiver bears. Throws TARGET_UNREACHABLE and TARGET_REFUSED. */
export function makeSender({ url, secret, concurrency }: WebhookOptions, wire: Wire, { clock, random, wait }: Surroundings) {
	const { origin: shown, pathname, search } = new URL(url);
	const path = `${pathname}${search}`;
	const limiter = makeLimiter({
		...{ most: concurrency, ratePerSecond: undefined, clock, wait, patienceMs: PATIENCE_MS },
		tooLong: (ms) =>
			new Failure("TARGET_UNREACHABLE", `${shown} asks for a pause of ${Math.ceil(ms / 1000)} s`, { retryAfterMs: Math.ceil(ms) }),
	});
	let isProven = false;

	/** `times`: how often it was turned away as too much. */
	const post = async ({ id, mediaType, body }: Message, times: number, signal: AbortSignal): Promise<Reply> => {
		const permit = await limiter.enter(signal);
		let how: "well" | "slower" | "otherwise" = "otherwise";
		try {
			const name = headerId(id);
			const headers = {
				...{ "content-type": mediaType, "user-agent": "dirsyncd", "idempotency-key": name },
				...signed(secret(), name, clock(), body),
			};
			const reply = await wire.exchange({ method: "POST", origin: shown, path, headers, body }, signal);
			if (reply.kind === "answer") how = isTooMuch(reply) ? "slower" : isTaken(reply) ? "well" : "otherwise";
			// Before anybody else may begin.
			if (reply.kind === "answer" && isTooMuch(reply))
				limiter.pause(retryAfter(reply.header("retry-after"), clock()) ?? backOff(times + 1, random, BACK_OFF));
			return reply;
		} finally {
			limiter.leave(permit, how);
		}
	};

	return async (message: Message, signal: AbortSignal): Promise<Outcome> => {
		let slowdowns = 0;
		for (let tries = 1; ; ) {
			const reply = await orUnreached(() => post(message, slowdowns, signal));
			if (reply.kind === "answer" && isTooMuch(reply)) {
				if (++slowdowns <= MOST_SLOWDOWNS) continue;
				throw new Failure("TARGET_UNREACHABLE", `${shown} turns everything away: ${words(reply)}`, { retryAfterMs: PATIENCE_MS });
			}
			if (reply.kind === "answer" && !isTrouble(reply)) {
				isProven = isProven || isTaken(reply);
				return judge(shown, reply, isProven);
			}
			if (tries >= MOST_TRIES) {
				if (reply.kind === "unreached") throw reply.failure;
				return { kind: "later", error: reply.kind === "lost" ? reply.why : words(reply) };
			}
			await wait(backOff(tries++, random, BACK_OFF), signal);
		}
	};
}

/** `isProven`: it has taken something before, so that this is about the event, and not about the URL. */
function judge(shown: string, answer: Answer, isProven: boolean): Outcome {
	const { status } = answer;
	if (isTaken(answer)) return { kind: "taken" };
	if (status === 401 || status === 403) {
		const hint = "Give both sides the same secret, and let the receiver check the signature over the body as it came.";
		throw new Failure("TARGET_REFUSED", `${shown} does not take what we sign: ${words(answer)}`, { hint });
	}
	if (status < 400) {
		throw new Failure("TARGET_REFUSED", `${shown} answered with ${status}, and redirects are not followed`, {
			hint: "Put the URL where the receiver really is into url.",
		});
	}
	if (!isProven && [404, 405, 410].includes(status)) {
		throw new Failure("TARGET_REFUSED", `${shown} takes no events at this path: ${words(answer)}`, { hint: "Check the path in url." });
	}
	return { kind: "refused", error: words(answer) };
}

type Unreached = { readonly kind: "unreached"; readonly failure: Failure };

/** A receiver that is being restarted is reached again in a moment; a pause that it asked for is not to be waited for here. */
async function orUnreached(work: () => Promise<Reply>): Promise<Reply | Unreached> {
	try {
		return await work();
	} catch (error) {
		if (error instanceof Failure && error.code === "TARGET_UNREACHABLE" && error.retryAfterMs === undefined) {
			return { kind: "unreached", failure: error };
		}
		throw error;
	}
}

/** An id as it may stand in a header, and before the dot in what is signed. */
function headerId(id: string): string {
	return /^[\w-]{1,200}$/.test(id) ? id : digest(id).toString("hex");
}

function isTaken({ status }: Answer): boolean {
	return status >= 200 && status < 300;
}

function isTooMuch({ status, header }: Answer): boolean {
	return status === 429 || (status === 503 && header("retry-after") !== undefined);
}

/** The receiver's own trouble, which passes. */
function isTrouble({ status }: Answer): boolean {
	return status >= 500 || status === 408 || status === 425;
}

/** The receiver's words: of a JSON object, whatever it calls them. */
function words({ status, text }: Answer): string {
	const said = plain(textIn(text) ?? text);
	return said === "" ? String(status) : `${status} ${said}`;
}

function textIn(text: string): string | undefined {
	try {
		const body = JSON.parse(text) as Readonly<Record<string, unknown>> | null;
		return ["detail", "message", "error", "title"].map((name) => body?.[name]).find((value) => typeof value === "string");
	} catch {
		return undefined; // Not JSON: it is shown as it is.
	}
}
