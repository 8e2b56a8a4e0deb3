import { command } from "./command.ts";
import { ldifLine, parseLdif, type Record } from "./ldif.ts";
import { baseDn, configFile, databaseFile, realm } from "./samba-provision.ts";

export interface LdapUser {
	/** userPrincipalName or DN. */
	readonly user: string;
	readonly password: string;
}

/** Samba's own tools on its database, which change what the running server serves. */
export function openTools(folder: string) {
	const config = `--configfile=${configFile(folder)}`;
	const database = ["-H", databaseFile(folder)];
	const add = async (ldif: string): Promise<void> => {
		await command("ldbadd", [config, ...database, "--nosync"], { input: ldif });
	};
	return {
		add,
		/** samba-tool with these arguments; what it printed. */
		tool: async (...args: string[]): Promise<string> => (await command("samba-tool", [...args, config, ...database])).stdout.toString(),
		/** ldbmodify: an LDIF of changes, also of what no client may write. */
		modify: async (ldif: string, ...flags: string[]): Promise<void> => {
			await command("ldbmodify", [config, ...database, ...flags], { input: ldif });
		},
		/** Renames or moves an entry, with all beneath it. */
		move: async (dn: string, newDn: string): Promise<void> => {
			await command("ldbrename", [config, ...database, dn, newDn]);
		},
		remove: async (...dns: string[]): Promise<void> => {
			await command("ldbdel", [config, ...database, ...dns]);
		},
		/** ldbsearch: an independent reader of the database, past the server. */
		ldbsearch: async (filter: string, attributes: readonly string[], ...flags: string[]): Promise<Record[]> =>
			parseLdif((await command("ldbsearch", [config, ...database, ...flags, filter, ...attributes])).stdout.toString()),
		/** Adds an entry to the access list of `dn`, in SDDL; the function returned takes it back. */
		grant: async (dn: string, entry: string): Promise<() => Promise<void>> => {
			const args = [config, ...database, "-b", dn, "-s", "base", "(objectClass=*)", "nTSecurityDescriptor"];
			const [before] = parseLdif((await command("ldbsearch", args)).stdout.toString());
			const descriptor = before?.attributes.get("ntsecuritydescriptor")?.[0] as Buffer;
			await command("samba-tool", ["dsacl", "set", `--objectdn=${dn}`, `--sddl=${entry}`, config, ...database]);
			const undo = ["changetype: modify\nreplace: nTSecurityDescriptor\n", ldifLine("nTSecurityDescriptor", descriptor), "-\n"];
			return async () => {
				await command("ldbmodify", [config, ...database], { input: `${ldifLine("dn", dn)}${undo.join("")}` });
			};
		},
		/** Puts this access list, in SDDL, in the place of an object's own; what it inherits is worked out anew. */
		protect: async (dn: string, sddl: string): Promise<void> => {
			const lines = `changetype: modify\nreplace: nTSecurityDescriptor\n${ldifLine("nTSecurityDescriptor", sddl)}-\n`;
			await command("ldbmodify", [config, ...database], { input: `${ldifLine("dn", dn)}${lines}` });
		},
		/** Lets `sid` look into the deleted objects, which nobody but administrators may; by these entries of SDDL instead, if given. */
		grantDeleted: async (sid: string, entries = `(A;;LCRPLO;;;${sid})`): Promise<void> => {
			const dn = `CN=Deleted Objects,${baseDn}`;
			const args = [config, ...database, "--show-deleted", "-b", dn, "-s", "base", "(objectClass=*)", "nTSecurityDescriptor"];
			const [before] = parseLdif((await command("ldbsearch", args)).stdout.toString());
			const descriptor = String(before?.attributes.get("ntsecuritydescriptor")?.[0]).replace("(", `${entries}(`);
			const lines = `changetype: modify\nreplace: nTSecurityDescriptor\n${ldifLine("nTSecurityDescriptor", descriptor)}-\n`;
			await command("ldbmodify", [config, ...database, "--show-deleted"], { input: `${ldifLine("dn", dn)}${lines}` });
		},
		/** The SID of an account, as text. */
		sidOf: async (logon: string): Promise<string> => {
			const args = [config, ...database, `(sAMAccountName=${logon})`, "objectSid"];
			const [found] = parseLdif((await command("ldbsearch", args)).stdout.toString());
			return String(found?.attributes.get("objectsid")?.[0]);
		},
		/** Removes a container with all beneath it. */
		removeTree: async (dn: string): Promise<void> => {
			await command("ldbdel", [config, ...database, "--recursive", dn]);
		},
		/**
		 * Denies `sid` to read a property of each of those that match, on each itself: a right denied above does not count for what an
		 * object's own list allows. The function returned takes it back.
		 */
		denyOnEach: async (base: string, filter: string, schemaId: string, sid: string): Promise<() => Promise<void>> => {
			const args = [config, ...database, "-b", base, filter, "nTSecurityDescriptor"];
			const found = parseLdif((await command("ldbsearch", args)).stdout.toString());
			const set = async (change: (sddl: string) => string): Promise<void> => {
				const changes = found.map(({ dn, attributes }) => {
					const descriptor = change(String(attributes.get("ntsecuritydescriptor")?.[0]));
					const lines = ldifLine("nTSecurityDescriptor", descriptor);
					return `${ldifLine("dn", dn)}changetype: modify\nreplace: nTSecurityDescriptor\n${lines}-\n`;
				});
				await command("ldbmodify", [config, ...database], { input: changes.join("\n") });
			};
			await set((sddl) => sddl.replace(/D:[A-Z]*(?=\()/, (head) => `${head}(OD;;RP;${schemaId};;${sid})`));
			return () => set((sddl) => sddl);
		},
		/** Adds `count` made-up people beneath `ou`, at about 300 a second: P0 Person0 and so on, from `first`. */
		addPeople: async (count: number, ou = `CN=Users,${baseDn}`, first = 0): Promise<void> => {
			// One transaction each: past some hundred records they get slower, not faster.
			for (let from = first; from < first + count; from += 500) {
				const numbers = Array.from({ length: Math.min(500, first + count - from) }, (_, index) => from + index);
				await add(numbers.map((number) => personLdif(number, ou)).join("\n"));
			}
		},
	};
}

/** Clients over LDAP, as another program would be one. */
export function openLdap(url: string, admin: LdapUser) {
	const simple = (as: LdapUser) => ["-x", "-H", url, "-D", as.user, "-w", as.password];
	// The machine's own ldap.conf must not matter.
	const env = { LDAPNOINIT: "1" };
	return {
		/** ldapsearch beneath `base`, paged by 1,000. */
		ldapsearch: async (base: string, filter: string, attributes: readonly string[], as: LdapUser = admin): Promise<Record[]> => {
			const args = ["-LLL", "-o", "ldif-wrap=no", "-E", "pr=1000/noprompt", ...simple(as), "-b", base, filter, ...attributes];
			return parseLdif((await command("ldapsearch", args, { env })).stdout.toString());
		},
		/** ldapmodify with an LDIF of changes. */
		ldapmodify: async (ldif: string, as: LdapUser = admin): Promise<void> => {
			await command("ldapmodify", simple(as), { input: ldif, env });
		},
	};
}

function personLdif(number: number, ou: string): string {
	const userName = `p${number}@${realm.toLowerCase()}`;
	return [
		ldifLine("dn", `CN=P${number} Person${number},${ou}`),
		ldifLine("objectClass", "user"),
		ldifLine("sAMAccountName", `p${number}`),
		ldifLine("userPrincipalName", userName),
		ldifLine("userAccountControl", "512"),
		ldifLine("givenName", `P${number}`),
		ldifLine("sn", `Person${number}`),
		ldifLine("displayName", `P${number} Person${number}`),
		ldifLine("mail", userName),
		ldifLine("proxyAddresses", `SMTP:${userName}`),
		ldifLine("proxyAddresses", `smtp:person${number}@${realm.toLowerCase()}`),
		ldifLine("department", `Department ${number % 7}`),
		ldifLine("title", "Clerk"),
		ldifLine("telephoneNumber", `+44 20 7946 ${String(number % 10_000).padStart(4, "0")}`),
		ldifLine("employeeNumber", String(100_000 + number)),
	].join("");
}
