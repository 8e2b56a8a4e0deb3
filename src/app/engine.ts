import type { Config } from "../config/config.ts";
import type { TargetConfig } from "../config/target-config.ts";
import { Failure } from "../core/errors.ts";
import type { Engine, EngineOptions, Listener } from "../engine.ts";
import { asFailure, openDatabase, openSibling } from "../store/database.ts";
import { decisionRow } from "../store/decision-row.ts";
import { indexRemotes } from "../store/delivery-ledger.ts";
import { makeIds, openSession, type Session } from "../store/session.ts";
import { indexEmployees } from "../store/takeovers.ts";
import { backUp, openUpkeep } from "../store/upkeep.ts";
import { type CycleContext, cycle } from "../sync/cycle.ts";
import { findHeld, findShown, reject } from "../sync/decide.ts";
import type { SyncTarget } from "../sync/deliver-context.ts";
import { makeDeliveries } from "../sync/deliveries.ts";
import { forget } from "../sync/forget.ts";
import { unpin } from "../sync/pins.ts";
import { type DriftAction, readBackAndAct } from "../sync/repair.ts";
import { sourceOfRun } from "../sync/revert.ts";
import type { Target } from "../target/target.ts";
import { makeParts, namesOfViews, openTarget, type Part, partOf, silent, unknownTarget } from "./parts.ts";
import { openPlanner, previewOf } from "./planner.ts";

/** What a command waits for that is due again. */
const SOON_MS = 30_000;

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
		onError: (error, about) => beside?.onError(asFailure(file, error), about),
	});
	const upkeep = openUpkeep(db);
	const parts = makeParts(config, options);
	const contextOf = (part: Part, session: Session, on: Listener): CycleContext => ({
		session,
		sync: part.sync,
		deliveries,
		patienceMs: (trigger) => beside?.patienceMs(trigger),
		clock,
		onBegun: (run) => on.begun?.(run),
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
			on.progress({ source: name, stage: "ended", done: 0, of: undefined });
			part.heard.by = silent;
		}
	};

	return {
		sync: ({ source, mode, trigger, by }, on, signal) =>
			alone(partOf(parts, source), on, (context) => cycle(context, { kind: "sync", mode, trigger, by }, signal)),
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
		preview: async (request, most, signal) => {
			const planner = openPlanner(config, options);
			try {
				return previewOf(await planner.revert(request, silent, signal), most);
			} finally {
				await planner.close();
			}
		},
		explain: async (user, signal) => {
			const planner = openPlanner(config, options);
			try {
				return await planner.explain(user, signal);
			} finally {
				await planner.close();
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
		readBack: async (name, by, signal) => {
			const { target, action } = readable(config, targets, name);
			// On a connection of its own: deliveries go on meanwhile.
			const session = open();
			try {
				if (by !== undefined) {
					const why = `what it has was to be compared with what was left there, and then: ${action}`;
					const row = decisionRow({ kind: "read-back", by, name, why }, { at: clock(), run: 0, source: name });
					session.transaction(() => session.log.append()(row));
				}
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

function readable(config: Config, targets: readonly SyncTarget[], name: string): { readonly target: Target; readonly action: DriftAction } {
	const found = targets.find(({ target }) => target.name === name);
	const settings = config.targets.find((each) => each.name === name);
	if (found === undefined || settings === undefined) throw unknownTarget(config, name);
	return { target: found.target, action: settings.type === "scim" ? (settings.readBack?.action ?? "report") : "report" };
}

function adoptOf(target: TargetConfig): SyncTarget["adopt"] {
	return target.type === "scim" ? target.adopt : "never";
}

function unknownPlan(name: string): Failure {
	return new Failure("PLAN_UNKNOWN", `no plan ${name} is waiting`, {
		hint: "It was decided, or it dissolved because the directory changed. `dirsyncd status` shows what is held now.",
	});
}
