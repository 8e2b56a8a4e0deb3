# What install.ps1, uninstall.ps1 and secret.ps1 share. Windows PowerShell 5.1; letters of ASCII alone, since it takes a file without
# a byte order mark for another code page.
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'

$ServiceName = 'dirsyncd'
# As src/config/dpapi.ts has it: a blob that was protected without it is not taken for a secret of ours.
$DpapiEntropy = 'dirsyncd secret 1'
# Well-known SIDs: their names are other ones in each language.
$SystemSid = 'S-1-5-18'
$AdministratorsSid = 'S-1-5-32-544'
$UsersSid = 'S-1-5-32-545'

function Write-Step {
    param([string] $Text)
    Write-Output "dirsyncd: $Text"
}

# The service, or $null.
function Get-OwnService {
    Get-Service -Name $ServiceName -ErrorAction SilentlyContinue
}

function Stop-OwnService {
    $service = Get-OwnService
    if ($null -eq $service -or $service.Status -eq 'Stopped') { return }
    Stop-Service -Name $ServiceName
    # The daemon ends between two writes, within 10 s; WinSW gives it 20.
    (Get-OwnService).WaitForStatus('Stopped', [TimeSpan]::FromSeconds(60))
}

# Runs a program, and throws where it says that it failed.
function Invoke-Program {
    param([string] $File, [string[]] $Arguments, [int] $Most = 0)
    # A line on standard error is an error where PowerShell reads it (remoting, ISE): how it ended is said by its code alone.
    $ErrorActionPreference = 'Continue'
    $global:LASTEXITCODE = 255
    & $File $Arguments | Out-Host
    # What crashes, or lacks a library, ends with a negative one.
    if ($LASTEXITCODE -lt 0 -or $LASTEXITCODE -gt $Most) { throw "$File ended with $LASTEXITCODE" }
}

# Where the service's program lies, by the service itself; $null where there is none.
function Get-InstalledPrefix {
    $key = "HKLM:\SYSTEM\CurrentControlSet\Services\$ServiceName"
    if (-not (Test-Path -LiteralPath $key)) { return $null }
    $image = (Get-ItemProperty -LiteralPath $key).ImagePath
    if ($image -match '^"?(.+)\\dirsyncd\.exe"?') { return $Matches[1] }
    throw "there is a service $ServiceName that is not ours: $image"
}

# An upgrade that was killed between its two renames: what it had put aside is what is installed.
function Restore-Prefix {
    param([string] $Prefix)
    if ((Test-Path -LiteralPath $Prefix) -or -not (Test-Path -LiteralPath "$Prefix.old")) { return }
    Move-Item -LiteralPath "$Prefix.old" -Destination $Prefix
}

# The folder of configuration and data, as the installed command has it; $null where there is none.
function Get-InstalledData {
    param([string] $Prefix)
    $command = Join-Path $Prefix 'bin\dirsyncd.cmd'
    if (-not (Test-Path -LiteralPath $command)) { return $null }
    foreach ($line in Get-Content -LiteralPath $command) {
        if ($line -match '^rem data: (.+)$') { return $Matches[1] }
    }
    return $null
}

function New-Rule {
    param([string] $Sid, [string] $Rights, [string] $Inheritance)
    $identity = New-Object System.Security.Principal.SecurityIdentifier($Sid)
    New-Object System.Security.AccessControl.FileSystemAccessRule($identity, $Rights, $Inheritance, 'None', 'Allow')
}

# The system, administrators, and those who are given, each by SID with what it may; nobody else, and nothing from above.
function Set-FolderAccess {
    param([string] $Path, [hashtable] $Rights)
    $access = New-Object System.Security.AccessControl.DirectorySecurity
    $access.SetAccessRuleProtection($true, $false)
    $access.AddAccessRule((New-Rule $SystemSid 'FullControl' 'ContainerInherit, ObjectInherit'))
    $access.AddAccessRule((New-Rule $AdministratorsSid 'FullControl' 'ContainerInherit, ObjectInherit'))
    foreach ($sid in $Rights.Keys) { $access.AddAccessRule((New-Rule $sid $Rights[$sid] 'ContainerInherit, ObjectInherit')) }
    # The list alone: with the owner in it, it could not be set by every administrator.
    [System.IO.Directory]::SetAccessControl($Path, $access)
}

# Whether what is there belongs to the system, to administrators or to who installs. Its owner decides who reads it, whatever its list
# says, and in ProgramData everybody may make a folder before we do, with a configuration in it.
function Test-Trusted {
    param([string] $Path)
    if (([System.IO.File]::GetAttributes($Path) -band [System.IO.FileAttributes]::ReparsePoint) -ne 0) { return $false }
    $security = if (Test-Path -LiteralPath $Path -PathType Container) { [System.IO.Directory]::GetAccessControl($Path, 'Owner') } else { [System.IO.File]::GetAccessControl($Path, 'Owner') }
    $owner = $security.GetOwner([System.Security.Principal.SecurityIdentifier]).Value
    return @($SystemSid, $AdministratorsSid, [System.Security.Principal.WindowsIdentity]::GetCurrent().User.Value) -contains $owner
}

# The SID of the account that the service runs as. A virtual account has one as soon as its service is there.
function Get-AccountSid {
    param([string] $Account)
    $name = New-Object System.Security.Principal.NTAccount($Account)
    $name.Translate([System.Security.Principal.SecurityIdentifier]).Value
}

