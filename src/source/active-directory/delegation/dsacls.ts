import { dsaclsOf, type Grant } from "./grant.ts";
import { commentForCmd, plainDn, quoteForCmd } from "./quote.ts";

/** cmd takes 8,191 signs a line, of which the DN may need a part. */
const MOST_PERMISSIONS = 4000;

/**
 * A batch file that grants all of it by dsacls, which every domain controller has (learn.microsoft.com, "Dsacls syntax"). The deleted
 * objects are taken over first, since nobody else may change their access list (Microsoft's article 892806).
 */
export function dsaclsScript(grants: readonly Grant[], account: string, remarks: readonly string[]): string {
	const lines = grants.flatMap((grant) => {
		const dn = quoteForCmd(plainDn(grant.dn));
		const { permissions, inheritance } = dsaclsOf(grant);
		return [
			"",
			commentForCmd(`${grant.dn}: ${grant.why}`),
			...(grant.isOwnedBySystem
				? [commentForCmd("Its owner, to be noted before it is changed:"), `dsacls ${dn} /A`, `dsacls ${dn} /takeOwnership`]
				: []),
			...batches(permissions.map((permission) => quoteForCmd(`${account}:${permission}`))).map((batch) =>
				["dsacls", dn, ...(inheritance === "" ? [] : [inheritance]), "/G", batch].join(" "),
			),
		];
	});
	return [...head(remarks), ...lines, ""].join("\r\n");
}

/** What takes it back: dsacls knows no way to remove one entry alone, so this removes all that the account has at these objects. */
export function dsaclsUndo(grants: readonly Grant[], account: string): string {
	const dns = [...new Set(grants.map(({ dn }) => dn))];
	const remark = `Takes back everything that ${account} was ever granted or denied at these objects themselves.`;
	return [...head([remark]), ...dns.map((dn) => `dsacls ${quoteForCmd(plainDn(dn))} /R ${quoteForCmd(account)}`), ""].join("\r\n");
}

function head(remarks: readonly string[]): readonly string[] {
	return ["@echo off", "chcp 65001 >nul", ...remarks.map(commentForCmd), commentForCmd("Run it as a domain administrator.")];
}

function batches(permissions: readonly string[]): readonly string[] {
	const lines: string[] = [];
	let line = "";
	for (const permission of permissions) {
		if (line.length + permission.length > MOST_PERMISSIONS) {
			lines.push(line);
			line = "";
		}
		line = line === "" ? permission : `${line} ${permission}`;
	}
	return [...lines, line];
}
