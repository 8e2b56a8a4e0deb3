import { chmodSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { windowsDpapi } from "../../src/config/dpapi.ts";
import { type AccessLists, crowdsIn, windowsAccessLists } from "../../src/config/secret-access.ts";
import { readSecret } from "../../src/config/secrets.ts";
import { directoryWith } from "./configure.ts";

describe("an access list on Windows", () => {
	it.each([
		{ what: "a file in a folder of install.ps1", sddl: "D:AI(A;ID;FA;;;SY)(A;ID;FA;;;BA)(A;ID;0x1200a9;;;S-1-5-80-1-2-3-4-5)", crowds: [] },
		{
			what: "a file beneath C:\\",
			sddl: "D:AI(A;ID;FA;;;BA)(A;ID;FA;;;SY)(A;ID;0x1200a9;;;BU)(A;ID;0x1301bf;;;AU)",
			crowds: ["Users", "Authenticated Users"],
		},
		{ what: "one for everybody, by letters", sddl: "D:P(A;;FR;;;WD)(A;;FA;;;BA)", crowds: ["Everyone"] },
		{ what: "one for everybody, by a SID", sddl: "D:P(A;;GRGX;;;S-1-1-0)", crowds: ["Everyone"] },
		{ what: "one whose name alone may be looked at", sddl: "D:P(A;;0x100080;;;BU)(A;;RC;;;WD)", crowds: [] },
		{ what: "one that only hands it on to what lies in it", sddl: "D:P(A;OICIIO;FR;;;BU)", crowds: [] },
		{ what: "one that denies it", sddl: "D:P(D;;FR;;;BU)(A;;FA;;;SY)", crowds: [] },
		{ what: "what is no list", sddl: "Access is denied.", crowds: [] },
	])("of $what is read by $crowds", ({ sddl, crowds }) => {
		expect(crowdsIn(`C:\\ProgramData\\dirsyncd\\secrets\\corp "${sddl}"\r\n`)).toEqual(crowds);
	});
});

describe("a secret's file on Windows", () => {
	/** A program in the place of cacls, which shows this list of any file. */
	const lists = (sddl: string): AccessLists => {
		const program = path.join(directoryWith({}), "cacls.exe");
		writeFileSync(program, `#!/bin/sh\n[ "$2" = /S ] && echo "$1 \\"${sddl}\\""\n`);
		chmodSync(program, 0o755);
		return { platform: "win32", program, timeoutMs: 5000 };
	};
	const read = (accessLists: AccessLists) =>
		readSecret({ file: "corp" }, {}, directoryWith({ corp: "secret-of-svc" }), { dpapi: windowsDpapi({}), accessLists });

	it("is warned of where others may read it, and read nevertheless", () => {
		expect(read(lists("D:AI(A;ID;0x1200a9;;;BU)"))).toMatchObject({
			kind: "secret",
			warning: {
				message: expect.stringMatching(/other users of this machine may read the secret in .*corp \(Users\)/),
				remedy: expect.stringContaining("dpapi"),
			},
		});
	});

	it("is not warned of where nobody else may, or where it cannot be told", () => {
		expect(read(lists("D:PAI(A;;FA;;;SY)"))).toMatchObject({ kind: "secret", warning: undefined });
		expect(read({ platform: "win32", program: "/nowhere/cacls.exe", timeoutMs: 5000 })).toMatchObject({
			kind: "secret",
			warning: undefined,
		});
	});

	it("is looked at by Windows' own program", () => {
		expect(windowsAccessLists({ SystemRoot: "D:\\WINNT" }).program).toBe("D:\\WINNT\\System32\\cacls.exe");
	});
});
