import { execFileSync } from "node:child_process";
import { chownSync, copyFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { rootCertificates } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { Health } from "../../src/http/health.ts";
import { type Container, type Mounts, runProgram, runToEnd, startContainer } from "../support/container.ts";
import { buildImage, type Image } from "../support/image.ts";
import { freePort } from "../support/loopback.ts";
import { describeWith } from "../support/require.ts";

const project = path.join(import.meta.dirname, "../..");
const USER = 1000;
/** Alone on two cores: 40 s for the base the first time, 40 s for the image. */
const BUILD_MS = 600_000;

describeWith(["containers"], "the image, built by the Dockerfile and run without a right and on a read-only file system", () => {
	let folder: string;
	let image: Image;
	let mounts: Mounts;
	let port: number;

	beforeAll(async () => {
		folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-container-"));
		image = await buildImage();
		port = await freePort();
		const [data = ""] = Object.keys(image.config.Volumes);
		// As Docker fills a new volume: with what the image has there, and its owner.
		execFileSync("cp", ["-a", path.join(image.root, data), path.join(folder, "data")]);
		mkdirSync(path.join(folder, "etc"));
		writeFileSync(path.join(folder, "etc/dirsyncd.yaml"), demoIn(data, port, await freePort()));
		mounts = { readOnly: { "/etc/dirsyncd": path.join(folder, "etc") }, writable: { [data]: path.join(folder, "data") } };
	}, BUILD_MS);

	afterAll(async () => {
		await image?.remove();
		rmSync(folder, { recursive: true, maxRetries: 5 });
	});

	/** The demo's own configuration, where a container can write and be reached; nobody is hired or leaves meanwhile. */
	function demoIn(data: string, http: number, ldap: number): string {
		return readFileSync(path.join(project, "config/demo.yaml"), "utf8")
			.replace("../data/demo.db", `${data}/dirsyncd.db`)
			.replace("{ listen: 127.0.0.1:8640 }", `{ listen: 0.0.0.0:${http}, insecure: true }`)
			.replaceAll("127.0.0.1:3890", `127.0.0.1:${ldap}`)
			.replace("pace: 10s", "pace: 12h");
	}

	const ask = (what: string) => fetch(`http://127.0.0.1:${port}${what}`);
	const run = (...args: string[]) => runToEnd(image, mounts, args);
	/** Of the command line in it, what `--json` says. */
	const say = async (...args: string[]): Promise<unknown[]> => {
		const { out } = await run(...args, "--json");
		return out
			.trim()
			.split("\n")
			.map((line) => JSON.parse(line) as unknown);
	};

	it("adds less than 48 MB to the official image", () => {
		const kilobytes = execFileSync("du", ["-sk", path.join(image.root, "opt/dirsyncd")], { encoding: "utf8" });
		expect(Number.parseInt(kilobytes, 10)).toBeLessThan(48_000);
	});

	it("is the program and nothing else of the project", () => {
		const parts = ["LICENSE", "bin", "config", "dist", "node_modules", "package.json"];
		expect(readdirSync(path.join(image.root, "opt/dirsyncd")).sort()).toEqual(parts);
		const { packages } = JSON.parse(readFileSync(path.join(project, "package-lock.json"), "utf8")) as {
			packages: Record<string, { dev?: true; optional?: true; devOptional?: true }>;
		};
		const needed = Object.entries(packages).filter(([, { dev, optional, devOptional }]) => !(dev || optional || devOptional));
		const top = (name: string) => name.replace(/^node_modules\//, "").split("/")[0] as string;
		const folders = readdirSync(path.join(image.root, "opt/dirsyncd/node_modules")).filter((name) => !name.startsWith("."));
		expect(folders.sort()).toEqual([...new Set(needed.flatMap(([name]) => (name === "" ? [] : [top(name)])))].sort());
	});

	it("lets its user read all of the program, and write none of it", () => {
		const find = (...args: string[]) => execFileSync("find", [path.join(image.root, "opt/dirsyncd"), ...args], { encoding: "utf8" });
		expect(find("!", "-type", "l", "!", "-perm", "-0444")).toBe("");
		expect(find("!", "-type", "l", "(", "-perm", "/0022", "-o", "!", "-user", "0", ")")).toBe("");
	});

	it("still has of the packages that were made smaller what is loaded of them", async () => {
		const program = `const roll = require("pino-roll");
			roll({ file: "/var/lib/dirsyncd/log", frequency: "daily", dateFormat: "yyyy-MM-dd", size: "1k", limit: { count: 2 } })
				.then((log) => { log.write("a line"); log.on("close", () => console.log("rolled")); log.end(); });
			require("better-sqlite3")(":memory:").prepare("SELECT 1").get();`;
		expect(await runProgram(image, mounts, ["node", "-e", program])).toEqual({ code: 0, out: "rolled\n", err: "" });
		execFileSync("sh", ["-c", 'rm "$0"/log*', path.join(folder, "data")]);
	});

	it("has every package, and every file of it, that a part of the program asks for", async () => {
		const program = `import { globSync } from "node:fs";
			const parts = globSync("dist/**/*.js").filter((file) => !["dist/main.js", "dist/daemon/worker.js"].includes(file));
			for (const part of parts) await import("/opt/dirsyncd/" + part);
			console.log(parts.length > 200);`;
		expect(await runProgram(image, mounts, ["node", "--input-type=module", "-e", program])).toEqual({ code: 0, out: "true\n", err: "" });
	});

	it("says what is missing when it gets no configuration, and gives up", async () => {
		const { code, err } = await runToEnd(image, { writable: mounts.writable ?? {} }, image.config.Cmd);
		expect([code, err]).toEqual([2, expect.stringContaining("the configuration /etc/dirsyncd/dirsyncd.yaml cannot be read")]);
	});

	it.each([
		{ of: "compose.yaml", files: () => composeFiles() },
		{ of: "kubernetes/", files: () => kubernetesFiles() },
	])("takes the configuration of deploy/$of as it is mounted there", async ({ files }) => {
		expect(await runToEnd(image, { ...mounts, readOnly: files() }, ["config", "validate"])).toMatchObject({ code: 0 });
	});

	function composeFiles(): Record<string, string> {
		const { services, secrets } = parse(readFileSync(path.join(project, "deploy/compose.yaml"), "utf8"));
		const etc = path.join(folder, "compose");
		const [config] = (services.dirsyncd.volumes as string[]).filter((volume) => volume.endsWith(":ro")).map((volume) => volume.split(":"));
		cpSync(path.join(project, "deploy", config?.[0] as string), etc, { recursive: true });
		writeFileSync(path.join(etc, "corp-ca.pem"), `${rootCertificates[0]}\n`);
		expect(Object.keys(secrets)).toContain("corp");
		return { [config?.[1] as string]: etc, "/run/secrets/corp": secretFile("corp") };
	}

	function kubernetesFiles(): Record<string, string> {
		const etc = path.join(folder, "kubernetes");
		const secret = path.join(folder, "kubernetes-secret");
		for (const each of [etc, secret]) mkdirSync(each);
		const { data } = parse(readFileSync(path.join(project, "deploy/kubernetes/configmap.yaml"), "utf8"));
		writeFileSync(path.join(etc, "dirsyncd.yaml"), data["dirsyncd.yaml"]);
		copyFileSync(secretFile("corp"), path.join(secret, "corp"));
		writeFileSync(path.join(secret, "corp-ca.pem"), `${rootCertificates[0]}\n`);
		// As fsGroup makes it: of root, and for the group's eyes.
		execFileSync("sh", ["-c", 'chown 0:1000 "$0"/* && chmod 0440 "$0"/*', secret]);
		return { "/etc/dirsyncd": etc, "/run/secrets/dirsyncd": secret };
	}

	/** As the README has the operator make it. */
	function secretFile(name: string): string {
		const file = path.join(folder, `secret-${name}`);
		rmSync(file, { force: true });
		writeFileSync(file, "not a real one\n", { mode: 0o400 });
		chownSync(file, USER, USER);
		return file;
	}

	describe("started", () => {
		let container: Container;
		let before: number;

		beforeAll(async () => {
			before = Date.now();
			container = startContainer(image, mounts);
			await container.said(({ msg, mode }) => msg === "run succeeded" && mode === "full");
		}, 120_000);
		afterAll(() => container?.remove());

		/** The healthcheck's own command, as it stands in the image. */
		const check = () => container.exec(image.config.Healthcheck.Test.slice(1));

		it("answers to others at /health and /metrics", async () => {
			const health = await ask("/health");
			expect([health.status, ((await health.json()) as Health).status]).toEqual([200, "pass"]);
			expect(await (await ask("/metrics")).text()).toContain('dirsyncd_sealed{source="demo"} 1');
		});

		it("has no capability, can get none, and can write nowhere else, not even to /tmp", async () => {
			const { out } = await container.exec(["grep", "-E", "^(Uid|Gid|Cap...|NoNewPrivs):", "/proc/1/status"]);
			const said = Object.fromEntries(
				out
					.trim()
					.split("\n")
					.map((line) => line.split(/:\s+/)) as [string, string][],
			);
			expect(said).toMatchObject({ Uid: "1000\t1000\t1000\t1000", Gid: "1000\t1000\t1000\t1000", NoNewPrivs: "1" });
			for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]) expect(said[set]).toBe("0000000000000000");
			expect(await container.exec(["touch", "/tmp/file"])).toMatchObject({
				code: 1,
				err: expect.stringContaining("Read-only file system"),
			});
		});

		it("is node itself, with the launcher's flags, and gets the signals", async () => {
			const { out } = await container.exec(["cat", "/proc/1/cmdline"]);
			expect(out.split("\0")).toEqual([
				...["node", "--disable-warning=ExperimentalWarning", "--max-semi-space-size=8", "--heap-growing-percent=20"],
				...["/opt/dirsyncd/dist/main.js", "run", ""],
			]);
		});

		it("is healthy by its own healthcheck, although it listens on another port than usual", async () => {
			expect(image.config.Healthcheck.Test[0]).toBe("CMD");
			const since = performance.now();
			expect(await check()).toEqual({ code: 0, out: `pass: the daemon at http://127.0.0.1:${port} answers\n`, err: "" });
			expect(performance.now() - since).toBeLessThan(image.config.Healthcheck.Timeout / 1e6);
		});

		it("is not healthy while it hangs, and is again when it goes on", async () => {
			await container.signal("SIGSTOP");
			const hung = await check().finally(() => container.signal("SIGCONT"));
			expect(hung).toMatchObject({ code: 1, err: expect.stringContaining("did not answer in time") });
			expect(await check()).toMatchObject({ code: 0 });
		});

		it("does what it is told on the command line in it", async () => {
			expect(await container.exec(["dirsyncd", "sync"])).toMatchObject({ code: 0 });
		});

		it("ends with 0 within 10 s of SIGTERM", async () => {
			const since = performance.now();
			expect(await container.end("SIGTERM")).toBe(0);
			expect(performance.now() - since).toBeLessThan(10_000);
			expect(container.stderr()).toBe("");
		});

		it("leaves a whole database, in files of its user for nobody else's eyes", async () => {
			expect(await run("verify")).toMatchObject({ code: 0 });
			const files = execFileSync("find", [path.join(folder, "data"), "-printf", "%U:%G %m %P\n"], { encoding: "utf8" })
				.trim()
				.split("\n");
			expect(files.length).toBeGreaterThan(3);
			expect(files.filter((line) => !/^1000:1000 [67]00 /.test(line))).toEqual([]);
		});

		it("has written nothing anywhere else", () => {
			const written = execFileSync("find", [image.root, "-newermt", `@${before / 1000}`], { encoding: "utf8" });
			expect(written).toBe("");
		});

		it("is not healthy for anybody once it has ended", async () => {
			const [command = "", ...args] = image.config.Healthcheck.Test.slice(1);
			expect(await runProgram(image, mounts, [command, ...args])).toMatchObject({
				code: 1,
				err: expect.stringContaining("no daemon runs on the database /var/lib/dirsyncd/dirsyncd.db"),
			});
		});

		it("goes on where it was when it is started again on the same volume, and makes nobody twice", async () => {
			const accounts = await say("accounts");
			expect(accounts.length).toBeGreaterThan(200);
			await container.remove();
			container = startContainer(image, mounts);
			await container.said(({ msg }) => msg === "dirsyncd is up");
			const { out } = await container.exec(["dirsyncd", "sync", "--full", "--json"]);
			expect(JSON.parse(out)).toMatchObject({ outcome: "succeeded", sealed: true, created: 0, unchanged: expect.any(Number) });
			expect(await container.end("SIGTERM")).toBe(0);
			expect(await say("accounts")).toEqual(accounts);
		}, 60_000);
	});
});
