import { cpSync, lstatSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { command } from "./command.ts";
import type { Host } from "./network.ts";
import { sambaIn } from "./samba.ts";
import { adminPassword, copySaved, provisionInto, realm, writeConfiguration } from "./samba-provision.ts";

const domain = realm.toLowerCase();

/** Raise it when what is joined changes, so that an older saved copy is not used. */
const RECIPE = "two1";

/** Replication and what a join asks of a server, besides LDAP. */
const services = "ldap cldap rpc";

/** How samba-tool signs in to another domain controller: by NTLM, since there is no Kerberos server. */
const asAdministrator = [`--user=CORP\\Administrator%${adminPassword}`, "--use-kerberos=off"];

/** A domain controller that is ready to be started on a machine of the network. */
export function sambaOn(host: Host, folder: string, name: string) {
	const settings = [`interfaces = 127.0.0.1/8 ${host.interfaces.join(" ")}`, `server services = ${services}`];
	return sambaIn({ folder, host: host.address, name }, { within: host.within, settings, ports: [135] });
}

/**
 * Copies two domain controllers of one domain to `home`, dc1 and dc2, not running. The first call provisions one and joins the
 * other to it, in about 12 s; a saved copy serves the others.
 */
export async function joinInto(home: string, hosts: readonly [Host, Host]): Promise<void> {
	await copySaved(RECIPE, (folder) => join(folder, hosts), home);
	for (const name of ["dc1", "dc2"]) writeConfiguration(path.join(home, name), name.toUpperCase());
}

async function join(folder: string, [first, second]: readonly [Host, Host]): Promise<void> {
	const work = path.join(folder, "work");
	mkdirSync(work);
	await provisionInto(path.join(work, "dc1"));
	const dc1 = await sambaOn(first, path.join(work, "dc1"), "dc1");
	await dc1.start();
	try {
		const configuration = path.join(work, "join.conf");
		writeFileSync(configuration, "[global]\n\tnetbios name = DC2\n\tworkgroup = CORP\n");
		const how = [`--server=dc1.${domain}`, "--dns-backend=NONE", `--targetdir=${path.join(work, "dc2")}`, `--configfile=${configuration}`];
		await run(second, "domain", "join", domain, "DC", ...how);
	} finally {
		await dc1.stop();
	}
	for (const name of ["dc1", "dc2"]) copyDatabases(path.join(work, name), path.join(folder, name));
	rmSync(work, { recursive: true });
}

/** Without the sockets and locks of a server that ran. */
function copyDatabases(from: string, to: string): void {
	for (const part of ["private", "state", "etc"]) {
		cpSync(path.join(from, part), path.join(to, part), { recursive: true, filter: (file) => !lstatSync(file).isSocket() });
	}
}

/**
 * Lets one domain controller fetch from another, named by its host name, whatever it has not got yet; what came is served when this
 * resolves. The server fetched from must be running.
 */
export async function fetchChanges(host: Host, folder: string, from: string, base: string): Promise<void> {
	const configuration = `--configfile=${path.join(folder, "etc/smb.conf")}`;
	await run(host, "drs", "replicate", "ourselves", from, base, "--local", configuration);
}

async function run({ within }: Host, ...args: readonly string[]): Promise<void> {
	const [program = "", ...rest] = [...within, "samba-tool", ...args, ...asAdministrator];
	await command(program, rest);
}
