import type { Config, SourceConfig } from "./config/config.ts";
import type { TargetConfig } from "./config/target-config.ts";
import { type Counts, changeKinds, type GroupCounts, noGroupCounts } from "./core/change.ts";
import { Failure } from "./core/errors.ts";
import { compileMapping } from "./core/mapping.ts";
import { digest } from "./lib/digest.ts";
import { makeQueues } from "./lib/queue.ts";
import { makeSource, schemaOf } from "./source/sources.ts";
import { asFailure, type Connection, openDatabase, openReadOnly, openSibling } from "./store/database.ts";
import { openLocalAccounts } from "./store/local-accounts.ts";
import { openLocalGroups } from "./store/local-groups.ts";
import { makeIds, openSession, type Session } from "./store/session.ts";
import { indexEmployees } from "./store/takeovers.ts";
import { backUp, openUpkeep } from "./store/upkeep.ts";
import { type CycleContext, cycle, deliverAll } from "./sync/cycle.ts";
import { findHeld, findShown, reject } from "./sync/decide.ts";
import { type JudgedChange, judgedChanges } from "./sync/judged.ts";
import type { Planned, RunContext } from "./sync/planned.ts";
import type { DeliveryCount, HeldKind, Mode, Progress, RunReport, Trigger } from "./sync/report.ts";
import { plan } from "./sync/run.ts";
import type { SyncSource } from "./sync/settings.ts";
import { groupsOfViews, hasView, makeViews, viewsText } from "./sync/views.ts";
import { makeLocalTarget } from "./target/local/local.ts";
import type { Target } from "./target/target.ts";

/** What is told while work goes on. */
export interface Listener {
	progress(progress: Progress): void;
	/** After each operation on a directory server. */
	ldap(source: string, operation: string, seconds: number): void;
	/** When a directory server's certificate expires, Unix milliseconds. */
	certificate(source: string, expiresAt: number): void;
}

export interface SyncRequest {
	readonly source: string;
	readonly mode: Mode | "auto";
	readonly trigger: Trigger;
}

/** What `sync` would do. `changes` can be walked any number of times until `close`. */
export interface PlanResult {
	readonly source: string;
	readonly mode: Mode;
	readonly sealed: boolean;
	readonly unsealed: readonly string[];
	readonly fullBecause: string | undefined;
	readonly warnings: readonly string[];
	readonly read: number;
	readonly quarantined: number;
	/** "sha256:…": names what is held if anything is, else all of it. */
	readonly plan: string;
	/** All planned changes by kind, held or not. */
	readonly summary: Counts;
	/** Changes that are the doing of one target alone, held or not: the summary does not count them. */
	readonly atTargets: number;
	/** What would become of groups, as far as it is not held. */
	readonly groups: GroupCounts;
	readonly held: readonly HeldKind[];
	changes(): Iterable<JudgedChange>;
	close(): void;
}

/** Plans without a right to write anything. */
export interface Planner {
	plan(request: Omit<SyncRequest, "trigger">, on: Listener, signal: AbortSignal): Promise<PlanResult>;
	close(): Promise<void>;
}

export interface Engine {
	sync(request: SyncRequest, on: Listener, signal: AbortSignal): Promise<RunReport>;
	/** Throws PLAN_UNKNOWN, or reports PLAN_CHANGED as the run's error. */
	approve(plan: string, by: string, on: Listener, signal: AbortSignal): Promise<RunReport>;
	reject(plan: string, by: string): Promise<{ readonly source: string; readonly rejected: number }>;
	/**
	 * Stands by at a source and calls `woken` when something may have changed there, the first time as soon as it stands; goes on
	 * beside everything else. Ends only by throwing: see `Source.watch`.
	 */
	watch(source: string, woken: () => void, signal: AbortSignal): Promise<never>;
	/** Tries again what is open and due at every target. */
	deliver(on: Listener, signal: AbortSignal): Promise<readonly DeliveryCount[]>;
	/** When the next open delivery is due: Unix milliseconds, undefined when nothing is open. */
	nextDelivery(): number | undefined;
	retain(): { readonly runs: number; readonly changes: number; readonly entries: number };
	backUp(file: string): void;
	close(): Promise<void>;
}

export interface EngineOptions {
	/** How thoroughly the database is checked at the start: see `openDatabase`. */
	readonly check: "always" | "small";
	/** Unix milliseconds. */
	readonly clock: () => number;
	/** 0 to below 1. */
	readonly random: () => number;
}

