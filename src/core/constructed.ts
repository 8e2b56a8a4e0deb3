/** The kinds of directory that differ in what they compute. */
export type DirectoryKind = "active-directory" | "ldap";

/**
 * Whether a directory computes an attribute when it is asked for it (Active Directory: MS-ADTS §3.1.1.4.5). Its value changes
 * without the entry changing, so that no delta can see it. Options are left aside.
 */
export function isConstructed(attribute: string, kind: DirectoryKind = "active-directory"): boolean {
	return constructed[kind].has(bare(attribute));
}

/**
 * Whether an attribute is the other end of a link: it lists who names this entry (MS-ADTS §3.1.1.1.6), and changes when they do,
 * without the entry itself changing.
 */
export function isBackLink(attribute: string): boolean {
	return backLinks.has(bare(attribute));
}

function bare(attribute: string): string {
	return (attribute.split(";")[0] as string).toLowerCase();
}

const constructed: Readonly<Record<DirectoryKind, ReadonlySet<string>>> = {
	// MS-ADTS §3.1.1.4.5.1 and following, and what MS-ADA1 to MS-ADA3 mark FLAG_ATTR_IS_CONSTRUCTED.
	"active-directory": setOf(`
		allowedAttributes allowedAttributesEffective allowedChildClasses allowedChildClassesEffective attributeTypes canonicalName
		createTimeStamp dITContentRules entryTTL extendedAttributeInfo extendedClassInfo fromEntry modifyTimeStamp
		msDS-Approx-Immed-Subordinates msDS-Auxiliary-Classes msDS-isGC msDS-isRODC msDS-IsUserCachableAtRodc msDS-KeyVersionNumber
		msDS-LocalEffectiveDeletionTime msDS-LocalEffectiveRecycleTime msDS-ManagedPassword msds-memberOfTransitive
		msds-memberTransitive msDS-NCReplCursors msDS-NCReplInboundNeighbors msDS-NCReplOutboundNeighbors msDS-PrincipalName
		msDS-QuotaEffective msDS-QuotaUsed msDS-ReplAttributeMetaData msDS-ReplValueMetaData msDS-ResultantPSO msDS-RevealedList
		msDS-RevealedListBL msDS-SiteName msds-tokenGroupNames msds-tokenGroupNamesGlobalAndUniversal
		msds-tokenGroupNamesNoGCAcceptable msDS-TopQuotaUsage msDS-User-Account-Control-Computed msDS-UserPasswordExpired
		msDS-UserPasswordExpiryTimeComputed ms-DS-UserAccountAutoLocked objectClasses parentGUID possibleInferiors primaryGroupToken
		sDRightsEffective structuralObjectClass subSchemaSubEntry tokenGroups tokenGroupsGlobalAndUniversal tokenGroupsNoGCAcceptable`),
	// entryDN: RFC 5020; hasSubordinates: X.501 §14.4.4; numSubordinates, nsRole: 389 Directory Server.
	ldap: setOf("entryDN hasSubordinates numSubordinates subschemaSubentry nsRole"),
};

/** Odd link ids of MS-ADA1 to MS-ADA3 that people carry, and what other directories call memberOf. */
const backLinks = setOf(`
	directReports isMemberOf isPrivilegeHolder managedObjects memberOf msCOM-UserLink msDS-AuthenticatedAtDC
	msDS-AuthenticatedToAccountlist msDS-HostServiceAccountBL msDS-MembersForAzRoleBL msDS-NonMembersBL msDS-ObjectReferenceBL
	msDS-PSOApplied msDS-RevealedDSAs msExchDelegateListBL msSFU30PosixMemberOf msTSPrimaryDesktopBL msTSSecondaryDesktopBL
	nonSecurityMemberBL ownerBL publicDelegatesBL`);

function setOf(names: string): ReadonlySet<string> {
	return new Set(names.trim().toLowerCase().split(/\s+/));
}
