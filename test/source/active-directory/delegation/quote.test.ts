import { expect, it } from "vitest";
import { dnKey } from "../../../../src/core/dn.ts";
import { dsaclsScript, dsaclsUndo } from "../../../../src/source/active-directory/delegation/dsacls.ts";
import type { Grant } from "../../../../src/source/active-directory/delegation/grant.ts";
import { powershellOf } from "../../../../src/source/active-directory/delegation/powershell.ts";
import { plainDn, quotePowerShell } from "../../../../src/source/active-directory/delegation/quote.ts";
import { powershellFaults } from "../../../support/powershell.ts";

const nasty = [
	"OU=People,DC=corp,DC=example",
	"OU=Smith\\, Jones & Co,DC=corp",
	"OU=O'Brien,DC=corp",
	"OU=curly \u2018quotes\u2019\u201a\u201b,DC=corp",
	"OU=$env:USERNAME $(Stop-Computer),DC=corp",
	"OU=back`tick,DC=corp",
	'OU=say \\"hi\\",DC=corp',
	"OU=100%PATH%,DC=corp",
	"OU=caret^ pipe| bang! \\<a\\>,DC=corp",
	"OU=back\\\\slash,DC=corp",
	"OU=ends in one\\\\",
	"OU=slash/and \\+plus\\;,DC=corp",
	"OU=M\u00fcller \u65e5\u672c,DC=corp",
	"OU=two\\0Alines,DC=corp",
	"OU=\\ spaces\\ ,DC=corp",
];

/** What PowerShell makes of a single-quoted string: two quotes of any kind are the first of them. */
function readPowerShell(quoted: string): string {
	const inside = /^'((?:[^'\u2018\u2019\u201a\u201b]|(['\u2018\u2019\u201a\u201b])\2)*)'$/su.exec(quoted)?.[1];
	if (inside === undefined) throw new Error(`not one string: ${quoted}`);
	return inside.replace(/(['\u2018\u2019\u201a\u201b])\1/g, "$1");
}

it.each(nasty)("a DN is one string for PowerShell, which says just that: %s", (dn) => {
	expect(readPowerShell(quotePowerShell(dn))).toBe(dn);
});

it.each(nasty)("a DN in a command has nothing in it that a shell reads, and means the same object: %s", (dn) => {
	const plain = plainDn(dn);
	expect(plain).toMatch(/^[A-Za-z0-9 &'()._=,+\\-]*$/);
	// A program reads a backslash before the closing quote as one that belongs to it.
	expect(plain).not.toMatch(/\\$/);
	expect(dnKey(plain)).toBe(dnKey(dn));
});

it.each([...nasty, "OU=two\nlines\r\nStop-Computer,DC=corp"])(
	"a script that names it parses, and no comment breaks out of its line: %s",
	async (dn) => {
		const grant: Grant = {
			dn,
			why: `to see "${dn}"`,
			rights: ["list"],
			reach: "here-and-beneath",
			of: [{ name: dn, guid: "bf967961-0de6-11d0-a285-00aa003049e2" }],
			heirs: { name: dn, guid: "bf967aba-0de6-11d0-a285-00aa003049e2" },
			isOwnedBySystem: true,
		};
		const grantee = { name: `CORP\\${dn}`, sid: undefined, server: "dc1.corp.example" };
		const text = powershellOf([grant], grantee, [dn]);
		expect(await powershellFaults(text)).toEqual([]);
		const code = text
			.replace(/^\s*#.*$/gm, "")
			.replace(/'(?:[^'\u2018\u2019\u201a\u201b]|(['\u2018\u2019\u201a\u201b])\1)*'/g, "''")
			.replace(/ # .*$/gm, "");
		expect(code).not.toMatch(/Stop-Computer|O.Brien|PATH|lines/);
	},
);

it("the parser sees a fault that is planted into a script", async () => {
	const text = powershellOf([], { name: "CORP\\svc", sid: "S-1-5-21-1-2-3-1104", server: "dc1" }, []);
	expect(await powershellFaults(text)).toEqual([]);
	expect(await powershellFaults(text.replace("function Edit-Access {", "function Edit-Access "))).not.toEqual([]);
	expect(await powershellFaults(text.replace("$modify.Controls.Add($dacl)", "$modify.Controls.Add($dacl")), "a bracket").not.toEqual([]);
	expect(await powershellFaults(`${text}\n$a = 'never closed`)).not.toEqual([]);
});

const read: Grant = {
	dn: "OU=People,DC=corp",
	why: "what is read of people",
	rights: ["read", "control"],
	reach: "beneath",
	of: [{ name: "employeeID", guid: "bf967962-0de6-11d0-a285-00aa003049e2" }],
	heirs: { name: "user", guid: "bf967aba-0de6-11d0-a285-00aa003049e2" },
	isOwnedBySystem: false,
};
const deleted: Grant = {
	...read,
	dn: "CN=Deleted Objects,DC=corp",
	rights: ["list", "read"],
	reach: "here",
	of: [],
	heirs: undefined,
	isOwnedBySystem: true,
};

it("dsacls gets the account with its permissions, property and class; the deleted objects are taken over first", () => {
	const lines = dsaclsScript([read, deleted], "CORP\\100% svc", []).split("\r\n");
	expect(lines.filter((line) => line.startsWith("dsacls"))).toEqual([
		'dsacls "OU=People,DC=corp" /I:S /G "CORP\\100%% svc:RPCA;employeeID;user"',
		'dsacls "CN=Deleted Objects,DC=corp" /A',
		'dsacls "CN=Deleted Objects,DC=corp" /takeOwnership',
		'dsacls "CN=Deleted Objects,DC=corp" /G "CORP\\100%% svc:LCRP"',
	]);
	expect(dsaclsUndo([read, read], "CORP\\svc")).toContain('dsacls "OU=People,DC=corp" /R "CORP\\svc"\r\n');
});

it("no line for dsacls is longer than cmd takes, however many properties there are", () => {
	const of = Array.from({ length: 400 }, (_, index) => ({ name: `extensionAttribute${index}`, guid: "" }));
	const lines = dsaclsScript([{ ...read, of }], "CORP\\svc-dirsyncd", []).split("\r\n");
	expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(8191);
	expect(lines.join("").match(/:RPCA;extensionAttribute\d+;user/g)).toHaveLength(400);
});
