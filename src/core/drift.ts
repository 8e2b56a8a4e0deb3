import type { Account, Email, PhoneNumber } from "./account.ts";

/** What an account at a target is compared with: what we left there, and how its manager is named there. */
export interface Left {
	readonly account: Account;
	/** Undefined: none, or not there. */
	readonly managerId: string | undefined;
}

/**
 * In which fields an account at a target is not as we left it; one phrase for each, as `department is "X", was left "Y"`. Compared
 * as targets compare: names and addresses without case, numbers by their digits, lists whatever their order. `untold` names fields
 * that the target does not tell: of these nothing is known.
 */
export function driftOf({ account: left, managerId }: Left, found: Account, untold: readonly (keyof Account)[] = []): readonly string[] {
	const phrases: string[] = [];
	const compare = (field: string, is: string | undefined, was: string | undefined): void => {
		if (untold.some((name) => name === field.split(".")[0])) return;
		if (is !== was) phrases.push(`${field} is ${spell(is)}, was left ${spell(was)}`);
	};
	compare("userName", found.userName.toLowerCase(), left.userName.toLowerCase());
	compare("active", String(found.active), String(left.active));
	compare("displayName", text(found.displayName), text(left.displayName));
	compare("name.givenName", text(found.name?.givenName), text(left.name?.givenName));
	compare("name.familyName", text(found.name?.familyName), text(left.name?.familyName));
	compare("emails", emails(found.emails), emails(left.emails));
	compare("title", text(found.title), text(left.title));
	compare("department", text(found.department), text(left.department));
	compare("phoneNumbers", phones(found.phoneNumbers), phones(left.phoneNumbers));
	compare("manager", found.manager, managerId);
	compare("employeeNumber", text(found.employeeNumber), text(left.employeeNumber));
	compare("features", list(found.features), list(left.features));
	compare("policies", policies(found.policies), policies(left.policies));
	return phrases;
}

function text(value: string | undefined): string | undefined {
	const trimmed = value?.trim();
	return trimmed === "" ? undefined : trimmed;
}

function list(values: readonly string[] | undefined): string | undefined {
	return values === undefined || values.length === 0 ? undefined : [...values].sort().join("; ");
}

function emails(values: readonly Email[] | undefined): string | undefined {
	return list(values?.map(({ value, primary }) => `${value.toLowerCase()}${primary === true ? " (primary)" : ""}`));
}

function phones(values: readonly PhoneNumber[] | undefined): string | undefined {
	return list(values?.map(({ value, type }) => `${value.replace(/[^\d+]/g, "")} (${type})`));
}

function policies(values: Account["policies"]): string | undefined {
	return values && list(Object.entries(values).map(([name, value]) => `${name}: ${value}`));
}

function spell(value: string | undefined): string {
	return value === undefined ? "not there" : JSON.stringify(value);
}
