<#
.SYNOPSIS
Writes a secret, protected by Windows (DPAPI) for this machine, for { dpapi: ./secrets/NAME } in the configuration.

.DESCRIPTION
It is asked for, or read from standard input, and never an argument. Whoever is administrator of this machine can read it again, and so
can the service; a copy of the file is of no use elsewhere. Restart the service after a secret was changed.

.EXAMPLE
.\secret.ps1 -Name corp

.EXAMPLE
cmd /c "powershell.exe -ExecutionPolicy Bypass -File secret.ps1 -Name corp < password.txt"
#>
#Requires -Version 5.1
#Requires -PSEdition Desktop
#Requires -RunAsAdministrator
[CmdletBinding()]
param(
    [Parameter(Mandatory = $true)] [string] $Name,
    [string] $DataDirectory
)
. (Join-Path $PSScriptRoot 'common.ps1')
$prefix = Get-InstalledPrefix
if (-not $DataDirectory -and $prefix) { $DataDirectory = Get-InstalledData $prefix }
if (-not $DataDirectory) { throw 'dirsyncd is not installed: run install.ps1, or name its data by -DataDirectory' }
$DataDirectory = (Resolve-Path -LiteralPath $DataDirectory).ProviderPath
Write-Secret $DataDirectory $Name
