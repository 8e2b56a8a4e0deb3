import type { Config } from "../config/config.ts";
import { Failure } from "../core/errors.ts";
import type { ReadBackReport } from "../engine.ts";
import type { HealthFacts } from "../http/health.ts";
import type { Look } from "../http/look.ts";
import type { Reads, ScheduleView } from "../http/reads.ts";
import { makeChannel } from "../notify/channels.ts";
import type { Forgotten } from "../store/forget.ts";
import { openNotices } from "../store/notices.ts";
import { openViews } from "../store/open-views.ts";
import type { Pages } from "../store/page-views.ts";
import { openPages } from "../store/pages.ts";
import type { Unpinned } from "../store/pins.ts";
import { openProbe, type Probe } from "../store/probe.ts";
import type { Views } from "../store/views.ts";
import type { Mode, RevertRequest, RunReport, Trigger } from "../sync/report.ts";
import type { Log } from "../telemetry/log.ts";
import { makeMetrics } from "../telemetry/metrics.ts";
import { certificateOfPage, channelFacts, countPending, expiryOfPage } from "./beside.ts";
import { type Closers, makeClosers } from "./closers.ts";
import { type EngineClient, startEngine } from "./engine-client.ts";
import { makeGoingRuns } from "./going.ts";
import { hearDeliveries } from "./hear-deliveries.ts";
import { makeLook } from "./look.ts";
import { makeNotifying } from "./notifying.ts";
import { gatherParts, makeOverview } from "./overview.ts";
import type { PulseLimits } from "./pulse.ts";
import { makeReadBacks } from "./read-backs.ts";
import { makeRuns } from "./runs.ts";
import { makeSchedule } from "./schedule.ts";
import { makeSightings } from "./sightings.ts";
import { makeUpkeep } from "./upkeep.ts";
import { makeWatching } from "./watching.ts";

/** The working parts of the daemon: engine, schedule, upkeep, and what is known of them. */
export interface Works {
	start(): void;
	/** Switches to another configuration when the runs going on have ended. Throws when it cannot be opened; then the old one stays. */
	change(config: Config): Promise<void>;
	sync(source: string, mode: "full" | "delta" | "auto", by: string): Promise<RunReport>;
	approve(plan: string, by: string): Promise<RunReport>;
	reject(plan: string, by: string): Promise<{ readonly source: string; readonly rejected: number }>;
	revert(request: RevertRequest, by: string): Promise<RunReport>;
	unpin(user: string, by: string): Promise<Unpinned>;
	forget(target: string, user: string | undefined, by: string): Promise<Forgotten>;
	readBack(target: string, by: string): Promise<ReadBackReport>;
	sources(): readonly string[];
	preview: Reads["preview"];
	schedule(): readonly ScheduleView[];
	accountsNamed: Reads["accountsNamed"];
	strangers: Reads["strangers"];
	/** Lists without end, read in slices beside the engine. */
	readonly pages: Pages;
	facts(): Pick<HealthFacts, "sources" | "targets" | "database" | "engine" | "beside">;
	metrics(): Promise<string>;
	readonly look: Look;
	/** Ends between two writes: runs are aborted and waited for, the write-ahead log goes into the database. */
	close(): Promise<void>;
}

export interface WorksParts {
	readonly log: Log;
	readonly clock: () => number;
	readonly version: string;
	/** Aborted when the daemon is to end, also while the works are being opened. */
	readonly signal: AbortSignal;
	/** Where the page is; by default where the configuration has HTTP listen. */
	readonly page?: string;
	/** The engine's thread; by default the real one. */
	readonly engineFile?: string | URL;
	/** How soon a thread that does not answer is given up; by default as `usualPulse`. */
	readonly pulse?: PulseLimits;
	/** The engine's thread hangs, and cannot be ended: only the end of the process heals that. */
	onStuck(): void;
}

/** Of the 10 s that an end may take: for the run to stop between two writes, after which the engine's thread is cut off. */
const ENGINE_CLOSE_MS = 7000;

