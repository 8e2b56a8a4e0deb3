import type { Account } from "../core/account.ts";
import type { Entry } from "../core/entry.ts";
import { endOf } from "../core/plan.ts";
import type { ScopePlace } from "../core/scope.ts";
import type { PersonRow } from "../store/people.ts";
import type { Explanation, HeldFact, StateWord } from "./explanation.ts";

export interface StateFacts {
	readonly row: PersonRow;
	readonly account: Account | undefined;
	readonly entry: Entry | undefined;
	readonly place: ScopePlace | undefined;
	readonly isOutside: boolean;
	readonly held: readonly HeldFact[];
	/** Now, Unix milliseconds. */
	readonly at: number;
}

/** Where somebody of the snapshot stands, in a word and in a sentence. */
export function wordFor(facts: StateFacts): Pick<Explanation, "state" | "summary"> {
	const { account, held, row } = facts;
	const waiting = held.find(({ target }) => target === undefined);
	const set = row.quarantine;
	if (waiting !== undefined) {
		const now = account === undefined ? "there is no account yet" : `the account is ${account.active ? "active" : "disabled"}`;
		return said(
			"held",
			`${now}; its ${waiting.kind} is held (${waiting.because}): ${waiting.why}. Decide it: dirsyncd approve ${waiting.plan}`,
		);
	}
	if (account === undefined) return withoutAccount(facts);
	if (set !== null)
		return said("quarantined", `the account is ${account.active ? "active" : "disabled"} and keeps what it has, set aside: ${set}`);
	if (account.active) return said("active", "the account is active");
	const since = row.ended_at === null ? "" : ` since ${day(row.ended_at)}`;
	return said(causeWord(facts), `the account is disabled${since}: ${row.because ?? "no reason is kept"}`);
}

function withoutAccount({ row, place, entry, isOutside, at }: StateFacts): Pick<Explanation, "state" | "summary"> {
	if (row.quarantine !== null) return said("quarantined", `no account: set aside, ${row.quarantine}`);
	if (row.gone === "deleted") return said("deleted", `no account: not in the directory any more (${row.gone_evidence ?? ""})`);
	if (row.gone === "out-of-scope") return said("out-of-scope", `no account: left the scope, ${row.gone_evidence ?? ""}`);
	if (isOutside) return said("outside-groups", "no account: in none of the groups of users.groups");
	const ended = entry && endOf(entry, at);
	if (ended !== undefined) return said(ended.cause === "expired" ? "expired" : "disabled", `no account: ${ended.why}`);
	return said(place?.kind === "in-scope" ? "unread" : "unknown", "no account yet: the next run makes it, or says why not");
}

function causeWord({ row }: StateFacts): StateWord {
	return row.cause ?? "disabled";
}

function said(state: StateWord, summary: string): Pick<Explanation, "state" | "summary"> {
	return { state, summary };
}

function day(at: number): string {
	return new Date(at).toISOString().slice(0, 10);
}
