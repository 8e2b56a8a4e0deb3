import type { Account } from "../core/account.ts";
import type { Subject } from "../core/condition.ts";
import { changedFields } from "../core/plan.ts";
import type { LedgerOfPerson } from "../store/people.ts";
import type { SyncSource } from "../sync/settings.ts";
import type { HeldFact, TargetFact } from "./explanation.ts";

export function targetsOf(
	{ views }: SyncSource,
	rows: readonly LedgerOfPerson[],
	account: Account | undefined,
	held: readonly HeldFact[],
	subject: Subject | undefined,
): readonly TargetFact[] {
	const facts = rows.map((row) => targetFact(row, account, held));
	const scopes = new Map(
		views.flatMap(({ target, condition }) => {
			if (condition === undefined || subject === undefined) return [];
			const { truth, why } = condition.judge(subject);
			return [[target, { isIn: truth, why }] as const];
		}),
	);
	const absent = [...scopes.keys()].filter((target) => !rows.some((row) => row.target === target));
	const blank = { wanted: "none", applied: "none", differs: [], state: "none", attempts: 0 } as const;
	const none = { remoteId: undefined, origin: undefined, nextAt: undefined, error: undefined, trouble: undefined };
	return [
		...facts.map((fact) => ({ ...fact, scope: scopes.get(fact.target) })),
		...absent.map((target): TargetFact => ({ target, scope: scopes.get(target), ...blank, ...none })),
	];
}

function targetFact(row: LedgerOfPerson, account: Account | undefined, held: readonly HeldFact[]): Omit<TargetFact, "scope"> {
	const wanted = row.is_wanted === 0 ? undefined : row.body === null ? account : (JSON.parse(row.body) as Account);
	const applied = row.is_applied === 0 ? undefined : row.is_same === 1 ? wanted : parsed(row.applied_body);
	const isHeld = held.some(({ target }) => target === undefined || target === row.target);
	const state: TargetFact["state"] =
		row.released_at !== null ? "released" : row.error !== null ? "failed" : row.pending === 1 ? "pending" : isHeld ? "held" : "applied";
	return {
		target: row.target,
		wanted: wordOf(wanted, row.is_wanted === 1),
		applied: wordOf(applied, row.is_applied === 1),
		differs: wanted !== undefined && applied !== undefined && wanted !== applied ? changedFields(applied, wanted) : [],
		state,
		remoteId: row.remote_id ?? undefined,
		origin: row.origin ?? undefined,
		attempts: row.attempts,
		nextAt: row.pending === 0 ? undefined : row.trouble !== null ? (row.retry_at ?? undefined) : (row.next_at ?? undefined),
		error: row.error ?? undefined,
		trouble: row.trouble ?? undefined,
	};
}

function wordOf(account: Account | undefined, isThere: boolean): string {
	if (!isThere) return "none";
	return account === undefined ? "not known" : account.active ? "active" : "disabled";
}

function parsed(body: string | null): Account | undefined {
	return body === null ? undefined : (JSON.parse(body) as Account);
}
