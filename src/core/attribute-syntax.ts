/**
 * How the values of an attribute are compared. `exact` is text whose case counts; `category` is objectCategory, which may be asked for
 * by a class's name; `class` is objectClass; `time` is GeneralizedTime.
 */
export type Syntax = "text" | "exact" | "dn" | "category" | "class" | "integer" | "boolean" | "time" | "guid" | "sid" | "bytes";

/** How AD compares an attribute (lower-case name); text when nothing else is known. */
export function syntaxOf(attribute: string): Syntax {
	return syntaxes.get(attribute) ?? "text";
}

/**
 * What people and groups can have that is no plain text, by MS-ADA1 to MS-ADA3 (attributeSyntax) and Exchange's schema. Octet strings
 * that are GUIDs count as such. userParameters is text there, but what Windows writes into it is not.
 */
const names: Readonly<Record<Exclude<Syntax, "text">, string>> = {
	dn: `
		altRecipient assistant bridgeheadServerListBL defaultClassStore directReports distinguishedName dynamicLDAPServer
		frsComputerReferenceBL fRSMemberReferenceBL fSMORoleOwner homeMDB isPrivilegeHolder lastKnownParent managedBy managedObjects
		manager masteredBy member memberOf msCOM-PartitionSetLink msCOM-UserLink msCOM-UserPartitionSetLink
		msDFSR-ComputerReferenceBL msDFSR-MemberReferenceBL msDS-AssignedAuthNPolicy msDS-AssignedAuthNPolicySilo
		msDS-AuthenticatedAtDC msDS-AuthenticatedToAccountlist msDS-AuthNPolicySiloMembersBL msDS-ClaimSharesPossibleValuesWithBL
		msDS-EnabledFeatureBL msDS-HostServiceAccountBL msDS-IsDomainFor msDS-IsFullReplicaFor msDS-IsPartialReplicaFor
		msDS-IsPrimaryComputerFor msDS-KrbTgtLinkBl msDs-masteredBy msDS-MembersForAzRoleBL msDS-MembersOfResourcePropertyListBL
		msDS-NC-RO-Replica-Locations-BL msDS-NonMembers msDS-NonMembersBL msDS-ObjectReferenceBL msDS-OIDToGroupLinkBl
		msDS-OperationsForAzRoleBL msDS-OperationsForAzTaskBL msDS-PrimaryComputer msDS-PrincipalMember msDS-PSOApplied
		msDS-RevealedDSAs msDS-TasksForAzRoleBL msDS-TasksForAzTaskBL msDS-TDOEgressBL msDS-TDOIngressBL msDS-ValueTypeReferenceBL
		msExchDelegateListLink msSFU30PosixMember msSFU30PosixMemberOf msTSPrimaryDesktop msTSSecondaryDesktops netbootSCPBL
		nonSecurityMember nonSecurityMemberBL owner ownerBL preferredOU publicDelegates queryPolicyBL secretary seeAlso
		serverReference serverReferenceBL showInAddressBook siteObjectBL subRefs`,
	integer: `
		accountExpires adminCount badPasswordTime badPwdCount codePage countryCode flags garbageCollPeriod gidNumber groupAttributes
		groupType instanceType lastLogoff lastLogon lastLogonTimestamp localeID lockoutDuration lockoutThreshold lockoutTime
		logonCount maxPwdAge maxStorage minPwdAge mS-DS-ConsistencyChildCount msDS-Cached-Membership-Time-Stamp
		msDS-FailedInteractiveLogonCount msDS-FailedInteractiveLogonCountAtLastSuccessfulLogon msDS-GeoCoordinatesAltitude
		msDS-GeoCoordinatesLatitude msDS-GeoCoordinatesLongitude msDS-HABSeniorityIndex msDS-LastFailedInteractiveLogonTime
		msDS-LastSuccessfulInteractiveLogonTime msDS-NcType msDS-SecondaryKrbTgtNumber msDS-SupportedEncryptionTypes
		msDS-User-Account-Control-Computed msExchRecipientTypeDetails msRADIUSFramedIPAddress msRADIUSServiceType
		msRASSavedFramedIPAddress msTSMaxConnectionTime msTSMaxDisconnectionTime msTSMaxIdleTime msTSRemoteControl objectVersion
		operatorCount preferredDeliveryMethod primaryGroupID pwdLastSet revision rid sAMAccountType searchFlags shadowExpire
		shadowFlag shadowInactive shadowLastChange shadowMax shadowMin shadowWarning systemFlags tombstoneLifetime uidNumber
		userAccountControl uSNChanged uSNCreated uSNDSALastObjRemoved USNIntersite uSNLastObjRem uSNSource versionNumber`,
	boolean: `
		isCriticalSystemObject isDeleted isRecycled msExchHideFromAddressLists msNPAllowDialin msTSAllowLogon
		msTSBrokenConnectionAction msTSConnectClientDrives msTSConnectPrinterDrives msTSDefaultToMainPrinter msTSReconnectionAction
		showInAdvancedViewOnly`,
	time: `
		createTimeStamp dSCorePropagationData modifyTimeStamp msTSExpireDate msTSExpireDate2 msTSExpireDate3 msTSExpireDate4
		whenChanged whenCreated`,
	guid: `
		invocationId mS-DS-ConsistencyGuid msExchArchiveGuid msExchMailboxGuid objectGUID parentGUID schemaIDGUID`,
	sid: `
		mS-DS-CreatorSID msExchMasterAccountSid objectSid securityIdentifier sIDHistory tokenGroups`,
	bytes: `
		attributeCertificateAttribute audio controlAccessRights dBCSPwd dSASignature groupMembershipSAM jpegPhoto lmPwdHistory
		logonHours logonWorkstation msDRM-IdentityCertificate msDS-AllowedToActOnBehalfOfOtherIdentity msDS-AzObjectGuid
		msDS-Cached-Membership msDS-Site-Affinity msExchBlockedSendersHash msExchSafeRecipientsHash msExchSafeSendersHash
		mSMQDigests mSMQDigestsMig mSMQSignCertificates mSMQSignCertificatesMig msPKIRoamingTimeStamp nTGroupMembers ntPwdHistory
		nTSecurityDescriptor partialAttributeDeletionList partialAttributeSet photo registeredAddress replPropertyMetaData
		replUpToDateVector repsFrom repsTo supplementalCredentials teletexTerminalIdentifier telexNumber terminalServer
		thumbnailLogo thumbnailPhoto unicodePwd unixUserPassword userCert userCertificate userParameters userPassword userPKCS12
		userSMIMECertificate x500uniqueIdentifier`,
	exact: `
		destinationIndicator displayNamePrintable gecos internationalISDNNumber loginShell memberUid msNPCallingStationID
		msNPSavedCallingStationID msRADIUS-FramedInterfaceId msRADIUS-FramedIpv6Prefix msRADIUS-FramedIpv6Route
		msRADIUS-SavedFramedInterfaceId msRADIUS-SavedFramedIpv6Prefix msRADIUS-SavedFramedIpv6Route msRADIUSCallbackNumber
		msRADIUSFramedRoute msRASSavedCallbackNumber msRASSavedFramedRoute msSFU30Name msSFU30NisDomain serialNumber
		unixHomeDirectory x121Address`,
	category: "objectCategory",
	class: "objectClass",
};

const syntaxes: ReadonlyMap<string, Syntax> = new Map(
	Object.entries(names).flatMap(([syntax, list]) => {
		const each = list.trim().toLowerCase().split(/\s+/);
		return each.map((name): [string, Syntax] => [name, syntax as Syntax]);
	}),
);
