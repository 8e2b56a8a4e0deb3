import { type Syntax, syntaxOf } from "../core/attribute-syntax.ts";

/** An attribute type of the demo directory's schema. */
export interface AttributeType {
	/** As AD spells it, whatever the client asked for. */
	readonly name: string;
	readonly syntax: Syntax;
	readonly isSingle: boolean;
	/** `system`: written by the directory alone. `constructed`: computed, and given only to who names it (or asks for `+`). */
	readonly kind: "plain" | "system" | "constructed";
}

const SINGLE = `cn name ou dc sAMAccountName userPrincipalName displayName displayNamePrintable givenName sn initials middleName title department
company division mail mailNickname telephoneNumber mobile homePhone pager facsimileTelephoneNumber ipPhone physicalDeliveryOfficeName streetAddress l st
postalCode c co countryCode employeeID employeeNumber employeeType info comment manager managedBy assistant secretary primaryGroupID userAccountControl
accountExpires pwdLastSet lockoutTime badPwdCount lastLogon lastLogonTimestamp logonCount codePage groupType homeDirectory homeDrive profilePath
scriptPath wWWHomePage generationQualifier personalTitle preferredLanguage thumbnailPhoto jpegPhoto extensionAttribute1 extensionAttribute2
extensionAttribute3 extensionAttribute4 extensionAttribute5 extensionAttribute6 extensionAttribute7 extensionAttribute8 extensionAttribute9
extensionAttribute10 extensionAttribute11 extensionAttribute12 extensionAttribute13 extensionAttribute14 extensionAttribute15 uid uidNumber gidNumber
unixHomeDirectory loginShell gecos mS-DS-ConsistencyGuid msExchMailboxGuid msExchHideFromAddressLists msExchRecipientTypeDetails legacyExchangeDN
targetAddress operatingSystem operatingSystemVersion dNSHostName adminCount showInAdvancedViewOnly isCriticalSystemObject lockoutDuration
lockoutThreshold maxPwdAge minPwdAge tombstoneLifetime msDS-Behavior-Version unicodePwd userPassword nETBIOSName nCName dnsRoot systemFlags
msDS-cloudExtensionAttribute1 msDS-PhoneticDisplayName roomNumber gPLink serverReference lDAPDisplayName`;

const MULTI = `description proxyAddresses member otherTelephone otherMobile otherHomePhone otherMailbox url servicePrincipalName seeAlso carLicense
postalAddress postOfficeBox street o businessCategory departmentNumber labeledURI showInAddressBook altRecipient publicDelegates userCertificate
sIDHistory msDS-AllowedToDelegateTo hasMasterNCs msDS-hasMasterNCs otherIpPhone otherPager wellKnownObjects`;

const SYSTEM_SINGLE = `distinguishedName objectGUID objectSid objectCategory sAMAccountType uSNChanged uSNCreated whenChanged whenCreated instanceType
isDeleted isRecycled lastKnownParent invocationId`;
const SYSTEM_MULTI = "objectClass memberOf directReports managedObjects";
const CONSTRUCTED_SINGLE = `canonicalName createTimeStamp modifyTimeStamp parentGUID structuralObjectClass primaryGroupToken
msDS-User-Account-Control-Computed msDS-Approx-Immed-Subordinates`;
const CONSTRUCTED_MULTI = "tokenGroups nTSecurityDescriptor";

const types: ReadonlyMap<string, AttributeType> = new Map([
	...declare(SINGLE, true, "plain"),
	...declare(MULTI, false, "plain"),
	...declare(SYSTEM_SINGLE, true, "system"),
	...declare(SYSTEM_MULTI, false, "system"),
	...declare(CONSTRUCTED_SINGLE, true, "constructed"),
	...declare(CONSTRUCTED_MULTI, false, "constructed"),
]);

function declare(names: string, isSingle: boolean, kind: AttributeType["kind"]): [string, AttributeType][] {
	return names.split(/\s+/).map((name) => {
		const lower = name.toLowerCase();
		const isInteger = /^(uidNumber|gidNumber|primaryGroupToken|msDS-Behavior-Version)$/.test(name);
		const isDn = /^(nCName|hasMasterNCs|msDS-hasMasterNCs)$/.test(name);
		return [lower, { name, isSingle, kind, syntax: isInteger ? "integer" : isDn ? "dn" : syntaxOf(lower) }];
	});
}

/** The type of an attribute by its lower-case name; undefined: this directory knows none, as an AD without an extended schema. */
export function typeOf(attribute: string): AttributeType | undefined {
	return types.get(attribute);
}

