import { setTimeout } from "node:timers/promises";
import { Failure } from "../core/errors.ts";
import { orAborted } from "../lib/waiting.ts";
import type { Session } from "../store/session.ts";
import type { TargetTrouble } from "../store/target-states.ts";
import { deliver } from "./deliver.ts";
import type { DeliverContext, SyncTarget } from "./deliver-context.ts";
import { deliverGroups } from "./deliver-groups.ts";
import type { DeliveryCount } from "./report.ts";
import { makeTally } from "./tally-deliveries.ts";
import { waitAfterTrouble } from "./waits.ts";

/** What is told of a target while deliveries go on, and what of it when they end. */
export interface DeliveryNews {
	readonly target: string;
	/** What came since the last news. */
	readonly counts: readonly DeliveryCount[];
	/** The newest run that wanted something of it; undefined: nothing was tried yet. */
	readonly run: number | undefined;
	/** Accounts and groups that are open still. */
	readonly pending: number;
	/** What is other than before; undefined while they go on. */
	readonly end:
		| undefined
		/** It takes deliveries again, and they go on. */
		| { readonly kind: "recovered" }
		/** Nothing more is due. */
		| { readonly kind: "done"; readonly hasRecovered: boolean }
		/** It takes nothing: `retryAt` in Unix milliseconds. */
		| {
				readonly kind: "trouble";
				readonly because: string;
				readonly hint: string | undefined;
				readonly retryAt: number;
				readonly isNew: boolean;
		  };
}

export interface DeliveriesParts {
	/** Of its own: deliveries go on while runs do. */
	readonly session: Session;
	readonly targets: readonly SyncTarget[];
	/** Unix milliseconds. */
	readonly clock: () => number;
	/** 0 to below 1. */
	readonly random: () => number;
	/** What is due within so many milliseconds is waited for, instead of being left to the next `wake`. */
	readonly waitsMs: number;
	readonly onNews: (news: DeliveryNews) => void;
	/** A bug, or a database that cannot be written, with nobody waiting for it. */
	readonly onError: (error: unknown, about: Pick<DeliveryNews, "target" | "run">) => void;
}

/** Deliveries to every target, each going its own pace: one that is slow or out of reach delays only itself. */
export interface Deliveries {
	/** Begins what is open and due, and does not wait for it. */
	wake(): void;
	/** Begins it, and waits until nothing more is due, or `signal` is aborted (then it goes on beside). Throws what is no target's fault. `run`: who asks. */
	settle(signal: AbortSignal, onCounts: (counts: readonly DeliveryCount[], done: number) => void, run?: number): Promise<Settled>;
	/** When something is to be done next: Unix milliseconds, undefined when nothing is open. */
	nextDue(): number | undefined;
	countPending(): number;
	/** Ends between two writes. */
	close(): Promise<void>;
}

export interface Settled {
	readonly counts: readonly DeliveryCount[];
	/** Sentences for a person. */
	readonly warnings: readonly string[];
}

/** How often news are told of deliveries that go on, in milliseconds. */
const NEWS_EVERY_MS = 1000;
/** No target is believed that it wants to be left alone for longer, in milliseconds. */
const LONGEST_PAUSE_MS = 3_600_000;
/** Nothing was due to anybody's knowledge: after a bug, a target is not tried in the same breath. */
const AFTER_BUG_MS = 60_000;

export function makeDeliveries({ targets, onError, ...rest }: DeliveriesParts): Deliveries {
	const ending = new AbortController();
	const parts = targets.map((target) => makePart({ ...rest, target, ending: ending.signal }));
	const begin = (part: Part): void => void part.run().catch((error: unknown) => !ending.signal.aborted && onError(error, part.about()));
	return {
		wake: () => parts.forEach(begin),
		settle: async (signal, onCounts, run) => {
			const counts: DeliveryCount[] = [];
			let done = 0;
			const hear = (news: readonly DeliveryCount[]): void => {
				counts.push(...news);
				for (const { result, count } of news) if (result === "applied") done += count;
				onCounts(news, done);
			};
			for (const part of parts) part.hearing.add(hear);
			try {
				const ended = Promise.allSettled(parts.map((part) => part.run(run)));
				const results = await orAborted(() => ended, signal);
				for (const result of results) if (result.status === "rejected") throw result.reason;
			} finally {
				for (const part of parts) part.hearing.delete(hear);
			}
			return { counts, warnings: parts.flatMap((part) => part.warnings()) };
		},
		nextDue: () => {
			const due = parts.flatMap((part) => part.nextDue() ?? []);
			return due.length === 0 ? undefined : Math.min(...due);
		},
		countPending: () => parts.reduce((sum, part) => sum + part.countPending(), 0),
		close: async () => {
			ending.abort(new Failure("CANCELLED", "stopped because the process is ending"));
			await Promise.allSettled(parts.map((part) => part.ended()));
		},
	};
}

type PartParts = Omit<DeliveriesParts, "targets" | "onError"> & { readonly target: SyncTarget; readonly ending: AbortSignal };

/** One target. */
interface Part {
	/** Resolves when nothing is due any more, or the target is out of reach; joins what is going on. */
	run(asking?: number): Promise<void>;
	/** What the last pass was about. */
	about(): Pick<DeliveryNews, "target" | "run">;
	readonly hearing: Set<(counts: readonly DeliveryCount[]) => void>;
	warnings(): readonly string[];
	nextDue(): number | undefined;
	countPending(): number;
	ended(): Promise<void>;
}

