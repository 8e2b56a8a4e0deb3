import { BerWriter } from "../../lib/ber.ts";
import type { Control } from "../ldap/wire/encode.ts";
import { attributeName, attributesIn, firstValue, textsOf } from "../ldap/wire/entry.ts";
import { mayList, mayReadProperty } from "./security-descriptor.ts";
import { sidText } from "./sid.ts";
import { type Visit, visitOne } from "./visit.ts";

/** The access list alone of a security descriptor: with more, an account without administrator's rights gets nothing (MS-ADTS §3.1.1.3.4.1.11). */
export const accessListOnly: Control = {
	oid: "1.2.840.113556.1.4.801",
	isCritical: false,
	value: new BerWriter(16).open().integer(4).close().finish(),
};

/** The attribute that holds it. */
export const DESCRIPTOR = attributeName("nTSecurityDescriptor");

/**
 * Whether it is certain that a container which shows nothing has nothing: by the number of children that Windows counts whatever
 * the rights are, or by its access list, which says that this account may list it.
 */
export async function isProvenEmpty(visit: Visit, dn: string): Promise<boolean> {
	const attributes = ["msDS-Approx-Immed-Subordinates", "nTSecurityDescriptor"];
	const raw = await visitOne(visit, dn, attributes, [accessListOnly]);
	if (raw === undefined) return false;
	if (textsOf(raw, "msDS-Approx-Immed-Subordinates")[0] === "0") return true;
	const descriptor = firstValue(raw, DESCRIPTOR);
	return descriptor !== undefined && mayList(descriptor, await ownSids(visit)) === true;
}

/** Whether it is certain by its access list that this account may read a property of an object: that it shows none means that it has none. */
export async function isProvenReadable(visit: Visit, dn: string, property: readonly string[]): Promise<boolean> {
	const raw = await visitOne(visit, dn, ["nTSecurityDescriptor"], [accessListOnly]);
	const descriptor = raw === undefined ? undefined : firstValue(raw, DESCRIPTOR);
	return descriptor !== undefined && mayReadProperty(descriptor, await ownSids(visit), property) === true;
}

/** The SIDs of the account we are bound as and of all its groups, as the server itself reckons them. */
export async function ownSids(visit: Visit): Promise<ReadonlySet<string>> {
	const root = await visitOne(visit, "", ["tokenGroups"]);
	const token = root === undefined ? [] : attributesIn(root).filter(({ description }) => description.toLowerCase() === "tokengroups");
	return new Set(token.flatMap(({ values }) => values.flatMap((value) => sidText(value) ?? [])));
}
