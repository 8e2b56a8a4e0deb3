import { chmodSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { DPAPI_ENTROPY, type Dpapi, unprotectScript, windowsDpapi } from "../../src/config/dpapi.ts";
import { windowsAccessLists } from "../../src/config/secret-access.ts";
import { readSecret } from "../../src/config/secrets.ts";
import { powershellFaults } from "../support/powershell.ts";
import { directoryWith, good, load, problemsIn } from "./configure.ts";

/** A program in the place of Windows PowerShell that knows the same words. */
function windows(timeoutMs = 20_000): Dpapi {
	const folder = directoryWith({});
	const program = path.join(folder, "powershell.exe");
	writeFileSync(
		program,
		`#!/bin/sh\nexec '${process.execPath}' '${path.join(import.meta.dirname, "../support/fake-powershell.mjs")}' "$@"\n`,
	);
	chmodSync(program, 0o755);
	return { platform: "win32", program, timeoutMs };
}

/** What the stand-in takes for a blob of this machine. */
const blobOf = (text: string): string => Buffer.from(`${DPAPI_ENTROPY}|${text}`).toString("base64");

function read(blob: string | undefined, dpapi: Dpapi) {
	const folder = directoryWith(blob === undefined ? {} : { corp: blob });
	const reading = readSecret({ dpapi: "corp" }, {}, folder, { dpapi, accessLists: windowsAccessLists({}) });
	return reading.kind === "secret" ? reading.secret.reveal() : reading.flaw;
}

afterEach(() => {
	delete process.env["DIRSYNCD_TEST_POWERSHELL"];
});

describe("a secret protected by DPAPI", () => {
	it.each(["of-svc", "pässwörd '$x` \" 日本", "ends in a line\r\n"])("is what was protected on this machine: %j", (text) => {
		expect(read(`${blobOf(text)}\r\n`, windows())).toBe(text.replace("\r\n", ""));
	});

	it("may stand in the file in several lines", () => {
		expect(read(blobOf("a rather long secret").replaceAll(/.{16}/g, "$&\r\n"), windows())).toBe("a rather long secret");
	});

	it.each([
		{
			what: "of another machine",
			blob: Buffer.from("somebody else's blob").toString("base64"),
			says: /corp cannot be decrypted: Key not valid for use in specified state\./,
			remedy: /was it made on this machine\?/,
		},
		{
			what: "of no kind",
			blob: "the password itself, by mistake",
			says: /corp holds no secret protected by DPAPI/,
			remedy: /secret\.ps1 -Name/,
		},
		{ what: "that is not there", blob: undefined, says: /corp cannot be read: there is no such file/, remedy: /check the path/ },
		{ what: "that is empty", blob: blobOf(""), says: /the secret in .*corp is empty/, remedy: /anew/ },
	])("$what is refused with place, reason and remedy", ({ blob, says, remedy }) => {
		const flaw = read(blob, windows());
		expect(flaw).toEqual({ message: expect.stringMatching(says), remedy: expect.stringMatching(remedy) });
	});

	it.each([
		{ how: "hangs", timeoutMs: 300, says: /was not decrypted within 0\.3 s/ },
		{ how: "silent", timeoutMs: 20_000, says: /it answered nothing/ },
	])("is not waited for without end, and not taken for empty: PowerShell $how", ({ how, timeoutMs, says }) => {
		process.env["DIRSYNCD_TEST_POWERSHELL"] = how;
		expect(read(blobOf("x"), windows(timeoutMs))).toMatchObject({ message: expect.stringMatching(says) });
	});

	it("wants Windows PowerShell where it is, and says when it is not", () => {
		const { program } = windowsDpapi({ SystemRoot: "D:\\WINNT" });
		expect(program).toBe("D:\\WINNT\\System32\\WindowsPowerShell\\v1.0\\powershell.exe");
		const flaw = read(blobOf("x"), { platform: "win32", program: "/nowhere/powershell.exe", timeoutMs: 1000 });
		expect(flaw).toMatchObject({ message: expect.stringContaining("there is no /nowhere/powershell.exe") });
	});

	it("never shows what is in the file, not even when it is none of DPAPI's", () => {
		expect(JSON.stringify(read("hunter2 hunter2 hunter2", windows()))).not.toContain("hunter2");
	});

	it("is decrypted by a script that PowerShell can read", async () => {
		expect(await powershellFaults(unprotectScript(blobOf("x")))).toEqual([]);
		expect(await powershellFaults(unprotectScript(blobOf("x")).replace("} catch", " catch"))).not.toEqual([]);
		// PowerShell takes standard input line by line.
		expect(unprotectScript(blobOf("x")).trimEnd()).not.toContain("\n");
	});
});

describe("{ dpapi } in a configuration", () => {
	const bind = "    bind: { user: svc, password: { dpapi: ./secrets/corp } }";

	it.skipIf(process.platform === "win32")("is refused elsewhere than on Windows, with line and remedy", () => {
		expect(problemsIn(good({ bind }))).toMatchObject([
			{
				line: 5,
				path: "sources[0].bind.password",
				message: expect.stringContaining("on Windows alone"),
				remedy: expect.stringContaining("{ credential: … }"),
			},
		]);
	});

	it("goes by itself", () => {
		const both = "    bind: { user: svc, password: { dpapi: ./a, file: ./b } }";
		expect(problemsIn(good({ bind: both }))).toMatchObject([{ remedy: "write one of file, env, credential and dpapi" }]);
		expect(() => load(good({ bind: both }))).toThrow();
	});
});