function New-Folder {
    param([string] $Path)
    [void] (New-Item -ItemType Directory -Force -Path $Path)
}

# A secret from standard input, or asked for where a person sits there. Never an argument: those stand in the list of processes.
function Read-SecretBytes {
    param([string] $Name)
    if ([Console]::IsInputRedirected) {
        $reader = New-Object System.IO.StreamReader([Console]::OpenStandardInput(), (New-Object System.Text.UTF8Encoding($false)))
        $text = $reader.ReadToEnd() -replace '\r?\n$', ''
        if ($text -eq '') { throw 'there was nothing on standard input' }
        return , [System.Text.Encoding]::UTF8.GetBytes($text)
    }
    $secure = Read-Host -AsSecureString "Secret $Name"
    $pointer = [System.Runtime.InteropServices.Marshal]::SecureStringToBSTR($secure)
    try {
        $text = [System.Runtime.InteropServices.Marshal]::PtrToStringBSTR($pointer)
    } finally {
        [System.Runtime.InteropServices.Marshal]::ZeroFreeBSTR($pointer)
    }
    if ($text -eq '') { throw 'nothing was typed' }
    # The comma keeps it one array.
    return , [System.Text.Encoding]::UTF8.GetBytes($text)
}

# Writes a secret for { dpapi: FILE }: for this machine alone, and within a folder that only the service and administrators read.
function Write-Secret {
    param([string] $DataDirectory, [string] $Name)
    if ($Name -notmatch '^[A-Za-z0-9_-][A-Za-z0-9._-]*$') { throw "a secret's name may hold letters, digits and ._- alone" }
    $folder = Join-Path $DataDirectory 'secrets'
    if (-not (Test-Path -LiteralPath $folder)) { throw "there is no $folder`: run install.ps1 first" }
    Add-Type -AssemblyName System.Security
    [byte[]] $bytes = Read-SecretBytes $Name
    $entropy = [System.Text.Encoding]::UTF8.GetBytes($DpapiEntropy)
    $scope = [System.Security.Cryptography.DataProtectionScope]::LocalMachine
    $blob = [System.Security.Cryptography.ProtectedData]::Protect($bytes, $entropy, $scope)
    [Array]::Clear($bytes, 0, $bytes.Length)
    $file = Join-Path $folder $Name
    [System.IO.File]::WriteAllText("$file.new", [Convert]::ToBase64String($blob))
    Move-Item -Force -LiteralPath "$file.new" -Destination $file
    Write-Step "in the configuration it is { dpapi: ./secrets/$Name }"
}

# Where the daemon listens, by the file that it keeps beside its database; $null where it does not say.
function Get-DaemonUrl {
    param([string] $DataDirectory)
    foreach ($file in Get-ChildItem -LiteralPath (Join-Path $DataDirectory 'data') -Filter '*.db-owner' -ErrorAction SilentlyContinue) {
        try {
            $owner = Get-Content -Raw -LiteralPath $file.FullName | ConvertFrom-Json
            if ($owner.PSObject.Properties['url'] -and $owner.url) { return $owner.url }
        } catch {
            # It is just being written.
            continue
        }
    }
    return $null
}

# Waits until the daemon says that it is ready. Throws where it ends meanwhile, or is not ready in time.
function Wait-Ready {
    param([string] $DataDirectory, [int] $Seconds = 120)
    $deadline = (Get-Date).AddSeconds($Seconds)
    while ((Get-Date) -lt $deadline) {
        Start-Sleep -Seconds 1
        if ((Get-OwnService).Status -ne 'Running') { throw "the service does not stay up: see $DataDirectory\logs" }
        $url = Get-DaemonUrl $DataDirectory
        if ($null -eq $url) { continue }
        # A certificate of its own is not known to this machine: that it answers by TLS is all that is asked then.
        if ($url -like 'https:*') {
            $address = [Uri] $url
            if (Test-Port $address.Host $address.Port) { return }
            continue
        }
        try {
            $answer = Invoke-WebRequest -UseBasicParsing -TimeoutSec 5 -Uri "$url/health/ready"
            if ($answer.StatusCode -eq 200) { return }
        } catch {
            # Not yet.
            continue
        }
    }
    throw "the service is not ready within $Seconds s: see $DataDirectory\logs"
}

function Test-Port {
    param([string] $Name, [int] $Port)
    $client = New-Object System.Net.Sockets.TcpClient
    try {
        $client.Connect($Name, $Port)
        return $true
    } catch {
        return $false
    } finally {
        $client.Close()
    }
}

# Puts a folder on the machine's PATH, or takes it off.
function Set-MachinePath {
    param([string] $Folder, [switch] $Remove)
    $key = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey('SYSTEM\CurrentControlSet\Control\Session Manager\Environment', $true)
    try {
        # As it is written: variables in it stay variables.
        $before = [string] $key.GetValue('Path', '', 'DoNotExpandEnvironmentNames')
        $folders = @($before -split ';' | Where-Object { $_ -ne '' -and $_ -ne $Folder })
        if (-not $Remove) { $folders += $Folder }
        $after = $folders -join ';'
        if ($after -eq $before) { return }
        $key.SetValue('Path', $after, 'ExpandString')
    } finally {
        $key.Close()
    }
    # Tells everybody of it, as setx does; a variable of no use is the cheapest way.
    [Environment]::SetEnvironmentVariable('DIRSYNCD_PATH', $null, 'Machine')
}
