import type { Account } from "./account.ts";
import type { Cause, ChangeKind } from "./change.ts";
import type { Verdict } from "./condition.ts";
import { unreachable } from "./errors.ts";
import type { EndAction, Lifecycle } from "./lifecycle.ts";
import type { MappedAccount } from "./mapping.ts";
import { outcomeOf } from "./outcome.ts";
import { changedFields, isEntitledAs, withState } from "./plan.ts";

/** What becomes of an account at one target. */
export type EndActions = Pick<Lifecycle, "onDisabled" | "onOutOfScope" | "onDeleted">;

/** What a target was to have of an account until now. */
export interface AtTarget {
	readonly account: Account;
	/** Whether its person was out of the target's own scope already: what it had then stays. */
	readonly isOutside: boolean;
}

/** One account in the eyes of one target that has a view of its own. */
export interface TargetSituation {
	readonly target: string;
	readonly before: AtTarget | undefined;
	/** The account after this run, as far as its own changes go out; undefined: there is none. */
	readonly account: Account | undefined;
	/** Kinds of the account's own changes that go out in this run. */
	readonly passed: ReadonlySet<ChangeKind>;
	/** Why the account is not active, or not there; undefined when it is, or when that is not certain. */
	readonly end: { readonly cause: Cause; readonly why: string } | undefined;
	/** The fields as the target is to have them; undefined: as before, since the person is gone or cannot be mapped. */
	readonly fields: MappedAccount | undefined;
	/** What the target's `when` says of the person; undefined: it has none. */
	readonly verdict: Verdict | undefined;
	/** What the target itself does with ends; undefined: what is done everywhere. */
	readonly lifecycle: EndActions | undefined;
	/** What becomes of who is out of the target's scope. */
	readonly onOutside: EndAction;
}

export interface TargetChange {
	readonly kind: ChangeKind;
	/** One sentence for a person, which names the target. */
	readonly why: string;
	readonly cause: Cause | undefined;
	/** Whether it is the target's own doing. What follows from a change of the account itself was judged with that one. */
	readonly isOwn: boolean;
}

export interface PlannedAtTarget {
	readonly desired: Account | undefined;
	readonly isOutside: boolean;
	readonly changes: readonly TargetChange[];
}

/**
 * Plans one account at one target. Pure, and planning what a plan left behind gives no changes.
 *
 *   the account        in the target's scope    there before    →  there
 *   active             yes                      no              →  create
 *   not active         yes                      no              →  create, not active (by the lifecycle: delete → none)
 *   active             yes                      not active      →  enable
 *   not active, gone   any                      yes             →  by the lifecycle
 *   any                no                       yes             →  by onOutOfScope
 *   any                no, or unknown           no              →  none
 *   any                unknown                  yes             →  in or out of scope as it was
 *
 * Of several ends that apply the strictest counts: delete, disable, keep.
 */
export function planAtTarget(situation: TargetSituation): PlannedAtTarget {
	const { before, account, verdict, fields } = situation;
	const isOutside = verdict === undefined ? false : verdict.truth === undefined ? (before?.isOutside ?? true) : !verdict.truth;
	const ending = endingOf(situation, isOutside);
	if (before === undefined) {
		if (account === undefined || fields === undefined || isOutside || ending?.action === "delete") return { ...nothing, isOutside };
		const desired = withState(fields, account.active && ending?.action !== "disable");
		return { desired, isOutside, changes: [creation(situation)] };
	}
	// Whose account waits to be made anew, or whose entry tells nothing: whatever is there stays.
	if (account === undefined && ending === undefined) return { desired: before.account, isOutside, changes: [] };
	if (ending?.action === "delete") return { desired: undefined, isOutside, changes: deletion(situation, before, ending) };
	const isFrozen = fields === undefined || (isOutside && before.isOutside);
	const active = ending === undefined ? account?.active === true : ending.action === "keep" && before.account.active;
	const desired = withState(isFrozen ? before.account : fields, active);
	return { desired, isOutside, changes: alteration(situation, before, desired, ending) };
}

