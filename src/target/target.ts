import type { Account } from "../core/account.ts";
import type { Anchor } from "../core/entry.ts";
import type { Group } from "../core/group.ts";

/**
 * The port to a system whose accounts we keep. Applying is idempotent and towards a state, never "add one": what is sent twice
 * ends as if sent once. Expected refusals are values; only a target that is out of reach as a whole throws
 * (TARGET_UNREACHABLE, TARGET_REFUSED).
 */
export interface Target {
	readonly name: string;
	/** How many deliveries one call of `apply` may bring. */
	readonly batch: number;
	/**
	 * Whether a create must be announced in the ledger before it is sent, because sending it twice could make two accounts. False
	 * where the target itself makes a create by anchor idempotent.
	 */
	readonly announcesCreates: boolean;
	/** Brings each account to the state wanted, in the order given. One result per delivery, in the same order. */
	apply(deliveries: readonly Delivery[], signal: AbortSignal): Promise<readonly DeliveryResult[]>;
	/** Looks for an account after an unknown outcome, or before a create: by externalId (the anchor), then by userName. */
	find(anchor: Anchor, userName: string, signal: AbortSignal): Promise<RemoteAccount | undefined>;
	/** Every account of ours at the target. */
	list(signal: AbortSignal): AsyncIterable<RemoteAccount>;
	/** Undefined: this target keeps no groups. */
	readonly groups: GroupTarget | undefined;
	close(): Promise<void>;
}

/** What one account of the ledger wants of its target. */
export interface Delivery {
	readonly anchor: Anchor;
	readonly remoteId: string | undefined;
	/** Undefined: the account is to be deleted. */
	readonly wanted: Account | undefined;
	/** `wanted` as JSON, where it is at hand: whoever keeps accounts as JSON is spared writing it. */
	readonly wantedText?: string | undefined;
	/** What we last applied, if it is known. */
	readonly applied: Account | undefined;
}

export type DeliveryResult =
	| { readonly kind: "applied"; readonly remoteId: string }
	/** Refused for this account alone; the others go on. */
	| { readonly kind: "refused"; readonly error: string }
	/** Try again no earlier than in so many milliseconds. */
	| { readonly kind: "later"; readonly error: string; readonly afterMs: number };

export interface RemoteAccount {
	readonly remoteId: string;
	readonly anchor: Anchor | undefined;
	readonly account: Account;
}

/** The groups' side of a target, with the same promises: what is sent twice ends as if sent once. */
export interface GroupTarget {
	/** How many members that come or go one delivery may bring. */
	readonly memberBatch: number;
	/** Brings a group's fields to what is wanted, then adds and removes these members, and touches no other. */
	apply(delivery: GroupDelivery, signal: AbortSignal): Promise<DeliveryResult>;
	/** Looks for a group after an unknown outcome, or before a create: by externalId (the anchor). */
	find(anchor: Anchor, signal: AbortSignal): Promise<{ readonly remoteId: string } | undefined>;
	/** Every group of ours at the target. */
	list(signal: AbortSignal): AsyncIterable<RemoteGroup>;
}

/** What one group of the ledger wants of its target. */
export interface GroupDelivery {
	readonly anchor: Anchor;
	readonly remoteId: string | undefined;
	/** Undefined: the group is to be deleted. */
	readonly wanted: Group | undefined;
	/** What we last applied, if it is known. */
	readonly applied: Group | undefined;
	readonly added: readonly Member[];
	readonly removed: readonly Member[];
}

/** An account as a member: it is at the target already. */
export interface Member {
	readonly anchor: Anchor;
	readonly remoteId: string;
}

export interface RemoteGroup {
	readonly remoteId: string;
	readonly anchor: Anchor | undefined;
	readonly group: Group;
	/** Remote ids of its members. */
	readonly members: readonly string[];
}
