import { accountFields, isAccountField } from "../core/account-field.ts";
import { nearest } from "../lib/nearest.ts";
import type { Check } from "./formats.ts";

/** Where a service is. A query is left to whoever takes one. */
export const checkHttpUrl: Check = (text) => {
	const remedy = "write https://, the host and the path, as in https://scim.example.com/v2";
	const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(text)?.[1]?.toLowerCase();
	if (scheme === undefined) return { message: "not a URL: it has no scheme", remedy };
	if (scheme !== "http" && scheme !== "https") return { message: `${scheme}:// where https:// belongs`, remedy };
	if (!URL.canParse(text)) return { message: "not a URL", remedy };
	const url = new URL(text);
	if (url.username !== "" || url.password !== "") {
		return { message: "a user or password in the URL", remedy: "take it out: the keys beside the URL say who we are" };
	}
	return url.hash === "" ? undefined : { message: "a # in the URL, which never leaves a client", remedy: "write the URL without it" };
};

export const checkProxyUrl: Check = (text) => {
	const remedy = "write its scheme, host and port, as in http://proxy.example.com:3128";
	if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return { message: "not the URL of an HTTP proxy", remedy };
	const url = new URL(text);
	const isMore = url.pathname !== "/" || url.search !== "" || url.hash !== "";
	return isMore ? { message: "more than a host and a port in the proxy's URL", remedy } : undefined;
};

/** Schemas whose attributes are filled already (RFC 7643 §4). */
const OWN_SCHEMAS = /^urn:ietf:params:scim:schemas:(?:core|extension:enterprise):/i;

/** "entitlements", "roles", or an attribute of a schema extension: the schema's URN (RFC 8141), a colon, and its name (RFC 7643 §2.1). */
export const checkScimAttribute: Check = (text) => {
	const remedy = 'write entitlements, roles, or a schema and its attribute, as in "urn:example:params:scim:schemas:extension:a:2.0:User:b"';
	if (text === "entitlements" || text === "roles") return undefined;
	if (!/^urn:/i.test(text)) return { message: "neither entitlements nor roles nor a URN", remedy };
	if (!/^urn:[A-Za-z0-9][A-Za-z0-9-]{0,30}[A-Za-z0-9]:(?:[\w.~!$&'()*+,;=@/%-]+:)+[A-Za-z$][\w$-]*$/.test(text)) {
		return { message: "not the URN of a schema with an attribute's name behind it", remedy };
	}
	return OWN_SCHEMAS.test(text) ? { message: "an attribute of SCIM's own schemas, which accounts fill already", remedy } : undefined;
};

export const checkColumn: Check = (text) => {
	if (isAccountField(text)) return undefined;
	const meant = nearest(text, accountFields);
	const remedy = meant === undefined ? `write one of ${accountFields.join(", ")}, or policies.NAME` : `write ${meant}`;
	return { message: "not a field of an account", remedy };
};
