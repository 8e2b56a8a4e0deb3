import type { Account } from "../core/account.ts";
import type { MappedAccount } from "../core/mapping.ts";
import { type MatchField, matchValueOf } from "../core/match.ts";
import { cameFrom } from "../core/move.ts";
import { type PlannedAccount, type PlannedChange, planAccount, type Situation } from "../core/plan.ts";
import type { Session } from "../store/session.ts";
import type { MatchRow } from "../store/takeovers.ts";

/** What another source has to do with a person who is new in this one. */
export type Match =
	/** Nobody there is the same person. */
	| { readonly kind: "none" }
	/** The account that the person had there, and leaves: it comes along. */
	| { readonly kind: "takes-over"; readonly account: MatchRow }
	/** There is one, but not for this source to have; a sentence says why. */
	| { readonly kind: "waits"; readonly because: string }
	/** There is one, and this source does not let the person sign in: nothing is wanted of it. */
	| { readonly kind: "stays-there" };

export const noMatch: Match = { kind: "none" };

/**
 * Looks whether somebody new here has an account by another source already. Whoever is gone or disabled there brings the account along;
 * whoever is still active there waits: one person never gets a second account. `isLet`: whether this source lets the person sign in.
 */
export function findMatch(session: Session, sourceId: number, field: MatchField, id: number, mapped: MappedAccount, isLet: boolean): Match {
	const value = matchValueOf(mapped, field);
	if (value === undefined) return noMatch;
	const same = session.takeovers
		.find(sourceId, field, value)
		// The database finds by a number that two texts may share.
		.filter(({ body }) => matchValueOf(JSON.parse(body) as Account, field) === value);
	const [first] = same;
	if (first === undefined) return noMatch;
	// Else two sources that both know somebody disabled would take the account from each other for ever.
	if (!isLet) return { kind: "stays-there" };
	const name = (JSON.parse(first.body) as Account).userName;
	const what = `${field} ${value} belongs to the account ${name} of source ${first.source} (${first.anchor})`;
	if (same.length > 1) return { kind: "waits", because: `${what} and to ${same.length - 1} more: nobody can tell whose person this is` };
	if (first.active === 1 && first.gone === null)
		return { kind: "waits", because: `${what}, which is active there; it waits until it is not` };
	const left = session.takeovers.leftAt(id);
	if (left !== undefined) return { kind: "waits", because: `${what}, and target ${left} still has a former account of this person` };
	if (!session.takeovers.take(first.id, id)) return { kind: "waits", because: `${what}, which another person of this source takes over` };
	return { kind: "takes-over", account: first };
}

/** Plans somebody in view of what was found. */
export function planMatched(match: Match, situation: Situation): PlannedAccount {
	switch (match.kind) {
		case "none":
			return planAccount(situation);
		case "stays-there":
			return { ...nothing, quarantine: undefined };
		case "waits":
			return { ...nothing, quarantine: match.because };
		case "takes-over":
			return planTakeover(match.account, situation);
	}
}

const nothing = { desired: undefined, changes: [], cause: undefined, endedAt: undefined, because: undefined, dueAt: undefined } as const;

function planTakeover({ source, anchor, body, cause, ended_at }: MatchRow, situation: Situation): PlannedAccount {
	const account = JSON.parse(body) as Account;
	const planned = planAccount({ ...situation, before: { account, cause: cause ?? undefined, endedAt: ended_at ?? undefined } });
	const moved = cameFrom({ source, anchor });
	const fields = planned.changes.find(({ kind }) => kind === "update");
	const update: PlannedChange = { kind: "update", why: fields === undefined ? moved : `${moved}; ${fields.why}`, cause: undefined };
	return { ...planned, changes: [update, ...planned.changes.filter((change) => change !== fields)] };
}
