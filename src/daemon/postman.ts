import type { ChannelConfig } from "../config/notify-config.ts";
import { Failure } from "../core/errors.ts";
import { backOff, waitReally } from "../lib/waiting.ts";
import type { Channel, Message } from "../notify/channel.ts";
import type { Stationery } from "../notify/letter.ts";
import { writeMatter } from "../notify/matter-letter.ts";
import { writeReport } from "../notify/report-letter.ts";
import type { Notices, OpenNotice } from "../store/notices.ts";
import type { Log } from "../telemetry/log.ts";

export interface PostmanParts {
	readonly notices: Pick<Notices, "attempt" | "due" | "sent" | "failed">;
	readonly makeChannel: (config: ChannelConfig) => Channel;
	/** The page's URL, for channels that name no other. */
	readonly page: string;
	/** The configuration's file. */
	readonly config: string;
	readonly log: Log;
	readonly clock: () => number;
	/** 0 to below 1. */
	readonly random: () => number;
	/** Aborted when the daemon is ending. */
	readonly ending: AbortSignal;
}

interface Route {
	readonly config: ChannelConfig;
	readonly channel: Channel;
	/** Tries that failed, one after the other. */
	failures: number;
	/** Not before then, Unix milliseconds. */
	retryAt: number;
	underway: Promise<void> | undefined;
}

/** A mail server that is down for a minute costs a minute, and one that is down for a day one try an hour. */
const PAUSES = { firstMs: 10_000, mostMs: 3_600_000 };
const MOST_AT_ONCE = 20;
const BUSY_WAIT_MS = 100;
/** What was sent has to be noted, or it is sent again: worth some of the time that an end may take. */
const MOST_BUSY_WAITS = 20;

/** Carries what lies ready, each channel at its own pace. Never rejects. */
export function makePostman({ notices, makeChannel, page, config: file, log, clock, random, ending }: PostmanParts) {
	const routes = new Map<string, Route>();

	const note = async (write: () => void): Promise<void> => {
		for (let waits = 0; notices.attempt(write) === "busy" && waits < MOST_BUSY_WAITS; waits++)
			await waitReally(BUSY_WAIT_MS, new AbortController().signal);
	};

	/** Whether it was taken. */
	const send = async (route: Route, notice: OpenNotice): Promise<boolean> => {
		const { name } = route.config;
		try {
			const refused = await route.channel.send(messageOf(notice, route.config, { page, file, now: clock() }), ending);
			await note(() => notices.sent(notice.id, clock()));
			if (refused.length > 0) log.warn({ channel: name, refused }, "some readers were refused");
			log[route.failures > 0 ? "info" : "debug"]({ channel: name, matter: notice.matter }, "told");
			route.failures = 0;
			return true;
		} catch (error) {
			if (ending.aborted) return false;
			if (!(error instanceof Failure)) throw error;
			const pauseMs = backOff(route.failures, random, PAUSES);
			log[route.failures === 0 ? "warn" : "debug"](
				{ channel: name, because: error.message, hint: error.hint, retryInMs: pauseMs },
				"cannot tell",
			);
			route.failures += 1;
			route.retryAt = clock() + pauseMs;
			await note(() => notices.failed(notice.id, error.message, route.retryAt));
			return false;
		}
	};

	const carry = async (route: Route): Promise<void> => {
		for (const notice of notices.due(route.config.name, clock(), MOST_AT_ONCE)) {
			if (ending.aborted || !(await send(route, notice))) return;
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
				const route: Route = { config, channel: makeChannel(config), failures: 0, retryAt: 0, underway: undefined };
				// What the old one is sending is not for the new one to send, too.
				route.underway = old.get(config.name)?.underway?.finally(() => {
					route.underway = undefined;
				});
				routes.set(config.name, route);
			}
			void close([...old.values()]);
		},
		/** Begins what is due, and resolves when it was tried. One that is slow is not joined by a second. */
		round: async (): Promise<void> => {
			const now = clock();
			for (const route of routes.values()) {
				if (route.underway !== undefined || route.retryAt > now) continue;
				route.underway = carry(route)
					.catch((error: unknown) => log.warn({ channel: route.config.name, because: String(error) }, "telling failed; it is tried again"))
					.finally(() => {
						route.underway = undefined;
					});
			}
			await Promise.all([...routes.values()].map(({ underway }) => underway));
		},
		stop: () => close([...routes.values()]),
	};
}

interface Desk {
	readonly page: string;
	readonly file: string;
	readonly now: number;
}

function messageOf({ id, channel, matter, body, first }: OpenNotice, config: ChannelConfig, { page, file, now }: Desk): Message {
	const own = config.page ?? page;
	const stationery: Stationery = { timezone: config.timezone, page: own.endsWith("/") ? own : `${own}/`, config: file };
	const nameOf = (notice: number): string => `${channel} ${matter} ${notice}`;
	const common = { id: nameOf(id), first: first === undefined ? undefined : nameOf(first), at: now };
	if (body.kind === "report") {
		return { ...common, letter: writeReport(body.from, body.to, body.movements, stationery), facts: { kind: "report" } };
	}
	// Where nobody was told yet, it is no change and no reminder.
	const isOver = body.notice.state === "recovered";
	const notice = first === undefined && !isOver ? { ...body.notice, state: "opened" as const } : body.notice;
	return { ...common, letter: writeMatter(notice, stationery), facts: { kind: "matter", notice } };
}
