import { existsSync } from "node:fs";
import { attributesAskedBy, rulesFor } from "./config/asked.ts";
import type { Config, SourceConfig } from "./config/config.ts";
import { configLines } from "./config/lines.ts";
import type { TargetConfig } from "./config/target-config.ts";
import { withoutSecrets } from "./config/without-secrets.ts";
import { type Counts, changeKinds, noGroupCounts } from "./core/change.ts";
import { Failure } from "./core/errors.ts";
import { compileMapping } from "./core/mapping.ts";
import { compileRules } from "./core/rules.ts";
import type { Engine, EngineOptions, Listener, Planner, PlanResult, Trial } from "./engine.ts";
import { explainUser } from "./explain/explain-user.ts";
import { digest } from "./lib/digest.ts";
import { makeSource, schemaOf } from "./source/sources.ts";
import { asFailure, type Connection, openDatabase, openReadOnly, openSibling } from "./store/database.ts";
import { indexRemotes } from "./store/delivery-ledger.ts";
import { openFileTargets } from "./store/file-targets.ts";
import { openLocalAccounts } from "./store/local-accounts.ts";
import { openLocalGroups } from "./store/local-groups.ts";
import { openPeople } from "./store/people.ts";
import { makeIds, openSession, type Session } from "./store/session.ts";
import { indexEmployees } from "./store/takeovers.ts";
import { backUp, openUpkeep } from "./store/upkeep.ts";
import { type CycleContext, cycle } from "./sync/cycle.ts";
import { findHeld, findShown, reject } from "./sync/decide.ts";
import type { SyncTarget } from "./sync/deliver-context.ts";
import { makeDeliveries } from "./sync/deliveries.ts";
import { forget } from "./sync/forget.ts";
import { judgedChanges } from "./sync/judged.ts";
import { unpin } from "./sync/pins.ts";
import type { Planned, RunContext, RunKind } from "./sync/planned.ts";
import { readBack } from "./sync/read-back.ts";
import { type DriftAction, readBackAndAct } from "./sync/repair.ts";
import { sourceOfRun } from "./sync/revert.ts";
import { groupsOfRules } from "./sync/rules.ts";
import { plan } from "./sync/run.ts";
import type { SyncSource } from "./sync/settings.ts";
import { hasView, makeViews, viewsText } from "./sync/views.ts";
import { whatIf } from "./sync/whatif.ts";
import type { Target } from "./target/target.ts";
import { makeTarget } from "./target/targets.ts";

/** What a command waits for that is due again. */
const SOON_MS = 30_000;

/** A source in the engine. `heard` is whoever listens to the run that is going on. */
interface Part {
	readonly sync: SyncSource;
	readonly heard: { by: Listener };
	session: Session | undefined;
	isBusy: boolean;
}

