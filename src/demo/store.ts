import type { Ava } from "../core/dn.ts";
import { dnKey } from "../core/dn.ts";
import type { Value } from "../core/syntax.ts";

/** One object of the directory, as it is held. Names of attributes are in lower case here. */
export interface AdObject {
	readonly guid: Uint8Array;
	readonly sid: Uint8Array | undefined;
	readonly classes: readonly string[];
	rdn: Ava;
	dn: string;
	/** Normal form of `dn`, once somebody asked: see `keyOf`. */
	key: string | undefined;
	parent: AdObject | undefined;
	/** The head of the naming context it lives in; itself for a head. */
	context: AdObject | undefined;
	readonly children: Set<AdObject>;
	readonly attributes: Map<string, readonly Value[]>;
	/** Forward links and the back-links that follow from those of others. */
	readonly links: Map<string, Set<AdObject>>;
	readonly backlinks: Map<string, Set<AdObject>>;
	readonly metadata: Metadata;
	usnCreated: number;
	usnChanged: number;
	createdAt: number;
	changedAt: number;
	isDeleted: boolean;
	/** Its place among people made up on demand; undefined for all others. */
	readonly index: number | undefined;
	/** Its attributes as they went over the wire last, for that selection and at that state of all names. */
	encoded: { readonly selection: object; readonly version: number; readonly bytes: Uint8Array } | undefined;
}

/** When each attribute of an object was last written, and when each value of a link came or went: what DirSync tells changes by. */
export interface Metadata {
	/** USNs by lower-case name; what is not here is as old as the object. */
	readonly attributes: Map<string, number>;
	/** By lower-case name and target. Values that went are kept, as AD keeps absent links. */
	readonly links: Map<string, Map<AdObject, { readonly usn: number; readonly isPresent: boolean }>>;
}

/** People that are made up when they are looked at, and held only once they were written to. */
export interface MadeUp {
	find(key: string): AdObject | undefined;
	findGuid(hex: string): AdObject | undefined;
	/** By the text of its SID. */
	findSid(sid: string): AdObject | undefined;
	/** Those whose USN is at least `usnFrom`, each at its own place whether held or not. */
	walk(usnFrom: number): Iterable<AdObject>;
	/** From now on `held` stands for the one made up at its index. */
	hold(held: AdObject): void;
	livesIn(container: AdObject): boolean;
	livesBeneath(container: AdObject): boolean;
	readonly count: number;
	nth(index: number): AdObject | undefined;
}

/** The whole state of one demo directory. */
export interface Store {
	readonly clock: () => number;
	readonly random: () => number;
	readonly objects: Map<string, AdObject>;
	readonly byKey: Map<string, AdObject>;
	/** By sAMAccountName, folded: AD has each only once. */
	readonly bySam: Map<string, AdObject>;
	readonly domain: AdObject;
	readonly configuration: AdObject;
	readonly deletedObjects: AdObject;
	/** "S-1-5-21-…" of the domain. */
	readonly domainSid: string;
	nextRid: number;
	highestUsn: number;
	invocationId: Uint8Array;
	/** Moves whenever a name changes: what was encoded before may show an old one. */
	nameVersion: number;
	madeUp: MadeUp | undefined;
	/** Told of each object that was written, added or deleted. */
	readonly watchers: Set<(object: AdObject) => void>;
}

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");

export function findDn(store: Store, dn: string): AdObject | undefined {
	const key = dnKey(dn);
	return store.byKey.get(key) ?? store.madeUp?.find(key);
}

export function findGuid(store: Store, guid: Uint8Array): AdObject | undefined {
	const wanted = hex(guid);
	return store.objects.get(wanted) ?? store.madeUp?.findGuid(wanted);
}

/**
 * Objects of the base's naming context whose USN is at least `usnFrom`; all that are beneath the base are among them. Writing
 * goes on meanwhile: nothing that stays is missed.
 */
export function* walk(store: Store, base: AdObject, usnFrom: number): Iterable<AdObject> {
	const { context } = base;
	const withMadeUp = store.madeUp?.livesBeneath(base) === true;
	for (const object of store.objects.values()) {
		// Those that were made up first have their place below, whether held or not.
		if (object.index !== undefined && withMadeUp) continue;
		if (object.context === context && object.usnChanged >= usnFrom) yield object;
	}
	if (store.madeUp === undefined || !withMadeUp) return;
	for (const object of store.madeUp.walk(usnFrom)) if (object.context === context) yield object;
}

/** The normal form of an object's DN. Most that are made up on demand are never asked for it, and it costs more than all else about them. */
export function keyOf(object: AdObject): string {
	object.key ??= dnKey(object.dn);
	return object.key;
}

/** A write to an object: the next USN, and the time. */
export function stamp(store: Store, object: AdObject): void {
	store.highestUsn++;
	object.usnChanged = store.highestUsn;
	object.changedAt = store.clock();
	object.encoded = undefined;
	tell(store, object);
}

export function tell(store: Store, object: AdObject): void {
	for (const watcher of store.watchers) watcher(object);
}

/** As if an object had never been. */
export function forget(store: Store, object: AdObject): void {
	object.parent?.children.delete(object);
	store.byKey.delete(keyOf(object));
	store.objects.delete(hex(object.guid));
}

/** Puts an object under a parent and a name; everything beneath it follows, and keeps its own USN, as in AD. */
export function place(store: Store, object: AdObject, parent: AdObject | undefined, rdn: Ava, dn: string): void {
	object.parent?.children.delete(object);
	object.rdn = rdn;
	object.parent = parent;
	parent?.children.add(object);
	rename(store, object, dn);
	store.nameVersion++;
}

function rename(store: Store, object: AdObject, dn: string): void {
	if (store.byKey.get(keyOf(object)) === object) store.byKey.delete(keyOf(object));
	const tail = object.dn.length;
	for (const child of object.children) {
		// A naming context below (CN=Configuration under the domain) keeps its place: a domain's head is never renamed.
		rename(store, child, child.dn.slice(0, child.dn.length - tail) + dn);
	}
	object.dn = dn;
	object.key = undefined;
	store.byKey.set(keyOf(object), object);
}
