/** What can be told of an account by one name, in the order in which people read it: its anchor, what a mapping fills, and the rest. */
export const accountFields = [
	"anchor",
	"userName",
	"displayName",
	"name.givenName",
	"name.familyName",
	"emails.primary",
	"emails.other",
	"active",
	"title",
	"department",
	"phoneNumbers.work",
	"phoneNumbers.mobile",
	"manager",
	"employeeNumber",
	"features",
	"policies",
	"groups",
] as const;

/** One of them, or the value of one policy. */
export type AccountField = (typeof accountFields)[number] | `policies.${string}`;

export function isAccountField(name: string): name is AccountField {
	return accountFields.some((field) => field === name) || /^policies\../.test(name);
}
