import type { Cursor } from "../core/cursor.ts";
import type { Anchor, Entry, RawEntry } from "../core/entry.ts";
import type { ScopePlace } from "../core/scope.ts";

/**
 * The port to a directory. A source knows its protocol and its scope; it knows nothing of accounts, plans or the database.
 * Everything it throws is a Failure with a SOURCE_… or CURSOR_… code.
 */
export interface Source {
	readonly name: string;
	/** Whose eyes we read with (server family, account). A change of it makes no automatic ends (invariant 5). */
	readonly identity: string;
	/** What is asked for: bases, filters, exclusions, anchor. A change of it makes no automatic ends (invariant 5). */
	readonly scope: string;
	/** Which groups are ours, in the same way; undefined: none are kept. */
	readonly groupScope: string | undefined;
	/** The attributes asked for, sorted; another list wants a full reading. */
	readonly attributes: readonly string[];
	/** Whether there is another server to start a reading again on, when the one that is read breaks in the middle of it. */
	readonly canFailOver: boolean;
	/** What the keys of members are; undefined: this source reads no groups. */
	readonly memberKeys: MemberKeys | undefined;
	/** How membership by primary group is told, beside the groups' own members; undefined: there is none. */
	readonly primary: PrimaryLink | undefined;
	/**
	 * Stands by on a connection of its own and calls `woken` whenever something may have changed, the first time as soon as it
	 * stands; what is told twice is no harm. Ends only by throwing: a Failure when the connection ends, CANCELLED by the signal.
	 * Undefined: this source does not watch.
	 */
	readonly watch: ((woken: () => void, signal: AbortSignal) => Promise<never>) | undefined;
	/** Opens a connection of its own and starts a reading. `delta` may turn out `full`: the reading says why. */
	read(request: ReadRequest, signal: AbortSignal): Promise<Reading>;
	/**
	 * Asks the directory itself, on a connection of its own, whom one of the names means that it knows people by: e-mail address, logon
	 * name, DN or anchor. Not only people and not only in scope: what has that name is found wherever this account may see it.
	 */
	find(user: string, signal: AbortSignal): Promise<Found>;
	/**
	 * Where an entry of the snapshot stands towards this scope, without asking the directory. `asked`: the attributes that the snapshot's
	 * entries were asked for, lower case; of any other nothing is known.
	 */
	placeOf(entry: Entry, asked: ReadonlySet<string>): ScopePlace;
	/** The anchor of a raw entry's key. */
	anchor(key: Uint8Array): Anchor;
	/** The DN in the bytes of a raw entry, without decoding the rest. */
	dn(raw: Uint8Array): string;
	/** Decodes the bytes of a raw entry, from a reading or from the snapshot. Throws Failure ENTRY_UNREADABLE. */
	decode(raw: Uint8Array): Entry;
}

/**
 * How members name an entry, by keys of 16 octets. `anchor`: the anchor's own octets (AD asks for objectGUID beside each DN).
 * `dn`: `digest(dnKey(dn))`, for directories whose groups hold nothing but DNs. Both are the same for people, groups and all else.
 */
export type MemberKeys = "anchor" | "dn";

/**
 * Decoded attributes, lower-case names: who has in `member` what a group has in `group` is a member of it (AD: primaryGroupID and the
 * last part of objectSid; RFC 2307: gidNumber of both).
 */
export interface PrimaryLink {
	readonly member: string;
	readonly group: string;
}

export type ReadRequest = {
	/** Groups that `users.groups` and rules named at an earlier reading, by the key of the name written there: they stay what is meant, whatever they are called now. */
	readonly pins: ReadonlyMap<string, Anchor>;
	/** What the snapshot has under a member's key; a delta need not look at what is known. */
	known(key: Uint8Array): "group" | "other" | undefined;
} & ({ readonly mode: "full"; readonly cursor: Cursor | undefined } | { readonly mode: "delta"; readonly cursor: Cursor });

