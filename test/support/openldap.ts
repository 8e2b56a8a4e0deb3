import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll } from "vitest";
import { command } from "./command.ts";
import { ldifLine, parseLdif, type Record } from "./ldif.ts";
import { freePort, untilLdapAnswers } from "./loopback.ts";

const baseDn = "dc=corp,dc=example,dc=test";
/** A naming context of its own, in which OpenLDAP's default size limit of 500 is in force. */
const limitedDn = "dc=limited,dc=test";
const reader = { user: `cn=svc-dirsyncd,${baseDn}`, password: "reader" };
const writer = { user: `cn=writer,${baseDn}`, password: "writer" };
/** People in the limited naming context. */
export const limitedPeople = 600;

export type OpenLdap = Awaited<ReturnType<typeof startOpenLdap>>;

export interface OpenLdapOptions {
	/** Deletions remembered by syncprov; 0: no session log. */
	readonly sessionLog: number;
	/** Lines of slapd.conf(5), as in `access to attrs=title by * none`, before the ones that let the reader read. */
	readonly access: readonly string[];
}

/**
 * An OpenLDAP server as its administrators run it: syncprov, memberof, refint and ppolicy over mdb, on a free port of loopback. It
 * ends with `close`, or with this process.
 */
export async function startOpenLdap(initial: OpenLdapOptions = { sessionLog: 1000, access: [] }) {
	const home = mkdtempSync(path.join(os.tmpdir(), "dirsyncd-openldap-"));
	const port = await freePort();
	const url = `ldap://127.0.0.1:${port}`;
	const login = ["-x", "-H", url, "-D", writer.user, "-w", writer.password];
	const env = { LDAPNOINIT: "1" };
	let options = initial;
	let child: ChildProcess | undefined;

	async function start(): Promise<void> {
		writeFileSync(path.join(home, "slapd.conf"), configuration(home, options));
		// It dies with us, however we die.
		const program = ["--pdeathsig", "KILL", path.join(home, "slapd")];
		const started = spawn("setpriv", [...program, "-d", "0", "-f", path.join(home, "slapd.conf"), "-h", url], { stdio: "ignore" });
		child = started;
		const ended = once(started, "exit").then(([code]) => {
			throw new Error(`slapd ended with ${code} before it served`);
		});
		ended.catch(() => {}); // It ends some day, and then nobody waits for it any more.
		await Promise.race([untilLdapAnswers("127.0.0.1", port, 30_000), ended]);
	}

	async function stop(): Promise<void> {
		if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
		const exited = once(child, "exit");
		child.kill("SIGTERM");
		await exited;
	}

	try {
		await load(home, options);
		await start();
	} catch (cause) {
		await stop();
		rmSync(home, { recursive: true, force: true });
		throw cause;
	}

	return {
		url,
		baseDn,
		limitedDn,
		/** May read everything, without limits beneath `baseDn`. */
		reader,
		/** LDIF change records. */
		modify: async (ldif: string): Promise<void> => {
			await command("ldapmodify", login, { input: ldif, env });
		},
		/** A rename, a move, or both. */
		move: async (dn: string, rdn: string, parent: string): Promise<void> => {
			await command("ldapmodrdn", [...login, "-r", "-s", parent, dn, rdn], { env });
		},
		remove: async (dn: string): Promise<void> => {
			await command("ldapdelete", [...login, dn], { env });
		},
		search: async (base: string, filter: string, attributes: readonly string[]): Promise<readonly Record[]> => {
			const found = await command("ldapsearch", [...login, "-LLL", "-o", "ldif-wrap=no", "-b", base, filter, ...attributes], { env });
			return parseLdif(found.stdout.toString());
		},
		/** Stops and starts the server, which forgets its session log; with other options where some are given. */
		restart: async (other: Partial<OpenLdapOptions> = {}): Promise<void> => {
			options = { ...options, ...other };
			await stop();
			await start();
		},
		/** What is in it now, to be brought back by the function this returns: an old copy, as after a restore. */
		snapshot: async (): Promise<() => Promise<void>> => {
			await stop();
			const copy = path.join(home, "copy");
			await command("cp", ["-a", path.join(home, "data"), copy]);
			await start();
			return async () => {
				await stop();
				rmSync(path.join(home, "data"), { recursive: true });
				await command("mv", [copy, path.join(home, "data")]);
				await start();
			};
		},
		close: async (): Promise<void> => {
			await stop();
			rmSync(home, { recursive: true, force: true });
		},
	};
}

