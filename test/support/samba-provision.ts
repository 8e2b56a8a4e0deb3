import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { command } from "./command.ts";

export const realm = "CORP.EXAMPLE.TEST";
export const baseDn = "DC=corp,DC=example,DC=test";
export const adminPassword = "Passw0rd.of.dc1";
export const readerPassword = "Passw0rd.of.reader";

/** Raise it when what is provisioned changes, so that an older saved copy is not used. */
const RECIPE = 5;

/** Copies a freshly provisioned domain controller to `folder`. The first call takes about 5 s; a saved copy serves the others. */
export async function provisionInto(folder: string): Promise<void> {
	await copySaved(String(RECIPE), provision, folder);
	writeConfiguration(folder, "DC1");
}

/**
 * Copies to `folder` what `make` makes in a folder of its own, without its smb.conf's path. It is made once on this machine and
 * saved, until Samba's version or `recipe` changes.
 */
export async function copySaved(recipe: string, make: (folder: string) => Promise<void>, folder: string): Promise<void> {
	const saved = await savedCopy(recipe, make);
	rmSync(folder, { recursive: true, force: true });
	cpSync(saved, folder, { recursive: true, preserveTimestamps: true });
}

export function configFile(folder: string): string {
	return path.join(folder, "etc/smb.conf");
}

export function databaseFile(folder: string): string {
	return path.join(folder, "private/sam.ldb");
}

async function savedCopy(recipe: string, make: (folder: string) => Promise<void>): Promise<string> {
	const version = (await command("samba", ["--version"])).stdout.toString().replace(/[^\w.+-]+/g, "-");
	const saved = path.join(os.tmpdir(), `dirsyncd-test-${version}${recipe}-${process.getuid?.() ?? 0}`);
	if (isOurs(saved)) return saved;
	// Made beside it and renamed: a test run that is killed leaves no half of one behind, and two at once do not meet.
	const fresh = mkdtempSync(`${saved}-`);
	try {
		await make(fresh);
		renameSync(fresh, saved);
	} catch (cause) {
		rmSync(fresh, { recursive: true, force: true });
		if (!isOurs(saved)) throw cause;
	}
	return saved;
}

/** What another user of this machine put there under our name is not ours. */
function isOurs(folder: string): boolean {
	if (!existsSync(folder)) return false;
	const stat = statSync(folder);
	if (stat.uid !== process.getuid?.() || (stat.mode & 0o022) !== 0) throw new Error(`${folder} is not ours: remove it`);
	return true;
}

async function provision(folder: string): Promise<void> {
	const domain = [`--realm=${realm}`, "--domain=CORP", "--server-role=dc", "--dns-backend=NONE", "--host-name=dc1", "--host-ip=127.0.0.1"];
	await command("samba-tool", ["domain", "provision", ...domain, `--adminpass=${adminPassword}`, `--targetdir=${folder}`]);
	// Simple passwords for made-up people, none of which age.
	const policy = ["--complexity=off", "--min-pwd-length=1", "--history-length=0", "--min-pwd-age=0", "--max-pwd-age=0"];
	await command("samba-tool", [
		"domain",
		"passwordsettings",
		"set",
		...policy,
		`--configfile=${configFile(folder)}`,
		`-H${databaseFile(folder)}`,
	]);
	const here = [`--configfile=${configFile(folder)}`, `-H${databaseFile(folder)}`];
	await command("samba-tool", ["user", "create", "svc-dirsyncd", readerPassword, ...here]);
	chmodSync(folder, 0o700);
}

/** Only what an LDAP client meets: no file shares, no DNS, no Kerberos. */
export function writeConfiguration(folder: string, name: string): void {
	mkdirSync(path.join(folder, "ncalrpc"), { recursive: true });
	writeFileSync(configFile(folder), configuration(folder, name));
}

function configuration(folder: string, name: string): string {
	return `[global]
	netbios name = ${name}
	workgroup = CORP
	realm = ${realm}
	server role = active directory domain controller
	server services = ldap
	prefork children = 2
	ldap server require strong auth = no
	bind interfaces only = yes
	private dir = ${folder}/private
	state directory = ${folder}/state
	cache directory = ${folder}/cache
	lock directory = ${folder}
	pid directory = ${folder}
	ncalrpc dir = ${folder}/ncalrpc
	binddns dir = ${folder}/bind-dns
	winbindd socket directory = ${folder}/winbindd
	ntp signd socket directory = ${folder}/ntp
	log file = ${folder}/log.%m
	logging = file
`;
}