/**
 * One pass over a source on one connection. Use in this order: pages, the pages of groups, end, the questions (any number of
 * times), close (always).
 */
export interface Reading {
	readonly mode: "full" | "delta";
	/** Why a full reading was made although a delta was asked for; one sentence for a person. */
	readonly fullBecause: string | undefined;
	/** The server read from, for a person: "ldaps://dc1.corp.example.com". */
	readonly server: string;
	/** Entries in scope: all of them (full) or those that changed (delta). Read once. The array is reused by the next page. */
	readonly pages: AsyncIterable<readonly RawEntry[]>;
	/** Undefined: this source reads no groups. */
	readonly groups: GroupsReading | undefined;
	/** Call after the last page. */
	end(): ReadingEnd;
	/** Asks for single entries by anchor on the same connection and under the same scope. Every anchor asked gets an answer. */
	lookup(wanted: readonly LastKnown[]): Promise<ReadonlyMap<Anchor, Whereabouts>>;
	/**
	 * Who names these entries as their manager, by the directory's own back-link (AD directReports): the DNs, as they are now. In a
	 * delta this finds the entries whose `manager` changed with a rename without their own USN moving. Entries without any are left out.
	 */
	reportsOf(managers: readonly Anchor[]): Promise<ReadonlyMap<Anchor, readonly string[]>>;
	/**
	 * Whether `attribute` can be read at all under the scope: true when at least one entry shows it. Used to tell a cleared
	 * attribute from lost rights.
	 */
	isReadable(attribute: string): Promise<boolean>;
	close(): Promise<void>;
}

/** The groups' side of a reading. */
export interface GroupsReading {
	/**
	 * Full: every group in scope, every one that `users.groups` or a rule names, and every group within these, each once. Delta: those of
	 * them that changed. Read once; what a page holds is good until the next one is asked for.
	 */
	readonly pages: AsyncIterable<readonly ReadGroup[]>;
	/** Asks where groups are that were not seen, like `lookup` does for people. `in-scope` is answered by the whole group's fields. */
	lookup(wanted: readonly LastKnown[]): Promise<ReadonlyMap<Anchor, Whereabouts>>;
	/** Why groups that show no members may have some that cannot be seen; those that are empty for certain are left out. */
	doubtEmpty(groups: readonly Anchor[]): Promise<ReadonlyMap<Anchor, string>>;
}

export type ReadGroup =
	/** All of a group as it is now. */
	| { readonly kind: "whole"; readonly group: RawGroup; readonly members: Members }
	/** A group's fields as they are now, and only those members that came or went (AD's DirSync with incremental values). */
	| { readonly kind: "changed"; readonly group: RawGroup; readonly added: Members; readonly removed: Members }
	/** Its tombstone was seen. */
	| { readonly kind: "deleted"; readonly key: Uint8Array };

export interface RawGroup {
	/** The anchor's octets. */
	readonly key: Uint8Array;
	/** The entry without its members, to be hashed and decoded like any other. */
	readonly raw: Uint8Array;
	/** Whether it is to be kept at the targets, or was read only for what it says of the others' members. */
	readonly isInScope: boolean;
}

/** Members, as keys (see MemberKeys): 200,000 of them are 3.2 MB. */
export interface Members {
	readonly count: number;
	/** 16 octets for each. */
	readonly keys: Uint8Array;
	/** What the directory calls one of them, for a person: its DN, or a uid. */
	nameOf(index: number): string;
}

/** What the snapshot remembers of an entry that is asked for again. */
export interface LastKnown {
	readonly anchor: Anchor;
	readonly dn: string;
	/** Names of the attributes it had, lower case. */
	readonly had: readonly string[];
}

