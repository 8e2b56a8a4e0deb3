import { execFileSync, type SpawnSyncReturns, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
	chmodSync,
	chownSync,
	cpSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	statSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openNotifySocket } from "../support/notify-socket.ts";
import { describeWith, serverPath } from "../support/require.ts";

const project = path.join(import.meta.dirname, "..", "..");
const script = path.join(project, "deploy/systemd/install.sh");
const unit = readFileSync(path.join(project, "deploy/systemd/dirsyncd.service"), "utf8");
const isRoot = process.getuid?.() === 0;
/** Debian's nobody, who owns nothing and may nothing. */
const NOBODY = 65_534;

let root: string;
const at = (file: string): string => path.join(root, file);
const mode = (file: string): string => (statSync(at(file)).mode & 0o777).toString(8);

function install(args: readonly string[] = [], input = ""): SpawnSyncReturns<string> {
	return spawnSync("sh", [script, ...args], { encoding: "utf8", input, env: { ...process.env, DESTDIR: root } });
}

/** What is there beneath, files alone. */
function files(): string[] {
	return readdirSync(root, { recursive: true, withFileTypes: true })
		.filter((entry) => !entry.isDirectory())
		.map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
		.sort();
}

beforeAll(() => {
	root = mkdtempSync(path.join(tmpdir(), "dirsyncd-root-"));
	chmodSync(root, 0o755);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe.runIf(process.platform === "linux")("the install script, into a root of its own", () => {
	it("installs program, unit, command and directories, and says what it left out and what comes next", () => {
		const { status, stdout, stderr } = install();
		expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
		expect(stdout).toContain("left out: the user dirsyncd");
		expect(stdout).toContain("left out: to load and start the service");
		expect(stdout).toContain("systemctl enable --now dirsyncd");
		expect(readFileSync(at("etc/systemd/system/dirsyncd.service"), "utf8")).toBe(unit);
		expect(["etc/dirsyncd", "etc/dirsyncd/secrets", "var/lib/dirsyncd", "opt/dirsyncd"].map(mode)).toEqual(["750", "700", "700", "755"]);
		expect(readFileSync(at("etc/dirsyncd/dirsyncd.example.yaml"), "utf8")).toContain("\ndatabase: /var/lib/dirsyncd/dirsyncd.db\n");
	});

	it("brings the Node that the program runs on, and nothing that only tests need", () => {
		const { version } = JSON.parse(readFileSync(path.join(project, "package.json"), "utf8")) as { version: string };
		const said = execFileSync(at("opt/dirsyncd/bin/dirsyncd"), ["--version"], { encoding: "utf8", env: { PATH: "/usr/bin:/bin" } });
		expect(said).toContain(version);
		const packages = readdirSync(at("opt/dirsyncd/node_modules"));
		expect(packages).toEqual(expect.arrayContaining(["better-sqlite3", "ldapts", `node-linux-${process.arch}`]));
		expect(["vitest", "typescript", "knip"].filter((name) => packages.includes(name))).toEqual([]);
	});

	it("takes a secret from standard input, for root alone, and has systemd hand it over", () => {
		expect(install(["--secret", "corp"], "tops3cret").status).toBe(0);
		expect(readFileSync(at("etc/dirsyncd/secrets/corp"), "utf8")).toBe("tops3cret");
		expect(mode("etc/dirsyncd/secrets/corp")).toBe("600");
		expect(readFileSync(at("etc/systemd/system/dirsyncd.service.d/credentials.conf"), "utf8")).toContain(
			"[Service]\nLoadCredential=corp:/etc/dirsyncd/secrets/corp\n",
		);
		writeFileSync(at("etc/dirsyncd/secrets/my password"), "x");
		expect(install(["--credentials"]).stdout).toContain("left out: the secret my password: a name may hold");
		rmSync(at("etc/dirsyncd/secrets/my password"));
	});

	it.each([
		{ args: ["--secret", "../corp"], input: "x", says: "a secret's name may hold" },
		{ args: ["--secret", "empty"], input: "", says: "nothing on standard input" },
		{ args: ["--prefix", "/elsewhere/dirsyncd"], input: "", says: "it is installed in /opt/dirsyncd" },
		{ args: ["--purge"], input: "", says: "--purge goes with --uninstall" },
		{ args: ["--unistall"], input: "", says: "usage:" },
	])("refuses $args, changes nothing and says why: $says", ({ args, input, says }) => {
		const before = files();
		const { status, stderr } = install(args, input);
		expect(status).not.toBe(0);
		expect(stderr).toContain(says);
		expect(files()).toEqual(before);
	});

	it("keeps configuration, secrets and data when it is run again, and what an upgrade no longer has is gone", () => {
		const kept = { "etc/dirsyncd/dirsyncd.yaml": "# mine\n", "var/lib/dirsyncd/people.csv": "userName\n" };
		for (const [file, text] of Object.entries(kept)) writeFileSync(at(file), text);
		writeFileSync(at("opt/dirsyncd/src/of-an-older-version.ts"), "");
		expect(install().status).toBe(0);
		for (const [file, text] of Object.entries(kept)) expect(readFileSync(at(file), "utf8")).toBe(text);
		expect(readFileSync(at("etc/dirsyncd/secrets/corp"), "utf8")).toBe("tops3cret");
		expect(existsSync(at("opt/dirsyncd/src/of-an-older-version.ts"))).toBe(false);
		rmSync(at("etc/dirsyncd/dirsyncd.yaml"));
	});

	it("uninstalls all but data and configuration, also twice, and these by --purge", () => {
		const state = "var/lib/dirsyncd/people.csv";
		for (const _ of ["once", "twice"]) {
			const { status, stdout } = install(["--uninstall"]);
			expect(status).toBe(0);
			expect(stdout).toContain("what was left: /etc/dirsyncd, /var/lib/dirsyncd");
			// The line for the secret is not left in a folder that only systemd reads.
			expect(files()).toEqual(["etc/dirsyncd/secrets/corp", state]);
		}
		expect(install(["--uninstall", "--purge"]).status).toBe(0);
		expect(files()).toEqual([]);
	});

	it("leaves folders that are there as closed as they are, takes a prefix that ends in a slash, and is uninstalled after a kill", () => {
		mkdirSync(at("srv/closed"), { recursive: true });
		chmodSync(at("srv/closed"), 0o700);
		chmodSync(at("usr/local/bin"), 0o775);
		expect(install(["--prefix", "/srv/closed/dirsyncd/"])).toMatchObject({ status: 0, stderr: "" });
		expect([mode("srv/closed"), mode("usr/local/bin"), mode("srv/closed/dirsyncd")]).toEqual(["700", "775", "755"]);
		const programs = mkdtempSync(path.join(tmpdir(), "dirsyncd-path-"));
		writeFileSync(path.join(programs, "rm"), `#!/bin/sh\ncase "$*" in *closed*) kill -9 $PPID ;; esac\nexec /bin/rm "$@"\n`, {
			mode: 0o755,
		});
		const env = { ...process.env, DESTDIR: root, PATH: `${programs}:${process.env["PATH"]}` };
		expect(spawnSync("sh", [script, "--uninstall"], { env }).signal).toBe("SIGKILL");
		rmSync(programs, { recursive: true });
		expect(existsSync(at("srv/closed/dirsyncd"))).toBe(true);
		expect(install(["--uninstall", "--purge"]).status).toBe(0);
		expect(files()).toEqual([]);
	});

	it("is not installed where its parts do not run, and what was there stays", () => {
		expect(install().status).toBe(0);
		writeFileSync(at("opt/dirsyncd/src/of-an-older-version.ts"), "");
		const broken = mkdtempSync(path.join(tmpdir(), "dirsyncd-broken-"));
		try {
			// An archive for another kind of processor, say, on a machine that has a Node of its own.
			for (const name of ["config", "deploy", "package.json", "src"])
				cpSync(path.join(project, name), path.join(broken, name), { recursive: true });
			cpSync(at("opt/dirsyncd/node_modules"), path.join(broken, "node_modules"), { recursive: true });
			rmSync(path.join(broken, `node_modules/better-sqlite3/prebuilds/linux-${process.arch}.node`));
			const said = spawnSync("sh", [path.join(broken, "deploy/systemd/install.sh")], {
				encoding: "utf8",
				env: { ...process.env, DESTDIR: root },
			});
			expect(said.status).toBe(1);
			expect(said.stderr).toContain("does not run on this machine");
			expect(existsSync(at("opt/dirsyncd/src/of-an-older-version.ts"))).toBe(true);
			expect(existsSync(at("opt/dirsyncd.new"))).toBe(false);
		} finally {
			rmSync(broken, { recursive: true, force: true });
			expect(install(["--uninstall", "--purge"]).status).toBe(0);
		}
	}, 60_000);

	it("touches nothing that is not its own where the program or its command would go", () => {
		mkdirSync(at("srv/precious"), { recursive: true });
		writeFileSync(at("srv/precious/file"), "x");
		expect(install(["--prefix", "/srv/precious"]).stderr).toContain("/srv/precious is there already, and not dirsyncd's");
		expect(install(["--uninstall", "--prefix", "/srv/precious"]).status).toBe(1);
		rmSync(at("opt"), { recursive: true, force: true });
		writeFileSync(at("usr/local/bin/dirsyncd"), "another program");
		expect(install().stderr).toContain("/usr/local/bin/dirsyncd is there already, and not dirsyncd's");
		expect(files()).toEqual(["srv/precious/file", "usr/local/bin/dirsyncd"]);
		rmSync(at("usr/local/bin/dirsyncd"));
	});
});

describeWith(["systemd-notify"], "the unit's command line, as it is, under a user without rights", () => {
	it("says that it is up, alive, reading its configuration again and ending; an upgrade then backs its database up", async () => {
		expect(install().status).toBe(0);
		const config = at("etc/dirsyncd/dirsyncd.yaml");
		const demo = readFileSync(path.join(project, "config/demo.yaml"), "utf8")
			.replace(/^database: .*$/m, `database: ${at("var/lib/dirsyncd/dirsyncd.db")}`)
			.replace("127.0.0.1:8640", "127.0.0.1:0")
			.replaceAll("127.0.0.1:3890", "127.0.0.1:38917");
		writeFileSync(config, demo);
		if (isRoot) for (const file of ["etc/dirsyncd", "etc/dirsyncd/dirsyncd.yaml", "var/lib/dirsyncd"]) chownSync(at(file), NOBODY, NOBODY);
		mkdirSync(at("run"), { mode: 0o755 });
		const socket = await openNotifySocket(at("run/notify"));
		const [, line = ""] = unit.match(/^ExecStart=(.*)$/m) ?? [];
		const command = line.split(" ").map((word) => (word.startsWith("/") ? at(word) : word));
		const drop = isRoot ? [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"] : [];
		const daemon = spawn("setpriv", ["--pdeathsig", "KILL", ...drop, "--no-new-privs", ...command], {
			cwd: "/",
			env: { PATH: serverPath, NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: "400000" },
			stdio: ["ignore", "pipe", "pipe"],
		});
		const ended = once(daemon, "exit");
		const lines: string[] = [];
		for (const stream of [daemon.stdout, daemon.stderr]) createInterface({ input: stream }).on("line", (line) => lines.push(line));
		try {
			const hears = (what: string, skip = 0) => Promise.race([socket.hears((said) => said.includes(what), skip), diesOf(ended, lines)]);
			// The shell became Node: whom systemd started is who speaks.
			expect(await hears("READY=1")).toContain(`MAINPID=${daemon.pid} `);
			await hears("WATCHDOG=1", socket.heard.length);
			await hears("WATCHDOG=1", socket.heard.length);
			const before = socket.heard.length;
			daemon.kill("SIGHUP");
			expect(await hears("RELOADING=1", before)).toMatch(/MONOTONIC_USEC=\d+/);
			expect(await hears("READY=1", before)).toContain("STATUS=configuration taken over");
			if (isRoot) expect(statSync(at("var/lib/dirsyncd/dirsyncd.db")).uid).toBe(NOBODY);
			daemon.kill("SIGTERM");
			await socket.hears((said) => said.includes("STOPPING=1"));
			expect(await ended).toEqual([0, null]);
			expect(lines.map((line) => JSON.parse(line).level).filter((level) => level === "error")).toEqual([]);
			const { status, stdout } = install();
			expect(status).toBe(0);
			expect(stdout).toContain("the database is backed up to");
			expect(files().filter((file) => /^var\/lib\/dirsyncd\/before-upgrade-\w+\.db$/.test(file))).toHaveLength(1);
			// The folder is the service's user's: what it puts there must not lead root elsewhere.
			const work = mkdtempSync(path.join(tmpdir(), "dirsyncd-work-"));
			writeFileSync(path.join(work, ".precious"), "");
			writeFileSync(at("var/lib/dirsyncd/before-upgrade-0\n.precious\n.db"), "");
			for (const day of ["01", "02", "03"]) writeFileSync(at(`var/lib/dirsyncd/before-upgrade-202001${day}T000000Z.db`), "");
			mkdirSync(at("srv/data"), { recursive: true });
			renameSync(at("var/lib/dirsyncd/dirsyncd.db"), at("srv/data/people.sqlite"));
			if (isRoot) for (const file of ["srv/data", "srv/data/people.sqlite"]) chownSync(at(file), NOBODY, NOBODY);
			writeFileSync(config, readFileSync(config, "utf8").replace(/^database: .*$/m, `database: ${at("srv/data/people.sqlite")}`));
			const again = spawnSync("sh", [script], { encoding: "utf8", cwd: work, env: { ...process.env, DESTDIR: root } });
			expect(again).toMatchObject({ status: 0, stdout: expect.stringContaining("the database is backed up to") });
			expect(readdirSync(work)).toEqual([".precious"]);
			rmSync(work, { recursive: true });
			renameSync(at("srv/data/people.sqlite"), at("var/lib/dirsyncd/dirsyncd.db"));
			writeFileSync(config, readFileSync(config, "utf8").replace(/^database: .*$/m, `database: ${at("var/lib/dirsyncd/dirsyncd.db")}`));
		} finally {
			daemon.kill("SIGKILL");
			socket.close();
		}
	}, 90_000);

	it.runIf(isRoot)(
		"is the command for root, too: it becomes the service's user, brings the secrets along, and leaves none behind",
		async () => {
			const config = at("etc/dirsyncd/dirsyncd.yaml");
			writeFileSync(config, readFileSync(config, "utf8").replace("password: demo-Reader-1", "password: { credential: corp }"));
			const environment = { PATH: serverPath, DIRSYNCD_USER: "nobody", DIRSYNCD_ETC: at("etc/dirsyncd") };
			const run = (...args: string[]) => spawnSync(at("opt/dirsyncd/bin/dirsyncd"), args, { encoding: "utf8", cwd: "/", env: environment });
			const scratch = () => readdirSync("/run").filter((name) => name.startsWith("dirsyncd."));
			expect(run("config", "validate").status).toBe(2);
			expect(install(["--secret", "corp"], "demo-Reader-1").status).toBe(0);
			const before = scratch();
			expect(run("config", "validate")).toMatchObject({ status: 0, stdout: `valid: ${config}\n` });
			expect(run("backup", at("var/lib/dirsyncd/copy.db"))).toMatchObject({ status: 0 });
			expect(statSync(at("var/lib/dirsyncd/copy.db")).uid).toBe(NOBODY);
			expect(scratch()).toEqual(before);
			// Told to end, it tells the program, and ends after it.
			const daemon = spawn(at("opt/dirsyncd/bin/dirsyncd"), ["run"], { cwd: "/", env: environment, stdio: ["ignore", "pipe", "inherit"] });
			const ended = once(daemon, "exit");
			const lines = createInterface({ input: daemon.stdout });
			lines.on("line", (line) => line.includes("dirsyncd is up") && daemon.kill("SIGTERM"));
			const said: string[] = [];
			lines.on("line", (line) => said.push(line));
			expect(await ended).toEqual([0, null]);
			expect(said.at(-1)).toContain("dirsyncd has ended");
			expect(scratch()).toEqual(before);
		},
		60_000,
	);

	it("is not upgraded when its database cannot be backed up", () => {
		writeFileSync(at("var/lib/dirsyncd/dirsyncd.db"), "this is no database");
		writeFileSync(at("opt/dirsyncd/src/of-an-older-version.ts"), "");
		const { status, stderr } = install();
		expect(status).toBe(1);
		expect(stderr).toContain("the database could not be backed up, so nothing is changed");
		expect(existsSync(at("opt/dirsyncd/src/of-an-older-version.ts"))).toBe(true);
		expect(install(["--no-backup"]).status).toBe(0);
		expect(existsSync(at("opt/dirsyncd/src/of-an-older-version.ts"))).toBe(false);
	}, 60_000);
});

describeWith(["shellcheck"], "what the service is installed and started by", () => {
	it.each(["install.sh", "dirsyncd"])("has nothing that shellcheck finds: %s", (name) => {
		const said = spawnSync("shellcheck", [path.join(project, "deploy/systemd", name)], { encoding: "utf8" });
		expect(said.stdout + said.stderr).toBe("");
	});
});

async function diesOf(ended: Promise<unknown>, lines: readonly string[]): Promise<never> {
	await ended;
	throw new Error(`the daemon ended:\n${lines.join("\n")}`);
}
