import type { Account } from "./account.ts";
import type { ChangeKind } from "./change.ts";
import { unreachable } from "./errors.ts";
import { withState } from "./plan.ts";

/** What an account becomes when only some of its planned changes go out: the held and rejected ones are left as they were. */
export function outcomeOf(before: Account | undefined, desired: Account | undefined, passed: ReadonlySet<ChangeKind>): Account | undefined {
	if (before === undefined) return passed.has("create") ? desired : undefined;
	if (passed.has("delete")) return undefined;
	if (desired === undefined) return before;
	const fields = passed.has("update") ? desired : before;
	const active = passed.has("disable") || passed.has("enable") ? desired.active : before.active;
	return fields === before && active === before.active ? before : withState(fields, active);
}

/** Before and after of one change, seen by itself: a disable that comes with an update starts from the updated fields if these go out. */
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
			return { before, after: before && desired && withState(desired, before.active) };
		case "disable":
		case "enable": {
			const start = before && desired && passed.has("update") ? withState(desired, before.active) : before;
			return { before: start, after: start && withState(start, kind === "enable") };
		}
		default:
			return unreachable(kind);
	}
}
