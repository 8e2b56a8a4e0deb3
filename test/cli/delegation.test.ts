import { expect, it } from "vitest";
import type { Delegation } from "../../src/cli/context.ts";
import { say } from "./world.ts";

const delegation: Delegation = {
	server: "ldaps://dc1.corp.example.com",
	account: { name: "CORP\\svc-dirsyncd", sid: "S-1-5-21-1-2-3-1104", dn: "CN=svc-dirsyncd,CN=Users,DC=corp" },
	findings: [
		{ step: "base", subject: "OU=People,DC=corp", state: "warned", detail: "may not be read: of people: mail", remedy: "Run it." },
	],
	remarks: ["Only what is lacking."],
	grants: [{ dn: "OU=People,DC=corp", why: "what is read of people", sddl: ["(OA;CIIO;RP;a;b;S-1)"] }],
	powershell: "#Requires -Version 5.1\nEdit-Access\n",
	dsacls: '@echo off\r\ndsacls "OU=People,DC=corp" /I:S /G "CORP\\svc-dirsyncd:RP;mail;user"\r\n',
	dsaclsUndo: '@echo off\r\ndsacls "OU=People,DC=corp" /R "CORP\\svc-dirsyncd"\r\n',
};

it("check --delegation says what is lacking, and prints the commands for both shells and back", async () => {
	const { code, out } = await say(["check", "--delegation"], { delegation });
	expect(code).toBe(0);
	expect(out).toMatch(/^corp: CORP\\svc-dirsyncd at ldaps:\/\/dc1/);
	expect(out).toMatch(/warned {2}base .*OU=People,DC=corp: may not be read: of people: mail\n {8}-> Run it\./);
	for (const text of ["Edit-Access", "/I:S /G", "/R "]) expect(out).toContain(text);
});

it.each([
	["powershell", delegation.powershell],
	["dsacls", delegation.dsacls],
	["dsacls-undo", delegation.dsaclsUndo],
])("check --delegation --script %s prints that script and nothing else, to be written to a file", async (kind, text) => {
	expect((await say(["check", "--delegation", "--script", kind], { delegation })).out).toBe(text);
});

it("check --delegation --json has all of it, by source", async () => {
	const { out } = await say(["check", "--delegation", "--json"], { delegation });
	expect(JSON.parse(out)).toEqual([{ source: "corp", ...delegation }]);
});

it.each([
	{ argv: ["check", "--everything"], because: "go with --delegation" },
	{ argv: ["check", "--script", "dsacls"], because: "go with --delegation" },
	{ argv: ["check", "--delegation", "--target", "mail"], because: "--delegation and --target exclude each other" },
	{ argv: ["check", "--delegation", "--script", "bash"], because: "the scripts are powershell, dsacls, dsacls-undo" },
	{ argv: ["check", "--delegation", "--script", "dsacls", "--json"], because: "exclude each other" },
])("$argv is refused: $because", async ({ argv, because }) => {
	const { code, out, err } = await say(argv, { delegation });
	expect(code).toBe(2);
	expect(out + err).toContain(because);
});

it("of several sources one has to be named for a script", async () => {
	const { code, err } = await say(["check", "--delegation", "--script", "dsacls"], { delegation, sources: ["corp", "sales"] });
	expect(code).toBe(2);
	expect(err).toContain("--source: corp, sales");
	const one = await say(["check", "--delegation", "--script", "dsacls", "--source", "sales"], { delegation, sources: ["corp", "sales"] });
	expect(one.out).toBe(delegation.dsacls);
});
