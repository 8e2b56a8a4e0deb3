import type { Anchor } from "../../core/entry.ts";
import type { Group } from "../../core/group.ts";
import type { FileAccount } from "./options.ts";

/** One change, as a file of changes tells it. */
export type Change = AccountChange | GroupChange;

interface AnyChange {
	/** Unix milliseconds. */
	readonly at: number;
	/** The delivery's: the same for every try. */
	readonly key: string;
	readonly anchor: Anchor;
}

export interface AccountChange extends AnyChange {
	readonly subject: "account";
	readonly kind: "create" | "update" | "disable" | "enable" | "delete";
	/** Undefined: it was not there. */
	readonly before: FileAccount | undefined;
	/** Undefined: it is deleted. */
	readonly after: FileAccount | undefined;
}

export interface GroupChange extends AnyChange {
	readonly subject: "group";
	readonly kind: "create" | "update" | "delete";
	readonly before: Group | undefined;
	readonly after: Group | undefined;
	/** Accounts that come and go. */
	readonly added: readonly FileMember[];
	readonly removed: readonly FileMember[];
}

export interface FileMember {
	readonly anchor: Anchor;
	/** Undefined: the account is not there any more. */
	readonly userName: string | undefined;
}

/** How changes are told, and read again as far as is needed to know which were told already. */
export interface ChangeFormat {
	/** How every file begins. */
	readonly head: string;
	text(change: Change): string;
	/** Reads text from the beginning of a change; `isStart`: from the head. Undefined: this is none of ours. */
	read(text: string, isStart: boolean): Reading | undefined;
}

export interface Reading {
	/** Keys of the changes that are told in full. */
	readonly keys: readonly string[];
	/** So many characters they take, the head included. */
	readonly length: number;
}
