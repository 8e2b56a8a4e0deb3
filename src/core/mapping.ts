import type { Account, Email, PhoneNumber } from "./account.ts";
import type { Anchor, Entry } from "./entry.ts";
import { Failure } from "./errors.ts";
import { attributesIn, compileMultiple, compileSingle, parseTemplate, type Template } from "./template.ts";

/** The fields of an account that a mapping fills, in the order in which people read them. */
export const mappingFields = [
	"userName",
	"displayName",
	"name.givenName",
	"name.familyName",
	"emails.primary",
	"emails.other",
	"title",
	"department",
	"phoneNumbers.work",
	"phoneNumbers.mobile",
	"manager",
	"employeeNumber",
] as const;
export type MappingField = (typeof mappingFields)[number];

/** A template for each field; a field without one, or with an empty one, has no value. */
export type Mapping = Readonly<Partial<Record<MappingField, string>>>;

/** An account but for its state, which is not the mapping's to say. */
export type MappedAccount = Omit<Account, "active">;

export type Mapped =
	| { readonly kind: "account"; readonly account: MappedAccount }
	/** It cannot become an account; `reason` is a sentence for a person. */
	| { readonly kind: "unmappable"; readonly reason: string };

/**
 * What `active-directory` maps when nothing else is said. Three names are not attributes of the directory but made by the
 * source: implicitUserPrincipalName is sAMAccountName@domain (MS-ADTS §5.1.1.1.1), primarySmtpAddress and otherSmtpAddresses
 * are the `SMTP:` and the `smtp:` of proxyAddresses.
 */
export const activeDirectoryMapping: Mapping = {
	userName: "{userPrincipalName ?? implicitUserPrincipalName}",
	displayName: "{displayName ?? cn}",
	"name.givenName": "{givenName}",
	"name.familyName": "{sn}",
	"emails.primary": "{primarySmtpAddress ?? mail}",
	"emails.other": "{otherSmtpAddresses}",
	title: "{title}",
	department: "{department}",
	"phoneNumbers.work": "{telephoneNumber}",
	"phoneNumbers.mobile": "{mobile}",
	manager: "{manager}",
	employeeNumber: "{employeeNumber ?? employeeID}",
};

/** What `ldap` maps when nothing else is said: the names of inetOrgPerson (RFC 2798). The first of several mails is the primary. */
export const ldapMapping: Mapping = {
	userName: "{uid}",
	displayName: "{displayName ?? cn}",
	"name.givenName": "{givenName}",
	"name.familyName": "{sn}",
	"emails.primary": "{mail}",
	"emails.other": "{mail}",
	title: "{title}",
	department: "{departmentNumber ?? ou}",
	"phoneNumbers.work": "{telephoneNumber}",
	"phoneNumbers.mobile": "{mobile}",
	manager: "{manager}",
	employeeNumber: "{employeeNumber}",
};

/** What `ldap` with `preset: google` maps: people there sign in by their address. */
export const googleMapping: Mapping = { ...ldapMapping, userName: "{mail}" };

/** Names of the attributes a mapping asks for: in lower case, sorted, each once. */
export function attributesOf(mapping: Mapping): readonly string[] {
	const names = mappingFields.flatMap((field) => attributesIn(templateOf(mapping, field)));
	return [...new Set(names)].sort();
}

/**
 * The mapping as a function, compiled once. `managerOf` gives the anchor of the entry that a DN names, when it is in scope.
 * Throws CONFIG_INVALID for a template that cannot be read (the configuration has checked them before).
 */
