import type { Account } from "./account.ts";

/** The field by which a person who moved from one source to another is known again, keeping the one account. */
export type MatchField = "userName" | "employeeNumber" | "email";

/** What is compared, in lower case; undefined when the account has no value there. */
export function matchValueOf(account: Pick<Account, "userName" | "employeeNumber" | "emails">, field: MatchField): string | undefined {
	switch (field) {
		case "userName":
			return account.userName.toLowerCase();
		case "employeeNumber":
			return account.employeeNumber?.toLowerCase();
		case "email":
			return (account.emails?.find(({ primary }) => primary === true) ?? account.emails?.[0])?.value.toLowerCase();
	}
}
