import type { Group } from "../../core/group.ts";
import { type Attributes, dnValue } from "./ldif.ts";
import type { FileAccount } from "./options.ts";

/** A disabled account's description: inetOrgPerson has no attribute for it. */
const DISABLED = "disabled";

/** Entries of people (inetOrgPerson, RFC 2798) and of groups (groupOfNames, RFC 4519 §3.5) beneath one DN. */
export function makeEntries(base: string, userNameOf: (anchor: string) => string | undefined) {
	const personDn = (userName: string): string => `uid=${dnValue(userName)},${base}`;
	const groupDn = (name: string): string => `cn=${dnValue(name)},${base}`;
	return {
		personDn,
		groupDn,
		person: ({ account }: FileAccount): Attributes => {
			const { userName, displayName, name, emails = [], phoneNumbers = [] } = account;
			const phones = (type: string) => phoneNumbers.flatMap((number) => (number.type === type ? [number.value] : []));
			const manager = account.manager === undefined ? undefined : userNameOf(account.manager);
			return withValues([
				["objectClass", ["inetOrgPerson"]],
				["uid", [userName]],
				// cn and sn are what a person must have (RFC 4519 §3.12).
				["cn", [displayName ?? userName]],
				["sn", [name?.familyName ?? displayName ?? userName]],
				["givenName", optional(name?.givenName)],
				["displayName", optional(displayName)],
				["mail", emails.map(({ value }) => value)],
				["title", optional(account.title)],
				["departmentNumber", optional(account.department)],
				["telephoneNumber", phones("work")],
				["mobile", phones("mobile")],
				["manager", manager === undefined ? [] : [personDn(manager)]],
				["employeeNumber", optional(account.employeeNumber)],
				["description", account.active ? [] : [DISABLED]],
			]);
		},
		/** Without its members. */
		group: ({ displayName, description }: Group): Attributes =>
			withValues([
				["objectClass", ["groupOfNames"]],
				["cn", [displayName]],
				["description", optional(description)],
			]),
	};
}

/** A group of names must have a member: an empty DN is nobody's. */
export const NOBODY = "";

function optional(value: string | undefined): readonly string[] {
	return value === undefined ? [] : [value];
}

function withValues(attributes: Attributes): Attributes {
	return attributes
		.map(([name, values]) => [name, values.filter((value) => value !== "")] as const)
		.filter(([, values]) => values.length > 0);
}