/** A source in the engine. `heard` is whoever listens to the run that is going on. */
interface Part {
	readonly sync: SyncSource;
	readonly heard: { by: Listener };
	session: Session | undefined;
	isBusy: boolean;
}

/** Opens the database for writing and builds everything that runs need. Call while holding the database's lock. */
export function openEngine(config: Config, options: EngineOptions): Engine {
	const { clock } = options;
	const file = config.database;
	const db = openDatabase(file, { check: options.check, now: clock() });
	if (config.match === "employeeNumber") indexEmployees(db);
	const nextId = makeIds(db);
	const names = config.targets.map(({ name }) => name);
	const withViews = namesOfViews(config);
	const open = (): Session => {
		const session = openSession(openSibling(file), nextId);
		// Every target that there is keeps groups.
		session.setTargets(names, names, withViews);
		return session;
	};
	const main = open();
	main.transaction(() => main.runs.interruptOpen(clock()));
	const targets = config.targets.map((target) => makeTarget(target, db));
	const upkeep = openUpkeep(db);
	const exclusive = makeQueues();
	const parts = makeParts(config, options);
	const contextOf = (part: Part, session: Session, on: Listener): CycleContext => ({
		session,
		sync: part.sync,
		targets,
		clock,
		exclusive,
		onProgress: (progress) => on.progress(progress),
		asFailure: (error) => asFailure(file, error),
	});

	/** One run of a source at a time: a second one is refused, not queued. */
	const alone = async <T>(part: Part, on: Listener, work: (context: CycleContext) => Promise<T>): Promise<T> => {
		const { name } = part.sync.source;
		if (part.isBusy) throw new Failure("RUN_ALREADY_ACTIVE", `a run of source ${name} is going on`, { hint: "Wait for it to end." });
		part.isBusy = true;
		part.heard.by = on;
		try {
			part.session ??= open();
			return await work(contextOf(part, part.session, on));
		} catch (error) {
			throw asFailure(file, error);
		} finally {
			part.isBusy = false;
			part.heard.by = silent;
		}
	};

	return {
		sync: ({ source, mode, trigger }, on, signal) =>
			alone(partOf(parts, source), on, (context) => cycle(context, { kind: "sync", mode, trigger }, signal)),
		approve: async (name, by, on, signal) => {
			// What waits in the database names its source; only that one must have no run going on.
			for (const part of parts) {
				const decision = findHeld(contextOf(part, main, on), name);
				if (decision === undefined) continue;
				return alone(part, on, (context) => cycle(context, { kind: "approve", plan: name, decision, by }, signal));
			}
			for (const part of parts) {
				const report = await alone(part, on, async (context) => {
					const decision = await findShown(context, name, signal);
					return decision && cycle(context, { kind: "approve", plan: name, decision, by }, signal);
				});
				if (report !== undefined) return report;
			}
			throw unknownPlan(name);
		},
		reject: async (name, by) => {
			for (const part of parts) {
				if (findHeld(contextOf(part, main, silent), name) === undefined) continue;
				const rejected = await alone(part, silent, async (context) => reject(context, name, by, clock()));
				return { source: part.sync.source.name, rejected };
			}
			throw unknownPlan(name);
		},
		watch: async (name, woken, signal) => {
			const { watch } = partOf(parts, name).sync.source;
			if (watch === undefined) throw new Failure("CONFIG_INVALID", `source ${name} is not to be watched`, { hint: "Set watch: true." });
			return watch(woken, signal);
		},
		deliver: async (on, signal) => {
			const part = parts[0];
			if (part === undefined) return [];
			try {
				return await deliverAll(contextOf(part, main, on), [], signal);
			} catch (error) {
				throw asFailure(file, error);
			}
		},
		nextDelivery: () => {
			const due = [main.ledger.nextDue(), main.groupLedger.nextDue()].filter((at) => at !== undefined);
			return due.length === 0 ? undefined : Math.min(...due);
		},
		retain: () => upkeep.retain({ runsBefore: clock() - config.retention.runsMs, changesBefore: clock() - config.retention.changesMs }),
		backUp: (to) => backUp(file, to),
		close: async () => {
			for (const target of targets) await target.close();
			for (const part of parts) part.session?.close();
			main.close();
			upkeep.checkpoint();
			db.close();
		},
	};
}

