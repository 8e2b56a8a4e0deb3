import type { ChannelConfig } from "../config/notify-config.ts";
import { Failure } from "../core/errors.ts";
import { type Matter, type MatterNotice, PAGE } from "../core/matter.ts";
import { backOff, waitReally } from "../lib/waiting.ts";
import type { Channel, Message } from "../notify/channel.ts";
import type { Stationery } from "../notify/letter.ts";
import { writeMatter } from "../notify/matter-letter.ts";
import { writeReport } from "../notify/report-letter.ts";
import type { Notices, OpenNotice } from "../store/notices.ts";
import type { Log } from "../telemetry/log.ts";
import type { NoticeResult } from "../telemetry/metrics.ts";

export interface PostmanParts {
	readonly notices: Pick<Notices, "attempt" | "due" | "sent" | "failed">;
	readonly makeChannel: (config: ChannelConfig) => Channel;
	/** The page's URL, for channels that name no other. */
	readonly page: string;
	/** The configuration's file. */
	readonly config: string;
	readonly log: Log;
	/** What came of one try. */
	readonly observe: (channel: string, result: NoticeResult) => void;
	readonly clock: () => number;
	/** 0 to below 1. */
	readonly random: () => number;
	/** Aborted when the daemon is ending. */
	readonly ending: AbortSignal;
}

/** One channel, as health and metrics show it. */
export interface ChannelState {
	readonly channel: string;
	/** Nothing can be told by it; undefined: as far as it was tried, it can. Without the words of the other side, which may name people. */
	readonly trouble: { readonly since: number; readonly hint: string | undefined } | undefined;
	/** What is not sent yet and is kept nowhere but in memory. */
	readonly unkept: number;
}

interface Route {
	readonly config: ChannelConfig;
	readonly channel: Channel;
	/** Tries that failed, one after the other. */
	failures: number;
	trouble: ChannelState["trouble"];
	/** Not before then, Unix milliseconds. */
	retryAt: number;
	underway: Promise<void> | undefined;
	/** What cannot be kept, and is to be said all the same. */
	unkept: readonly MatterNotice[];
}

/** A mail server that is down for a minute costs a minute, and one that is down for a day one try an hour. */
const PAUSES = { firstMs: 10_000, mostMs: 3_600_000 };
const MOST_AT_ONCE = 20;
const BUSY_WAIT_MS = 100;
/** What was sent has to be noted, or it is sent again: worth some of the time that an end may take. */
const MOST_BUSY_WAITS = 20;

