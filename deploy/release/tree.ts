import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Commit } from "./commit.ts";
import { listBeneath } from "./files.ts";
import { gatherLicences, nodeLicence } from "./licences.ts";
import { prunePackages, readPackages } from "./packages.ts";
import type { Platform } from "./platforms.ts";
import { run, runNpm } from "./run.ts";
import { billOfMaterials } from "./sbom.ts";

/** What starts: the rest of an archive is read. */
const PROGRAM = /^(?:bin\/dirsyncd|deploy\/systemd\/dirsyncd|deploy\/.*\.sh|node_modules\/node-[^/]+\/bin\/.+)$/;

/** What of the project's top an archive has. */
const PAPERS = ["LICENSE", "README.md", "CHANGELOG.md"] as const;

/** What archives are made of. */
export interface Material {
	/** The project, after npm ci. */
	readonly root: string;
	readonly commit: Commit;
	/** The program, compiled. */
	readonly dist: string;
	/** WinSW's program, for Windows. */
	readonly winsw: string | undefined;
}

/** Lays out what an archive of this platform holds, in a folder that is made for it. */
export function layOut({ root, commit, dist, winsw }: Material, tree: string, platform: Platform): void {
	mkdirSync(tree, { recursive: true });
	layPackages(root, tree, platform, commit);
	for (const file of listBeneath(dist).files) lay(path.join(dist, file), path.join(tree, "dist", file));
	for (const name of [...PAPERS, "config", ...platform.deploy.map((folder) => `deploy/${folder}`)])
		for (const file of commit.filesOf(name)) lay(path.join(root, file), path.join(tree, file));
	// The command as it will be after an installation, for who tries it where it was unpacked.
	if (platform.os === "linux") lay(path.join(root, "deploy/systemd/dirsyncd"), path.join(tree, "bin/dirsyncd"));
	if (winsw !== undefined && platform.os === "win32") lay(winsw, path.join(tree, "deploy/windows/dirsyncd.exe"));
	setModes(tree);
}

/** By npm from the lock file, whose sums it compares, for that platform and without running anything of theirs; with all papers on them. */
function layPackages(root: string, tree: string, platform: Platform, commit: Commit): void {
	const notes = ["package.json", "package-lock.json", ".npmrc"];
	for (const file of notes) copyFileSync(path.join(root, file), path.join(tree, file));
	const of = [`--os=${platform.os}`, `--cpu=${platform.cpu}`];
	runNpm(["ci", "--omit=dev", ...of, "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"], tree);
	writeFileSync(path.join(tree, "package.json"), ownPackage(root));
	writeFileSync(path.join(tree, "sbom.cdx.json"), billOfMaterials(tree, commit.at));
	for (const file of notes.slice(1)) rmSync(path.join(tree, file));
	const runtime = readPackages(tree).find(({ name }) => name === platform.runtime);
	if (runtime === undefined) throw new Error(`npm did not bring ${platform.runtime}, which package.json has to name`);
	writeFileSync(path.join(tree, runtime.folder, "LICENSE"), nodeLicence(root, runtime.version));
	prunePackages(tree, platform);
	writeFileSync(path.join(tree, "THIRD-PARTY-LICENSES"), gatherLicences(tree, readPackages(tree)));
}

/** Compiles the program into a folder of its own, so that nothing is in it that an earlier build left behind. */
export function compile(root: string, dist: string): void {
	const compiler = path.join(root, "node_modules/typescript/bin/tsc");
	run(process.execPath, [compiler, "-p", "tsconfig.build.json", "--outDir", dist], root);
}

/** What a server has use for: neither scripts nor what builders need. */
function ownPackage(root: string): string {
	const { name, version, description, license, type, engines, dependencies } = JSON.parse(
		readFileSync(path.join(root, "package.json"), "utf8"),
	) as Readonly<Record<string, unknown>>;
	return `${JSON.stringify({ name, version, description, license, type, private: true, engines, dependencies }, undefined, "\t")}\n`;
}

function lay(from: string, to: string): void {
	mkdirSync(path.dirname(to), { recursive: true });
	copyFileSync(from, to);
}

/** The same whatever umask it was made under. */
function setModes(tree: string): void {
	const { files, folders } = listBeneath(tree);
	for (const folder of ["", ...folders]) chmodSync(path.join(tree, folder), 0o755);
	for (const file of files) chmodSync(path.join(tree, file), PROGRAM.test(file) ? 0o755 : 0o644);
}
