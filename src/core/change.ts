import type { Account } from "./account.ts";
import type { Anchor } from "./entry.ts";
import type { GroupSide } from "./group.ts";

/** `update`: its fields; `entitlement`: its features and policies, judged by a limit of their own. */
export const changeKinds = ["create", "update", "entitlement", "disable", "enable", "delete"] as const;
export type ChangeKind = (typeof changeKinds)[number];

/** What is sent to a target for an account: what rules give is an update there. */
export type DeliveryKind = Exclude<ChangeKind, "entitlement">;

/** What becomes of a group. `update`: its fields, and members that come; `remove`: members that go, judged by a limit of their own. */
export const groupChangeKinds = ["create", "update", "remove", "delete"] as const;
export type GroupChangeKind = (typeof groupChangeKinds)[number];

/** Why an account is not active, or is to go. `expired` is `disabled` by time. */
export type Cause = "disabled" | "expired" | "out-of-scope" | "deleted";

interface AnyChange {
	readonly anchor: Anchor;
	/** userName or displayName, for a person to recognize it by. */
	readonly name: string;
	/** One sentence for a person. */
	readonly why: string;
}

/** What one run would do to one account. */
export interface AccountChange extends AnyChange {
	readonly subject: "account";
	readonly kind: ChangeKind;
	/** The target whose own doing it is, by its scope, mapping or lifecycle; undefined: it is one of the account itself. */
	readonly target: string | undefined;
	readonly before: Account | undefined;
	readonly after: Account | undefined;
}

/** What one run would do to one group. */
export interface GroupChange extends AnyChange {
	readonly subject: "group";
	readonly kind: GroupChangeKind;
	readonly before: GroupSide | undefined;
	readonly after: GroupSide | undefined;
}

export type Change = AccountChange | GroupChange;

/** Changes of accounts counted by kind. */
export type Counts = Readonly<Record<ChangeKind, number>>;

export const noCounts: Counts = { create: 0, update: 0, entitlement: 0, disable: 0, enable: 0, delete: 0 };

/** What a run does to groups. */
export interface GroupCounts {
	readonly created: number;
	readonly updated: number;
	readonly deleted: number;
	/** Memberships, of accounts, nested ones included. */
	readonly joined: number;
	readonly left: number;
}

export const noGroupCounts: GroupCounts = { created: 0, updated: 0, deleted: 0, joined: 0, left: 0 };
