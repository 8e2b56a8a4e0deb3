import type { Account } from "./account.ts";
import type { AccountField } from "./account-field.ts";

/** An account with what is told of it besides. */
export interface NamedAccount {
	readonly anchor: string;
	readonly account: Account;
	/** Names of the groups it is in. */
	readonly groups: readonly string[];
}

/** The text of one cell. Several values are divided by semicolons; one within a value has a backslash before it, and so has a backslash. */
export function cellOf({ anchor, account, groups }: NamedAccount, field: AccountField): string {
	switch (field) {
		case "anchor":
			return anchor;
		case "active":
			return String(account.active);
		case "name.givenName":
			return account.name?.givenName ?? "";
		case "name.familyName":
			return account.name?.familyName ?? "";
		case "emails.primary":
			return account.emails?.find(({ primary }) => primary)?.value ?? "";
		case "emails.other":
			return joined(account.emails?.flatMap(({ primary, value }) => (primary ? [] : [value])));
		case "phoneNumbers.work":
			return account.phoneNumbers?.find(({ type }) => type === "work")?.value ?? "";
		case "phoneNumbers.mobile":
			return account.phoneNumbers?.find(({ type }) => type === "mobile")?.value ?? "";
		case "features":
			return joined(account.features);
		case "policies":
			return joined(Object.entries(account.policies ?? {}).map(([name, value]) => `${name}=${value}`));
		case "groups":
			return joined(groups);
		case "userName":
		case "displayName":
		case "title":
		case "department":
		case "manager":
		case "employeeNumber":
			return account[field] ?? "";
		default:
			return account.policies?.[field.slice("policies.".length)] ?? "";
	}
}

/** Several values in one cell. */
export function joined(values: readonly string[] | undefined): string {
	return (values ?? []).map((value) => value.replace(/[\\;]/g, "\\$&")).join(";");
}
