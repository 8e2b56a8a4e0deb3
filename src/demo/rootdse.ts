import { sidBytes, type Value } from "../core/syntax.ts";
import { BerWriter, tag } from "../lib/ber.ts";
import { AUTHENTICATED_USERS } from "./descriptor.ts";
import { serviceDn } from "./found.ts";
import type { AdObject, Store } from "./store.ts";
import { dnsName, generalizedTime, valuesOf } from "./values.ts";

/** Controls that this directory takes, and lists. */
export const controlOid = {
	paged: "1.2.840.113556.1.4.319",
	showDeleted: "1.2.840.113556.1.4.417",
	showRecycled: "1.2.840.113556.1.4.2064",
	domainScope: "1.2.840.113556.1.4.1339",
	permissiveModify: "1.2.840.113556.1.4.1413",
	treeDelete: "1.2.840.113556.1.4.805",
	lazyCommit: "1.2.840.113556.1.4.619",
	searchOptions: "1.2.840.113556.1.4.1340",
	notification: "1.2.840.113556.1.4.528",
	extendedDn: "1.2.840.113556.1.4.529",
	dirSync: "1.2.840.113556.1.4.841",
	descriptorFlags: "1.2.840.113556.1.4.801",
} as const;

/** AD's own marks: Windows 2000, LDAP integration, Windows 2003, ADAM-free; and START_TLS. */
const CAPABILITIES = [
	"1.2.840.113556.1.4.800",
	"1.2.840.113556.1.4.1670",
	"1.2.840.113556.1.4.1791",
	"1.2.840.113556.1.4.1935",
	"1.2.840.113556.1.4.2080",
];
export const startTlsOid = "1.3.6.1.4.1.1466.20037";
export const whoAmIOid = "1.3.6.1.4.1.4203.1.11.3";

/** The rootDSE's encoded attributes: read with an empty base and scope base, also by who is not bound. */
export function encodeRootDse(store: Store, account: AdObject | undefined, attributes: readonly string[]): Uint8Array {
	const wanted = new Set(attributes.map((name) => name.toLowerCase()));
	const all = wanted.size === 0 || wanted.has("*") || wanted.has("+");
	const writer = new BerWriter(4096).open();
	// Only to who names it, as all that is computed.
	if (wanted.has("tokengroups") && account !== undefined) writeAttribute(writer, "tokenGroups", tokenOf(store, account));
	for (const [name, values] of rootAttributes(store)) {
		if (!all && !wanted.has(name.toLowerCase())) continue;
		writeAttribute(writer, name, values);
	}
	return writer.close().finish();
}

function writeAttribute(writer: BerWriter, name: string, values: readonly Value[]): void {
	writer.open().text(name).open(tag.set);
	for (const value of values) {
		if (typeof value === "string") writer.text(value);
		else writer.octets(value);
	}
	writer.close().close();
}

/** Everyone, and who is authenticated: in no group's members, and in everybody's token (MS-DTYP §2.4.2.4). */
const WELL_KNOWN = ["S-1-1-0", AUTHENTICATED_USERS];

/** The SIDs by which rights are judged: the account's own, its groups', and those that everybody has. */
function tokenOf(store: Store, account: AdObject): readonly Value[] {
	const known = WELL_KNOWN.flatMap((sid) => sidBytes(sid) ?? []);
	return [...(account.sid === undefined ? [] : [account.sid]), ...valuesOf(store, account, "tokengroups"), ...known];
}

function rootAttributes(store: Store): readonly (readonly [string, readonly Value[]])[] {
	const { domain, configuration } = store;
	const host = `dc1.${dnsName(domain.dn)}`;
	const schema = `CN=Schema,${configuration.dn}`;
	return [
		["domainFunctionality", ["7"]],
		["forestFunctionality", ["7"]],
		["domainControllerFunctionality", ["7"]],
		["rootDomainNamingContext", [domain.dn]],
		["ldapServiceName", [`${dnsName(domain.dn)}:dc1$@${dnsName(domain.dn).toUpperCase()}`]],
		["isGlobalCatalogReady", ["FALSE"]],
		["supportedSASLMechanisms", []],
		["supportedLDAPVersion", ["3", "2"]],
		["supportedLDAPPolicies", ["MaxPageSize", "MaxValRange", "MaxResultSetSize", "MaxQueryDuration"]],
		["supportedExtension", [startTlsOid, whoAmIOid]],
		["supportedControl", Object.values(controlOid)],
		["supportedCapabilities", CAPABILITIES],
		["subschemaSubentry", [`CN=Aggregate,${schema}`]],
		["serverName", [serviceDn(store).replace("CN=NTDS Settings,", "")]],
		["schemaNamingContext", [schema]],
		["namingContexts", [domain.dn, configuration.dn, schema]],
		["isSynchronized", ["TRUE"]],
		["highestCommittedUSN", [String(store.highestUsn)]],
		["dsServiceName", [serviceDn(store)]],
		["dnsHostName", [host]],
		["defaultNamingContext", [domain.dn]],
		["currentTime", [generalizedTime(store.clock())]],
		["configurationNamingContext", [configuration.dn]],
	];
}
