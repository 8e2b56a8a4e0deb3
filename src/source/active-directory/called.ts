import { dnKey, dnsDomain, isBeneath, parseDn } from "../../core/dn.ts";
import type { Filter } from "../../core/filter.ts";
import { equal } from "../../core/filter-text.ts";
import { guidBytes } from "../../core/syntax.ts";

/** Whoever has this name in a domain, person or not: userPrincipalName, address, logon name, DOMAIN\name, name@domain or GUID. */
export function calledSo(user: string, domain: string): Filter {
	const guid = guidBytes(user);
	if (guid !== undefined) return { kind: "equal", attribute: "objectGUID", value: guid };
	const logon = logonIn(user, domain);
	return {
		kind: "or",
		parts: [
			equal("userPrincipalName", user),
			equal("mail", user),
			equal("proxyAddresses", `smtp:${user}`),
			equal("sAMAccountName", user),
			...(logon === undefined ? [] : [equal("sAMAccountName", logon)]),
		],
	};
}

/**
 * Whose tombstone may be the one of who had this name. A tombstone keeps GUID and logon name, and the name that it had in its
 * container: its `cn` is that, a line feed and "DEL:" with the GUID (MS-ADTS §3.1.1.5.5).
 */
export function buriedAs(user: string, domain: string): Filter {
	const name = rdnIn(user) ?? user;
	const before: Filter = { kind: "substrings", attribute: "cn", initial: Buffer.from(`${name}${MANGLED}`), any: [], final: undefined };
	const names: Filter = guidBytes(user) === undefined ? { kind: "or", parts: [calledSo(user, domain), before] } : calledSo(user, domain);
	return { kind: "and", parts: [equal("isDeleted", "TRUE"), names] };
}

/** Between the name that a tombstone had and its GUID. */
export const MANGLED = "\nDEL:";

/** Whether a text is the DN of something in a domain. */
export function isDnIn(user: string, domain: string): boolean {
	return isBeneath(dnKey(user), dnKey(domain));
}

function rdnIn(text: string): string | undefined {
	try {
		return parseDn(text)[0]?.[0]?.value;
	} catch {
		return undefined; // It is no DN, then.
	}
}

/** AD lets anyone log on by name@domain, also whose userPrincipalName is another one. */
function logonIn(user: string, domain: string): string | undefined {
	const [, name] = /^[^\\@]+\\([^\\]+)$/.exec(user) ?? [];
	if (name !== undefined) return name;
	const at = user.lastIndexOf("@");
	return at > 0 && user.slice(at + 1).toLowerCase() === dnsDomain(domain)?.toLowerCase() ? user.slice(0, at) : undefined;
}
