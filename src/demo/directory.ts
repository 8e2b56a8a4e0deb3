import { Failure } from "../core/errors.ts";
import { guidText, type Value } from "../core/syntax.ts";
import { dereference } from "./base.ts";
import { fileTime, findAccount, NEVER } from "./bind.ts";
import type { Host, Limits } from "./host.ts";
import { joinDn } from "./name.ts";
import { newGuid } from "./object.ts";
import type { Modification } from "./request.ts";
import { plainRights, type Rights } from "./rights.ts";
import { typeOf } from "./schema.ts";
import { type AdObject, forget, hex, type Store } from "./store.ts";
import { raise, removeObject } from "./tombstone.ts";
import { namesIn, valuesOf } from "./values.ts";
import { addObject, modifyObject, renameObject } from "./write.ts";

export type Given = Value | number | boolean | readonly Value[] | undefined;

/** An object as it is right now, all its attributes with AD's spelling. */
export interface Shown {
	readonly dn: string;
	/** Text form, lower case. */
	readonly guid: string;
	readonly isDeleted: boolean;
	readonly attributes: ReadonlyMap<string, readonly Value[]>;
}

/**
 * The directory itself, without LDAP and without rights: for tests, and for the life of the demo company. Objects are named by
 * DN, `<GUID=…>`, UPN or sAMAccountName. What AD would refuse throws a Failure whose cause carries the result code.
 */
export interface DemoDirectory {
	readonly baseDn: string;
	/** Moves with every write; read it before and after. */
	highestUsn(): number;
	get(name: string): Shown | undefined;
	/** Every object of the domain, tombstones included. */
	all(): Iterable<Shown>;
	/** objectClass names the class; for users, sAMAccountName and the like follow from nothing: give them. */
	add(dn: string, attributes: Readonly<Record<string, Given>>): Shown;
	/** Replaces attributes; undefined or an empty list clears one. */
	modify(name: string, attributes: Readonly<Record<string, Given>>): void;
	addValues(name: string, attribute: string, values: readonly Value[]): void;
	removeValues(name: string, attribute: string, values: readonly Value[]): void;
	/** Gives another value to the leading RDN: `rename(dn, "Anna Holm")`. */
	rename(name: string, value: string): void;
	/** Below another parent, under the same name. */
	move(name: string, parentDn: string): void;
	/** Deletes a leaf; `deleteTree` a container with all beneath. */
	delete(name: string): void;
	deleteTree(name: string): void;
	/** Undeletes a tombstone by its GUID, under a DN. */
	restore(guid: string, dn: string): void;
	setPassword(name: string, password: string): void;
	disable(name: string): void;
	enable(name: string): void;
	lock(name: string): void;
	unlock(name: string): void;
	/** accountExpires; undefined for never. */
	expire(name: string, at: number | undefined): void;
	/** Binds of this account are refused with this data code ("532") whatever the password; undefined ends it. */
	refuseBinds(name: string, dataCode: string | undefined): void;
	/** What an account may not see, and may do. What is left out keeps its value. */
	setRights(name: string, rights: Partial<Rights>): void;
	setLimits(limits: Partial<Limits>): void;
	/** Gives so many people a new title, spread over the company: what a delta has to find. Returns how many there were. */
	touch(count: number): number;
	/** Forgets tombstones beyond the newest `keep`, as a domain controller does when their lifetime is over. No USN moves. */
	purgeTombstones(keep: number): void;
	/** A domain controller restored from an old image: the USN runs backwards, the invocationId stays. */
	rollBackUsn(to: number): void;
	/** A domain controller restored in the right way: a new invocationId. */
	renewInvocationId(): void;
}

