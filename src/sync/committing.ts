import type { HeldChange } from "../store/decisions.ts";
import { judgedChanges } from "./judging.ts";
import type { Planned, RunContext } from "./planned.ts";

export interface CommitAs {
	readonly run: number;
	readonly sourceId: number;
	/** How the change log says it: "committed", "approved by …". */
	readonly result: string;
}

/** Commits what is planned on the stage, in one transaction: snapshot, cursor, ledger, change log, what is held and set aside. */
export function commitRun({ session, sync }: Pick<RunContext, "session" | "sync">, planned: Planned, as: CommitAs): void {
	const { source, rules } = sync;
	const { reading, judgement, at, unsealed } = planned;
	session.transaction(() => {
		// Held first: it compares with accounts as they still are.
		session.decisions.replaceHeld(as.sourceId, heldChanges(), judgement.plan ?? "", at);
		session.decisions.commit(as.sourceId, at);
		session.commit.commit({
			...as,
			source: source.name,
			at,
			reading: reading && {
				mode: reading.mode,
				sealed: unsealed.length === 0,
				isWhole: reading.isWhole,
				read: reading.read,
				cursor: reading.end.cursor,
				identity: source.identity,
				scope: source.scope,
				attributes: JSON.stringify(source.attributes),
				containers: reading.end.containers,
			},
			rules: reading && rules,
			attributeCounts: planned.planning.attributeCounts,
			shielded: planned.shielded,
		});
	});

	function* heldChanges(): Generator<HeldChange> {
		if (judgement.heldKinds.length === 0) return;
		for (const change of judgedChanges(session)) {
			if (change.held !== undefined) yield { id: change.id, change, ...change.held };
		}
	}
}
