import { digest } from "../lib/digest.ts";
import type { HeldChange } from "../store/decisions.ts";
import { groupChanges, judgedChanges, targetChanges } from "./judged.ts";
import type { Planned, RunContext } from "./planned.ts";
import { viewedTargets } from "./views.ts";

export interface CommitAs {
	readonly run: number;
	readonly sourceId: number;
	/** How the change log says it: "committed", "approved by …". */
	readonly result: string;
}

/** Commits what is planned on the stage, in one transaction: snapshot, cursor, ledger, change log, what is held and set aside. */
export function commitRun({ session, sync }: Pick<RunContext, "session" | "sync">, planned: Planned, as: CommitAs): void {
	const { source, rules } = sync;
	const { reading, at, unsealed, heldKinds } = planned;
	const sealed = unsealed.length === 0;
	const isSettled = reading !== undefined && planned.rules.isUpToDate;
	session.transaction(() => {
		session.takeovers.commit(as.sourceId, as.run);
		// Held first: it compares with accounts as they still are.
		session.decisions.replaceHeld(as.sourceId, heldChanges(), planned.plan ?? "", at);
		session.decisions.commit(as.sourceId, at);
		session.commit.commit({
			...as,
			source: source.name,
			at,
			reading: reading && {
				mode: reading.mode,
				sealed,
				isWhole: reading.isWhole,
				read: reading.read,
				cursor: reading.end.cursor,
				cursorIfPartial: reading.end.cursorIfPartial,
				identity: source.identity,
				scope: source.scope,
				attributes: JSON.stringify(source.attributes),
				containers: reading.end.containers,
			},
			rules: isSettled ? rules : undefined,
			hasRules: sync.entitling.all.length > 0,
			attributeCounts: planned.planning.attributeCounts,
			shielded: planned.shielded,
		});
		logTargets();
		session.targetCommit.commit(as.run);
		if (isSettled) rememberScopes();
		logGroups();
		session.groupCommit.commit({
			run: as.run,
			sourceId: as.sourceId,
			digestOf: digest,
			memberKeys: source.memberKeys,
			reading: reading && {
				scopeGroups: reading.end.scopeGroups,
				ruleGroups: planned.rules.pinned,
				strategy: reading.end.strategy,
				groupScope: sealed ? source.groupScope : undefined,
			},
		});
	});

	function logTargets(): void {
		session.log.appendMany((append) => {
			for (const change of targetChanges(session)) {
				if (change.held !== undefined) continue;
				const { kind, target, anchor, name, why, before, after } = change;
				append({
					...{ at, run: as.run, source: source.name, target, kind, subject: "account", anchor, name, why, result: as.result },
					before: before && JSON.stringify(before),
					after: after && JSON.stringify(after),
				});
			}
		});
	}

	/** By which conditions people were chosen. One whose groups were not all found has chosen nobody yet. */
	function rememberScopes(): void {
		for (const { id, view } of viewedTargets(session, sync)) {
			const isWhole = [...(view.condition?.groups.keys() ?? [])].every((key) => planned.rules.names.has(key));
			if (isWhole) session.targetPlan.setScope(id, as.sourceId, view.scope);
		}
	}

	/** While groups and memberships still are as before. */
	function logGroups(): void {
		session.log.appendMany((append) => {
			for (const change of groupChanges(session)) {
				if (change.held !== undefined) continue;
				const { kind, anchor, name, why, before, after } = change;
				append({
					...{ at, run: as.run, source: source.name, target: undefined, kind, subject: "group", anchor, name, why, result: as.result },
					before: before && JSON.stringify(before),
					after: after && JSON.stringify(after),
				});
			}
		});
	}

	function* heldChanges(): Generator<HeldChange> {
		if (heldKinds.length === 0) return;
		for (const change of judgedChanges(session)) {
			if (change.held !== undefined) yield { id: change.id, change, ...change.held };
		}
	}
}
