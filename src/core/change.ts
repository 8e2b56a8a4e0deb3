import type { Account } from "./account.ts";
import type { Anchor } from "./entry.ts";

export const changeKinds = ["create", "update", "disable", "enable", "delete"] as const;
export type ChangeKind = (typeof changeKinds)[number];

/** Why an account is not active, or is to go. `expired` is `disabled` by time. */
export type Cause = "disabled" | "expired" | "out-of-scope" | "deleted";

/** What one run would do to one account. */
export interface Change {
	readonly kind: ChangeKind;
	readonly subject: "account";
	readonly anchor: Anchor;
	/** userName, for a person to recognize it by. */
	readonly name: string;
	/** One sentence for a person. */
	readonly why: string;
	readonly before: Account | undefined;
	readonly after: Account | undefined;
}

/** Changes counted by kind. */
export type Counts = Readonly<Record<ChangeKind, number>>;

export const noCounts: Counts = { create: 0, update: 0, disable: 0, enable: 0, delete: 0 };