export function compileMapping(mapping: Mapping): (entry: Entry, managerOf: (dn: string) => Anchor | undefined) => Mapped {
	const single = (field: MappingField) => compileSingle(templateOf(mapping, field));
	const userName = single("userName");
	const displayName = single("displayName");
	const givenName = single("name.givenName");
	const familyName = single("name.familyName");
	const primary = single("emails.primary");
	const others = compileMultiple(templateOf(mapping, "emails.other"));
	const title = single("title");
	const department = single("department");
	const work = single("phoneNumbers.work");
	const mobile = single("phoneNumbers.mobile");
	const manager = single("manager");
	const employeeNumber = single("employeeNumber");
	const nameless: Mapped = { kind: "unmappable", reason: `no value for userName, which is mapped as "${mapping.userName ?? ""}"` };

	return ({ attributes }, managerOf) => {
		const user = userName(attributes);
		if (user === undefined || user.trim() === "") return nameless;
		const managerDn = manager(attributes);
		const account: MappedAccount = inOrder({
			userName: user,
			displayName: displayName(attributes),
			givenName: givenName(attributes),
			familyName: familyName(attributes),
			emails: emailsOf(primary(attributes), others(attributes)),
			title: title(attributes),
			department: department(attributes),
			phoneNumbers: phoneNumbersOf(work(attributes), mobile(attributes)),
			manager: managerDn === undefined ? undefined : managerOf(managerDn),
			employeeNumber: employeeNumber(attributes),
		});
		return { kind: "account", account };
	};
}

interface Values {
	readonly userName: string;
	readonly displayName: string | undefined;
	readonly givenName: string | undefined;
	readonly familyName: string | undefined;
	readonly emails: readonly Email[] | undefined;
	readonly title: string | undefined;
	readonly department: string | undefined;
	readonly phoneNumbers: readonly PhoneNumber[] | undefined;
	readonly manager: Anchor | undefined;
	readonly employeeNumber: string | undefined;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** One assignment after the other instead of spreading: this runs once for every person of every full reading. */
function inOrder(values: Values): MappedAccount {
	const account: Mutable<MappedAccount> = { userName: values.userName };
	if (values.displayName !== undefined) account.displayName = values.displayName;
	const name = nameOf(values.givenName, values.familyName);
	if (name !== undefined) account.name = name;
	if (values.emails !== undefined) account.emails = values.emails;
	if (values.title !== undefined) account.title = values.title;
	if (values.department !== undefined) account.department = values.department;
	if (values.phoneNumbers !== undefined) account.phoneNumbers = values.phoneNumbers;
	if (values.manager !== undefined) account.manager = values.manager;
	if (values.employeeNumber !== undefined) account.employeeNumber = values.employeeNumber;
	return account;
}

function nameOf(givenName: string | undefined, familyName: string | undefined): Account["name"] {
	if (givenName === undefined) return familyName === undefined ? undefined : { familyName };
	return familyName === undefined ? { givenName } : { givenName, familyName };
}

/** The primary first; what differs from an earlier one only in case is the same address and left out. */
function emailsOf(primary: string | undefined, others: readonly string[]): readonly Email[] | undefined {
	if (others.length === 0) return primary === undefined ? undefined : [{ value: primary, type: "work", primary: true }];
	const emails: Email[] = primary === undefined ? [] : [{ value: primary, type: "work", primary: true }];
	const seen = new Set(primary === undefined ? [] : [primary.toLowerCase()]);
	for (const value of others) {
		const key = value.toLowerCase();
		if (seen.has(key)) continue;
		seen.add(key);
		emails.push({ value, type: "other" });
	}
	return emails;
}

function phoneNumbersOf(work: string | undefined, mobile: string | undefined): readonly PhoneNumber[] | undefined {
	if (work === undefined) return mobile === undefined ? undefined : [{ value: mobile, type: "mobile" }];
	if (mobile === undefined) return [{ value: work, type: "work" }];
	return [
		{ value: work, type: "work" },
		{ value: mobile, type: "mobile" },
	];
}

function templateOf(mapping: Mapping, field: MappingField): Template {
	const template = parseTemplate(mapping[field] ?? "");
	if (template.kind === "template") return template;
	throw new Failure("CONFIG_INVALID", `the template of ${field} cannot be read at character ${template.at + 1}: ${template.message}`, {
		hint: template.remedy,
	});
}