/** Opens the database read-only: `plan` changes nothing, also while a daemon is running. */
export function openPlanner(config: Config, options: Pick<EngineOptions, "clock" | "random">): Planner {
	const { clock } = options;
	const db = openReadOnly(config.database);
	const session = openSession(db, makeIds(db));
	session.ledger.readTargets(
		config.targets.map(({ name }) => name),
		namesOfViews(config),
	);
	const parts = makeParts(config, options);
	return {
		plan: async ({ source, mode }, on, signal) => {
			const part = partOf(parts, source);
			part.heard.by = on;
			const context: RunContext = { session, sync: part.sync, clock, onProgress: (progress) => on.progress(progress) };
			return planResult(session, source, await plan(context, { kind: "read", mode }, [], true, signal));
		},
		close: async () => session.close(),
	};
}

function planResult(session: Session, source: string, planned: Planned): PlanResult {
	const { judgement, groups, reading } = planned;
	const summary = Object.fromEntries(changeKinds.map((kind) => [kind, judgement.passed[kind] + judgement.held[kind]])) as Record<
		keyof Counts,
		number
	>;
	return {
		source,
		mode: reading?.mode ?? "delta",
		sealed: planned.unsealed.length === 0,
		unsealed: planned.unsealed,
		fullBecause: reading?.fullBecause,
		warnings: planned.warnings,
		read: reading?.read ?? 0,
		quarantined: planned.quarantined,
		plan: planned.plan ?? "",
		summary,
		atTargets: planned.atTargets.passed + planned.atTargets.held,
		groups: reading === undefined ? noGroupCounts : groups.counts,
		held: planned.heldKinds,
		changes: () => judgedChanges(session),
		close: () => session.clear(),
	};
}

type Surroundings = Pick<EngineOptions, "clock" | "random">;

function makeParts(config: Config, surroundings: Surroundings): readonly Part[] {
	return config.sources.map((source) => {
		const heard = { by: silent };
		return { sync: makeSync(config, source, surroundings, heard), heard, session: undefined, isBusy: false };
	});
}

function makeSync(config: Config, source: SourceConfig, { clock, random }: Surroundings, heard: Part["heard"]): SyncSource {
	const { name, mapping, users, groups, limits, groupLimits } = source;
	const observe = {
		request: (operation: string, seconds: number) => heard.by.ldap(name, operation, seconds),
		certificate: (expiresAt: number) => heard.by.certificate(name, expiresAt),
	};
	const views = makeViews(config.targets, { mapping, schema: schemaOf(source) });
	const rules = { groups: groupsOfViews(views), attributes: views.flatMap(({ attributes }) => attributes) };
	const viewed = viewsText(config.targets);
	return {
		source: makeSource(source, { protect: config.protect, rules, clock, random, observe }),
		mapping: compileMapping(mapping),
		lifecycle: config.lifecycle,
		limits,
		groupLimits,
		match: config.match === "none" ? undefined : config.match,
		// Whether groups are read at all: then everyone's are worked out, also of those whose entry stayed the same.
		views,
		rules: digest(
			JSON.stringify([
				mapping,
				config.lifecycle,
				config.match,
				users.groups,
				groups !== undefined,
				...(viewed === undefined ? [] : [viewed]),
			]),
		).toString("hex"),
	};
}

function namesOfViews({ targets }: Config): readonly string[] {
	return targets.filter(hasView).map(({ name }) => name);
}

function makeTarget({ name }: TargetConfig, db: Connection): Target {
	return makeLocalTarget(name, openLocalAccounts(db, name), openLocalGroups(db, name));
}

function partOf(parts: readonly Part[], name: string): Part {
	const part = parts.find(({ sync }) => sync.source.name === name);
	if (part === undefined) {
		const known = parts.map(({ sync }) => sync.source.name).join(", ");
		throw new Failure("NOT_FOUND", `there is no source ${name} in the configuration`, { hint: `There is: ${known}.` });
	}
	return part;
}

function unknownPlan(name: string): Failure {
	return new Failure("PLAN_UNKNOWN", `no plan ${name} is waiting`, {
		hint: "It was decided, or it dissolved because the directory changed. `dirsyncd status` shows what is held now.",
	});
}

const silent: Listener = { progress: () => {}, ldap: () => {}, certificate: () => {} };
