import { dnKey, parentDn } from "../core/dn.ts";
import { guidBytes, sidBytes, sidText } from "../core/syntax.ts";
import { wellKnown } from "./found.ts";
import { leafOf } from "./name.ts";
import { type Refusal, refusal, resultCode } from "./result.ts";
import type { Sight } from "./rights.ts";
import { type AdObject, findDn, findGuid, keyOf, type Store } from "./store.ts";
import { dnsName } from "./values.ts";

/** The object that a base names: a DN, `<GUID=…>` (text or raw hex), `<SID=…>` (text or raw hex) or `<WKGUID=…,DN>`. */
export function dereference(store: Store, name: string): AdObject | undefined {
	const reference = /^<(GUID|SID|WKGUID)=([^,>]*)(?:,(.*))?>$/is.exec(name.trim());
	if (reference === null) return findDn(store, name);
	const [, kind = "", value = "", container = ""] = reference;
	if (kind.toUpperCase() === "GUID") {
		const guid = guidBytes(value);
		return guid === undefined ? undefined : findGuid(store, guid);
	}
	if (kind.toUpperCase() === "SID") return findSid(store, value);
	const relative = wellKnown[value.toLowerCase()];
	return relative === undefined || dnKey(container) !== keyOf(store.domain) ? undefined : findDn(store, `${relative},${store.domain.dn}`);
}

function findSid(store: Store, text: string): AdObject | undefined {
	const wanted = sidBytes(text) ?? (/^(?:[0-9a-f]{2})+$/i.test(text) ? Buffer.from(text, "hex") : undefined);
	if (wanted === undefined) return undefined;
	const name = sidText(wanted);
	for (const object of store.objects.values()) if (object.sid !== undefined && sidText(object.sid) === name) return object;
	return store.madeUp?.findSid(name);
}

/** The object that a request works on, as far as the account sees it, or what AD answers when there is none. */
export function locate(store: Store, name: string, sight: Sight): AdObject | Refusal {
	const object = dereference(store, name);
	if (object !== undefined && sight.canSee(object)) return object;
	if (name.startsWith("<")) return noSuchObject("");
	if (!dnKey(name).startsWith(keyOf(store.domain))) {
		if (name.trim() !== "") leafOf(name);
		const host = name.trim() === "" ? "" : dnsName(name);
		return /(^|,)\s*dc=/i.test(name) ? elsewhere(host, name) : noSuchObject("");
	}
	return noSuchObject(closest(store, name, sight));
}

/** The nearest ancestor that is there and may be seen: matchedDN of the answer. */
function closest(store: Store, name: string, sight: Sight): string {
	for (let dn = parentDn(name); dn !== undefined; dn = parentDn(dn)) {
		const object = findDn(store, dn);
		if (object !== undefined && sight.canSee(object)) return object.dn;
	}
	return "";
}

export function noSuchObject(matchedDn: string): Refusal {
	const text = `0000208D: NameErr: DSID-03100245, problem 2001 (NO_OBJECT), data 0, best match of:\n\t'${matchedDn}'\n`;
	return refusal("noSuchObject", text, matchedDn);
}

/** A name in another domain: AD sends the client there. */
function elsewhere(host: string, name: string): Refusal {
	return {
		code: resultCode.referral,
		text: `0000202B: RefErr: DSID-031007F3, data 0, 1 access points\n\tref 1: '${host}'\n`,
		matchedDn: "",
		referral: [`ldap://${host}/${encodeURI(name)}`],
	};
}
