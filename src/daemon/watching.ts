import { Failure, type FailureCode } from "../core/errors.ts";
import type { WatchFacts } from "../http/health.ts";
import type { Log } from "../telemetry/log.ts";

/** The watches of all sources that are to have one, each kept open. Polling goes on beneath them, whatever becomes of them. */
export interface Watching {
	/** Watches these and no others; all that were open are ended and opened anew. */
	start(sources: readonly string[]): void;
	/** Ends all. */
	stop(): void;
	/** The engine was told that something may have changed. */
	woken(source: string): void;
	/** A run by the schedule or a command did not fail: whatever the source refused before may be mended. */
	succeeded(source: string): void;
	/** Undefined: this source is not to be watched. */
	state(source: string): WatchFacts | undefined;
}

export interface WatchingParts {
	/** Watches until something ends it, saying `woken` meanwhile. */
	open(source: string, signal: AbortSignal): Promise<never>;
	/** Has a source read soon. */
	wake(source: string): void;
	/** For the metric; undefined: not to be watched any more. */
	observe(source: string, isUp: boolean | undefined): void;
	readonly log: Log;
	readonly clock: () => number;
	readonly random: () => number;
	/** Aborted when the daemon is ending. */
	readonly ending: AbortSignal;
}

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 60_000;

/** What another try does not mend, and may make worse: each refused bind counts towards the account's lockout. */
const settled: ReadonlySet<FailureCode | undefined> = new Set([
	"SOURCE_REFUSED",
	"SOURCE_UNTRUSTED",
	"SOURCE_PROTOCOL",
	"SOURCE_BASE_MISSING",
	"CONFIG_INVALID",
]);
const SETTLED_RETRY_MS = 900_000;

interface Watch {
	readonly end: AbortController;
	state: WatchFacts;
	/** Opens it again before its time. */
	retryNow: () => void;
}

export function makeWatching(parts: WatchingParts): Watching {
	const { log, clock, random, ending, observe } = parts;
	const watches = new Map<string, Watch>();

	const up = (source: string, watch: Watch): void => {
		const before = watch.state;
		if (before.kind === "up") return;
		watch.state = { kind: "up", since: clock() };
		observe(source, true);
		log.info(
			{ source, ...(before.kind === "down" && { downMs: clock() - before.since }) },
			before.kind === "down" ? "watching for changes again" : "watching for changes",
		);
	};

	/** Said once for as long as it stays down: not each try. */
	const down = (source: string, watch: Watch, error: unknown): void => {
		const before = watch.state;
		const because = error instanceof Error ? error.message : String(error);
		const hint = error instanceof Failure ? error.hint : undefined;
		watch.state = { kind: "down", since: before.kind === "down" ? before.since : clock(), because };
		observe(source, false);
		if (before.kind !== "down") log.warn({ source, because, ...(hint !== undefined && { hint }) }, "not watching; the schedule goes on");
	};

	/** Opens a watch again whenever it ends, ever more slowly unless it stood for a while. */
	const keep = async (source: string, watch: Watch, signal: AbortSignal): Promise<void> => {
		for (let failures = 0; ; failures++) {
			const openedAt = clock();
			try {
				await parts.open(source, signal);
			} catch (error) {
				if (signal.aborted) return;
				if (watch.state.kind === "up" && clock() - openedAt > LONGEST_RETRY_MS) failures = 0;
				down(source, watch, error);
				const isSettled = error instanceof Failure && settled.has(error.code);
				const pauseMs = isSettled ? SETTLED_RETRY_MS : Math.min(FIRST_RETRY_MS * 2 ** failures, LONGEST_RETRY_MS);
				// Half to all of it: many daemons that lost the same server do not come back in step.
				await pause(watch, isSettled, pauseMs * (0.5 + random() / 2), signal);
				if (signal.aborted) return;
			}
		}
	};

	return {
		start: (sources) => {
			end();
			if (ending.aborted) return;
			for (const source of sources) {
				const watch: Watch = { end: new AbortController(), state: { kind: "opening" }, retryNow: () => {} };
				watches.set(source, watch);
				observe(source, false);
				void keep(source, watch, AbortSignal.any([ending, watch.end.signal]));
			}
		},
		stop: end,
		woken: (source) => {
			const watch = watches.get(source);
			if (watch === undefined) return; // Said before its end, and heard after it.
			up(source, watch);
			parts.wake(source);
		},
		succeeded: (source) => watches.get(source)?.retryNow(),
		state: (source) => watches.get(source)?.state,
	};

	function end(): void {
		for (const [source, watch] of watches) {
			watch.end.abort(new Failure("CANCELLED", `watching ${source} was ended`));
			observe(source, undefined);
		}
		watches.clear();
	}
}

/** Waits, but not past the signal, nor past a success where only that is waited for. */
function pause(watch: Watch, isSettled: boolean, ms: number, signal: AbortSignal): Promise<void> {
	return new Promise((resolve) => {
		const go = (): void => {
			clearTimeout(timer);
			signal.removeEventListener("abort", go);
			watch.retryNow = () => {};
			resolve();
		};
		const timer = setTimeout(go, ms);
		signal.addEventListener("abort", go, { once: true });
		if (isSettled) watch.retryNow = go;
	});
}