export interface ReadingEnd {
	/** Entries handed out by `pages`. */
	readonly read: number;
	/** Why absence from this reading proves nothing; empty = sealed, as far as the protocol can tell. */
	readonly unsealed: readonly string[];
	/** Where the next delta may start, to be stored with this reading's changes. */
	readonly cursor: Cursor | undefined;
	/** What to store when the reading turned out not to be whole, or has no cursor; undefined: the one before stays as it was. */
	readonly cursorIfPartial: Cursor | undefined;
	/** Why the server that was read may know less than the one before: another one, or one restored from an old copy. */
	readonly viewChanged: string | undefined;
	/** Whether the server is known to know all that was told before: what was held because it might not is then asked again. */
	readonly isCurrent: boolean;
	/** Matters for a person that do not break the seal. */
	readonly warnings: readonly string[];
	/** Full: every container of the directory. Delta: those that changed, with their DN now. */
	readonly containers: readonly Container[];
	/** Delta: people that changed and are not in scope now (they may never have been). */
	readonly outside: readonly { readonly anchor: Anchor; readonly dn: string; readonly key: Uint8Array }[];
	/** DN keys (see core/dn) of everyone under protection, by name, by group (nested) or by container prefix. */
	readonly protection: Protection;
	/** The groups that `users.groups` names: who is in none of them, nested, is not in scope. Undefined: everyone is. */
	readonly scopeGroups: readonly ScopeGroup[] | undefined;
	/** The groups that rules name, as far as they were found: of the others nothing is known, which is no reason for anything. */
	readonly ruleGroups: readonly ScopeGroup[];
	/** How changes will be found from this reading on, for a person: "uSNChanged", "DirSync", "full readings only". */
	readonly strategy: string;
}

/** A group that the configuration names, found. */
export interface ScopeGroup {
	/** The key of the name that the configuration has for it (see core/group-name): one group may have several, each with its own. */
	readonly nameKey: string;
	readonly anchor: Anchor;
}

export interface Container {
	readonly anchor: Anchor;
	readonly dn: string;
}

export interface Protection {
	/** Normal forms of the DNs of protected people. */
	readonly people: ReadonlySet<string>;
	/** Protected containers: everyone beneath. Normal forms. */
	readonly containers: readonly string[];
	/** Primary group ids (RIDs) whose members are protected; `primarygroupid` of an entry is compared with them. */
	readonly primaryGroups: ReadonlySet<string>;
	/** Configured names that could not be resolved: everybody counts as protected then. Sentences for a person. */
	readonly unresolved: readonly string[];
}

/** Who has a name, in the directory as it is now. */
export interface Found {
	/** The server asked, for a person: "ldaps://dc1.corp.example.com". */
	readonly server: string;
	/** None: nobody is called so, or nobody that this account may see. More than one: an address used twice. Ten at most. */
	readonly people: readonly FoundPerson[];
}

export interface FoundPerson {
	/** Undefined: it cannot be read, and then `decode` throws. */
	readonly anchor: Anchor | undefined;
	readonly dn: string;
	/** For `decode`; of a tombstone, with what is left of it. */
	readonly raw: Uint8Array;
	readonly place: FoundPlace;
}

export type FoundPlace =
	| ScopePlace
	/** Only its tombstone is there. `where`: "in OU=People" before that; undefined: it does not say. `changedAt`: when it last changed, mostly by being deleted, Unix milliseconds. */
	| { readonly kind: "deleted"; readonly where: string | undefined; readonly changedAt: number | undefined };

export type Whereabouts =
	| { readonly kind: "in-scope"; readonly entry: RawEntry }
	/** Seen, and not ours any more. `where` is a phrase: "now in OU=Leavers", "no longer matches users.filter". */
	| { readonly kind: "out-of-scope"; readonly dn: string; readonly where: string; readonly doubt: string | undefined }
	/** Its tombstone was seen: proof of deletion. */
	| { readonly kind: "deleted" }
	/** Nowhere to be seen. `doubt` says why this may be lost rights and not a deletion (its container cannot be looked into). */
	| { readonly kind: "unseen"; readonly doubt: string | undefined };
