// npm run release: an archive for each platform with its own Node, that needs neither npm nor the internet where it is installed.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { readCommit } from "./commit.ts";
import { listBeneath } from "./files.ts";
import { digestOf, pack } from "./pack.ts";
import { type Platform, platforms } from "./platforms.ts";
import { compile, layOut } from "./tree.ts";

const usage = `usage: npm run release -- [OPTION]...

  --platform NAME   ${platforms.map(({ name }) => name).join(", ")}; may be said several times; else all of them
  --winsw FILE      WinSW's program (github.com/winsw/winsw), which goes into the archive for Windows as dirsyncd.exe
  --output DIR      where the archives and SHA256SUMS go; else release/
`;

const root = path.join(import.meta.dirname, "../..");

interface Wish {
	readonly chosen: readonly Platform[];
	readonly winsw: string | undefined;
	readonly output: string;
}

function readWish(argv: readonly string[]): Wish | "help" {
	const options = { platform: { type: "string", multiple: true }, winsw: { type: "string" }, output: { type: "string" } } as const;
	const { values } = parseArgs({ args: [...argv], options: { ...options, help: { type: "boolean", short: "h" } } });
	if (values.help) return "help";
	const unknown = values.platform?.find((name) => !platforms.some((platform) => platform.name === name));
	if (unknown !== undefined) throw new Error(`there is no platform ${unknown}`);
	const chosen = platforms.filter(({ name }) => values.platform?.includes(name) ?? true);
	return { chosen, winsw: values.winsw && path.resolve(values.winsw), output: path.resolve(values.output ?? path.join(root, "release")) };
}

async function release({ chosen, winsw, output }: Wish): Promise<void> {
	const { version } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as { version: string };
	const commit = readCommit(root, process.env["SOURCE_DATE_EPOCH"]);
	if (commit.changed.length > 0) say(`not as committed: ${commit.changed.join(", ")}`);
	if (winsw !== undefined) say(`${await digestOf(winsw)}  ${path.basename(winsw)}, which becomes dirsyncd.exe`);
	mkdirSync(output, { recursive: true });
	const work = mkdtempSync(path.join(tmpdir(), "dirsyncd-release-"));
	const material = { root, commit, dist: path.join(work, "dist"), winsw };
	const sums: string[] = [];
	try {
		compile(root, material.dist);
		for (const platform of chosen) {
			const name = `dirsyncd-${version}-${platform.name}`;
			const tree = path.join(work, name);
			layOut(material, tree, platform);
			const archive = path.join(output, `${name}.${platform.format}`);
			await pack(tree, archive, platform.format, commit.at);
			sums.push(`${await digestOf(archive)}  ${path.basename(archive)}\n`);
			say(`${archive}: ${megabytes(statSync(archive).size)}, unpacked ${megabytes(sizeOf(tree))}`);
			rmSync(tree, { recursive: true });
		}
	} finally {
		rmSync(work, { recursive: true, force: true });
	}
	writeFileSync(path.join(output, "SHA256SUMS"), sums.join(""));
}

function sizeOf(tree: string): number {
	return listBeneath(tree).files.reduce((sum, file) => sum + statSync(path.join(tree, file)).size, 0);
}

function megabytes(octets: number): string {
	return `${(octets / 1e6).toFixed(1)} MB`;
}

function say(text: string): void {
	process.stdout.write(`${text}\n`);
}

let wish: Wish | "help" | undefined;
try {
	wish = readWish(process.argv.slice(2));
	if (wish === "help") say(usage);
	else await release(wish);
} catch (error) {
	process.stderr.write(`release: ${error instanceof Error ? error.message : String(error)}\n${wish === undefined ? `\n${usage}` : ""}`);
	process.exitCode = wish === undefined ? 2 : 1;
}