/** Opens the database for writing and builds everything that runs need. Call while holding the database's lock. */
export function openEngine(config: Config, options: EngineOptions): Engine {
	const { clock, beside } = options;
	const file = config.database;
	const db = openDatabase(file, { check: options.check, now: clock() });
	if (config.match === "employeeNumber") indexEmployees(db);
	const nextId = makeIds(db);
	const names = config.targets.map(({ name }) => name);
	const withGroups = config.targets.filter(({ groups }) => groups).map(({ name }) => name);
	const withViews = namesOfViews(config);
	const open = (): Session => {
		const session = openSession(openSibling(file), nextId);
		session.setTargets(names, withGroups, withViews);
		return session;
	};
	const main = open();
	main.transaction(() => main.runs.interruptOpen(clock()));
	const targets = config.targets.map((target): SyncTarget => ({ target: openTarget(target, db, options), adopt: adoptOf(target) }));
	if (targets.some(({ target }) => target.announcesCreates)) indexRemotes(db);
	const delivering = open();
	const deliveries = makeDeliveries({
		session: delivering,
		targets,
		clock,
		random: options.random,
		// With nobody there to wake it later, what is soon due is waited for.
		waitsMs: beside === undefined ? SOON_MS : 0,
		onNews: (news) => beside?.onNews(news),
		onError: (error) => beside?.onError(asFailure(file, error)),
	});
	const upkeep = openUpkeep(db);
	const parts = makeParts(config, options);
	const contextOf = (part: Part, session: Session, on: Listener): CycleContext => ({
		session,
		sync: part.sync,
		deliveries,
		patienceMs: (trigger) => beside?.patienceMs(trigger),
		clock,
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
		revert: async (request, by, on, signal) => {
			const source = sourceOfRun(main, request);
			return alone(partOf(parts, source), on, (context) => cycle(context, { kind: "revert", request, by }, signal));
		},
		unpin: async (user, by) => {
			try {
				return unpin(main, user, by, clock());
			} catch (error) {
				throw asFailure(file, error);
			}
		},
		watch: async (name, woken, signal) => {
			const { watch } = partOf(parts, name).sync.source;
			if (watch === undefined) throw new Failure("CONFIG_INVALID", `source ${name} is not to be watched`, { hint: "Set watch: true." });
			return watch(woken, signal);
		},
		deliver: () => deliveries.wake(),
		nextDelivery: () => deliveries.nextDue(),
		forget: async (target, user, by) => {
			try {
				return forget({ session: main, configured: names, clock }, target, user, by);
			} catch (error) {
				throw asFailure(file, error);
			}
		},
		readBack: async (name, signal) => {
			const { target, action } = readable(config, targets, name);
			// On a connection of its own: deliveries go on meanwhile.
			const session = open();
			try {
				const report = await readBackAndAct({ session, target, action, clock }, signal);
				deliveries.wake();
				return report;
			} catch (error) {
				throw asFailure(file, error);
			} finally {
				session.close();
			}
		},
		retain: () => upkeep.retain({ runsBefore: clock() - config.retention.runsMs, changesBefore: clock() - config.retention.changesMs }),
		backUp: (to) => backUp(file, to),
		close: async () => {
			await deliveries.close();
			for (const { target } of targets) await target.close();
			delivering.close();
			for (const part of parts) part.session?.close();
			main.close();
			upkeep.checkpoint();
			db.close();
		},
	};
}

/** Opens the database read-only: `plan` changes nothing, also while a daemon is running. */
export function openPlanner(config: Config, options: Surroundings): Planner {
	const { clock } = options;
	const db = openReadOnly(config.database);
	const session = openSession(db, makeIds(db));
	session.ledger.readTargets(
		config.targets.map(({ name }) => name),
		namesOfViews(config),
	);
	const parts = makeParts(config, options);
	const planFor = async (source: string, kind: RunKind, on: Listener, signal: AbortSignal): Promise<Planned> => {
		const part = partOf(parts, source);
		part.heard.by = on;
		const context: RunContext = { session, sync: part.sync, clock, onProgress: (progress) => on.progress(progress) };
		return plan(context, kind, [], true, signal);
	};
	return {
		plan: async ({ source, mode }, on, signal) => planResult(session, source, await planFor(source, { kind: "read", mode }, on, signal)),
		revert: async (request, on, signal) => {
			const source = sourceOfRun(session, request);
			const planned = await planFor(source, { kind: "revert", request }, on, signal);
			const revert = planned.revert ?? { run: request.run, leftAlone: [], leftAloneCount: 0 };
			return { ...planResult(session, source, planned), revert };
		},
		readBack: async (name, onDrift, signal) => {
			const settings = config.targets.find((each) => each.name === name);
			if (settings === undefined) throw unknownTarget(config, name);
			const target = openTarget(settings, db, options);
			try {
				return await readBack({ session, target, onDrift, onSame: () => {} }, signal);
			} finally {
				await target.close();
			}
		},
		explain: async (user, signal) => {
			const sources = parts.map(({ sync }, index) => ({ sync, lines: configLines(config, index) }));
			const context = { session, people: openPeople(db), sources, clock };
			try {
				return await explainUser(context, user, signal);
			} finally {
				session.clear();
			}
		},
		close: async () => session.close(),
	};
}

/** Opens the database read-only for a configuration to be tried on it. Throws NOT_FOUND where there is none. */
export function openTrial(config: Config, options: Surroundings): Trial {
	if (!existsSync(config.database)) {
		throw new Failure("NOT_FOUND", `there is no database ${config.database}`, { hint: "Name it, or a copy of it, by --database FILE." });
	}
	const db = openReadOnly(config.database);
	const session = openSession(db, makeIds(db));
	const names = config.targets.map(({ name }) => name);
	session.ledger.readTargets(names, namesOfViews(config));
	return {
		whatIf: async (name, on, signal) => {
			const settings = config.sources.find((each) => each.name === name);
			if (settings === undefined) throw unknownSource(config.sources, name);
			const { source, knowsIdentity } = withoutSecrets(settings);
			const sync = makeSync(config, source, options, { by: on });
			const own = config.targets.flatMap(({ name, mapping }) => (mapping === undefined ? [] : [{ name, mapping }]));
			const at = new Map(own.map((target) => [target.name, { ...source.mapping, ...target.mapping }]));
			const newTargets = unknownTargets()
				.filter((target) => !hasView(target))
				.map((target) => target.name);
			const terms = { newTargets, knowsIdentity, scopeGroups: source.users.groups, protect: config.protect };
			const context: RunContext = { session, sync, clock: options.clock, onProgress: (progress) => on.progress(progress) };
			return whatIf(context, { ...terms, templates: { everywhere: source.mapping, at } }, signal);
		},
		notes: () => [
			...without(session.snapshot.sourceNames(), config.sources).map(
				(name) => `source ${name} is not in the configuration any more: its accounts stay as they are, and nothing is read of it`,
			),
			...without(session.ledger.everyName(), config.targets).map(
				(name) => `target ${name} is not in the configuration any more: its accounts stay there as they are`,
			),
			...unknownTargets().map(({ name }) => `target ${name} is new: what is there already is known only when something is delivered`),
		],
		close: () => session.close(),
	};

	function unknownTargets(): readonly TargetConfig[] {
		const known = session.ledger.everyName();
		return config.targets.filter(({ name }) => !known.includes(name));
	}
}

function without(names: readonly string[], those: readonly { readonly name: string }[]): readonly string[] {
	return names.filter((name) => !those.some((each) => each.name === name));
}

function readable(config: Config, targets: readonly SyncTarget[], name: string): { readonly target: Target; readonly action: DriftAction } {
	const found = targets.find(({ target }) => target.name === name);
	const settings = config.targets.find((each) => each.name === name);
	if (found === undefined || settings === undefined) throw unknownTarget(config, name);
	return { target: found.target, action: settings.type === "scim" ? (settings.readBack?.action ?? "report") : "report" };
}

function unknownTarget({ targets }: Config, name: string): Failure {
	const known = targets.map((target) => target.name).join(", ");
	return new Failure("NOT_FOUND", `there is no target ${name} in the configuration`, { hint: `There is: ${known}.` });
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
	const viewed = viewsText(config.targets);
	const rules = rulesFor(config, name);
	const entitling = compileRules(rules, schemaOf(source));
	const hasRules = entitling.all.length > 0;
	return {
		source: makeSource(source, {
			protect: config.protect,
			attributes: attributesAskedBy(config, name),
			ruleGroups: [...groupsOfRules({ entitling, views }).values()],
			...{ clock, random, observe },
		}),
		mapping: compileMapping(mapping),
		lifecycle: config.lifecycle,
		limits,
		groupLimits,
		match: config.match === "none" ? undefined : config.match,
		// Whether groups are read at all: then everyone's are worked out, also of those whose entry stayed the same.
		views,
		entitling,
		rules: digest(
			JSON.stringify([
				mapping,
				config.lifecycle,
				config.match,
				users.groups,
				groups !== undefined,
				...(viewed === undefined && !hasRules ? [] : [viewed ?? null]),
				...(hasRules ? [rules] : []),
			]),
		).toString("hex"),
	};
}

function namesOfViews({ targets }: Config): readonly string[] {
	return targets.filter(hasView).map(({ name }) => name);
}

function adoptOf(target: TargetConfig): SyncTarget["adopt"] {
	return target.type === "scim" ? target.adopt : "never";
}

function openTarget(target: TargetConfig, db: Connection, { clock, random }: Surroundings): Target {
	const { name } = target;
	const openMirror = () => ({ accounts: openLocalAccounts(db, name), groups: openLocalGroups(db, name), file: openFileTargets(db, name) });
	return makeTarget(target, { openMirror, clock, random });
}

function partOf(parts: readonly Part[], name: string): Part {
	const part = parts.find(({ sync }) => sync.source.name === name);
	if (part === undefined) {
		throw unknownSource(
			parts.map(({ sync }) => sync.source),
			name,
		);
	}
	return part;
}

function unknownSource(sources: readonly { readonly name: string }[], name: string): Failure {
	const known = sources.map((source) => source.name).join(", ");
	return new Failure("NOT_FOUND", `there is no source ${name} in the configuration`, { hint: `There is: ${known}.` });
}

function unknownPlan(name: string): Failure {
	return new Failure("PLAN_UNKNOWN", `no plan ${name} is waiting`, {
		hint: "It was decided, or it dissolved because the directory changed. `dirsyncd status` shows what is held now.",
	});
}

const silent: Listener = { progress: () => {}, ldap: () => {}, certificate: () => {} };
