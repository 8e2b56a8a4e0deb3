import { parentDn } from "../core/dn.ts";
import { sidBytes, textOf, type Value } from "../core/syntax.ts";
import { dereference } from "./base.ts";
import { fileTime, NEVER } from "./bind.ts";
import { applyDraft, type ModifyOptions, readDraft } from "./draft.ts";
import { categoryDn } from "./found.ts";
import { held, refuseExisting } from "./hold.ts";
import type { Host } from "./host.ts";
import { nameAttributes, noteAttributes } from "./metadata.ts";
import { joinDn, leafOf } from "./name.ts";
import { makeObject, newGuid, register } from "./object.ts";
import type { Modification } from "./request.ts";
import { refuse } from "./result.ts";
import { structuralClass } from "./schema.ts";
import { type AdObject, findDn, place, type Store, stamp, tell } from "./store.ts";
import { raise } from "./tombstone.ts";

/** Adds an object with AD's checks and defaults. Refusals are those of MS-ADTS §3.1.1.5.2. */
export function addObject(host: Host, dn: string, given: readonly (readonly [string, readonly Value[]])[]): AdObject {
	const { store } = host;
	const rdn = leafOf(dn);
	const classType = structuralClass(given.find(([name]) => name.toLowerCase() === "objectclass")?.[1].map(textOf) ?? []);
	if (classType === undefined)
		return refuse("objectClassViolation", "0000207C: UpdErr: DSID-0315166D, problem 6002 (OBJ_CLASS_VIOLATION), data 0");
	if (rdn.type.toUpperCase() !== classType.rdn)
		return refuse("namingViolation", "00002073: NameErr: DSID-031B0C37, problem 2005 (NAMING_VIOLATION), data 0");
	const parent = parentOf(store, dn);
	const fullDn = joinDn({ type: classType.rdn, value: rdn.value }, parent.dn);
	if (findDn(store, fullDn) !== undefined) return refuseExisting();
	const isPrincipal = classType.chain.includes("user") || classType.name === "group";
	const object = makeObject({
		guid: newGuid(store.random),
		sid: isPrincipal ? sidBytes(`${store.domainSid}-${store.nextRid++}`) : undefined,
		className: classType.name,
		rdn: { type: classType.rdn, value: rdn.value },
		dn: fullDn,
		parent,
		attributes: defaults(store, classType.category, classType.chain),
		index: undefined,
		usn: store.highestUsn + 1,
		at: store.clock(),
	});
	const modifications = given
		.filter(([name]) => !isImplied(name))
		.map(([attribute, values]) => ({ kind: "replace" as const, attribute, values }));
	const draft = readDraft(host, object, modifications, { isPermissive: true, isSecure: true });
	if (isPrincipal && !object.attributes.has("samaccountname") && !draft.plain.has("samaccountname")) {
		object.attributes.set("samaccountname", [`$${(store.nextRid * 7919).toString(36).toUpperCase()}`]);
	}
	applyDraft(host, object, draft);
	store.highestUsn++;
	register(store, object);
	tell(store, object);
	return object;
}

/** What a client may send along although the name and the class say it already. */
function isImplied(name: string): boolean {
	return /^(objectclass|cn|ou|dc|name|distinguishedname|objectcategory|instancetype)$/i.test(name);
}

function defaults(store: Store, category: string, chain: readonly string[]): AdObject["attributes"] {
	const attributes: AdObject["attributes"] = new Map([
		["instancetype", ["4"]],
		["objectcategory", [categoryDn(store, category)]],
	]);
	if (chain.includes("user")) {
		const isComputer = chain.includes("computer");
		attributes.set("useraccountcontrol", [isComputer ? "4096" : "512"]);
		attributes.set("primarygroupid", [isComputer ? "515" : "513"]);
		attributes.set("accountexpires", [NEVER]);
		attributes.set("pwdlastset", [fileTime(store.clock())]);
	}
	if (chain.includes("group")) attributes.set("grouptype", ["-2147483646"]);
	return attributes;
}

function parentOf(store: Store, dn: string): AdObject {
	const name = parentDn(dn);
	const parent = name === undefined ? undefined : dereference(store, name);
	if (parent === undefined || parent.isDeleted) {
		return refuse("noSuchObject", "0000208D: UpdErr: DSID-031A1236, problem 6003 (NO_OBJECT), data 0", closestDn(store, name));
	}
	return parent;
}

function closestDn(store: Store, dn: string | undefined): string {
	for (let name = dn; name !== undefined; name = parentDn(name)) {
		const object = findDn(store, name);
		if (object !== undefined) return object.dn;
	}
	return "";
}

/** Changes attributes: all of them or none. What changes nothing moves no USN. */
export function modifyObject(host: Host, found: AdObject, modifications: readonly Modification[], options: ModifyOptions): void {
	const target = undeletionTarget(modifications);
	if (found.isDeleted && target !== undefined) {
		raise(host, found, target);
		return;
	}
	if (found.isDeleted) refuse("unwillingToPerform", "0000208A: SvcErr: DSID-031A1262, problem 5003 (WILL_NOT_PERFORM), data 0");
	const object = held(host.store, found);
	const draft = readDraft(host, object, modifications, options);
	if (applyDraft(host, object, draft) === "changed") stamp(host.store, object);
}

/** Undeletion is a modify that takes isDeleted away and gives a new name (MS-ADTS §3.1.1.5.3.7). */
function undeletionTarget(modifications: readonly Modification[]): string | undefined {
	const isRaised = modifications.some(({ kind, attribute }) => kind === "delete" && attribute.toLowerCase() === "isdeleted");
	const named = modifications.find(({ kind, attribute }) => kind === "replace" && attribute.toLowerCase() === "distinguishedname");
	return isRaised && named?.values[0] !== undefined ? textOf(named.values[0]) : undefined;
}

/** Renames an object, or moves it when a parent is given, or both. Everything beneath follows; only this object's USN moves. */
export function renameObject(host: Host, found: AdObject, leaf: string, newParent: string | undefined): void {
	const { store } = host;
	if (found.parent === undefined || found.context === found || found.isDeleted) {
		refuse("unwillingToPerform", "00002093: SvcErr: DSID-031A0F4F, problem 5003 (WILL_NOT_PERFORM), data 0");
	}
	const object = held(store, found);
	const rdn = leafOf(leaf);
	if (rdn.type.toLowerCase() !== object.rdn.type.toLowerCase()) {
		refuse("namingViolation", "00002073: NameErr: DSID-031B0C37, problem 2005 (NAMING_VIOLATION), data 0");
	}
	const parent = newParent === undefined ? object.parent : dereference(store, newParent);
	if (parent === undefined || parent.isDeleted)
		refuse("noSuchObject", "0000208D: NameErr: DSID-03100245, problem 2001 (NO_OBJECT), data 0", closestDn(store, newParent));
	for (let at: AdObject | undefined = parent; at !== undefined; at = at.parent) {
		if (at === object) refuse("unwillingToPerform", "00002057: SvcErr: DSID-031A1269, problem 5003 (WILL_NOT_PERFORM), data 0");
	}
	const own = { type: object.rdn.type, value: rdn.value };
	const dn = joinDn(own, parent.dn);
	const other = findDn(store, dn);
	if (other !== undefined && other.index !== object.index) refuseExisting();
	if (other !== undefined && other !== object && object.index === undefined) refuseExisting();
	if (dn === object.dn) return;
	place(store, object, parent, own, dn);
	stamp(store, object);
	noteAttributes(object, object.usnChanged, nameAttributes);
}
