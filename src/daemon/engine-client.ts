import path from "node:path";
import { Worker } from "node:worker_threads";
import type { Config } from "../config/config.ts";
import { Failure, unreachable } from "../core/errors.ts";
import { formatDuration } from "../lib/duration.ts";
import { packConfig, unpackError } from "./crossing.ts";
import { makeLane } from "./lane.ts";
import type { CallAnswer, CallName, CallRequest, EngineListener, FromEngine, ToEngine } from "./protocol.ts";
import { type Pulse, type PulseLimits, startPulse, usualPulse } from "./pulse.ts";

/** The engine in a thread of its own. It is started again, ever more slowly, whenever it ends by itself. */
export interface EngineClient {
	/** Throws what the engine throws, or an error that says that it is down. */
	call<Name extends CallName>(name: Name, request: CallRequest<Name>, signal: AbortSignal): Promise<CallAnswer<Name>>;
	state(): EngineState;
	/** How long the thread has owed a sign of life, in milliseconds. */
	silenceMs(): number;
	/** Ends the thread after what is going on, and starts it with another configuration. Throws when that one cannot be opened. */
	reopen(config: Config): Promise<void>;
	/** Aborts what is going on, and resolves when the database is closed; after `timeoutMs` the thread is cut off. */
	close(timeoutMs: number): Promise<void>;
}

export type EngineState =
	| { readonly kind: "up" }
	/** It does not answer any more, and is being cut off. */
	| { readonly kind: "silent"; readonly since: number }
	| { readonly kind: "down"; readonly since: number; readonly because: string; readonly retryAt: number };

export interface EngineClientParts {
	readonly listener: EngineListener;
	/** The thread's file; by default the engine's own. */
	readonly file?: string | URL;
	readonly clock: () => number;
	/** Aborted: a thread that is only just opening the database is given up. */
	readonly signal: AbortSignal;
	readonly pulse?: PulseLimits;
	/** It did not answer for so long that it is cut off. */
	onSilent(silenceMs: number): void;
	/** It cannot be cut off either: it hangs in the operating system, and no other can be started beside it. */
	onStuck(): void;
	/** The engine ended by itself. */
	onDown(error: Error, retryInMs: number): void;
	onUp(): void;
}

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 60_000;

interface Thread {
	readonly worker: Worker;
	readonly waiting: Map<number, PromiseWithResolvers<unknown>>;
	/** Resolves when the thread has ended, with what it died of. */
	readonly ended: Promise<Error>;
	readonly pulse: Pulse;
	isClosing: boolean;
}

/** Starts the engine; resolves when its database is open. Throws the Failure that it refuses to open with. */
export async function startEngine(config: Config, parts: EngineClientParts): Promise<EngineClient> {
	let current = config;
	let thread: Thread | undefined;
	let state: EngineState = { kind: "up" };
	let failures = 0;
	let timer: NodeJS.Timeout | undefined;
	let isClosed = false;
	let lastId = 0;
	/** One thread at a time is opened or closed. */
	const lane = makeLane();

	const open = async (): Promise<void> => {
		const opened = await openThread(current, parts, silent);
		thread = opened;
		state = { kind: "up" };
		void opened.ended.then((error) => {
			if (thread === opened) thread = undefined;
			if (!opened.isClosing) down(error);
		});
	};
	const silent = (silenceMs: number): void => {
		state = { kind: "silent", since: parts.clock() - silenceMs };
		parts.onSilent(silenceMs);
	};

	const down = (error: Error): void => {
		const retryInMs = Math.min(FIRST_RETRY_MS * 2 ** failures, LONGEST_RETRY_MS);
		failures += 1;
		const now = parts.clock();
		state = { kind: "down", since: state.kind === "down" ? state.since : now, because: error.message, retryAt: now + retryInMs };
		if (isClosed) return;
		parts.onDown(error, retryInMs);
		timer = setTimeout(() => void lane.enter(retry), retryInMs);
	};

	const retry = async (): Promise<void> => {
		if (isClosed || thread !== undefined) return;
		try {
			await open();
			parts.onUp();
		} catch (error) {
			down(error instanceof Error ? error : new Error(String(error)));
		}
	};

	await open();
	return {
		call: async (name, request, signal) => {
			const to = thread;
			if (to === undefined || to.isClosing || state.kind === "silent") throw isDown(state);
			signal.throwIfAborted();
			const id = ++lastId;
			const answer = Promise.withResolvers<unknown>();
			to.waiting.set(id, answer);
			post(to, { kind: "call", id, name, request } as ToEngine);
			const abort = (): void => post(to, { kind: "abort", id });
			signal.addEventListener("abort", abort, { once: true });
			try {
				const answered = (await answer.promise) as CallAnswer<typeof name>;
				failures = 0;
				return answered;
			} finally {
				signal.removeEventListener("abort", abort);
			}
		},
		state: () => state,
		silenceMs: () => thread?.pulse.silenceMs() ?? 0,
		reopen: (to) =>
			lane.enter(async () => {
				clearTimeout(timer);
				await closeThread(thread);
				const former = current;
				current = to;
				try {
					await open();
				} catch (error) {
					current = former;
					await retry();
					throw error;
				}
			}),
		close: async (timeoutMs) => {
			isClosed = true;
			clearTimeout(timer);
			const cut = setTimeout(() => void thread?.worker.terminate(), timeoutMs);
			await lane.enter(() => closeThread(thread));
			clearTimeout(cut);
		},
	};
}

