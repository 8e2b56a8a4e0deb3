/** slapd's names for the matching rules and syntaxes that AD's attributes need (RFC 4517). */
const kinds = {
	text: "EQUALITY caseIgnoreMatch ORDERING caseIgnoreOrderingMatch SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15",
	dn: "EQUALITY distinguishedNameMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.12",
	bytes: "EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40",
	integer: "EQUALITY integerMatch ORDERING integerOrderingMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27",
	time: "EQUALITY generalizedTimeMatch ORDERING generalizedTimeOrderingMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.24",
	oid: "EQUALITY objectIdentifierMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.38",
} as const;

/** Every attribute by its kind, in AD's spelling. slapd brings cn, name, description and objectClass itself. */
const attributes: Readonly<Record<keyof typeof kinds, readonly string[]>> = {
	text: [
		...["sn", "givenName", "displayName", "title", "department", "company", "mail", "telephoneNumber", "mobile", "l", "co", "ou", "dc"],
		...[
			"sAMAccountName",
			"userPrincipalName",
			"proxyAddresses",
			"employeeNumber",
			"employeeID",
			"employeeType",
			"physicalDeliveryOfficeName",
		],
		...["streetAddress", "postalCode", "dNSHostName", "dnsRoot", "nETBIOSName", "isDeleted"],
		// A DN in AD, which also understands (objectCategory=person). As text with both values, slapd does as well.
		"objectCategory",
	],
	dn: ["manager", "member", "memberOf", "lastKnownParent", "dsServiceName", "defaultNamingContext", "configurationNamingContext", "nCName"],
	bytes: ["objectGUID", "objectSid", "invocationId"],
	integer: [
		...[
			"userAccountControl",
			"accountExpires",
			"uSNChanged",
			"uSNCreated",
			"sAMAccountType",
			"primaryGroupID",
			"groupType",
			"instanceType",
		],
		...["highestCommittedUSN", "lastLogonTimestamp", "pwdLastSet", "tombstoneLifetime"],
	],
	time: ["whenCreated", "whenChanged"],
	oid: ["supportedCapabilities"],
};

const classes: readonly (readonly [name: string, parent: string])[] = [
	["domain", "top"],
	["domainDNS", "domain"],
	["organizationalUnit", "top"],
	["container", "top"],
	["configuration", "top"],
	["group", "top"],
	["nTDSDSA", "top"],
	["person", "top"],
	["organizationalPerson", "person"],
	["contact", "organizationalPerson"],
	["user", "organizationalPerson"],
	["computer", "user"],
];

/** A schema file for slapd with Active Directory's names. OIDs stand under OpenLDAP's arc for experiments. */
export function adSchema(): string {
	let number = 0;
	const oid = () => `1.3.6.1.4.1.4203.666.77.${++number}`;
	const names = Object.values(attributes).flat();
	const lines = Object.entries(attributes).flatMap(([kind, list]) =>
		list.map((name) => `attributetype ( ${oid()} NAME '${name}' ${kinds[kind as keyof typeof kinds]} )`),
	);
	const may = ["cn", "name", "description", "userPassword", ...names].join(" $ ");
	for (const [name, parent] of classes) {
		lines.push(`objectclass ( ${oid()} NAME '${name}' SUP ${parent} STRUCTURAL MAY ( ${may} ) )`);
	}
	return `${lines.join("\n")}\n`;
}
