import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { DPAPI_ENTROPY } from "../src/config/dpapi.ts";
import { powershellFaults } from "./support/powershell.ts";

const root = path.join(import.meta.dirname, "..");
const folder = path.join(root, "deploy/windows");
const read = (name: string) => readFileSync(path.join(root, name), "utf8");
const scripts = readdirSync(folder).filter((name) => name.endsWith(".ps1"));

describe.each(scripts)("%s", (name) => {
	const text = readFileSync(path.join(folder, name), "utf8");

	it("is a script that PowerShell can read", async () => {
		expect(await powershellFaults(text)).toEqual([]);
	});

	it("has letters that mean the same in every code page, since Windows PowerShell guesses one", () => {
		expect([...text].filter((letter) => (letter.codePointAt(0) as number) > 0x7e)).toEqual([]);
	});

	it("stops at the first fault, and is strict", () => {
		const common = readFileSync(path.join(folder, "common.ps1"), "utf8");
		expect(common).toContain("Set-StrictMode -Version 2.0\n$ErrorActionPreference = 'Stop'\n");
		if (name === "common.ps1") return;
		expect(text).toContain(". (Join-Path $PSScriptRoot 'common.ps1')");
		expect(text).toContain("#Requires -RunAsAdministrator");
	});

	it("calls no function of ours that is not there, with no parameter that it has not", () => {
		const all = scripts.map((each) => readFileSync(path.join(folder, each), "utf8")).join("\n");
		const known = new Map(
			[...all.matchAll(/^function ([A-Z][\w-]+) \{\n(?: +param\((.*)\))?/gm)].map(([, called, given = ""]) => [
				called as string,
				[...given.matchAll(/\$(\w+)/g)].map(([, parameter]) => parameter as string),
			]),
		);
		for (const [, called, rest = ""] of text.matchAll(
			/\b((?:Write|Set|Get|New|Copy|Stop|Wait|Test|Invoke|Read|Backup)-[A-Z]\w+)\b([^|\n]*)/g,
		)) {
			const parameters = known.get(called as string);
			if (parameters === undefined) expect(cmdlets, `${called} in ${name}`).toContain(called);
			else
				for (const [, given] of rest.matchAll(/(?<= )-([A-Z]\w+)/g))
					expect([...parameters, "Skip"], `${called} -${given}`).toContain(given);
		}
	});
});

/** Those of Windows PowerShell 5.1 itself that the scripts lean on. */
const cmdlets = [
	...["Write-Output", "Set-StrictMode", "Set-Location", "Get-Service", "Stop-Service", "Get-Date", "Get-Content", "Get-ChildItem"],
	...["Get-Item", "Get-ItemProperty", "Get-Command", "Get-FileHash", "Get-CimInstance", "New-Object", "New-Item", "Copy-Item", "Test-Path"],
	...["Invoke-WebRequest", "Read-Host", "Test-ADServiceAccount"],
];

describe("the Windows service", () => {
	const xml = read("deploy/windows/dirsyncd.xml");
	const install = read("deploy/windows/install.ps1");

	it("starts the built program as the launcher would, and a checkout's in its place", () => {
		const [, flags] = read("src/launch.cjs").match(/^const SMALL_HEAP = \[(.*)\];$/m) as RegExpMatchArray;
		const launched = ["--disable-warning=ExperimentalWarning", ...(JSON.parse(`[${flags}]`) as string[])].join(" ");
		const { outDir } = JSON.parse(read("tsconfig.build.json")).compilerOptions as { outDir: string };
		expect(xml).toContain(`<arguments>${launched} "%BASE%\\${outDir}\\main.js" run --config `);
		expect(install).toContain(`${launched} ""%~dp0..\\$main"" %*`);
		expect(install).toContain(`.Replace('%BASE%\\${outDir}\\main.js', "%BASE%\\$main")`);
		expect(existsSync(path.join(root, "src/main.ts"))).toBe(true);
	});

	it("has a heap, data and logs in folders that install.ps1 makes", () => {
		for (const name of ["logs", "temp"]) expect(xml).toContain(`%ProgramData%\\dirsyncd\\${name}`);
		expect(install).toContain("foreach ($folder in 'secrets', 'data', 'logs', 'temp')");
	});

	it("has secrets that the daemon's own entropy opens", () => {
		expect(read("deploy/windows/common.ps1")).toContain(`$DpapiEntropy = '${DPAPI_ENTROPY}'`);
	});

	it("takes no folder for its data that somebody else has made, and looks into it once it is closed", () => {
		const steps = ["(Test-Trusted $DataDirectory)", "Set-FolderAccess $DataDirectory @{}", "(Test-Trusted $path)", "'temp') { New-Folder"];
		const places = steps.map((step) => install.indexOf(step));
		expect(places.every((place) => place > 0)).toBe(true);
		expect(places).toEqual(places.toSorted((one, other) => one - other));
	});

	it("takes a program that crashed for one that failed: its code is negative", () => {
		expect(read("deploy/windows/common.ps1")).toContain("if ($LASTEXITCODE -lt 0 -or $LASTEXITCODE -gt $Most) { throw");
	});

	it("knows what is installed after a kill between the two renames of an upgrade", () => {
		expect(install.indexOf("Restore-Prefix $installed")).toBeLessThan(install.indexOf("Get-InstalledData $Prefix"));
		const uninstall = read("deploy/windows/uninstall.ps1");
		expect(uninstall).toMatch(/Restore-Prefix \$prefix\n\$data = Get-InstalledData/);
	});

	it("has nothing of a secret on a command line", () => {
		for (const name of scripts) expect(readFileSync(path.join(folder, name), "utf8")).not.toMatch(/password=|-Password/i);
	});
});

it("a fault that is planted into a script is seen", async () => {
	const text = read("deploy/windows/install.ps1");
	for (const [found, planted] of [
		["} catch {", " catch {"],
		["param(", "param"],
		["if ($isToStart) {", "if $isToStart {"],
	] as const) {
		expect(text).toContain(found);
		expect(await powershellFaults(text.replace(found, planted)), planted).not.toEqual([]);
	}
});