function openThread(config: Config, parts: EngineClientParts, onSilent: (silenceMs: number) => void): Promise<Thread> {
	const { file, listener, signal } = parts;
	const worker = new Worker(file ?? ownFile(), { workerData: packConfig(config), name: "engine" });
	const giveUp = (): void => void worker.terminate();
	signal.addEventListener("abort", giveUp, { once: true });
	if (signal.aborted) giveUp();
	const waiting: Thread["waiting"] = new Map();
	const opening = Promise.withResolvers<Thread>();
	let cause: Error | undefined;
	let isOpen = false;
	worker.on("error", (error) => {
		cause = error instanceof Error ? error : new Error(String(error));
	});
	const ended = new Promise<Error>((resolve) => {
		worker.on("exit", (code) => {
			signal.removeEventListener("abort", giveUp);
			pulse.stop();
			clearTimeout(cut);
			const error = new Error(`the engine's thread ended${cause === undefined ? ` with code ${code}` : `: ${cause.message}`}`, { cause });
			opening.reject(error);
			for (const answer of waiting.values()) answer.reject(error);
			resolve(error);
		});
	});
	const limits = parts.pulse ?? usualPulse;
	let cut: NodeJS.Timeout | undefined;
	const pulse = startPulse({
		...limits,
		now: () => performance.now(),
		// Before it is open it owes nothing: a large database is checked for as long as that takes.
		ask: () => (isOpen ? worker.postMessage({ kind: "ask" } satisfies ToEngine) : pulse.heard()),
		onSilent: (silenceMs) => {
			cause = new Error(`it has not answered for ${formatDuration(silenceMs)}`);
			onSilent(silenceMs);
			cut = setTimeout(parts.onStuck, limits.cutMs);
			giveUp();
		},
	});
	const thread: Thread = { worker, waiting, ended, pulse, isClosing: false };
	worker.on("message", (message: FromEngine) => {
		pulse.heard();
		switch (message.kind) {
			case "alive":
				return;
			case "opened":
				isOpen = true;
				signal.removeEventListener("abort", giveUp);
				return opening.resolve(thread);
			case "refused":
				return opening.reject(unpackError(message.error));
			case "begun":
				return listener.begun(message.run);
			case "progress":
				return listener.progress(message.progress);
			case "ldap":
				return listener.ldap(message.source, message.operation, message.seconds);
			case "certificate":
				return listener.certificate(message.source, message.expiresAt);
			case "woken":
				return listener.woken(message.source);
			case "delivered":
				return listener.delivered(message.news);
			case "delivery-error":
				return listener.deliveryError(unpackError(message.error), message.about);
			case "answer":
				return settle(thread, message.id)?.resolve(message.answer);
			case "error":
				return settle(thread, message.id)?.reject(unpackError(message.error));
			default:
				return unreachable(message);
		}
	});
	return opening.promise;
}

function settle({ waiting }: Thread, id: number): PromiseWithResolvers<unknown> | undefined {
	const answer = waiting.get(id);
	waiting.delete(id);
	return answer;
}

function post({ worker }: Thread, message: ToEngine): void {
	worker.postMessage(message);
}

async function closeThread(thread: Thread | undefined): Promise<void> {
	if (thread === undefined) return;
	thread.isClosing = true;
	post(thread, { kind: "close" });
	await thread.ended;
}

/** Beside this file, and in its language: .ts in a checkout, .js in a release. */
function ownFile(): URL {
	return new URL(`./worker${path.extname(import.meta.filename)}`, import.meta.url);
}

function isDown(state: EngineState): Error {
	const hint = "Try again in a moment; if it goes on, the log says why.";
	if (state.kind === "silent") return new Failure("ENGINE_DOWN", "the engine does not answer, and is being started again", { hint });
	if (state.kind === "down") return new Failure("ENGINE_DOWN", `the engine is down and will be started again: ${state.because}`, { hint });
	return new Failure("CANCELLED", "the engine is being closed", { hint: "Try again in a moment." });
}
