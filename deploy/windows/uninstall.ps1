<#
.SYNOPSIS
Takes the service and the program away. Configuration, secrets and data stay, unless -Purge is said.

.PARAMETER Purge
Removes configuration, secrets, database and logs, too. There is no way back.
#>
#Requires -Version 5.1
#Requires -PSEdition Desktop
#Requires -RunAsAdministrator
[CmdletBinding()]
param([switch] $Purge)
. (Join-Path $PSScriptRoot 'common.ps1')

$prefix = Get-InstalledPrefix
if (-not $prefix) {
    Write-Step 'it is not installed'
    return
}
Restore-Prefix $prefix
$data = Get-InstalledData $prefix
Stop-OwnService
Invoke-Program -File (Join-Path $prefix 'dirsyncd.exe') -Arguments @('uninstall')
Set-MachinePath (Join-Path $prefix 'bin') -Remove
# Not from within what is removed.
Set-Location -LiteralPath $env:SystemRoot
foreach ($folder in $prefix, "$prefix.new", "$prefix.old") {
    if (Test-Path -LiteralPath $folder) { Remove-Item -Recurse -Force -LiteralPath $folder }
}
if ($Purge -and $data) {
    if (Test-Path -LiteralPath $data) { Remove-Item -Recurse -Force -LiteralPath $data }
    Write-Step 'service, program, configuration and data are gone'
} else {
    Write-Step "service and program are gone; configuration and data stay in $data"
}
