import type { Filter } from "../../../core/filter.ts";
import { equal } from "../../../core/filter-text.ts";
import { attributeName, attributesIn, dnOf, firstValue, textsOf } from "../../ldap/wire/entry.ts";
import { probe } from "../../ldap/wire/session.ts";
import { anything } from "../root.ts";
import { sidText } from "../sid.ts";
import { type Visit, visitFew, visitOne } from "../visit.ts";

/** Who we are to a domain. */
export interface ServiceAccount {
	/** "CORP\svc-dirsyncd". */
	readonly name: string;
	/** Undefined where its own object cannot be read. */
	readonly sid: string | undefined;
	readonly dn: string | undefined;
	/** Its own and those of all its groups. */
	readonly sids: ReadonlySet<string>;
	/** Groups it is in that may do anything, for a person. */
	readonly mightyBy: readonly string[];
}

/** The naming contexts that all domains of a forest share. */
export interface Forest {
	readonly configuration: string;
	readonly schema: string;
	/** The domain that the server serves. */
	readonly domain: string;
}

const SID = attributeName("objectSid");
/** Well-known groups of administrators, by the last part of their SID (MS-DTYP §2.4.2.4). */
const mighty: Readonly<Record<string, string>> = {
	"512": "Domain Admins",
	"518": "Schema Admins",
	"519": "Enterprise Admins",
	"544": "Administrators",
	"548": "Account Operators",
	"551": "Backup Operators",
};

/**
 * The account that is bound, by the SIDs that the server reckons for it (tokenGroups of the root DSE, MS-ADTS §3.1.1.3.2) and not by
 * the name that the configuration has for it, which may be one of several. `boundAs`: that name, for where its object is hidden.
 */
export async function readAccount(visit: Visit, forest: Forest, boundAs: string): Promise<ServiceAccount> {
	const root = await visitOne(visit, "", ["tokenGroups", "msDS-PrincipalName"]);
	const token = root === undefined ? [] : attributesIn(root).filter(({ description }) => description.toLowerCase() === "tokengroups");
	const octets = token.flatMap(({ values }) => values);
	const sids = new Set(octets.flatMap((value) => sidText(value) ?? []));
	const mightyBy = [...sids].flatMap((sid) => {
		const rid = sid.slice(sid.lastIndexOf("-") + 1);
		const isOurs = sid.startsWith("S-1-5-21-") ? Number(rid) < 544 : sid.startsWith("S-1-5-32-");
		return (isOurs && mighty[rid]) || [];
	});
	const own = await findOwn(visit, forest.domain, octets);
	const netbios = await readNetbios(visit, forest);
	const logon = own === undefined ? undefined : textsOf(own, "sAMAccountName")[0];
	const sid = own === undefined ? undefined : firstValue(own, SID);
	const principal = root && textsOf(root, "msDS-PrincipalName")[0];
	const name =
		logon !== undefined && netbios !== undefined ? `${netbios}\\${logon}` : principal?.includes("\\") ? principal : guess(boundAs, netbios);
	return { name, sid: sid && sidText(sid), dn: own && dnOf(own), sids, mightyBy };
}

/** The one user among those whose SIDs are in the token. */
async function findOwn(visit: Visit, domain: string, sids: readonly Uint8Array[]): Promise<Uint8Array | undefined> {
	const parts = sids.map((value): Filter => ({ kind: "equal", attribute: "objectSid", value }));
	if (parts.length === 0) return undefined;
	const filter: Filter = { kind: "and", parts: [equal("objectClass", "user"), { kind: "or", parts }] };
	const request = { base: domain, scope: "sub", filter, attributes: ["sAMAccountName", "objectSid"] } as const;
	return (await visitFew(visit, request))[0];
}

/** The domain's NetBIOS name, of its cross reference (MS-ADTS §6.1.1.2.1.1.1). */
async function readNetbios(visit: Visit, { configuration, domain }: Forest): Promise<string | undefined> {
	const base = `CN=Partitions,${configuration}`;
	if (!(await probe(visit.session, { base, filter: anything, attributes: ["1.1"] })).isThere) return undefined;
	const request = { base, scope: "one", filter: equal("nCName", domain), attributes: ["nETBIOSName"] } as const;
	const [reference] = await visitFew(visit, request);
	return reference && textsOf(reference, "nETBIOSName")[0];
}

function guess(boundAs: string, netbios: string | undefined): string {
	const logon = /^([^@\\]+)@/.exec(boundAs)?.[1];
	return logon === undefined || netbios === undefined ? boundAs : `${netbios}\\${logon}`;
}
