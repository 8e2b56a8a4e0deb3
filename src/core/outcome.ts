import type { Account } from "./account.ts";
import type { ChangeKind } from "./change.ts";
import { unreachable } from "./errors.ts";
import { withEntitlements, withState } from "./plan.ts";

/** What an account becomes when only some of its planned changes go out: the held and rejected ones are left as they were. */
export function outcomeOf(before: Account | undefined, desired: Account | undefined, passed: ReadonlySet<ChangeKind>): Account | undefined {
	if (before === undefined) return passed.has("create") ? desired : undefined;
	if (passed.has("delete")) return undefined;
	if (desired === undefined) return before;
	const fields = fieldsOf(before, desired, passed);
	const active = passed.has("disable") || passed.has("enable") ? desired.active : before.active;
	return fields === before && active === before.active ? before : withState(fields, active);
}

/** The fields of one side, and the features and policies of one side, in the state of before. */
function fieldsOf(before: Account, desired: Account, passed: ReadonlySet<ChangeKind>): Account {
	const isUpdated = passed.has("update");
	const isEntitled = passed.has("entitlement");
	if (!isUpdated && !isEntitled) return before;
	return withState(withEntitlements(isUpdated ? desired : before, isEntitled ? desired : before), before.active);
}

/**
 * Before and after of one change, seen by itself: fields first, then features and policies, then the state. Each starts from what goes
 * out before it.
 */
export function stepOf(
	kind: ChangeKind,
	before: Account | undefined,
	desired: Account | undefined,
	passed: ReadonlySet<ChangeKind>,
): { readonly before: Account | undefined; readonly after: Account | undefined } {
	switch (kind) {
		case "create":
			return { before: undefined, after: desired };
		case "delete":
			return { before, after: undefined };
		case "update":
			return { before, after: before && desired && fieldsOf(before, desired, new Set(["update"])) };
		case "entitlement": {
			const start = before && desired && passed.has("update") ? fieldsOf(before, desired, new Set(["update"])) : before;
			return { before: start, after: start && desired && withState(withEntitlements(start, desired), start.active) };
		}
		case "disable":
		case "enable": {
			const start = before && desired && fieldsOf(before, desired, passed);
			return { before: start, after: start && withState(start, kind === "enable") };
		}
		default:
			return unreachable(kind);
	}
}
