import { sidBytes, type Value } from "../core/syntax.ts";
import { joinDn, leafOf } from "./name.ts";
import { makeObject, newGuid, register } from "./object.ts";
import { makeRandom } from "./random.ts";
import { attributeTypes, classOf } from "./schema.ts";
import { type AdObject, keyOf, type Store } from "./store.ts";
import { dnsName } from "./values.ts";

export interface Founding {
	readonly baseDn: string;
	readonly clock: () => number;
	readonly random: () => number;
}

/** USNs of a domain that has lived a little. */
const FIRST_USN = 12_000;
const FIRST_RID = 1_103;
const SITE = "CN=Servers,CN=Default-First-Site-Name,CN=Sites";

/** The well-known containers of a domain, by the GUID that `<WKGUID=…,DC=…>` names them with (MS-ADTS §6.1.1.4). */
export const wellKnown: Readonly<Record<string, string>> = {
	"18e2ea80684f11d2b9aa00c04f79f805": "CN=Deleted Objects",
	a9d1ca15768811d1aded00c04fd8d5cd: "CN=Users",
	aa312825768811d1aded00c04fd8d5cd: "CN=Computers",
	a361b2ffffd211d1aa4b00c04fd7d83a: "OU=Domain Controllers",
	ab1d30f3768811d1aded00c04fd8d5cd: "CN=System",
};

/** Groups that every domain has, with their RIDs. */
const BUILT_IN: readonly (readonly [string, number])[] = [
	["Domain Admins", 512],
	["Domain Users", 513],
	["Domain Guests", 514],
	["Domain Computers", 515],
	["Domain Controllers", 516],
];

/** A new domain: its naming contexts, its one domain controller, its built-in containers and groups, and nobody in it. */
export function found(founding: Founding): Store {
	const { baseDn, clock, random } = founding;
	const domainSid = `S-1-5-21-${[1, 2, 3].map(() => 1e8 + Math.floor(random() * 4e9)).join("-")}`;
	const domain = makeHead(makeFounder(founding, "domainDNS", baseDn, undefined, domainSid));
	const configuration = makeHead(makeFounder(founding, "configuration", `CN=Configuration,${baseDn}`, domain));
	const deletedObjects = makeFounder(founding, "container", `CN=Deleted Objects,${baseDn}`, domain);
	deletedObjects.isDeleted = true;
	const store: Store = {
		clock,
		random,
		objects: new Map(),
		byKey: new Map(),
		bySam: new Map(),
		domain,
		configuration,
		deletedObjects,
		domainSid,
		nextRid: FIRST_RID,
		highestUsn: FIRST_USN,
		invocationId: newGuid(random),
		nameVersion: 0,
		madeUp: undefined,
		watchers: new Set(),
	};
	for (const object of [domain, configuration, deletedObjects]) settle(store, object, {});
	buildDomain(store, founding);
	buildConfiguration(store, founding);
	return store;
}

function buildDomain(store: Store, founding: Founding): void {
	const { domain } = store;
	const put = (className: string, rdn: string, attributes: Record<string, Value> = {}): AdObject =>
		settle(store, makeFounder(founding, className, `${rdn},${domain.dn}`, domain), attributes);
	put("container", "CN=Users");
	put("container", "CN=Computers");
	put("container", "CN=System");
	put("organizationalUnit", "OU=Domain Controllers");
	const users = store.byKey.get(`${keyOf(domain)}cn=users,`);
	for (const [name, rid] of BUILT_IN) {
		const group = makeFounder(founding, "group", `CN=${name},${users?.dn}`, users, `${store.domainSid}-${rid}`);
		settle(store, group, { samaccountname: name, grouptype: "-2147483646", samaccounttype: "268435456" });
	}
}

function buildConfiguration(store: Store, founding: Founding): void {
	const { configuration, domain } = store;
	const put = (className: string, relative: string, attributes: Record<string, Value> = {}): AdObject => {
		const dn = `${relative},${configuration.dn}`;
		const parent = [...store.objects.values()].find(
			(other) => dn.endsWith(`,${other.dn}`) && !dn.slice(0, -other.dn.length - 1).includes(","),
		);
		return settle(store, makeFounder(founding, className, dn, parent ?? configuration), attributes);
	};
	buildSchema(store, founding, makeHead(put("dMD", "CN=Schema")));
	put("crossRefContainer", "CN=Partitions");
	const netbios = domain.rdn.value.toUpperCase();
	put("crossRef", `CN=${netbios},CN=Partitions`, {
		ncname: domain.dn,
		netbiosname: netbios,
		dnsroot: dnsName(domain.dn),
		systemflags: "3",
	});
	put("sitesContainer", "CN=Sites");
	put("site", "CN=Default-First-Site-Name,CN=Sites");
	put("serversContainer", SITE);
	put("server", `CN=DC1,${SITE}`, { dnshostname: `dc1.${dnsName(domain.dn)}` });
	put("nTDSDSA", `CN=NTDS Settings,CN=DC1,${SITE}`, { "msds-hasmasterncs": domain.dn });
	put("container", "CN=Services");
	put("container", "CN=Windows NT,CN=Services");
	put("nTDSService", "CN=Directory Service,CN=Windows NT,CN=Services", { tombstonelifetime: "180" });
}

/** Its GUIDs come from elsewhere: who is invented after it must not be another for each attribute that is added to it. */
const SCHEMA_SEED = 418;

/** An object for each attribute type, by which a client asks whether there is one (MS-ADTS §3.1.1.2.3). AD's cn is another name. */
function buildSchema(store: Store, founding: Founding, schema: AdObject): void {
	const random = makeRandom(SCHEMA_SEED);
	for (const { name } of attributeTypes()) {
		const type = makeFounder({ ...founding, random }, "attributeSchema", `CN=${name},${schema.dn}`, schema);
		settle(store, type, { ldapdisplayname: name });
	}
}

/** The DN of this domain controller's own object, where invocationId is read. */
export function serviceDn(store: Store): string {
	return `CN=NTDS Settings,CN=DC1,${SITE},${store.configuration.dn}`;
}

function makeFounder(founding: Founding, className: string, dn: string, parent: AdObject | undefined, sid?: string): AdObject {
	return makeObject({
		guid: newGuid(founding.random),
		sid: sid === undefined ? undefined : sidBytes(sid),
		className,
		rdn: leafOf(dn),
		dn: parent === undefined ? dn : joinDn(leafOf(dn), parent.dn),
		parent,
		attributes: new Map(),
		index: undefined,
		usn: FIRST_USN,
		at: founding.clock(),
	});
}

function makeHead(object: AdObject): AdObject {
	object.context = object;
	return object;
}

function settle(store: Store, object: AdObject, attributes: Record<string, Value>): AdObject {
	const category = classOf(object.classes.at(-1) ?? "")?.category ?? "Top";
	object.attributes.set("instancetype", [object.context === object ? "5" : "4"]);
	object.attributes.set("objectcategory", [categoryDn(store, category)]);
	for (const [name, value] of Object.entries(attributes)) object.attributes.set(name, [value]);
	register(store, object);
	return object;
}

export function categoryDn(store: Store, category: string): string {
	return `CN=${category},CN=Schema,${store.configuration.dn}`;
}
