import type { ServiceAccount } from "./account.ts";
import type { Grant } from "./grant.ts";
import type { Properties } from "./sight.ts";

interface Told {
	readonly account: Pick<ServiceAccount, "name" | "dn" | "sid">;
	readonly properties: Properties;
	/** Attributes that the schema does not have. */
	readonly unknown: readonly string[];
	readonly notFound: readonly string[];
	readonly isListObjectMode: boolean | undefined;
	readonly wantsDirSync: boolean;
	readonly extent: "lacking" | "everything";
	readonly grants: readonly Grant[];
}

/** What an administrator has to know beside the commands. Sentences for a person. */
export function remarksFor(told: Told): readonly string[] {
	const { account, properties, unknown, notFound, isListObjectMode, grants } = told;
	const every = [...new Map([...properties.any, ...properties.people, ...properties.groups].map((each) => [each.name, each])).values()];
	const confidential = every.filter((property) => property.isConfidential).map(({ name }) => name);
	const filtered = every.filter((property) => property.isFiltered).map(({ name }) => name);
	const dirSync = told.wantsDirSync ? "" : " Replicating Directory Changes is not among it: only changes: dirsync needs that.";
	return [
		`What ${account.name} needs to be read by dirsyncd as configured: reading alone, and never Replicating Directory Changes All.${dirSync}`,
		grants.length === 0
			? "Nothing is lacking: everybody who signs in (Authenticated Users, or Pre-Windows 2000 Compatible Access) may read it all. With --everything the whole list is printed, for a domain that is to be hardened."
			: told.extent === "everything"
				? "Everything that is read, also what everybody who signs in may read today."
				: "Only what is lacking: the rest can be read already, mostly since everybody who signs in may (Authenticated Users, Pre-Windows 2000 Compatible Access).",
		...(account.sid === undefined ? ["The account's own object cannot be seen by it: check the name above."] : []),
		...(isListObjectMode === true ? ["List Object mode is on in this forest (dSHeuristics)."] : []),
		...(isListObjectMode === undefined ? ["Whether List Object mode is on (dSHeuristics) cannot be told: it is taken for off."] : []),
		...(confidential.length === 0
			? []
			: [`Marked as confidential by the schema: ${confidential.join(", ")}. Leave them out of the mapping if you can.`]),
		...(filtered.length === 0 ? [] : [`Kept from read-only domain controllers by the schema: ${filtered.join(", ")}.`]),
		...(unknown.length === 0 ? [] : [`Not in the schema, so nothing is granted for: ${unknown.join(", ")}.`]),
		...(notFound.length === 0
			? []
			: [
					`Groups that were not found, so nothing is granted for them; name them by their DN: ${notFound.map((name) => `"${name}"`).join(", ")}.`,
				]),
		...(grants.some(({ reach, rights }) => reach === "here" && rights.includes("list") && !rights.includes("read"))
			? [
					"dsacls without /I grants at the object alone; where yours shows the entry as inherited (Microsoft's page calls T the default), use the PowerShell script, which says None.",
				]
			: []),
		...(properties.groups.length > 0 && grants.length > 0
			? [
					"Groups within groups are read, too, wherever they are: should some lie outside of the bases and be hidden, grant the same on them.",
				]
			: []),
		...(told.extent === "lacking" && grants.length > 0
			? ["Ask again once it is granted: what lies behind something that cannot be seen shows only then."]
			: []),
		"People of class inetOrgPerson inherit nothing of what is granted for class user: should there be some, grant them the same.",
		"The account itself: an ordinary user in Domain Users alone, with a long password that does not expire by itself, marked as sensitive (not to be delegated); deny it to log on locally, by Remote Desktop and as a batch job by group policy (User Rights Assignment), and to change its own password.",
		"A group managed service account can run the service on Windows, but cannot sign in at the directory here: that is a name and a password within TLS, or a client certificate.",
	];
}
