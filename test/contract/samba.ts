import type { Changes } from "../../src/source/active-directory/strategy.ts";
import { ldifLine } from "../support/ldif.ts";
import type { Samba } from "../support/samba.ts";
import { noTls } from "../support/tls.ts";
import type { Directory, Values } from "./directory.ts";

/** Written to by Samba's own tools, and looked into by ldapsearch. */
export function directoryOnSamba(samba: Samba, bind = samba.reader, changes: Changes = "auto"): Directory {
	return {
		baseDn: samba.baseDn,
		domain: samba.realm,
		connection: {
			urls: [samba.ldapUrl],
			bind,
			insecure: true,
			changes,
			tls: noTls,
		},
		add: (dn, values) => samba.add(`${ldifLine("dn", dn)}${linesOf(values)}`),
		modify: (dn, values) => samba.modify(`${ldifLine("dn", dn)}changetype: modify\n${modificationsOf(values)}`),
		move: (dn, newDn) => samba.move(dn, newDn),
		remove: (dn) => samba.remove(dn),
		search: (base, filter, attributes) => samba.ldapsearch(base, filter, attributes),
	};
}

function linesOf(values: Values): string {
	return Object.entries(values)
		.flatMap(([name, value]) => [value].flat().map((one) => ldifLine(name, one)))
		.join("");
}

function modificationsOf(values: Values): string {
	return (
		Object.entries(values)
			// Samba replaces a userPrincipalName by nothing only when it is called a deletion.
			.map(
				([name, value]) =>
					`${value.length === 0 && name === "userPrincipalName" ? "delete" : "replace"}: ${name}\n${linesOf({ [name]: value })}-\n`,
			)
			.join("")
	);
}