export function makeDirectory(host: Host): DemoDirectory {
	const { store, rights, credentials, limits } = host;
	const the = (name: string): AdObject => find(store, name) ?? missing(name);
	const modify = (name: string, modifications: readonly Modification[]): void => {
		modifyObject(host, the(name), modifications, { isPermissive: false, isSecure: true });
	};
	const replace = (name: string, attribute: string, values: readonly string[]): void =>
		modify(name, [{ kind: "replace", attribute, values: values.map((value) => Buffer.from(value)) }]);
	const setFlag = (name: string, flag: number, isSet: boolean): void => {
		const before = Number(valuesOf(store, the(name), "useraccountcontrol")[0] ?? 512);
		replace(name, "userAccountControl", [String(isSet ? before | flag : before & ~flag)]);
	};
	return {
		baseDn: store.domain.dn,
		highestUsn: () => store.highestUsn,
		get(name) {
			const object = find(store, name);
			return object === undefined ? undefined : show(store, object);
		},
		*all() {
			for (const object of store.objects.values()) if (object.context === store.domain) yield show(store, object);
		},
		add: (dn, attributes) =>
			show(
				store,
				addObject(
					host,
					dn,
					Object.entries(attributes).flatMap(([name, given]) => (isNothing(given) ? [] : [[name, valuesIn(given)] as const])),
				),
			),
		modify: (name, attributes) =>
			modify(
				name,
				Object.entries(attributes).map(([attribute, given]) => ({ kind: "replace", attribute, values: bytesIn(valuesIn(given)) })),
			),
		addValues: (name, attribute, values) => modify(name, [{ kind: "add", attribute, values: bytesIn(values) }]),
		removeValues: (name, attribute, values) => modify(name, [{ kind: "delete", attribute, values: bytesIn(values) }]),
		rename(name, value) {
			const object = the(name);
			renameObject(host, object, joinDn({ type: object.rdn.type, value }, undefined), undefined);
		},
		move(name, parentDn) {
			const object = the(name);
			renameObject(host, object, joinDn(object.rdn, undefined), parentDn);
		},
		delete: (name) => removeObject(host, the(name), "leaf"),
		deleteTree: (name) => removeObject(host, the(name), "tree"),
		restore: (guid, dn) => raise(host, the(`<GUID=${guid}>`), dn),
		setPassword: (name, password) => modify(name, [{ kind: "replace", attribute: "userPassword", values: [Buffer.from(password)] }]),
		disable: (name) => setFlag(name, 2, true),
		enable: (name) => setFlag(name, 2, false),
		lock: (name) => replace(name, "lockoutTime", [fileTime(store.clock())]),
		unlock: (name) => replace(name, "lockoutTime", ["0"]),
		expire: (name, at) => replace(name, "accountExpires", [at === undefined ? NEVER : fileTime(at)]),
		refuseBinds(name, dataCode) {
			const key = hex(the(name).guid);
			if (dataCode === undefined) credentials.refusals.delete(key);
			else credentials.refusals.set(key, dataCode);
		},
		setRights(name, given) {
			const key = hex(the(name).guid);
			rights.set(key, { ...(rights.get(key) ?? plainRights), ...given });
		},
		setLimits(given) {
			Object.assign(limits, given);
			store.nameVersion++; // What was encoded under the old limit is void.
		},
		touch(count) {
			const people = someUsers(store, count);
			for (const object of people) {
				const values = [Buffer.from(`Touched at ${store.highestUsn + 1}`)];
				modifyObject(host, object, [{ kind: "replace", attribute: "title", values }], { isPermissive: false, isSecure: true });
			}
			return people.length;
		},
		purgeTombstones(keep) {
			const dead = [...store.deletedObjects.children].slice(0, Math.max(0, store.deletedObjects.children.size - keep));
			for (const object of dead) forget(store, object);
		},
		rollBackUsn(to) {
			store.highestUsn = to;
			for (const object of store.objects.values()) object.usnChanged = Math.min(object.usnChanged, to);
			store.nameVersion++;
		},
		renewInvocationId() {
			store.invocationId = newGuid(store.random);
			store.nameVersion++;
		},
	};
}

/** People, every n-th, whether held or made up on demand. */
function someUsers(store: Store, count: number): AdObject[] {
	const { madeUp } = store;
	if (madeUp !== undefined) {
		const step = Math.max(1, Math.floor(madeUp.count / count));
		return Array.from({ length: Math.min(count, madeUp.count) }, (_, index) => madeUp.nth(index * step)).flatMap((object) =>
			object === undefined || object.isDeleted ? [] : [object],
		);
	}
	const users = [...store.objects.values()].filter(({ attributes, isDeleted }) => !isDeleted && attributes.has("employeeid"));
	const step = Math.max(1, Math.floor(users.length / count));
	return users.filter((_, index) => index % step === 0).slice(0, count);
}

function find(store: Store, name: string): AdObject | undefined {
	return dereference(store, name) ?? findAccount(store, name);
}

function missing(name: string): never {
	throw new Failure("NOT_FOUND", `the demo directory has no ${name}`);
}

function isNothing(given: Given): boolean {
	return given === undefined || (Array.isArray(given) && given.length === 0);
}

function valuesIn(given: Given): readonly Value[] {
	if (given === undefined) return [];
	if (typeof given === "boolean") return [given ? "TRUE" : "FALSE"];
	if (typeof given === "number") return [String(given)];
	return typeof given === "string" || given instanceof Uint8Array ? [given] : given;
}

function bytesIn(values: readonly Value[]): Uint8Array[] {
	return values.map((value) => (typeof value === "string" ? Buffer.from(value) : value));
}

function show(store: Store, object: AdObject): Shown {
	const attributes = new Map(namesIn(object).map((name) => [typeOf(name)?.name ?? name, valuesOf(store, object, name)] as const));
	return { dn: object.dn, guid: guidText(object.guid), isDeleted: object.isDeleted, attributes };
}
