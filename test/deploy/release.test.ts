import { execFileSync, spawnSync } from "node:child_process";
import {
	chmodSync,
	chownSync,
	copyFileSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import Database from "better-sqlite3";
import { extract } from "tar";
import { afterAll, beforeAll, expect, it } from "vitest";
import { listBeneath } from "../../deploy/release/files.ts";
import { digestOf, pack } from "../../deploy/release/pack.ts";
import { startDemo } from "../../src/demo/demo.ts";
import { digest } from "../../src/lib/digest.ts";
import { migrations } from "../../src/store/migrations.ts";
import { type ArchiveEntry, listTar, machineOf, pathWithoutNode } from "../support/archives.ts";
import { makeCertificates } from "../support/certificates.ts";
import { command } from "../support/command.ts";
import { freePort } from "../support/loopback.ts";
import { leftOutAndAskedFor, runtimePackages } from "../support/packages.ts";
import { describeWith, has } from "../support/require.ts";
import { demoConfig, whileRunning } from "../support/running.ts";
import { bootSmallDebian } from "../support/small-debian.ts";

const project = path.join(import.meta.dirname, "../..");
const { version, dependencies } = JSON.parse(readFileSync(path.join(project, "package.json"), "utf8")) as {
	version: string;
	dependencies: Record<string, string>;
};
const platform = `linux-${process.arch}`;
const name = `dirsyncd-${version}-${platform}`;
const isRoot = process.getuid?.() === 0;
/** Debian's nobody, who owns nothing and may nothing. */
const NOBODY = 65_534;
/** 2026-03-04T05:06:07Z, in seconds. */
const RELEASED = 1_772_600_767;

let folder: string;
/** Where the archive was unpacked. */
let tree: string;
let entries: readonly ArchiveEntry[];
let serverPath: string;
const at = (...names: string[]): string => path.join(folder, ...names);

function dirsyncd(program: string, ...args: string[]) {
	return spawnSync(program, args, { encoding: "utf8", cwd: "/", env: { PATH: serverPath, HOME: "/" } });
}

describeWith(["npm-registry"], "the release archive of this platform", () => {
	beforeAll(() => {
		folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-release-"));
		chmodSync(folder, 0o755);
		serverPath = pathWithoutNode(at("path"));
		execFileSync(process.execPath, [path.join(project, "deploy/release/release.ts"), "--platform", platform, "--output", at("release")], {
			env: { ...process.env, SOURCE_DATE_EPOCH: String(RELEASED) },
		});
		entries = listTar(at("release", `${name}.tar.gz`));
		extract({ file: at("release", `${name}.tar.gz`), cwd: folder, sync: true });
		tree = at(name);
	}, 180_000);
	afterAll(() => rmSync(folder, { recursive: true, force: true }));

	it("lies beside its sum", async () => {
		const sum = await digestOf(at("release", `${name}.tar.gz`));
		expect(readFileSync(at("release/SHA256SUMS"), "utf8")).toBe(`${sum}  ${name}.tar.gz\n`);
	});

	it("has program, papers, configuration and what of deploy/ is for Linux, and nothing else at its top", () => {
		expect(readdirSync(tree).sort()).toEqual(
			"CHANGELOG.md LICENSE README.md THIRD-PARTY-LICENSES bin config deploy dist node_modules package.json sbom.cdx.json".split(" "),
		);
		expect(readdirSync(path.join(tree, "deploy")).sort()).toEqual(["grafana", "prometheus", "systemd"]);
		expect(Object.keys(JSON.parse(readFileSync(path.join(tree, "package.json"), "utf8")) as object)).not.toContain("devDependencies");
		const stray = entries.filter(
			({ path: file }) => !file.startsWith(`${name}/`) || /\/(?:\.[^/]+|secrets|data)(?:\/|$)|\.(?:pem|key|db|ts|map)$/.test(file),
		);
		expect(stray).toEqual([]);
	});

	it("is nobody's, of the commit's time, and writable for its owner alone", () => {
		expect(entries.filter(({ owner, at }) => owner !== "0:0" || at !== RELEASED)).toEqual([]);
		expect(new Set(entries.map(({ mode }) => mode.toString(8)))).toEqual(new Set(["755", "644"]));
		const programs = entries.filter(({ path: file, mode }) => mode === 0o755 && !file.endsWith("/"));
		expect(programs.map(({ path: file }) => file.slice(name.length + 1)).sort()).toEqual([
			"bin/dirsyncd",
			"deploy/systemd/dirsyncd",
			"deploy/systemd/install.sh",
			`node_modules/node-${platform}/bin/node`,
		]);
	});

	it("has the packages that the lock file says are needed to run here, none that only tests need, and none for elsewhere", () => {
		expect(
			listBeneath(tree)
				.files.filter((file) => file.endsWith("/package.json") && isPackage(file))
				.map(path.dirname)
				.sort(),
		).toEqual(runtimePackages(project, `node-${platform}`));
		const binaries = listBeneath(tree).files.filter((file) => file.endsWith(".node") || /\/node-[^/]+\/bin\//.test(file));
		expect(binaries).toEqual([`node_modules/better-sqlite3/prebuilds/${platform}.node`, `node_modules/node-${platform}/bin/node`]);
		expect(binaries.map((file) => machineOf(path.join(tree, file)))).toEqual([`linux ${process.arch}`, `linux ${process.arch}`]);
	});

	it("leaves out no file that another one asks for", () => {
		expect(leftOutAndAskedFor(project, tree)).toEqual([]);
	});

	it("loads every package that it depends on, by its own Node", () => {
		const load = `for (const name of ${JSON.stringify(Object.keys(dependencies))}) await import(name);`;
		const node = path.join(tree, `node_modules/node-${platform}/bin/node`);
		const said = spawnSync(node, ["--input-type=module", "-e", load], { cwd: tree, encoding: "utf8", env: {} });
		expect(said).toMatchObject({ status: 0, stderr: "" });
	});

	it("has everybody's licence, Node's, too, and names all of them in a bill of materials", () => {
		const licences = readFileSync(path.join(tree, "THIRD-PARTY-LICENSES"), "utf8");
		const bill = JSON.parse(readFileSync(path.join(tree, "sbom.cdx.json"), "utf8")) as { components: { name: string; version: string }[] };
		const packages = runtimePackages(project, `node-${platform}`).map((place) => {
			const said = JSON.parse(readFileSync(path.join(tree, place, "package.json"), "utf8")) as { name: string; version: string };
			return `${said.name} ${said.version}`;
		});
		expect(packages.filter((one) => !licences.includes(`\n${one} (`))).toEqual([]);
		expect([...new Set(bill.components.map((one) => `${one.name} ${one.version}`))].sort()).toEqual([...new Set(packages)].sort());
		// npm makes up both anew each time.
		expect(bill).not.toHaveProperty("serialNumber");
		expect(bill).toMatchObject({ metadata: { timestamp: new Date(RELEASED * 1000).toISOString() } });
		expect(licences).toContain("Node.js is licensed for use as follows:");
		expect(existsSync(path.join(tree, `node_modules/node-${platform}/LICENSE`))).toBe(true);
	});

	it("is the same to the last octet when the same files are packed again", async () => {
		await pack(tree, at("again.tar.gz"), "tar.gz", new Date(RELEASED * 1000));
		expect(await digestOf(at("again.tar.gz"))).toBe(await digestOf(at("release", `${name}.tar.gz`)));
	}, 60_000);

	it("runs where it is unpacked, without a Node on the machine, and takes over a database of the first schema", async () => {
		const program = path.join(tree, "bin/dirsyncd");
		const { config, database } = await demoConfig(tree, at("demo"));
		writeFirstSchema(database);
		await whileRunning([program, "run", "--config", config], serverPath, async (page) => {
			expect((await fetch(`${page}health`)).status).toBe(200);
			expect(await (await fetch(`${page}metrics`)).text()).toContain(`dirsyncd_build_info{version="${version}"`);
			expect((await fetch(page)).status).toBe(200);
			expect(dirsyncd(program, "check", "--config", config).stdout).toMatch(/ 0 failed$/m);
			const synced = dirsyncd(program, "sync", "--json", "--config", config);
			expect(JSON.parse(synced.stdout)).toMatchObject({ source: "demo", outcome: "succeeded" });
			expect(JSON.parse(dirsyncd(program, "status", "--json", "--config", config).stdout)).toMatchObject({
				daemon: { url: new URL(page).origin },
			});
		});
		expect(existsSync(`${database}.schema-1`)).toBe(true);
	}, 60_000);

	it("is installed from there without Node, npm or internet, and runs by its unit's command under a user without rights", async () => {
		const root = at("root");
		mkdirSync(root);
		const { stdout, stderr } = await command(path.join(tree, "deploy/systemd/install.sh"), [], {
			env: { PATH: serverPath, DESTDIR: root },
		});
		expect(stderr).toBe("");
		expect(stdout.toString()).toContain("dirsyncd init");
		// The program is what was unpacked, but for what is not its own.
		const { files } = listBeneath(tree);
		expect(listBeneath(path.join(root, "opt/dirsyncd")).files).toEqual(files.filter((file) => !/^deploy\/(?!systemd)/.test(file)));
		const { config, database } = await demoConfig(tree, path.join(root, "etc/dirsyncd"));
		const unit = readFileSync(path.join(root, "etc/systemd/system/dirsyncd.service"), "utf8");
		const line = /^ExecStart=(.*)$/m.exec(unit)?.[1]?.split(" ") ?? [];
		const start = line.map((word) => (word.startsWith("/") ? path.join(root, word) : word));
		if (isRoot) for (const file of [path.dirname(config), config]) chownSync(file, NOBODY, NOBODY);
		const drop = isRoot ? ["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups", "--no-new-privs"] : [];
		await whileRunning([...drop, ...start], serverPath, async (page) => {
			expect((await fetch(`${page}health/ready`)).status).toBe(200);
			if (isRoot) expect(statSync(database).uid).toBe(NOBODY);
		});
	}, 60_000);

	it.runIf(isRoot)(
		"has its configuration written by init, as root and without a terminal, with the password as a credential",
		async () => {
			const demo = await startDemo({ people: { kind: "company", count: 20 } });
			const root = at("fresh");
			const etc = path.join(root, "etc/dirsyncd");
			mkdirSync(root);
			const env = { PATH: serverPath, DESTDIR: root, DIRSYNCD_ETC: etc, DIRSYNCD_USER: "nobody" };
			try {
				await command(path.join(tree, "deploy/systemd/install.sh"), [], { env });
				writeFileSync(at("password"), `${demo.bindPassword}\n`, { mode: 0o600 });
				const options = ["--url", demo.url, "--insecure", "--user", demo.bindUser, "--password-file", at("password"), "--yes"];
				const { stdout } = await command(path.join(root, "opt/dirsyncd/bin/dirsyncd"), ["init", ...options], { env });
				expect(stdout.toString()).toContain(`${etc}/dirsyncd.yaml and ${etc}/secrets/corp are written.`);
				const text = readFileSync(path.join(etc, "dirsyncd.yaml"), "utf8");
				expect(text).toContain('password: { credential: "corp" }');
				expect(text).toContain('database: "/var/lib/dirsyncd/dirsyncd.db"');
				expect([etc, `${etc}/dirsyncd.yaml`, `${etc}/secrets`, `${etc}/secrets/corp`].map(modeOf)).toEqual(["750", "640", "700", "600"]);
				const dropIn = readFileSync(path.join(root, "etc/systemd/system/dirsyncd.service.d/credentials.conf"), "utf8");
				expect(dropIn).toContain("\nLoadCredential=corp:/etc/dirsyncd/secrets/corp\n");
				for (const file of [etc, `${etc}/dirsyncd.yaml`]) chownSync(file, NOBODY, NOBODY);
				const valid = await command(path.join(root, "opt/dirsyncd/bin/dirsyncd"), ["config", "validate"], { env });
				expect(valid.stdout.toString()).toBe(`valid: ${etc}/dirsyncd.yaml\n`);
			} finally {
				await demo.close();
			}
		},
		60_000,
	);

	it.runIf(has("namespaces") && has("systemd") && has("openssl"))(
		"goes by the README's steps from a Debian without anything to a service that is up, and leaves nothing but configuration and data",
		async () => {
			const certificates = await makeCertificates(at("certificates"), { dns: ["localhost"], ip: "127.0.0.1" });
			const tls = { key: readFileSync(certificates.key), cert: readFileSync(certificates.file("good")) };
			const demo = await startDemo({ people: { kind: "company", count: 30 }, tls });
			mkdirSync(at("debian"));
			const debian = await bootSmallDebian(at("debian"));
			try {
				mkdirSync(at("debian/root/in"));
				for (const file of ["SHA256SUMS", `${name}.tar.gz`]) copyFileSync(at("release", file), at("debian/root/in", file));
				copyFileSync(certificates.ca, at("debian/root/in/corp-ca.pem"));
				writeFileSync(at("debian/root/in/corp-password"), `${demo.bindPassword}\n`, { mode: 0o600 });
				const port = await freePort();
				const list = "find /etc /opt /srv /usr/local /var -not -path '/etc/*-' -not -path /etc/.pwd.lock | sort";
				const before = await debian.run(list);
				const there = new Set(before.split("\n"));
				const said = await debian.run(installSteps({ url: demo.secureUrl ?? "", user: demo.bindUser, port }));
				expect(said).toContain("user dirsyncd is made");
				expect(said).toMatch(/^ {2}accounts +3\d /m);
				expect(await (await fetch(`http://127.0.0.1:${port}/health`)).json()).toMatchObject({ status: "pass", version });
				const [user, rights] = (await debian.run("cd /proc/$(systemctl show -P MainPID dirsyncd); stat -c %U .; grep CapEff status")).split(
					"\n",
				);
				expect([user, rights]).toEqual(["dirsyncd", "CapEff:\t0000000000000000"]);

				const again = await debian.run(`/root/in/${name}/deploy/systemd/install.sh`);
				expect(again).toContain("the database is backed up to /var/lib/dirsyncd/before-upgrade-");
				expect(again).toContain("the service is started again, and ready");
				expect(await debian.run("dirsyncd verify")).toContain("intact: ");

				const came = (after: string) => after.split("\n").filter((file) => !there.has(file));
				await debian.run("/opt/dirsyncd/deploy/systemd/install.sh --uninstall");
				expect(came(await debian.run(list)).filter((file) => !file.startsWith("/var/lib/dirsyncd/"))).toEqual(
					"/etc/dirsyncd /etc/dirsyncd/corp-ca.pem /etc/dirsyncd/dirsyncd.yaml /etc/dirsyncd/secrets /etc/dirsyncd/secrets/corp /var/lib/dirsyncd".split(
						" ",
					),
				);
				await debian.run(`/root/in/${name}/deploy/systemd/install.sh --uninstall --purge`);
				expect(await debian.run(list)).toBe(before);
				expect(await debian.run("id dirsyncd 2>&1 || true; systemctl --failed --no-legend")).toContain("no such user");
			} finally {
				await debian.end();
				await demo.close();
			}
		},
		120_000,
	);
});

/** The README's own steps, with init's options that stand there in a comment: without a DNS that knows a domain, and on a port of its own. */
function installSteps({ url, user, port }: { readonly url: string; readonly user: string; readonly port: number }): string {
	const readme = readFileSync(path.join(project, "README.md"), "utf8");
	const [, steps = ""] = /## Installing on Linux\n.*?```bash\n(.*?)```/s.exec(readme) ?? [];
	const [, domain = "", options = ""] = /^dirsyncd init +# asks, or: (--domain \S+) (.*)$/m.exec(steps) ?? [];
	expect(domain).not.toBe("");
	return (
		`cd /root/in\n${steps}`
			.replace(
				/^dirsyncd init .*$/m,
				`dirsyncd init --url ${url} ${options}\necho 'http: { listen: 127.0.0.1:${port} }' >>/etc/dirsyncd/dirsyncd.yaml`,
			)
			.replace("svc-dirsyncd@corp.example.com", user)
			.replaceAll(/dirsyncd-[\d.]+-linux-x64/g, name)
			// The service is up before its first run has ended, and nobody types as fast as this.
			.replace(/^dirsyncd status$/m, "dirsyncd sync\ndirsyncd status")
	);
}

function modeOf(file: string): string {
	return (statSync(file).mode & 0o777).toString(8);
}

function isPackage(file: string): boolean {
	return /^(?:node_modules\/(?:@[^/]+\/)?[^/]+\/)+package\.json$/.test(file);
}

/** An empty database, as the first released version made it. */
function writeFirstSchema(file: string): void {
	const db = new Database(file);
	const [first] = migrations;
	if (first === undefined) throw new Error("there is no first schema");
	db.exec("CREATE TABLE migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, digest BLOB NOT NULL, at INTEGER NOT NULL)");
	db.exec(first.sql);
	db.prepare("INSERT INTO migrations (version, name, digest, at) VALUES (?, ?, ?, 0)").run(first.version, first.name, digest(first.sql));
	db.pragma(`application_id = ${0x64697273}`);
	db.pragma("journal_mode = WAL");
	db.close();
}
