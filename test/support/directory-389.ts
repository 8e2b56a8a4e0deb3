import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll } from "vitest";
import { command } from "./command.ts";
import { parseLdif, type Record } from "./ldif.ts";
import { freePort, untilLdapAnswers } from "./loopback.ts";
import { serverPath } from "./require.ts";

const baseDn = "dc=corp,dc=example,dc=test";
const reader = { user: `cn=svc-dirsyncd,${baseDn}`, password: "reader" };
const manager = { user: "cn=Directory Manager", password: "manager-of-tests" };

export type Directory389 = Awaited<ReturnType<typeof startDirectory389>>;

/**
 * A 389 Directory Server, everything of which is in a folder of its own, on a free port of loopback. It ends with `close`, or with
 * this process.
 */
async function startDirectory389() {
	const home = mkdtempSync(path.join(os.tmpdir(), "dirsyncd-389ds-"));
	const port = await freePort();
	const url = `ldap://127.0.0.1:${port}`;
	const login = ["-x", "-H", url, "-D", manager.user, "-w", manager.password];
	const env = { LDAPNOINIT: "1" };
	let child: ChildProcess | undefined;
	const modify = async (ldif: string): Promise<void> => {
		await command("ldapmodify", login, { input: ldif, env });
	};
	const close = async (): Promise<void> => {
		if (child !== undefined && child.exitCode === null && child.signalCode === null) {
			const exited = once(child, "exit");
			child.kill("SIGKILL");
			await exited;
		}
		rmSync(home, { recursive: true, force: true });
	};

	try {
		await makeInstance(home, port);
		const config = path.join(home, "etc");
		const program = ["--pdeathsig", "KILL", "ns-slapd", "-D", config, "-i", path.join(home, "pid"), "-d", "0"];
		child = spawn("setpriv", program, { stdio: "ignore", env: { ...process.env, PATH: serverPath } });
		await untilLdapAnswers("127.0.0.1", port, 60_000);
		await modify(suffix);
	} catch (cause) {
		await close();
		throw cause;
	}
	return {
		url,
		baseDn,
		reader,
		/** LDIF change records. */
		modify,
		search: async (base: string, filter: string, attributes: readonly string[]): Promise<readonly Record[]> => {
			const found = await command("ldapsearch", [...login, "-LLL", "-o", "ldif-wrap=no", "-b", base, filter, ...attributes], { env });
			return parseLdif(found.stdout.toString());
		},
		close,
	};
}

/** A server for the tests of one suite. */
export function useDirectory389(): () => Directory389 {
	let server: Directory389 | undefined;
	beforeAll(async () => {
		server = await startDirectory389();
	}, 120_000);
	afterAll(() => server?.close());
	return () => server as Directory389;
}

async function makeInstance(home: string, port: number): Promise<void> {
	const folders = ["schema", "cert", "db", "db_home", "backup", "ldif", "lock", "log", "run", "inst", "local_state", "initconfig"];
	const lines = folders.map(
		(name) => `${name}_dir = ${path.join(home, name === "schema" ? "etc/schema" : name === "cert" ? "etc" : name)}`,
	);
	const answers = `[general]
config_version = 2
full_machine_name = localhost.localdomain
strict_host_checking = False
start = False
[slapd]
instance_name = dirsyncd${port}
port = ${port}
secure_port = ${await freePort()}
root_password = ${manager.password}
self_sign_cert = False
user = ${os.userInfo().username}
group = ${os.userInfo().username}
prefix = ${home}
config_dir = ${path.join(home, "etc")}
ldapi = ${path.join(home, "ldapi.socket")}
${lines.join("\n")}
`;
	writeFileSync(path.join(home, "answers.inf"), answers);
	// It ends with an error, since it looks for the instance where the package's own are; all that is needed is there then.
	await command("dscreate", ["from-file", path.join(home, "answers.inf")]).catch(() => {});
	const file = path.join(home, "etc", "dse.ldif");
	const written = readFileSync(file, "utf8");
	writeFileSync(file, written.replace(/nsslapd-rootpw:.*\n(?: .*\n)*/, `nsslapd-rootpw: {CLEAR}${manager.password}\n`));
}

const suffix = `dn: cn=userroot,cn=ldbm database,cn=plugins,cn=config
changetype: add
objectClass: extensibleObject
objectClass: nsBackendInstance
cn: userroot
nsslapd-suffix: ${baseDn}

dn: cn=dc\\3Dcorp\\2Cdc\\3Dexample\\2Cdc\\3Dtest,cn=mapping tree,cn=config
changetype: add
objectClass: extensibleObject
objectClass: nsMappingTree
cn: ${baseDn}
nsslapd-state: backend
nsslapd-backend: userroot

dn: ${baseDn}
changetype: add
objectClass: domain
dc: corp
aci: (targetattr != "userPassword || aci")(version 3.0; acl "reader"; allow (read, search, compare) userdn="ldap:///${reader.user}";)

dn: ${reader.user}
changetype: add
objectClass: applicationProcess
objectClass: simpleSecurityObject
cn: svc-dirsyncd
userPassword: ${reader.password}
`;