/** Carries what lies ready, each channel at its own pace. Never rejects. */
export function makePostman({ notices, makeChannel, page, config: file, log, clock, random, ending, observe }: PostmanParts) {
	const routes = new Map<string, Route>();
	/** Notices that the other side has, and of which the database does not know yet. */
	const taken = new Set<number>();

	/** Whether it was written. */
	const note = async (write: () => void): Promise<boolean> => {
		for (let waits = 0; notices.attempt(write) === "busy"; waits++) {
			if (waits >= MOST_BUSY_WAITS) return false;
			await waitReally(BUSY_WAIT_MS, new AbortController().signal);
		}
		return true;
	};

	/** Undefined when it was taken, else why not. */
	const send = async (route: Route, message: Message): Promise<Failure | undefined> => {
		const { name } = route.config;
		const about = message.facts.kind === "matter" ? fieldsOf(message.facts.notice.matter) : {};
		try {
			const refused = await route.channel.send(message, ending);
			if (refused.length > 0) log.warn({ channel: name, ...about, refused }, "some readers were refused");
			log[route.failures > 0 ? "info" : "debug"]({ channel: name, ...about, message: message.id }, "told");
			observe(name, "sent");
			route.failures = 0;
			route.trouble = undefined;
			return undefined;
		} catch (error) {
			if (!(error instanceof Failure)) throw error;
			if (ending.aborted) return error;
			const pauseMs = backOff(route.failures, random, PAUSES);
			const { message: because, hint } = error;
			log[route.failures === 0 ? "warn" : "debug"]({ channel: name, ...about, because, hint, retryInMs: pauseMs }, "cannot tell");
			observe(name, "failed");
			route.failures += 1;
			route.trouble = { since: route.trouble?.since ?? clock(), hint };
			route.retryAt = clock() + pauseMs;
			return error;
		}
	};

	/** Whether the next one may follow. */
	const carryKept = async (route: Route, notice: OpenNotice): Promise<boolean> => {
		if (!taken.has(notice.id)) {
			const failure = await send(route, messageOf(notice, route.config, { page, file, now: clock() }));
			if (failure !== undefined) {
				if (!ending.aborted) await note(() => notices.failed(notice.id, failure.message, route.retryAt));
				return false;
			}
			taken.add(notice.id);
		}
		const isNoted = await note(() => notices.sent(notice.id, clock()));
		if (isNoted) taken.delete(notice.id);
		return isNoted;
	};

	const carry = async (route: Route): Promise<void> => {
		for (const notice of route.unkept) {
			if (ending.aborted || (await send(route, unkeptMessage(notice, route.config, { page, file, now: clock() }))) !== undefined) return;
			route.unkept = route.unkept.filter((each) => each !== notice);
		}
		const now = clock();
		for (const notice of notices.due(route.config.name, now, now + PAUSES.mostMs, MOST_AT_ONCE)) {
			if (ending.aborted || !(await carryKept(route, notice))) return;
		}
	};

	const close = async (old: readonly Route[]): Promise<void> => {
		for (const { underway, channel } of old) {
			await underway;
			await channel.close();
		}
	};

	return {
		replace: (channels: readonly ChannelConfig[]): void => {
			const old = new Map(routes);
			routes.clear();
			for (const config of channels) {
				const route: Route = {
					config,
					channel: makeChannel(config),
					failures: 0,
					trouble: undefined,
					retryAt: 0,
					underway: undefined,
					unkept: old.get(config.name)?.unkept ?? [],
				};
				// What the old one is sending is not for the new one to send, too.
				const former = old.get(config.name);
				const inherited = route.unkept;
				route.underway = former?.underway?.finally(() => {
					route.unkept = route.unkept.filter((notice) => !inherited.includes(notice) || former.unkept.includes(notice));
					route.underway = undefined;
				});
				routes.set(config.name, route);
			}
			void close([...old.values()]);
		},
		/** The work in one transaction, which first takes note of what was sent: else it would be replaced as if nobody had heard it. */
		noting: <T>(work: () => T): T | "busy" => {
			const outcome = notices.attempt(() => {
				for (const id of taken) notices.sent(id, clock());
				return work();
			});
			if (outcome !== "busy") taken.clear();
			return outcome;
		},
		/** Says it by these channels, although it cannot be kept; of what was over before it could be said, nothing. */
		tell: (channels: readonly string[], notice: MatterNotice): void => {
			for (const name of channels) {
				const route = routes.get(name);
				if (route === undefined) continue;
				const isUnsaid = notice.state === "recovered" && route.unkept.length > 0 && route.underway === undefined;
				route.unkept = isUnsaid ? [] : [...route.unkept, notice];
			}
		},
		/** Begins what is due, and resolves when it was tried. One that is slow is not joined by a second. */
		round: async (): Promise<void> => {
			const now = clock();
			for (const route of routes.values()) {
				// A pause that is longer than any was begun before the clock was set back.
				const isPaused = route.retryAt > now && route.retryAt <= now + PAUSES.mostMs;
				if (route.underway !== undefined || isPaused) continue;
				route.underway = carry(route)
					.catch((error: unknown) => log.warn({ channel: route.config.name, because: String(error) }, "telling failed; it is tried again"))
					.finally(() => {
						route.underway = undefined;
					});
			}
			await Promise.all([...routes.values()].map(({ underway }) => underway));
		},
		channels: (): readonly ChannelState[] =>
			[...routes.values()].map(({ config, trouble, unkept }) => ({ channel: config.name, trouble, unkept: unkept.length })),
		stop: () => close([...routes.values()]),
	};
}

/** What a log line says of a matter: whom it is about, and by which run it is known. */
export function fieldsOf({ key, about, detail, run }: Matter): object {
	const whom = detail.kind === "database" || about === PAGE ? {} : { [detail.kind === "target" ? "target" : "source"]: about };
	return { matter: key, ...whom, ...(run !== undefined && { run }) };
}

interface Desk {
	readonly page: string;
	readonly file: string;
	readonly now: number;
}

function stationeryFor(config: ChannelConfig, { page, file }: Desk): Stationery {
	const own = config.page ?? page;
	return { timezone: config.timezone, page: own.endsWith("/") ? own : `${own}/`, config: file };
}

function unkeptMessage(notice: MatterNotice, config: ChannelConfig, desk: Desk): Message {
	const { key, since } = notice.matter;
	const nameOf = (state: string): string => `${config.name} ${key} ${since} ${state}`;
	const first = notice.state === "opened" ? undefined : nameOf("opened");
	const letter = writeMatter(notice, stationeryFor(config, desk));
	return { id: nameOf(notice.state), first, at: desk.now, letter, facts: { kind: "matter", notice } };
}

function messageOf({ id, channel, matter, body, first }: OpenNotice, config: ChannelConfig, desk: Desk): Message {
	const stationery = stationeryFor(config, desk);
	const nameOf = (notice: number): string => `${channel} ${matter} ${notice}`;
	const common = { id: nameOf(id), first: first === undefined ? undefined : nameOf(first), at: desk.now };
	if (body.kind === "report") {
		return { ...common, letter: writeReport(body.from, body.to, body.movements, stationery), facts: { kind: "report" } };
	}
	// Where nobody was told yet, it is no change and no reminder.
	const isOver = body.notice.state === "recovered";
	const notice = first === undefined && !isOver ? { ...body.notice, state: "opened" as const } : body.notice;
	return { ...common, letter: writeMatter(notice, stationery), facts: { kind: "matter", notice } };
}
