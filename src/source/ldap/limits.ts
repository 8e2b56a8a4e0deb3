/** Result codes by which a server says that a limit of its own was reached (RFC 4511 Appendix A.2). */
export type LimitCode = 3 | 4 | 11;

/**
 * What lifts the limit, in the words of each server that this account may be on: a DN is not bound to Active Directory alone, a
 * name with @ or \ is. OpenLDAP's size limit of 500 holds for a paged search as a whole.
 */
export function limitHint(code: LimitCode, account: string | undefined): string {
	const isDn = account === undefined || /^[\w.-]+\s*=/.test(account);
	const remedies = [...(isDn ? [openLdap(code, account), ds389(code, account)] : []), activeDirectory[code]];
	return `${what[code]} ${remedies.join(" ")}`;
}

const what: Readonly<Record<LimitCode, string>> = {
	3: "The server's time limit was reached: simplify the filter, index what it asks for, or lift the limit for this account.",
	4: "The server's size limit was reached: lift it for this account.",
	11: "An administrative limit of the server was reached: index what the filter asks for, or lift the limit for this account.",
};

function openLdap(code: LimitCode, account: string | undefined): string {
	const limits = { 3: "time=unlimited", 4: "size=unlimited", 11: "size=unlimited size.unchecked=unlimited size.pr=unlimited" }[code];
	// As in slapd.conf, where a quoted word may hold quotes and backslashes behind a backslash.
	const dn = (account ?? "DN of the account").replace(/["\\]/g, "\\$&");
	return `OpenLDAP: limits dn.exact="${dn}" ${limits} (in slapd.conf under the database, before other limits; in cn=config its olcLimits).`;
}

function ds389(code: LimitCode, account: string | undefined): string {
	const attributes = {
		3: "nsTimeLimit: -1",
		4: "nsSizeLimit: -1 and nsPagedSizeLimit: -1",
		11: "nsLookThroughLimit: -1 and nsPagedLookThroughLimit: -1",
	}[code];
	return `389 Directory Server: ${attributes} in ${account === undefined ? "the account's entry" : `the entry ${account}`}.`;
}

/** LDAP policies of the forest, which hold for everybody (ntdsutil, "LDAP policies"; MS-ADTS 3.1.1.3.4.6). */
const activeDirectory: Readonly<Record<LimitCode, string>> = {
	3: "Active Directory: the LDAP policy MaxQueryDuration, 120 s by default.",
	4: "Active Directory: pageSize must not be above the LDAP policy MaxPageSize, 1000 by default.",
	11: "Active Directory: the LDAP policies MaxResultSetSize and MaxTempTableSize.",
};
