import type { Account } from "../../core/account.ts";
import type { Anchor } from "../../core/entry.ts";
import type { Group } from "../../core/group.ts";
import { entitled, type UserForm } from "./entitled.ts";
import type { Fields, Value } from "./fields.ts";
import type { Shape } from "./shape.ts";
import { ENTERPRISE_USER } from "./urns.ts";

/** Attributes of the enterprise extension (RFC 7643 §4.3). */
export const MANAGER = `${ENTERPRISE_USER}:manager`;
export const DEPARTMENT = `${ENTERPRISE_USER}:department`;
export const EMPLOYEE_NUMBER = `${ENTERPRISE_USER}:employeeNumber`;

/** An account as fields. `managerId`: the remote id of the account's manager; undefined: no manager is sent. */
export function accountFields(account: Account, externalId: Anchor | undefined, managerId: string | undefined, form: UserForm): Fields {
	const { name, emails, phoneNumbers } = account;
	const fields: (readonly [string, Value | undefined])[] = [
		["userName", account.userName],
		["externalId", externalId],
		["displayName", account.displayName],
		["name.givenName", name?.givenName],
		["name.familyName", name?.familyName],
		["emails", emails?.map(({ value, type, primary }) => ({ value, type, ...(primary && { primary }) }))],
		["active", account.active],
		["title", account.title],
		["phoneNumbers", phoneNumbers?.map(({ value, type }) => ({ value, type }))],
		[DEPARTMENT, account.department],
		[EMPLOYEE_NUMBER, account.employeeNumber],
		[MANAGER, managerId === undefined ? undefined : { value: managerId }],
		...entitled(account, form),
	];
	return withValues(fields);
}

/** A group as fields, without its members. */
export function groupFields({ displayName, description }: Group, externalId: Anchor | undefined, shape: Shape): Fields {
	// SCIM has no description (RFC 7643 §4.2): some servers do, and say so.
	const isDescribed = shape.formOf("description") === "text";
	return withValues([
		["displayName", displayName],
		["externalId", externalId],
		["description", isDescribed ? description : undefined],
	]);
}

function withValues(fields: readonly (readonly [string, Value | undefined])[]): Fields {
	return new Map(fields.filter((field): field is readonly [string, Value] => !isNothing(field[1])));
}

function isNothing(value: Value | undefined): boolean {
	return value === undefined || value === "" || (Array.isArray(value) && value.length === 0);
}