/** All that there are: the schema naming context has an object for each. */
export function attributeTypes(): Iterable<AttributeType> {
	return types.values();
}

export function constructedTypes(): readonly AttributeType[] {
	return [...types.values()].filter(({ kind }) => kind === "constructed");
}

/** Links between objects, forward name to back-link, lower case. AD keeps the back-link itself and repairs both through renames. */
export const backlinkOf: ReadonlyMap<string, string> = new Map([
	["member", "memberof"],
	["manager", "directreports"],
	["managedby", "managedobjects"],
]);

/** Forward links without a back-link that anybody asks for. */
const ONE_WAY = new Set(["secretary", "seealso", "altrecipient", "publicdelegates"]);

export function isForwardLink(attribute: string): boolean {
	return backlinkOf.has(attribute) || ONE_WAY.has(attribute);
}

interface ClassType {
	readonly name: string;
	/** From top to the class itself, as objectClass lists it. */
	readonly chain: readonly string[];
	/** The leading RDN of objectCategory. */
	readonly category: string;
	/** The attribute that names its objects. */
	readonly rdn: "CN" | "OU" | "DC";
}

const PERSON = ["top", "person", "organizationalPerson"];

const classes: ReadonlyMap<string, ClassType> = new Map(
	[
		{ name: "user", chain: [...PERSON, "user"], category: "Person", rdn: "CN" },
		{ name: "inetOrgPerson", chain: [...PERSON, "user", "inetOrgPerson"], category: "Person", rdn: "CN" },
		{ name: "contact", chain: [...PERSON, "contact"], category: "Person", rdn: "CN" },
		{ name: "computer", chain: [...PERSON, "user", "computer"], category: "Computer", rdn: "CN" },
		{
			name: "msDS-GroupManagedServiceAccount",
			chain: [...PERSON, "user", "computer", "msDS-GroupManagedServiceAccount"],
			category: "ms-DS-Group-Managed-Service-Account",
			rdn: "CN",
		},
		{
			name: "msDS-ManagedServiceAccount",
			chain: [...PERSON, "user", "computer", "msDS-ManagedServiceAccount"],
			category: "ms-DS-Managed-Service-Account",
			rdn: "CN",
		},
		{ name: "group", chain: ["top", "group"], category: "Group", rdn: "CN" },
		{ name: "organizationalUnit", chain: ["top", "organizationalUnit"], category: "Organizational-Unit", rdn: "OU" },
		{ name: "container", chain: ["top", "container"], category: "Container", rdn: "CN" },
		{ name: "domainDNS", chain: ["top", "domain", "domainDNS"], category: "Domain-DNS", rdn: "DC" },
		{ name: "configuration", chain: ["top", "configuration"], category: "Configuration", rdn: "CN" },
		{ name: "dMD", chain: ["top", "dMD"], category: "DMD", rdn: "CN" },
		{ name: "attributeSchema", chain: ["top", "attributeSchema"], category: "Attribute-Schema", rdn: "CN" },
		{ name: "crossRefContainer", chain: ["top", "crossRefContainer"], category: "Cross-Ref-Container", rdn: "CN" },
		{ name: "crossRef", chain: ["top", "crossRef"], category: "Cross-Ref", rdn: "CN" },
		{ name: "sitesContainer", chain: ["top", "sitesContainer"], category: "Sites-Container", rdn: "CN" },
		{ name: "site", chain: ["top", "site"], category: "Site", rdn: "CN" },
		{ name: "serversContainer", chain: ["top", "serversContainer"], category: "Servers-Container", rdn: "CN" },
		{ name: "server", chain: ["top", "server"], category: "Server", rdn: "CN" },
		{ name: "nTDSDSA", chain: ["top", "applicationSettings", "nTDSDSA"], category: "NTDS-DSA", rdn: "CN" },
		{ name: "nTDSService", chain: ["top", "nTDSService"], category: "NTDS-Service", rdn: "CN" },
	].map((known) => [known.name.toLowerCase(), known as ClassType]),
);

export function classOf(name: string): ClassType | undefined {
	return classes.get(name.toLowerCase());
}

/** The most special of the classes that a client named: the one with the longest chain. */
export function structuralClass(names: readonly string[]): ClassType | undefined {
	let found: ClassType | undefined;
	for (const name of names) {
		const known = classOf(name);
		if (known !== undefined && (found === undefined || known.chain.length > found.chain.length)) found = known;
	}
	return found;
}
