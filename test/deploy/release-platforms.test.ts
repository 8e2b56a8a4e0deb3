import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readCommit } from "../../deploy/release/commit.ts";
import { listBeneath } from "../../deploy/release/files.ts";
import { platforms } from "../../deploy/release/platforms.ts";
import { layOut } from "../../deploy/release/tree.ts";
import { machineOf, readZip } from "../support/archives.ts";
import { runtimePackages } from "../support/packages.ts";
import { describeWith } from "../support/require.ts";

const project = path.join(import.meta.dirname, "../..");
const own = `${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;

let folder: string;
const at = (...names: string[]): string => path.join(folder, ...names);
const write = (file: string, text = file): void => {
	mkdirSync(path.dirname(at(file)), { recursive: true });
	writeFileSync(at(file), text);
};

beforeAll(() => {
	folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-platforms-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// The one of this machine is tried as a whole by release.test.ts.
describeWith(["npm-registry"], "release archives for other platforms", () => {
	describe.each(platforms.filter(({ name }) => name !== own))("$name", (platform) => {
		const tree = () => at(platform.name);
		const machine = platform.os === "win32" ? "windows x64" : `linux ${platform.cpu}`;

		beforeAll(() => {
			write("dist/main.js");
			write("WinSW-x64.exe", "MZ");
			layOut({ root: project, commit: readCommit(project, "0"), dist: at("dist"), winsw: at("WinSW-x64.exe") }, tree(), platform);
		}, 120_000);

		it("have that platform's Node, SQLite and part of deploy/, and nobody else's", () => {
			const { files } = listBeneath(tree());
			const binaries = files.filter((file) => file.endsWith(".node") || /\/node-[^/]+\/bin\//.test(file));
			expect(binaries).toEqual([
				`node_modules/better-sqlite3/prebuilds/${platform.prebuild}`,
				`node_modules/${platform.runtime}/${platform.program}`,
			]);
			expect(binaries.map((file) => machineOf(path.join(tree(), file)))).toEqual([machine, machine]);
			expect(files).toContain(`node_modules/${platform.runtime}/LICENSE`);
			expect(readdirSync(path.join(tree(), "deploy")).sort()).toEqual([...platform.deploy]);
			expect(files.includes("deploy/windows/dirsyncd.exe")).toBe(platform.os === "win32");
			expect(files.includes("bin/dirsyncd")).toBe(platform.os === "linux");
		});

		it("have the packages that the lock file says are needed to run there", () => {
			const { components } = JSON.parse(readFileSync(path.join(tree(), "sbom.cdx.json"), "utf8")) as { components: { name: string }[] };
			const wanted = runtimePackages(project, platform.runtime).map((place) => place.replace(/^.*node_modules\//, ""));
			expect([...new Set(components.map(({ name }) => name))].sort()).toEqual([...new Set(wanted)].sort());
		});
	});
});

describe("a ZIP file", () => {
	it("is the same to the last octet in another time zone and by another umask, and holds what was packed", () => {
		write("tree/a/program.js", "x".repeat(10_000));
		write("tree/a/b/empty.js", "");
		const packing = `import { pack } from ${JSON.stringify(path.join(project, "deploy/release/pack.ts"))};
			process.umask(Number(process.env.UMASK));
			await pack(${JSON.stringify(at("tree"))}, process.env.ZIP, "zip", new Date(1_772_600_767_000));`;
		for (const [zip, TZ, umask, mode] of [
			["one.zip", "UTC", 0o022, 0o644],
			["other.zip", "Asia/Tokyo", 0o077, 0o600],
		] as const) {
			chmodSync(at("tree/a/program.js"), mode);
			const env = { TZ, UMASK: String(umask), ZIP: at(zip) };
			execFileSync(process.execPath, ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", packing], { env });
		}
		expect(readFileSync(at("one.zip")).equals(readFileSync(at("other.zip")))).toBe(true);
		expect([...readZip(at("one.zip"))].map(([name, content]) => [name, content.toString()])).toEqual([
			["tree/a/b/empty.js", ""],
			["tree/a/program.js", "x".repeat(10_000)],
		]);
	});
});

it("a release without git is made of all that is there, and somebody has to say its time", () => {
	write("unpacked/config/example.yaml");
	expect(() => readCommit(at("unpacked"), undefined)).toThrow("SOURCE_DATE_EPOCH has to say the release's time");
	const { at: time, filesOf } = readCommit(at("unpacked"), "1772600767");
	expect(time.toISOString()).toBe("2026-03-04T05:06:07.000Z");
	expect(filesOf("config")).toEqual(["config/example.yaml"]);
});

describeWith(["git"], "what a release is made of", () => {
	const git = (...args: string[]) =>
		execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@example.com", ...args], {
			cwd: at("checkout"),
			env: { ...process.env, GIT_COMMITTER_DATE: "2026-03-04T05:06:07Z" },
			stdio: "pipe",
		});

	it("is what was committed: what lies about in the checkout stays there, what was changed is said, and the time is the commit's", () => {
		write("checkout/config/example.yaml");
		git("init", "--quiet");
		git("add", ".");
		git("commit", "--quiet", "--message", "one");
		write("checkout/config/secrets/corp", "tops3cret");
		write("checkout/config/example.yaml", "changed");
		const { at: time, changed, filesOf } = readCommit(at("checkout"), undefined);
		expect(filesOf("config")).toEqual(["config/example.yaml"]);
		expect(changed).toEqual(["config/example.yaml"]);
		expect(time.toISOString()).toBe("2026-03-04T05:06:07.000Z");
	});
});
