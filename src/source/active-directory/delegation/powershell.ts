import { dotnetOf, type Grant } from "./grant.ts";
import { commentPowerShell, plainDn, quotePowerShell } from "./quote.ts";

/** Who is granted something, and where the commands are to be sent. */
export interface Grantee {
	/** "CORP\svc-dirsyncd". */
	readonly name: string;
	/** Undefined where it could not be read: Windows looks it up by its name. */
	readonly sid: string | undefined;
	/** The domain controller's DNS name. */
	readonly server: string;
}

const NO_GUID = "00000000-0000-0000-0000-000000000000";

/**
 * A script for Windows PowerShell 5.1 that grants all of it, and with -Undo takes all of it back. It needs .NET alone: a DN goes over
 * LDAP as it is (ADSI would want slashes escaped), the access list without the owner, and the deleted objects show by a control
 * (System.DirectoryServices.Protocols; ActiveDirectoryAccessRule and ActiveDirectorySecurity of System.DirectoryServices).
 */
export function powershellOf(grants: readonly Grant[], { name, sid, server }: Grantee, remarks: readonly string[]): string {
	const account =
		sid === undefined
			? `(New-Object System.Security.Principal.NTAccount(${quotePowerShell(name)})).Translate([System.Security.Principal.SecurityIdentifier])`
			: `New-Object System.Security.Principal.SecurityIdentifier(${quotePowerShell(sid)})`;
	return [
		"#Requires -Version 5.1",
		...remarks.map(commentPowerShell),
		"# Run it as a domain administrator. With -Undo it takes back what it granted, and nothing else.",
		"[CmdletBinding()]",
		"param([switch] $Undo)",
		"Set-StrictMode -Version 2.0",
		"$ErrorActionPreference = 'Stop'",
		"Add-Type -AssemblyName System.DirectoryServices",
		"Add-Type -AssemblyName System.DirectoryServices.Protocols",
		"",
		`$server = ${quotePowerShell(server)}`,
		commentPowerShell(`The account ${name}`),
		`$account = ${account}`,
		EDIT_ACCESS,
		...grants.flatMap(grantLines),
		"",
	].join("\n");
}

const EDIT_ACCESS = `
$connection = New-Object System.DirectoryServices.Protocols.LdapConnection($server)
$connection.SessionOptions.ProtocolVersion = 3
$connection.SessionOptions.Signing = $true
$connection.SessionOptions.Sealing = $true
$connection.Bind()

function Edit-Access {
    param([string] $Dn, [string] $Rights, [string] $Reach, [string[]] $Of, [string] $Heirs)
    $dacl = New-Object System.DirectoryServices.Protocols.SecurityDescriptorFlagControl([System.DirectoryServices.Protocols.SecurityMasks]::Dacl)
    $showDeleted = New-Object System.DirectoryServices.Protocols.ShowDeletedControl
    $search = New-Object System.DirectoryServices.Protocols.SearchRequest
    $search.DistinguishedName = $Dn
    $search.Filter = '(objectClass=*)'
    $search.Scope = [System.DirectoryServices.Protocols.SearchScope]::Base
    [void] $search.Attributes.Add('nTSecurityDescriptor')
    [void] $search.Controls.Add($dacl)
    [void] $search.Controls.Add($showDeleted)
    $entry = $connection.SendRequest($search).Entries[0]
    $before = $entry.Attributes['nTSecurityDescriptor'].GetValues([byte[]])[0]
    $security = New-Object System.DirectoryServices.ActiveDirectorySecurity
    $security.SetSecurityDescriptorBinaryForm($before, [System.Security.AccessControl.AccessControlSections]::Access)
    foreach ($guid in $Of) {
        $rule = New-Object System.DirectoryServices.ActiveDirectoryAccessRule(
            $account,
            [System.DirectoryServices.ActiveDirectoryRights] $Rights,
            [System.Security.AccessControl.AccessControlType]::Allow,
            [guid] $guid,
            [System.DirectoryServices.ActiveDirectorySecurityInheritance] $Reach,
            [guid] $Heirs)
        if ($Undo) { [void] $security.RemoveAccessRule($rule) } else { $security.AddAccessRule($rule) }
    }
    $change = New-Object System.DirectoryServices.Protocols.DirectoryAttributeModification
    $change.Name = 'nTSecurityDescriptor'
    $change.Operation = [System.DirectoryServices.Protocols.DirectoryAttributeOperation]::Replace
    [void] $change.Add([byte[]] $security.GetSecurityDescriptorBinaryForm())
    $modify = New-Object System.DirectoryServices.Protocols.ModifyRequest
    $modify.DistinguishedName = $Dn
    [void] $modify.Modifications.Add($change)
    [void] $modify.Controls.Add($dacl)
    [void] $modify.Controls.Add($showDeleted)
    [void] $connection.SendRequest($modify)
    Write-Output "done: $Dn"
}`;

function grantLines(grant: Grant): readonly string[] {
	const { rights, inheritance } = dotnetOf(grant);
	const dn = quotePowerShell(plainDn(grant.dn));
	const of = grant.of.length === 0 ? [{ name: "", guid: NO_GUID }] : grant.of;
	const guids = of.map(({ name, guid }, index) => {
		const comma = index === of.length - 1 ? "" : ",";
		return `    ${quotePowerShell(guid)}${comma}${name === "" ? "" : ` ${commentPowerShell(name)}`}`;
	});
	return [
		"",
		commentPowerShell(`${grant.dn}: ${grant.why}`),
		...(grant.isOwnedBySystem ? [`if (-not $Undo) { & dsacls.exe ${dn} /takeOwnership }`] : []),
		"$of = @(",
		...guids,
		")",
		...(grant.heirs === undefined ? [] : [commentPowerShell(`objects of class ${grant.heirs.name}`)]),
		`Edit-Access -Dn ${dn} -Rights '${rights}' -Reach '${inheritance}' -Of $of -Heirs '${grant.heirs?.guid ?? NO_GUID}'`,
	];
}
