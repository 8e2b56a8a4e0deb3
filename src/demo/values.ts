import { foldText, sidText, type Value } from "../core/syntax.ts";
import { constructedTypes, isForwardLink, structuralClass } from "./schema.ts";
import type { AdObject, Store } from "./store.ts";

const NONE: readonly Value[] = [];
const TRUE: readonly Value[] = ["TRUE"];

/** All values of one attribute (lower-case name), stored, linked or computed; an empty list when there are none. */
export function valuesOf(store: Store, object: AdObject, attribute: string): readonly Value[] {
	switch (attribute) {
		case "objectclass":
			return object.classes;
		case "cn":
		case "ou":
		case "dc":
			return object.rdn.type.toLowerCase() === attribute ? [object.rdn.value] : NONE;
		case "name":
			return [object.rdn.value];
		case "distinguishedname":
			return [object.dn];
		case "objectguid":
			return [object.guid];
		case "objectsid":
			return object.sid === undefined ? NONE : [object.sid];
		case "usnchanged":
			return [String(object.usnChanged)];
		case "usncreated":
			return [String(object.usnCreated)];
		case "whenchanged":
		case "modifytimestamp":
			return [generalizedTime(object.changedAt)];
		case "whencreated":
		case "createtimestamp":
			return [generalizedTime(object.createdAt)];
		case "invocationid":
			return object.classes.at(-1) === "nTDSDSA" ? [store.invocationId] : NONE;
		case "isdeleted":
			return object.isDeleted ? TRUE : NONE;
		case "memberof":
		case "directreports":
		case "managedobjects":
			return namesOf(object.backlinks.get(attribute));
		default:
			return (
				object.attributes.get(attribute) ??
				(isForwardLink(attribute) ? namesOf(object.links.get(attribute)) : constructed(store, object, attribute))
			);
	}
}

function namesOf(objects: ReadonlySet<AdObject> | undefined): readonly Value[] {
	return objects === undefined ? NONE : Array.from(objects, ({ dn }) => dn);
}

/** The names of what an object has, in the order in which it is sent. Without constructed attributes. */
export function namesIn(object: AdObject): readonly string[] {
	const names = ["objectclass", object.rdn.type.toLowerCase(), ...object.attributes.keys()];
	for (const [name, targets] of object.links) if (targets.size > 0) names.push(name);
	names.push("distinguishedname", "whencreated", "whenchanged", "usncreated");
	for (const [name, holders] of object.backlinks) if (holders.size > 0 && !name.startsWith("-")) names.push(name);
	names.push("usnchanged", "name", "objectguid");
	if (object.sid !== undefined) names.push("objectsid");
	if (object.classes.at(-1) === "nTDSDSA") names.push("invocationid");
	if (object.isDeleted) names.push("isdeleted");
	return names;
}

const CONSTRUCTED = new Set(constructedTypes().map(({ name }) => name.toLowerCase()));

function constructed(store: Store, object: AdObject, attribute: string): readonly Value[] {
	if (!CONSTRUCTED.has(attribute)) return NONE;
	switch (attribute) {
		case "canonicalname":
			return [canonicalName(store, object)];
		case "parentguid":
			return object.parent === undefined ? NONE : [object.parent.guid];
		case "structuralobjectclass":
			return [structuralClass(object.classes)?.name ?? "top"];
		case "primarygrouptoken":
			return object.classes.includes("group") && object.sid !== undefined ? [String(ridOf(object.sid))] : NONE;
		case "msds-user-account-control-computed":
			return object.classes.includes("user") ? [isLocked(object) ? "16" : "0"] : NONE;
		case "msds-approx-immed-subordinates":
			// Counted whatever the rights of who asks (MS-ADTS, constructed attributes).
			return [String(object.children.size)];
		case "tokengroups":
			return tokenGroups(store, object);
		default:
			return NONE;
	}
}

export function isLocked(object: AdObject): boolean {
	return (object.attributes.get("lockouttime")?.[0] ?? "0") !== "0";
}

export function ridOf(sid: Uint8Array): number {
	return Buffer.from(sid.buffer, sid.byteOffset, sid.length).readUInt32LE(sid.length - 4);
}

/** The SIDs of every group that an account is in, nested and primary. */
function tokenGroups(store: Store, object: AdObject): readonly Value[] {
	const seen = new Set<AdObject>(object.backlinks.get("memberof"));
	const primary = object.attributes.get("primarygroupid")?.[0];
	for (const other of primary === undefined ? [] : store.objects.values()) {
		if (other.sid !== undefined && sidText(other.sid) === `${store.domainSid}-${primary}`) seen.add(other);
	}
	for (const group of seen) for (const outer of group.backlinks.get("memberof") ?? []) seen.add(outer);
	return Array.from(seen).flatMap(({ sid }) => (sid === undefined ? [] : [sid]));
}

/** "corp.example.com/People/Anna Åberg". */
function canonicalName(store: Store, object: AdObject): string {
	const steps: string[] = [];
	let at: AdObject | undefined = object;
	for (; at !== undefined && at !== store.domain; at = at.parent) steps.unshift(at.rdn.value.replaceAll("/", "\\/"));
	return `${dnsName(store.domain.dn)}/${steps.join("/")}`;
}

export function dnsName(dn: string): string {
	return foldText(dn).replace(/^dc=/, "").replaceAll(",dc=", ".");
}

/** "20261101083000.0Z": AD keeps whole seconds. */
export function generalizedTime(at: number): string {
	const time = new Date(at);
	const date = (time.getUTCFullYear() * 100 + time.getUTCMonth() + 1) * 100 + time.getUTCDate();
	const clock = (time.getUTCHours() * 100 + time.getUTCMinutes()) * 100 + time.getUTCSeconds();
	return `${date * 1_000_000 + clock}.0Z`;
}
