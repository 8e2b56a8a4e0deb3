import { hash } from "node:crypto";
import type { Account } from "./account.ts";
import type { ChangeKind, GroupChangeKind } from "./change.ts";
import { withEntitlements, withState } from "./plan.ts";

/**
 * What a change would do, as text: for creates and updates the fields, without the state that a change beside it may turn
 * meanwhile; what rules give by itself; for a change of state nothing but its kind.
 */
export function effectOf(kind: ChangeKind, after: Account | undefined): string {
	if (after === undefined) return "";
	if (kind === "create") return JSON.stringify(after);
	if (kind === "update") return JSON.stringify(withState(withEntitlements(after, {}), true));
	return kind === "entitlement" ? JSON.stringify([after.features ?? [], after.policies ?? {}]) : "";
}

/**
 * Names a set of changes by what they would do: the same changes have the same name in any order. A change of state is named by
 * kind and anchor alone, so that a held disable keeps its name while other fields of the account move on.
 */
export function makePlanName() {
	const sum = new Uint8Array(32);
	return {
		/** `effect`: what it would do besides its kind, see `effectOf`. A group's kind says so: "group update"; a target's: "disable at mail". */
		add: (kind: ChangeKind | `${ChangeKind} at ${string}` | `group ${GroupChangeKind}`, anchor: string, effect: string): void => {
			const line = hash("sha256", JSON.stringify([kind, anchor, effect]), "buffer");
			// Sums do not depend on the order, and unlike exclusive-or do not cancel out.
			let carry = 0;
			for (let i = 0; i < sum.length; i++) {
				carry += (sum[i] as number) + (line[i] as number);
				sum[i] = carry & 0xff;
				carry >>>= 8;
			}
		},
		name: (): string => `sha256:${hash("sha256", sum, "hex")}`,
	};
}
