import type { Account } from "../core/account.ts";
import type { DeliveryKind } from "../core/change.ts";
import type { Anchor } from "../core/entry.ts";
import type { Group } from "../core/group.ts";

/**
 * The port to a system whose accounts we keep. Applying is idempotent and towards a state, never "add one": what is sent twice
 * ends as if sent once. What concerns one account is a value; only a target that is out of reach as a whole throws
 * (TARGET_UNREACHABLE, TARGET_REFUSED), and what it had under way by then may have arrived or not.
 */
export interface Target {
	readonly name: string;
	/** How many deliveries one call of `apply` may bring. */
	readonly batch: number;
	/** How many calls of `apply` may be under way at once. How many requests that makes at a time is the target's to slow down. */
	readonly lanes: number;
	/**
	 * Whether a create must be matched with what is there already and announced in the ledger before it is sent, because sending it
	 * twice could make two accounts. False where the target itself makes a create by anchor idempotent.
	 */
	readonly announcesCreates: boolean;
	/** How a manager is named there: `remote-id` wants `Delivery.managerId`. */
	readonly managerBy: "anchor" | "remote-id";
	/** Brings each account to the state wanted, in the order given. One result per delivery, in the same order. */
	apply(deliveries: readonly Delivery[], signal: AbortSignal): Promise<readonly DeliveryResult[]>;
	/**
	 * Which account is there already for a create: by externalId (the anchor), then by the attribute that the configuration names.
	 * `wanted` undefined: by externalId alone. Undefined: none.
	 */
	find(anchor: Anchor, wanted: Account | undefined, signal: AbortSignal): Promise<Match | undefined>;
	/** Undefined: what it has cannot be asked. */
	readonly reader: TargetReader | undefined;
	/** Undefined: this target keeps no groups. */
	readonly groups: GroupTarget | undefined;
	/** Makes what was applied seen as a whole (a file's new state): called whenever a pass of deliveries ends, and once after a start. */
	finish?(signal: AbortSignal): Promise<void>;
	close(): Promise<void>;
}

/** Reading back what a target has. */
export interface TargetReader {
	/**
	 * Every account at the target, ours or not, each once. Throws TARGET_LISTING_PARTIAL at the end when it cannot be proven that these were
	 * all.
	 */
	list(signal: AbortSignal): AsyncIterable<RemoteAccount>;
	/** One account by its remote id; undefined when it is not there. */
	read(remoteId: string, signal: AbortSignal): Promise<RemoteAccount | undefined>;
}

/** What one account of the ledger wants of its target. */
export interface Delivery {
	readonly anchor: Anchor;
	readonly kind: DeliveryKind;
	readonly remoteId: string | undefined;
	/** Undefined: the account is to be deleted. */
	readonly wanted: Account | undefined;
	/** `wanted` as JSON, where it is at hand: whoever keeps accounts as JSON is spared writing it. */
	readonly wantedText?: string | undefined;
	/** What the target has, as far as we know; undefined: not known, or nothing. */
	readonly applied: Account | undefined;
	/** The externalId that it has there, when that is not the anchor: its person came from another source. */
	readonly appliedAnchor: Anchor | undefined;
	/** The manager's remote id, when `wanted` names a manager who is at this target. */
	readonly managerId: string | undefined;
	/** The same for every retry of this change, and another one for every other change. */
	readonly key: string;
}

export type DeliveryResult =
	| { readonly kind: "applied"; readonly remoteId: string }
	/** Refused for this account alone, in the target's words; the others go on. */
	| { readonly kind: "refused"; readonly error: string }
	/** Not done, or not known to be done: try again, no earlier than in so many milliseconds (undefined: as the engine sees fit). */
	| { readonly kind: "later"; readonly error: string; readonly afterMs?: number }
	/** There is no account under this remote id any more: to be matched again. */
	| { readonly kind: "gone"; readonly error: string }
	/** A create found its name or externalId taken: to be looked up. */
	| { readonly kind: "conflict"; readonly error: string };

/** An account that is there already. */
export interface Match {
	readonly by: "external-id" | "attribute";
	/** What was compared, for a person: `userName "anna@corp.example"`. */
	readonly on: string;
	readonly remote: RemoteAccount;
	/** Whether more than one account was found, so that none is the one. */
	readonly isAmbiguous: boolean;
}

export interface RemoteAccount {
	readonly remoteId: string;
	/** Its externalId. */
	readonly anchor: Anchor | undefined;
	/** Its fields as far as they are ours to keep; a manager is named as the target does (`managerBy`). */
	readonly account: Account;
	/** Fields that the target does not keep or did not tell: what stands for them in `account` says nothing. Undefined: none. */
	readonly untold?: readonly (keyof Account)[];
}

/** The groups' side of a target, with the same promises: what is sent twice ends as if sent once. */
export interface GroupTarget {
	/** How many members that come or go one delivery may bring. */
	readonly memberBatch: number;
	/** Brings a group's fields to what is wanted, then adds and removes these members, and touches no other. */
	apply(delivery: GroupDelivery, signal: AbortSignal): Promise<DeliveryResult>;
	/** Which group is there already for a create: by externalId (the anchor), then by name, if there is one wanted. */
	find(anchor: Anchor, wanted: Group | undefined, signal: AbortSignal): Promise<GroupMatch | undefined>;
	/** Every group of ours at the target. */
	list(signal: AbortSignal): AsyncIterable<RemoteGroup>;
}

/** What one group of the ledger wants of its target. */
export interface GroupDelivery {
	readonly anchor: Anchor;
	readonly remoteId: string | undefined;
	/** Undefined: the group is to be deleted. */
	readonly wanted: Group | undefined;
	/** What it has, externalId and fields, as far as we know; undefined: not known, or nothing. */
	readonly applied: Group | undefined;
	readonly added: readonly Member[];
	readonly removed: readonly Member[];
	/** The same for every retry, and another one for every other change. */
	readonly key: string;
}

/** An account as a member: it is at the target already. */
export interface Member {
	readonly anchor: Anchor;
	readonly remoteId: string;
}

export interface GroupMatch {
	readonly by: "external-id" | "attribute";
	readonly on: string;
	readonly remoteId: string;
	/** Its externalId. */
	readonly anchor: Anchor | undefined;
	readonly group: Group;
	readonly isAmbiguous: boolean;
}

export interface RemoteGroup {
	readonly remoteId: string;
	readonly anchor: Anchor | undefined;
	readonly group: Group;
	/** Remote ids of its members. */
	readonly members: readonly string[];
}