/** What a target is to have when only some of the planned changes go out. */
export function outcomeAtTarget(
	before: Account | undefined,
	desired: Account | undefined,
	passed: ReadonlySet<ChangeKind>,
): Account | undefined {
	// Its delete is held, but not that the account itself is disabled.
	const isDisabledOnly = desired === undefined && passed.has("disable") && !passed.has("delete");
	return before !== undefined && isDisabledOnly ? withState(before, false) : outcomeOf(before, desired, passed);
}

const nothing = { desired: undefined, changes: [] } as const;

interface Ending {
	readonly action: EndAction;
	readonly why: string;
	readonly cause: Cause;
}

const strictness: Readonly<Record<EndAction, number>> = { keep: 0, disable: 1, delete: 2 };

function endingOf({ target, account, end, verdict, lifecycle, onOutside }: TargetSituation, isOutside: boolean): Ending | undefined {
	const endings: Ending[] = [];
	const everywhere = account === undefined ? "delete" : account.active ? undefined : "disable";
	const action = end && (lifecycle === undefined ? everywhere : actionOn(lifecycle, end.cause));
	if (end !== undefined && action !== undefined) endings.push({ action, why: `at target ${target}: ${end.why}`, cause: end.cause });
	if (isOutside) {
		const why = verdict?.truth === false ? verdict.why : "as it was known last";
		endings.push({ action: onOutside, why: `left the scope of target ${target}: ${why}`, cause: "out-of-scope" });
	}
	return endings.sort((one, other) => strictness[other.action] - strictness[one.action])[0];
}

function actionOn(lifecycle: EndActions, cause: Cause): EndAction {
	switch (cause) {
		case "disabled":
		case "expired":
			return lifecycle.onDisabled;
		case "out-of-scope":
			return lifecycle.onOutOfScope;
		case "deleted":
			return lifecycle.onDeleted;
		default:
			return unreachable(cause);
	}
}

function creation({ target, verdict, passed }: TargetSituation): TargetChange {
	const why = verdict === undefined ? `not yet at target ${target}` : `came into the scope of target ${target}: ${verdict.why}`;
	return { kind: "create", why, cause: undefined, isOwn: !passed.has("create") };
}

function deletion({ passed }: TargetSituation, { account }: AtTarget, { why, cause }: Ending): readonly TargetChange[] {
	const gone: TargetChange = { kind: "delete", why, cause, isOwn: !passed.has("delete") };
	if (!account.active || !passed.has("disable")) return [gone];
	return [{ kind: "disable", why, cause, isOwn: false }, gone];
}

function alteration(
	{ target, passed, verdict }: TargetSituation,
	{ account, isOutside }: AtTarget,
	desired: Account,
	ending: Ending | undefined,
): readonly TargetChange[] {
	const changes: TargetChange[] = [];
	const changed = changedFields(account, desired);
	const isMade = passed.has("create");
	if (changed.length > 0) {
		const isOwn = !isMade && !passed.has("update");
		changes.push({ kind: "update", why: `at target ${target}: ${changed.join(", ")}`, cause: undefined, isOwn });
	}
	if (!isEntitledAs(account, desired)) {
		const isOwn = !isMade && !passed.has("entitlement");
		changes.push({ kind: "entitlement", why: `at target ${target}: features and policies as everywhere`, cause: undefined, isOwn });
	}
	if (account.active && !desired.active) {
		const isOwn = !passed.has("disable") && !passed.has("delete");
		changes.push({ kind: "disable", why: ending?.why ?? `at target ${target}: not active`, cause: ending?.cause, isOwn });
	}
	if (!account.active && desired.active) {
		const why =
			isOutside && verdict !== undefined
				? `back in the scope of target ${target}: ${verdict.why}`
				: `active at target ${target} as everywhere`;
		changes.push({ kind: "enable", why, cause: undefined, isOwn: !isMade && !passed.has("enable") });
	}
	return changes;
}
