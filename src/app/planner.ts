import type { Config } from "../config/config.ts";
import { configLines } from "../config/lines.ts";
import { type Change, type Counts, changeKinds, noGroupCounts } from "../core/change.ts";
import type { Listener, Planner, PlanResult, RevertPlan } from "../engine.ts";
import { explainUser } from "../explain/explain-user.ts";
import { openReadOnly } from "../store/database.ts";
import { openPeople } from "../store/people.ts";
import { makeIds, openSession, type Session } from "../store/session.ts";
import { judgedChanges } from "../sync/judged.ts";
import type { Planned, RunContext, RunKind } from "../sync/planned.ts";
import { readBack } from "../sync/read-back.ts";
import type { RevertPreview } from "../sync/report.ts";
import { sourceOfRun } from "../sync/revert.ts";
import { plan } from "../sync/run.ts";
import { makeParts, namesOfViews, openTarget, partOf, type Surroundings, unknownTarget } from "./parts.ts";

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

/** What crosses to another thread of a plan. */
export function previewOf({ source, plan, summary, held, revert, changes, close }: RevertPlan, most: number): RevertPreview {
	try {
		const first: Change[] = [];
		let count = 0;
		for (const change of changes()) {
			if (first.length < most) first.push(change);
			count++;
		}
		return { source, plan, summary, held, revert, changes: first, count };
	} finally {
		close();
	}
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
