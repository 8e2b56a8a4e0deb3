/** What `whatIs` says of a person. */
export const PERSON = "a user";

/** Beneath which class something is what, the narrowest first. */
const kinds: readonly (readonly [string, string])[] = [
	["msds-groupmanagedserviceaccount", "a managed service account"],
	["msds-delegatedmanagedserviceaccount", "a managed service account"],
	["msds-managedserviceaccount", "a managed service account"],
	["computer", "a computer"],
	["group", "a group"],
	["contact", "a contact"],
	["foreignsecurityprincipal", "a security principal of another domain"],
	["organizationalunit", "an organizational unit"],
	["container", "a container"],
];

/** sAMAccountType of users that are no people (MS-ADTS §2.2.16). */
const accountTypes: Readonly<Record<string, string>> = { "805306369": "a computer's account", "805306370": "a trust's account" };

/** What an object of these classes is, in words: "a computer". `accountType`: its sAMAccountType, if it shows one. */
export function whatIs(objectClass: readonly string[], accountType: string | undefined): string {
	const classes = objectClass.map((name) => name.toLowerCase());
	const known = kinds.find(([name]) => classes.includes(name));
	if (known !== undefined) return known[1];
	if (classes.includes("user")) return accountTypes[accountType ?? ""] ?? PERSON;
	const narrowest = classes.at(-1);
	return narrowest === undefined ? "an object that does not show what it is" : `an object of class ${narrowest}`;
}
