import { parentDn } from "../core/dn.ts";
import { foldText, guidText, textOf } from "../core/syntax.ts";
import { dereference } from "./base.ts";
import { NEVER } from "./bind.ts";
import { setAccountType } from "./draft.ts";
import { categoryDn } from "./found.ts";
import { held } from "./hold.ts";
import type { Host } from "./host.ts";
import { unlinkAll } from "./links.ts";
import { nameAttributes, noteAttributes } from "./metadata.ts";
import { joinDn, leafOf } from "./name.ts";
import { refuse } from "./result.ts";
import { structuralClass } from "./schema.ts";
import { type AdObject, findDn, hex, place, stamp } from "./store.ts";

/** What a tombstone keeps besides what every object has; measured on Samba, and the same on Windows without the recycle bin. */
const KEPT = new Set(["samaccountname", "useraccountcontrol", "instancetype", "grouptype"]);

/** Deletes an object (and with "tree" all beneath it): a tombstone under CN=Deleted Objects stays. Groups lose the member without a USN. */
export function removeObject(host: Host, found: AdObject, extent: "leaf" | "tree"): void {
	const { store } = host;
	if (found.isDeleted || found.context === found || found.parent === undefined) {
		refuse("unwillingToPerform", "00002077: SvcErr: DSID-031A0FC0, problem 5003 (WILL_NOT_PERFORM), data 0");
	}
	if (found.children.size > 0 || store.madeUp?.livesIn(found)) {
		if (extent === "leaf" || store.madeUp?.livesIn(found)) {
			refuse("notAllowedOnNonLeaf", "00002015: UpdErr: DSID-031A11D2, problem 6003 (CANT_ON_NON_LEAF), data 0");
		}
		for (const child of [...found.children]) removeObject(host, child, "tree");
	}
	bury(host, held(store, found));
}

function bury(host: Host, object: AdObject): void {
	const { store } = host;
	const lastKnownParent = object.parent?.dn ?? "";
	unlinkAll(object);
	const sam = object.attributes.get("samaccountname")?.[0];
	if (sam !== undefined) store.bySam.delete(foldText(textOf(sam)));
	const dropped = [...object.attributes.keys()].filter((name) => !KEPT.has(name));
	for (const name of dropped) object.attributes.delete(name);
	object.attributes.set("lastknownparent", [lastKnownParent]);
	object.attributes.set("isrecycled", ["TRUE"]);
	host.credentials.passwords.delete(hex(object.guid));
	const rdn = { type: object.rdn.type, value: `${object.rdn.value}\nDEL:${guidText(object.guid)}` };
	place(store, object, store.deletedObjects, rdn, joinDn(rdn, store.deletedObjects.dn));
	object.isDeleted = true;
	stamp(store, object);
	noteAttributes(object, object.usnChanged, [...nameAttributes, ...dropped, "isdeleted", "isrecycled", "lastknownparent"]);
}

/** Brings a tombstone back under a name of the caller's. GUID and SID are the same; what the tombstone had lost stays lost. */
export function raise(host: Host, object: AdObject, dn: string): void {
	const { store } = host;
	if (!object.isDeleted || object === store.deletedObjects) {
		refuse("unwillingToPerform", "00002077: SvcErr: DSID-031A0FC1, problem 5003 (WILL_NOT_PERFORM), data 0");
	}
	const parentName = parentDn(dn);
	const parent = parentName === undefined ? undefined : dereference(store, parentName);
	if (parent === undefined || parent.isDeleted)
		refuse("noSuchObject", "0000208D: NameErr: DSID-03100245, problem 2001 (NO_OBJECT), data 0");
	const rdn = { type: object.rdn.type, value: leafOf(dn).value };
	const name = joinDn(rdn, parent.dn);
	const sam = object.attributes.get("samaccountname")?.[0];
	const samKey = sam === undefined ? undefined : foldText(textOf(sam));
	if (findDn(store, name) !== undefined || (samKey !== undefined && store.bySam.has(samKey))) {
		refuse("entryAlreadyExists", "00002071: UpdErr: DSID-0305038D, problem 6005 (ENTRY_EXISTS), data 0");
	}
	object.isDeleted = false;
	object.attributes.delete("isrecycled");
	object.attributes.delete("lastknownparent");
	object.attributes.set("objectcategory", [categoryDn(store, structuralClass(object.classes)?.category ?? "Top")]);
	if (object.classes.includes("user")) {
		object.attributes.set("primarygroupid", [object.classes.includes("computer") ? "515" : "513"]);
		object.attributes.set("accountexpires", [NEVER]);
		object.attributes.set("pwdlastset", ["0"]);
	}
	setAccountType(object);
	if (samKey !== undefined) store.bySam.set(samKey, object);
	place(store, object, parent, rdn, name);
	stamp(store, object);
	noteAttributes(object, object.usnChanged, [...nameAttributes, ...object.attributes.keys(), "isdeleted", "isrecycled", "lastknownparent"]);
}