function makePart({ session, target: syncTarget, clock, random, waitsMs, onNews, ending }: PartParts): Part {
	const { target } = syncTarget;
	const { name } = target;
	const { targetStates, ledger, groupLedger } = session;
	const hearing: Part["hearing"] = new Set();
	const tally = makeTally(name);
	let running: Promise<void> | undefined;
	let isWanted = false;
	let isFirst = true;
	/** What had been applied when groups were last woken for their members; undefined: they never were. */
	let wokenAt: number | undefined;
	/** Accounts at which the target gave up do not keep the groups back: those go first the next time. */
	let areGroupsFirst = false;
	let brokenAt: number | undefined;
	let toldAt = 0;
	let trouble: TargetTrouble | undefined;
	let startApplied = 0;
	/** The newest run of those whose accounts this pass is about; of a target that takes nothing, the one that found that out. */
	let run: number | undefined;
	let asked: number | undefined;

	const countPending = (): number => ledger.countPending(name) + (target.groups === undefined ? 0 : groupLedger.countPending(name));

	const tell = (end: DeliveryNews["end"]): void => {
		toldAt = clock();
		const counts = tally.take();
		run = Math.max(run ?? 0, tally.newestRun()) || undefined;
		for (const hear of hearing) hear(counts);
		if (counts.length > 0 || end !== undefined) onNews({ target: name, counts, run: run ?? asked, pending: countPending(), end });
	};
	const context: DeliverContext = {
		...{ ...syncTarget, session, clock, tally },
		onSettled: () => {
			if (recover(startApplied)) tell({ kind: "recovered" });
			else if (clock() - toldAt >= NEWS_EVERY_MS) tell(undefined);
		},
	};

	const pass = async (): Promise<void> => {
		const isTurnOfGroups = areGroupsFirst;
		areGroupsFirst = false;
		if (isTurnOfGroups && target.groups !== undefined) await deliverGroups(context, target.groups, ending);
		// Ends that come in while groups are delivered go first: then the groups go on after them.
		for (let isDone = false; !isDone; ) {
			areGroupsFirst = true;
			await deliver(context, ending);
			areGroupsFirst = false;
			if (target.groups === undefined) break;
			// Members have to be there before they can be members.
			if (tally.applied !== wokenAt) session.transaction(() => groupLedger.wakeWaiting(name));
			wokenAt = tally.applied;
			isDone = await deliverGroups(context, target.groups, ending);
		}
		await target.finish?.(ending);
	};

	const dueAt = (): number | undefined => {
		const due = [ledger.nextDue(name), target.groups && groupLedger.nextDue(name)].filter((at) => at !== undefined);
		return due.length === 0 ? undefined : Math.min(...due);
	};

	/** Waits for what is due soon. A pass that did nothing would do nothing again. */
	const isSoonDue = async (before: number): Promise<boolean> => {
		const due = dueAt();
		if (due === undefined || tally.total === before) return false;
		const wait = due - clock();
		if (wait > waitsMs) return false;
		if (wait > 0) await setTimeout(wait, undefined, { signal: ending });
		return true;
	};

	/** What the target took says that it is out of its trouble, whatever becomes of the rest. */
	const recover = (before: number): boolean => {
		if (trouble === undefined || tally.applied === before) return false;
		trouble = undefined;
		return session.transaction(() => targetStates.recovered(name));
	};

	const go = async (): Promise<void> => {
		trouble = targetStates.trouble(name);
		// A start tries everything at once: whoever restarts us may have mended it.
		if (trouble !== undefined && !isFirst && trouble.retryAt > clock()) return;
		isFirst = false;
		const start = tally.applied;
		startApplied = start;
		try {
			let before: number;
			do {
				isWanted = false;
				before = tally.total;
				await pass();
			} while (isWanted || (await isSoonDue(before)));
			brokenAt = undefined;
			const hasRecovered = trouble !== undefined && session.transaction(() => targetStates.recovered(name));
			trouble = undefined;
			tell({ kind: "done", hasRecovered });
		} catch (error) {
			if (!isTrouble(error) || ending.aborted) {
				if (!ending.aborted) brokenAt = clock();
				tell(undefined);
				throw error;
			}
			recover(start);
			run ??= asked;
			const { message, hint } = error;
			const now = clock();
			const wait = Math.max(error.retryAfterMs ?? 0, waitAfterTrouble(trouble?.failures ?? 0, random()));
			const retryAt = now + Math.min(wait, LONGEST_PAUSE_MS);
			session.transaction(() => targetStates.failed(name, message, hint, now, retryAt));
			tell({ kind: "trouble", because: message, hint, retryAt, isNew: trouble === undefined });
		}
	};

	return {
		run: (asking) => {
			isWanted = true;
			if (running === undefined && trouble === undefined) run = undefined;
			asked = asking ?? asked;
			running ??= go().finally(() => {
				running = undefined;
			});
			return running;
		},
		about: () => ({ target: name, run: run ?? asked }),
		hearing,
		warnings: () => {
			const trouble = targetStates.trouble(name);
			const refused = tally.takeGroupsRefused();
			return [
				...(trouble === undefined ? [] : [`target ${name}: ${trouble.because}; tried again at ${new Date(trouble.retryAt).toISOString()}`]),
				...(refused === 0 ? [] : [`target ${name} refused ${refused} groups; they are tried again`]),
			];
		},
		nextDue: () => {
			if (running !== undefined) return undefined;
			const trouble = targetStates.trouble(name);
			if (trouble !== undefined) return trouble.retryAt;
			const due = dueAt();
			return due === undefined ? undefined : Math.max(due, brokenAt === undefined ? 0 : brokenAt + AFTER_BUG_MS);
		},
		countPending,
		ended: async () => running,
	};
}

function isTrouble(error: unknown): error is Failure {
	return error instanceof Failure && (error.code === "TARGET_UNREACHABLE" || error.code === "TARGET_REFUSED");
}
