import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, createWriteStream, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { finished } from "node:stream/promises";
import { adSchema } from "./ad-schema.ts";
import { command } from "./command.ts";
import { ldifLine } from "./ldif.ts";
import { freePort, untilLdapAnswers } from "./loopback.ts";
import { personLdif, personOf } from "./made-up-people.ts";

const baseDn = "DC=corp,DC=example,DC=test";
const reader = { user: `CN=svc-dirsyncd,CN=Users,${baseDn}`, password: "reader" };
const writer = { user: `CN=writer,${baseDn}`, password: "writer" };
const dsServiceName = `CN=NTDS Settings,CN=DC1,CN=Servers,CN=Default-First-Site-Name,CN=Sites,CN=Configuration,${baseDn}`;
/** The USN of the first person; what stands before are containers. */
const FIRST_USN = 10_000;

export type Slapd = Awaited<ReturnType<typeof startSlapd>>;

/**
 * An OpenLDAP server with AD's attribute names and `people` made-up people, on a free port of loopback: what our speed is measured
 * against, since it answers faster than any domain controller. It ends with `close`, or with this process.
 */
export async function startSlapd(people: number) {
	const home = mkdtempSync(path.join(os.tmpdir(), "dirsyncd-slapd-"));
	const port = await freePort();
	const url = `ldap://127.0.0.1:${port}`;
	let highestUsn = FIRST_USN + people;
	let child: ChildProcess | undefined;

	async function start(): Promise<void> {
		writeFileSync(path.join(home, "rootdse.ldif"), rootDse(highestUsn));
		// It dies with us, however we die.
		const program = ["--pdeathsig", "KILL", path.join(home, "slapd")];
		const started = spawn("setpriv", [...program, "-d", "0", "-f", path.join(home, "slapd.conf"), "-h", url], {
			stdio: "ignore",
		});
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
		await load(home, people);
		await start();
	} catch (cause) {
		await stop();
		rmSync(home, { recursive: true, force: true });
		throw cause;
	}

	return {
		url,
		baseDn,
		/** May read everything, without limits. */
		reader,
		people,
		highestUsn: () => highestUsn,
		/** Gives the first `count` people a title they never had, and the USNs that go with it. */
		change: async (count: number): Promise<void> => {
			const records = Array.from({ length: count }, (_, number) =>
				[
					ldifLine("dn", personOf(number, baseDn).dn),
					`changetype: modify\nreplace: title\ntitle: Title since ${highestUsn}\n-\n`,
					`replace: uSNChanged\nuSNChanged: ${highestUsn + 1 + number}\n-\n`,
				].join(""),
			);
			const login = ["-x", "-H", url, "-D", writer.user, "-w", writer.password];
			await command("ldapmodify", login, { input: records.join("\n"), env: { LDAPNOINIT: "1" } });
			highestUsn += count;
			// slapd reads what stands in its rootDSE only when it starts.
			await stop();
			await start();
		},
		close: async (): Promise<void> => {
			await stop();
			rmSync(home, { recursive: true, force: true });
		},
	};
}

async function load(home: string, people: number): Promise<void> {
	// A copy: where Debian's AppArmor profile is in force, /usr/sbin/slapd may not read here.
	copyFileSync((await command("sh", ["-c", "command -v slapd"])).stdout.toString().trim(), path.join(home, "slapd"));
	mkdirSync(path.join(home, "data"));
	writeFileSync(path.join(home, "ad.schema"), adSchema());
	writeFileSync(path.join(home, "slapd.conf"), configuration(home));
	writeFileSync(path.join(home, "rootdse.ldif"), rootDse(0));
	const ldif = createWriteStream(path.join(home, "people.ldif"));
	ldif.write(containers());
	for (let number = 0; number < people; number++) {
		if (!ldif.write(`${personLdif(number, FIRST_USN + number + 1, baseDn)}\n`)) await once(ldif, "drain");
	}
	ldif.end();
	await finished(ldif);
	// -q: no checks that the schema would make again; 100,000 people take about 10 s with it.
	await command(path.join(home, "slapd"), ["-T", "add", "-q", "-f", path.join(home, "slapd.conf"), "-l", path.join(home, "people.ldif")]);
	rmSync(path.join(home, "people.ldif"));
}

function containers(): string {
	let usn = 1;
	const one = (dn: string, classes: string[], more: [string, string | Buffer][] = []) => {
		const guid = Buffer.alloc(16, 0xcc);
		guid.writeUInt32LE(usn, 12);
		const lines: [string, string | Buffer][] = [["dn", dn], ...classes.map((name): [string, string] => ["objectClass", name])];
		lines.push(["objectGUID", guid], ["uSNChanged", String(usn++)], ...more);
		return lines.map(([name, value]) => ldifLine(name, value)).join("");
	};
	const sid = Buffer.from("010400000000000515000000aabbccdd11223344deadbeef", "hex");
	const path = dsServiceName.split(",").slice(0, -3);
	return [
		one(
			baseDn,
			["domainDNS"],
			[
				["dc", "corp"],
				["objectSid", sid],
			],
		),
		...path.slice(1).map((_, index) => {
			const parents = path.slice(path.length - 1 - index).join(",");
			return one(`${parents},${baseDn}`, [index === 0 ? "configuration" : "container"]);
		}),
		one(dsServiceName, ["nTDSDSA"], [["invocationId", Buffer.from("00112233445566778899aabbccddeeff", "hex")]]),
		one(`CN=Users,${baseDn}`, ["container"]),
		one(`CN=Deleted Objects,${baseDn}`, ["container"]),
		one(
			reader.user,
			["user"],
			[
				["sAMAccountName", "svc-dirsyncd"],
				["userPassword", reader.password],
			],
		),
		one(`OU=People,${baseDn}`, ["organizationalUnit"]),
		...Array.from({ length: 20 }, (_, unit) => one(`OU=Unit ${unit},OU=People,${baseDn}`, ["organizationalUnit"])),
		"",
	].join("\n");
}

function rootDse(highestUsn: number): string {
	return [
		"dn:",
		"objectClass: top",
		`highestCommittedUSN: ${highestUsn}`,
		`dsServiceName: ${dsServiceName}`,
		`defaultNamingContext: ${baseDn}`,
		`configurationNamingContext: CN=Configuration,${baseDn}`,
		"dNSHostName: dc1.corp.example.test",
		// "I am Active Directory", and of 2008 R2 (MS-ADTS §3.1.1.3.4.3).
		"supportedCapabilities: 1.2.840.113556.1.4.800",
		"supportedCapabilities: 1.2.840.113556.1.4.2080",
		"",
	].join("\n");
}

function configuration(home: string): string {
	return `modulepath /usr/lib/ldap
moduleload back_mdb
include ${home}/ad.schema
pidfile ${home}/pid
argsfile ${home}/args
rootDSE ${home}/rootdse.ldif
threads 4
database mdb
suffix "${baseDn}"
rootdn "${writer.user}"
rootpw ${writer.password}
directory ${home}/data
maxsize 8589934592
dbnosync
index objectClass,objectGUID,uSNChanged,sAMAccountType,sAMAccountName,objectCategory eq
limits dn.exact="${reader.user}" size=unlimited time=unlimited
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="${reader.user}" read by * none
`;
}
