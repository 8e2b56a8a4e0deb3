/** The directories whose manners are known here. */
export type PresetName = "openldap" | "389ds" | "freeipa" | "google";

/** One directory's manners. Filters are RFC 4515. */
export interface Preset {
	/** For a person. */
	readonly title: string;
	/** The attribute that survives renames, of people and groups. */
	readonly anchor: string;
	/** The same of containers, where it is another one. */
	readonly containerAnchor: string;
	readonly people: string;
	/** Which people are disabled; undefined: the directory does not say. */
	readonly disabled: string | undefined;
	/** When an account ends by itself. */
	readonly expiry: readonly Expiry[];
	readonly groups: string;
	/** The attributes that name a group's members. */
	readonly members: readonly string[];
}

export interface Expiry {
	readonly attribute: string;
	/** `days`: since 1970, at midnight UTC (shadow(5)); `time`: generalized time. */
	readonly kind: "days" | "time";
}

const anyGroup = "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=groupOfMembers)(objectClass=posixGroup))";
const anyMember = ["member", "uniqueMember", "memberUid"];
const shadowExpire: Expiry = { attribute: "shadowExpire", kind: "days" };

export const presets = {
	openldap: {
		title: "OpenLDAP",
		anchor: "entryUUID", // RFC 4530; slapd gives every entry one, and keeps it for life.
		containerAnchor: "entryUUID",
		people: "(objectClass=inetOrgPerson)",
		// The lock that an administrator sets (slapo-ppolicy). Any other time there is one of too many wrong passwords, and whoever
		// mistypes somebody's password must not get that person's account disabled everywhere.
		disabled: "(pwdAccountLockedTime=000001010000Z)",
		expiry: [shadowExpire, { attribute: "pwdEndTime", kind: "time" }],
		groups: anyGroup,
		members: anyMember,
	},
	"389ds": {
		title: "389 Directory Server",
		anchor: "nsUniqueId",
		containerAnchor: "nsUniqueId",
		// dsidm makes people of nsPerson without inetOrgPerson.
		people: "(|(objectClass=inetOrgPerson)(objectClass=nsPerson))",
		disabled: "(nsAccountLock=TRUE)",
		expiry: [shadowExpire],
		groups: anyGroup,
		members: anyMember,
	},
	freeipa: {
		title: "FreeIPA",
		// A plain attribute of users and groups: unlike nsUniqueId it outlives an export and import, as in a migration.
		anchor: "ipaUniqueID",
		containerAnchor: "nsUniqueId", // Containers have no ipaUniqueID.
		// Both: the compat tree repeats everybody as a posixAccount, and hosts are none of them.
		people: "(&(objectClass=inetOrgPerson)(objectClass=posixAccount))",
		disabled: "(nsAccountLock=TRUE)",
		expiry: [{ attribute: "krbPrincipalExpiration", kind: "time" }],
		// Roles, privileges, host groups and netgroups are groupOfNames, too.
		groups: "(objectClass=ipaUserGroup)",
		members: ["member"],
	},
	google: {
		title: "Google Secure LDAP",
		anchor: "entryUuid", // "A universally unique stable identifier" (support.google.com/a/answer/9188164).
		containerAnchor: "entryUuid",
		people: "(objectClass=inetOrgPerson)",
		// No attribute of its schema says who is suspended, and suspended people are still found.
		disabled: undefined,
		expiry: [],
		groups: "(objectClass=groupOfNames)",
		members: ["member"], // memberUid repeats it.
	},
} as const satisfies Record<PresetName, Preset>;

export function presetOf(name: PresetName): Preset {
	return presets[name];
}

/** Classes of objects that others live beneath. A move or rename of one changes the DNs of all of them, and nothing else of theirs. */
export const containerClasses = [
	"organizationalUnit",
	"organization",
	"domain",
	"dcObject",
	"country",
	"locality",
	"nsContainer",
	"container",
];