/** A server for the tests of one suite. */
export function useOpenLdap(options?: OpenLdapOptions): () => OpenLdap {
	let server: OpenLdap | undefined;
	beforeAll(async () => {
		server = await startOpenLdap(options);
	}, 60_000);
	afterAll(() => server?.close());
	return () => server as OpenLdap;
}

async function load(home: string, options: OpenLdapOptions): Promise<void> {
	// A copy: where Debian's AppArmor profile is in force, /usr/sbin/slapd may not read here.
	copyFileSync((await command("sh", ["-c", "command -v slapd"])).stdout.toString().trim(), path.join(home, "slapd"));
	for (const folder of ["data", "limited"]) mkdirSync(path.join(home, folder));
	writeFileSync(path.join(home, "more.schema"), schema);
	writeFileSync(path.join(home, "slapd.conf"), configuration(home, options));
	for (const [dn, ldif] of [
		[baseDn, containers],
		[limitedDn, limited()],
	] as const) {
		writeFileSync(path.join(home, "load.ldif"), ldif);
		await command(path.join(home, "slapd"), [
			"-T",
			"add",
			"-q",
			"-f",
			path.join(home, "slapd.conf"),
			"-b",
			dn,
			"-l",
			path.join(home, "load.ldif"),
		]);
	}
}

const containers = `dn: ${baseDn}
objectClass: domain
dc: corp

dn: ${reader.user}
objectClass: applicationProcess
objectClass: simpleSecurityObject
cn: svc-dirsyncd
userPassword: ${reader.password}
`;

function limited(): string {
	const people = Array.from({ length: limitedPeople }, (_, number) =>
		[
			ldifLine("dn", `uid=limited${number},${limitedDn}`),
			"objectClass: inetOrgPerson\n",
			`uid: limited${number}\ncn: L ${number}\nsn: L\n`,
		].join(""),
	);
	return [`dn: ${limitedDn}\nobjectClass: domain\ndc: limited\n`, ...people].join("\n");
}

/** RFC 2307bis has groups whose members come from either side: not among those that Debian's slapd brings. */
const schema = `
objectclass ( 1.3.6.1.4.1.55555.1.1 NAME 'groupOfMembers' SUP top STRUCTURAL MUST cn MAY ( member $ description $ mail ) )
`;

function configuration(home: string, { sessionLog, access }: OpenLdapOptions): string {
	const schemas = ["core", "cosine", "inetorgperson", "nis"].map((name) => `include /etc/ldap/schema/${name}.schema`);
	const modules = ["back_mdb", "syncprov", "memberof", "refint", "ppolicy"].map((name) => `moduleload ${name}`);
	return `modulepath /usr/lib/ldap
${modules.join("\n")}
${schemas.join("\n")}
include ${home}/more.schema
pidfile ${home}/pid
argsfile ${home}/args
threads 4
serverID 1

database mdb
suffix "${baseDn}"
rootdn "${writer.user}"
rootpw ${writer.password}
directory ${home}/data
maxsize 1073741824
dbnosync
index objectClass,entryUUID,entryCSN,modifyTimestamp,uid,member,uniqueMember,memberUid,manager eq
limits dn.exact="${reader.user}" size=unlimited time=unlimited
${access.join("\n")}
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="${reader.user}" read by * none
overlay syncprov
syncprov-checkpoint 100 10
${sessionLog > 0 ? `syncprov-sessionlog ${sessionLog}` : ""}
overlay memberof
memberof-refint true
overlay refint
refint_attributes member uniqueMember manager
overlay ppolicy

database mdb
suffix "${limitedDn}"
rootdn "cn=writer,${limitedDn}"
rootpw ${writer.password}
directory ${home}/limited
maxsize 1073741824
dbnosync
access to * by dn.exact="${reader.user}" read by * none
`;
}