/** Opens the database and everything that works on it. Throws what the engine refuses to open with. */
export async function openWorks(
	first: Config,
	{ log, clock, version, signal, page, engineFile, pulse, onStuck }: WorksParts,
): Promise<Works> {
	let config = first;
	const ending = new AbortController();
	const closers = makeClosers(log);
	const going = makeGoingRuns(clock);
	const certificates = new Map<string, number>();
	const metrics = makeMetrics(version, () => ({
		...overview.state(),
		...{ times: schedule.times(), engineSilenceMs: engine.silenceMs(), pageCertificate: expiryOfPage(config.http) },
		channels: countPending(notifying, notices),
	}));
	const engine = await startEngine(config, {
		...(engineFile !== undefined && { file: engineFile }),
		...(pulse !== undefined && { pulse }),
		onStuck,
		onSilent: (silenceMs) => log.error({ silenceMs }, "the engine does not answer; it is cut off and started again"),
		clock,
		signal,
		listener: {
			begun: (run) => runs.begun(run),
			progress: (progress) => {
				going.progressed(progress);
				schedule.progressed(progress.source);
			},
			ldap: (source, operation, seconds) => metrics.observeLdap(source, operation, seconds),
			certificate: (source, expiresAt) => {
				metrics.observeCertificate(source, expiresAt);
				certificates.set(source, expiresAt);
			},
			woken: (source) => watching.woken(source),
			...hearDeliveries({ metrics, log, clock }),
		},
		onDown: (err, retryInMs) => {
			going.lost();
			log.error({ err, retryInMs }, "the engine ended by itself and will be started again");
		},
		onUp: () => log.info("the engine is up again"),
	});
	closers.add("engine", () => engine.close(ENGINE_CLOSE_MS));
	const { views, probe, pages } = await openReaders(config.database, closers);
	const names = (each: readonly { readonly name: string }[]): readonly string[] => each.map(({ name }) => name);
	const configured = () => ({ sources: names(config.sources), targets: names(config.targets), features: names(config.features) });
	const overview = makeOverview({ views, configured, clock });
	const runs = makeRuns({ engine, overview, views, metrics, log, clock, ending: ending.signal });
	const lastSuccess = (source: string) =>
		overview.state().sources.find((view) => view.source === source)?.lastSuccess ?? { full: undefined, delta: undefined };
	const scheduled = async (source: string, mode: Mode, trigger: Trigger): Promise<boolean> => {
		const hasSucceeded = await runs.scheduled(source, mode, trigger);
		// Not one that the watch itself woke: one that stands and breaks at once would go round and round.
		if (hasSucceeded && trigger !== "watch") watching.succeeded(source);
		return hasSucceeded;
	};
	const schedule = makeSchedule(config.sources, { run: scheduled, lastSuccess, clock });
	closers.add("schedule", () => schedule.stop());
	const watching = makeWatching({
		open: (source, until) => engine.call("watch", { source }, until),
		wake: (source) => schedule.wake(source),
		observe: (source, isUp) => metrics.observeWatch(source, isUp),
		log,
		clock,
		random: Math.random,
		ending: ending.signal,
	});
	closers.add("watches", () => watching.stop());
	const upkeep = makeUpkeep({ engine, probe, log, clock, ending: ending.signal });
	closers.add("upkeep", () => upkeep.stop());
	const readBacks = makeReadBacks({ engine, log, clock, ending: ending.signal });
	closers.add("readings back", () => readBacks.stop());
	const notices = openNotices(config.database);
	const decided = new Set<string>();
	closers.add("notices", () => notices.close());
	const pageCertificate = () => expiryOfPage(config.http);
	const notifying = makeNotifying({
		...{ notices, configured, log, clock, random: Math.random, ending: ending.signal, config: config.file },
		observe: (channel, result) => metrics.observeNotice(channel, result),
		databaseTrouble: () => upkeep.trouble() ?? runs.databaseTrouble() ?? overview.trouble(),
		sightings: makeSightings({ overview, notices, decided, certificateOf: (source) => certificates.get(source), pageCertificate }),
		pageCertificate,
		makeChannel: (channel) => makeChannel(channel, clock),
		page: page ?? `http://${config.http.listen.host}:${config.http.listen.port}/`,
	});
	closers.add("notifying", () => notifying.stop());

	/** A run outside of the schedule, as far as the schedule is concerned. */
	const counted = async (work: Promise<RunReport>): Promise<RunReport> => {
		const report = await work;
		if (report.outcome === "failed") return report;
		schedule.succeeded(report.source, report.mode);
		// Only one that read says that the directory can be read.
		if (report.trigger !== "approve") watching.succeeded(report.source);
		return report;
	};
	/** What a person ended is over at once, for who was told of it. */
	const seen = async <T extends { readonly source: string }>(decision: Promise<T>): Promise<T> => {
		const made = await decision;
		decided.add(made.source);
		return made;
	};
	/** Decisions touch one source where it is known whose plan it is, and else may touch any. */
	const deciding = <T>(plan: string, work: () => Promise<T>): Promise<T> => {
		const source = views.heldBriefly(0).find((held) => held.plan === plan)?.source;
		return source === undefined ? schedule.betweenAll(work) : schedule.between(source, work);
	};

	return {
		start: () => {
			schedule.start();
			upkeep.start();
			readBacks.replace(config.targets);
			watching.start(watchedIn(config));
			notifying.start(config.notify, config.settleMs);
		},
		change: (to) =>
			schedule.betweenAll(async () => {
				watching.stop();
				try {
					await engine.reopen(to);
					config = to;
					// Not awaited: it waits for sources that are gone, whose runs are kept away by this very change.
					void schedule.replace(to.sources);
					readBacks.replace(to.targets);
					notifying.start(to.notify, to.settleMs);
				} finally {
					watching.start(watchedIn(config));
				}
			}),
		sync: (source, mode, by) => schedule.between(source, () => counted(runs.sync(source, mode, "api", by))),
		approve: (plan, by) => deciding(plan, () => seen(counted(runs.approve(plan, by)))),
		reject: (plan, by) => deciding(plan, () => seen(runs.reject(plan, by))),
		revert: (request, by) => {
			const source = views.run(request.run)?.source;
			// It reads nothing: no success of a reading comes of it.
			return source === undefined || !configured().sources.includes(source)
				? runs.revert(request, by)
				: schedule.between(source, () => runs.revert(request, by));
		},
		unpin: (user, by) => engine.call("unpin", { user, by }, ending.signal),
		forget: (target, user, by) => engine.call("forget", { target, user, by }, ending.signal),
		readBack: (target, by) => readBacks.readBack(target, by),
		preview: (request, most) => engine.call("preview", { request, most }, ending.signal),
		schedule: () => schedule.times(),
		accountsNamed: (user) => [...views.accounts(user)],
		strangers: (group, most) => views.strangers(group, most),
		pages,
		sources: () => configured().sources,
		facts: () => ({
			...gatherParts(overview, schedule.times(), watching.state),
			database: upkeep.trouble() ?? runs.databaseTrouble() ?? overview.trouble(),
			engine: engineTrouble(engine),
			beside: [...certificateOfPage(config.http, clock()), ...notifying.channels().map(channelFacts)],
		}),
		metrics: () => metrics.text(),
		look: makeLook({
			...{ views, overview, going: going.now, config: () => config },
			explain: (user) => engine.call("explain", { user }, ending.signal),
		}),
		close: async () => {
			ending.abort(new Failure("CANCELLED", "stopped because the daemon is ending"));
			// A run that does not stop by itself is stopped with its thread: the transaction that it is in is as if it had never begun.
			const cut = setTimeout(() => void engine.close(0), ENGINE_CLOSE_MS);
			await closers.close();
			clearTimeout(cut);
		},
	};
}

function watchedIn({ sources }: Config): readonly string[] {
	return sources.flatMap((source) => (source.type === "active-directory" && source.watch ? [source.name] : []));
}

/** What reads and probes beside the engine. When one cannot be opened, the engine is closed again. */
async function openReaders(
	database: string,
	closers: Closers,
): Promise<{ readonly views: Views; readonly probe: Probe; readonly pages: Pages }> {
	try {
		const views = openViews(database);
		closers.add("views", () => views.close());
		const probe = openProbe(database);
		closers.add("probe", () => probe.close());
		const pages = openPages(database);
		closers.add("pages", () => pages.close());
		return { views, probe, pages };
	} catch (error) {
		await closers.close();
		throw error;
	}
}

function engineTrouble(engine: EngineClient): HealthFacts["engine"] {
	const state = engine.state();
	if (state.kind === "up") return undefined;
	if (state.kind === "silent") {
		const because = "the engine does not answer: it hangs";
		return {
			since: state.since,
			because,
			hint: "It is cut off and started again; nothing is lost. If it comes back, report it with the log.",
		};
	}
	const hint = `It is started again at ${new Date(state.retryAt).toISOString()}; the log says more.`;
	return { since: state.since, because: `the engine is down: ${state.because}`, hint };
}
