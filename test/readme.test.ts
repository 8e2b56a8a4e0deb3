import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { rootCertificates } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commands } from "../src/cli/commands.ts";
import { loadConfig } from "../src/config/load.ts";
import { problemKinds } from "../src/http/problem-table.ts";

const root = path.join(import.meta.dirname, "..");
const readme = readFileSync(path.join(root, "README.md"), "utf8");
const blocks = (language: string) =>
	[...readme.matchAll(new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, "gs"))].map(([, text]) => (text as string).trim());

/** First cells of the rows of the table under `heading`, without their code marks. */
function firstCells(heading: string): string[] {
	const table = readme
		.slice(readme.indexOf(heading))
		.split("\n")
		.filter((line) => line.startsWith("|"))
		.slice(2);
	const end = table.findIndex((line) => line.startsWith("| exit code"));
	return table.slice(0, end === -1 ? undefined : end).map((line) => line.split("|")[1]?.replaceAll("`", "").trim() ?? "");
}

describe("the README", () => {
	it("names every command there is, and no other", () => {
		const named = firstCells("## Commands").flatMap((cell) => cell.split(", ").map((command) => command.split(" ")[0] as string));
		expect([...new Set(named)].sort()).toEqual(commands.map(({ name }) => name).sort());
	});

	it("names every metric there is, and no other", () => {
		const named = [...readme.matchAll(/`(dirsyncd_[a-z_]+)`/g)].map(([, name]) => name);
		const source = readFileSync(path.join(root, "src/telemetry/metrics-table.ts"), "utf8");
		const made = [...source.matchAll(/name: "(dirsyncd_[a-z_]+)"/g)].map(([, name]) => name);
		expect([...new Set(named)].sort()).toEqual([...new Set(made)].sort());
	});

	it("has a configuration for a first plan that is valid as it stands", () => {
		const folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-readme-"));
		try {
			mkdirSync(path.join(folder, "secrets"));
			writeFileSync(path.join(folder, "secrets/corp"), "not a real one", { mode: 0o600 });
			writeFileSync(path.join(folder, "corp-ca.pem"), `${rootCertificates[0]}\n`);
			writeFileSync(path.join(folder, "dirsyncd.yaml"), blocks("yaml")[0] as string);
			expect(loadConfig(path.join(folder, "dirsyncd.yaml"), {}).warnings).toEqual([]);
		} finally {
			rmSync(folder, { recursive: true });
		}
	});

	it("has its list of error codes in src/README.md, whole", () => {
		const map = readFileSync(path.join(root, "src/README.md"), "utf8").replace(/ +\|/g, " |");
		for (const { code, meaning } of problemKinds) expect(map).toContain(`| \`${code}\` | ${meaning} |`);
	});
});

describe("the README's commands, in a copy of the project", () => {
	let copy: string;

	beforeAll(() => {
		copy = mkdtempSync(path.join(tmpdir(), "dirsyncd-copy-"));
		for (const name of ["package.json", ".npmrc", "src", "config"])
			cpSync(path.join(root, name), path.join(copy, name), { recursive: true });
		// What `npm ci` brings; that it can is proven before this test by the one who runs it.
		symlinkSync(path.join(root, "node_modules"), path.join(copy, "node_modules"));
	});
	afterAll(() => rmSync(copy, { recursive: true, force: true }));

	it("are the two that anyone can run", () => {
		expect(blocks("sh")).toEqual(["npm ci && npm start", "npm ci && npm test"]);
	});

	it("start a demo whose accounts are there within 30 s and follow the directory, and which ends with npm", async () => {
		const npm = spawn("npm", ["start"], { cwd: copy, stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, NO_COLOR: "1" } });
		let printed = "";
		npm.stdout.on("data", (chunk: Buffer) => {
			printed += chunk;
		});
		const ask = (...args: string[]) =>
			execFileSync("npm", ["run", "--silent", "dirsyncd", "--", ...args, "--config", "config/demo.yaml"], { cwd: copy, encoding: "utf8" });
		try {
			await until(
				30_000,
				() => /full.*succeeded|"mode":"full".*"outcome":"succeeded"/.test(printed),
				() => printed,
			);
			expect(ask("accounts", "--json").trim().split("\n").length).toBeGreaterThan(200);
			const changed = () =>
				ask("runs", "--json").includes('"mode":"delta"') &&
				/[1-9]\d* (created|updated|disabled|enabled)|"(created|updated|disabled|enabled)":[1-9]\d*/.test(
					printed.split("succeeded").slice(2).join(" "),
				);
			await until(60_000, changed, () => printed);
			expect(ask("status")).toMatch(/daemon +http:\/\/127\.0\.0\.1:8640/);
		} finally {
			npm.kill("SIGTERM");
			await once(npm, "exit");
			// npm itself does not wait for what it started.
			await until(
				15_000,
				() => /dirsyncd has ended/.test(printed),
				() => printed,
			);
		}
	}, 120_000);
});

/** Asks again and again, since what is waited for happens in another process. */
async function until(timeoutMs: number, isSo: () => boolean, state: () => string): Promise<void> {
	const deadline = Date.now() + timeoutMs;
	while (!isSo()) {
		if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms; so far:\n${state()}`);
		await wait(250);
	}
}
