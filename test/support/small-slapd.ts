import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Certificates } from "./certificates.ts";
import { command } from "./command.ts";
import { freePort, untilLdapAnswers } from "./loopback.ts";
import { serverPath } from "./require.ts";

const baseDn = "dc=example,dc=org";
/** A comma in the name, so that a line for slapd.conf must get its escaping right. */
const sync = { user: `cn=sync\\2C dirsyncd,${baseDn}`, password: "sync" };

export interface SmallSlapdOptions {
	readonly certificates?: Certificates;
	/** Lines of slapd.conf before the database's. */
	readonly settings?: readonly string[];
	/** And in it. */
	readonly database?: readonly string[];
	/** Entries beneath the base. */
	readonly entries: number;
}

export type SmallSlapd = Awaited<ReturnType<typeof startSmallSlapd>>;

/**
 * An OpenLDAP server as its packages make it, with its own limits and a few entries, on free ports of loopback; only the account
 * `sync` may read. It ends with `close`, or with this process.
 */
export async function startSmallSlapd({ certificates, settings = [], database = [], entries }: SmallSlapdOptions) {
	const home = mkdtempSync(path.join(os.tmpdir(), "dirsyncd-slapd-"));
	const [port, tlsPort] = [await freePort(), await freePort()];
	const [url, tlsUrl] = [`ldap://localhost:${port}`, `ldaps://localhost:${tlsPort}`];
	const program = path.join(home, "slapd");
	const conf = path.join(home, "slapd.conf");
	let stop = async (): Promise<void> => {};

	const start = async (lines: Pick<SmallSlapdOptions, "settings" | "database">): Promise<void> => {
		writeFileSync(conf, configuration(home, certificates, lines.settings ?? settings, lines.database ?? database));
		const listen = ["-h", `ldap://127.0.0.1:${port} ${certificates === undefined ? "" : `ldaps://127.0.0.1:${tlsPort}`}`];
		const child = spawn("setpriv", ["--pdeathsig", "KILL", program, "-d", "0", "-f", conf, ...listen], {
			stdio: "ignore",
			env: { ...process.env, PATH: serverPath },
		});
		const exited = once(child, "exit");
		stop = async () => {
			child.kill("SIGTERM");
			await exited;
		};
		const ended = exited.then(([code]) => {
			throw new Error(`slapd ended with ${code} before it served`);
		});
		ended.catch(() => {}); // It ends some day, and then nobody waits for it any more.
		await Promise.race([untilLdapAnswers("127.0.0.1", port, 30_000), ended]);
	};

	try {
		// A copy: where Debian's AppArmor profile is in force, /usr/sbin/slapd may not read here.
		copyFileSync((await command("sh", ["-c", "command -v slapd"])).stdout.toString().trim(), program);
		mkdirSync(path.join(home, "data"));
		writeFileSync(conf, configuration(home, undefined, [], []));
		writeFileSync(path.join(home, "all.ldif"), ldif(entries));
		await command(program, ["-T", "add", "-q", "-f", conf, "-l", path.join(home, "all.ldif")]);
		await start({});
	} catch (cause) {
		await stop();
		rmSync(home, { recursive: true, force: true });
		throw cause;
	}
	return {
		url,
		tlsUrl,
		baseDn,
		sync,
		/** With other lines from now on. */
		restart: async (lines: Pick<SmallSlapdOptions, "settings" | "database">): Promise<void> => {
			await stop();
			await start(lines);
		},
		close: async (): Promise<void> => {
			await stop();
			rmSync(home, { recursive: true, force: true });
		},
	};
}

function ldif(entries: number): string {
	const account = `dn: ${sync.user}\nobjectClass: applicationProcess\nobjectClass: simpleSecurityObject\nuserPassword: ${sync.password}\n`;
	const rest = Array.from(
		{ length: entries },
		(_, number) => `dn: cn=p${number},${baseDn}\nobjectClass: person\nsn: P${number}\nuserPassword: p${number}\n`,
	);
	return [`dn: ${baseDn}\nobjectClass: dcObject\nobjectClass: organization\no: Example\n`, account, ...rest].join("\n");
}

function configuration(home: string, tls: Certificates | undefined, settings: readonly string[], database: readonly string[]): string {
	const secure =
		tls === undefined ? "" : `TLSCACertificateFile ${tls.ca}\nTLSCertificateFile ${tls.file("good")}\nTLSCertificateKeyFile ${tls.key}\n`;
	return `modulepath /usr/lib/ldap
moduleload back_mdb
include /etc/ldap/schema/core.schema
pidfile ${home}/pid
argsfile ${home}/args
threads 4
${secure}${settings.join("\n")}
database mdb
suffix "${baseDn}"
directory ${home}/data
dbnosync
${database.join("\n")}
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="${sync.user.replaceAll("\\", "\\\\")}" read by * none
`;
}
