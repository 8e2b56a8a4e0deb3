import { stringify } from "csv-stringify/sync";
import type { AccountField } from "../../core/account-field.ts";
import type { FileAccount } from "./options.ts";

/**
 * Rows as RFC 4180 has them. A cell that a spreadsheet would take for a formula, since it begins with = + - @, a tab or a carriage
 * return, gets an apostrophe in front (OWASP, CSV Injection): display names are whatever somebody typed.
 */
export function csvText(rows: readonly (readonly string[])[]): string {
	return stringify(rows as string[][], { record_delimiter: "\r\n", escape_formulas: true });
}

/** The text of one cell. Several values are divided by semicolons; one within a value has a backslash before it, and so has a backslash. */
export function cellOf({ anchor, account, groups }: FileAccount, field: AccountField): string {
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

export function joined(values: readonly string[] | undefined): string {
	return (values ?? []).map((value) => value.replace(/[\\;]/g, "\\$&")).join(";");
}

/** The records of a text as far as they are complete: cells of each, and how many characters these are. */
export function readRecords(text: string): { readonly records: readonly (readonly string[])[]; readonly length: number } {
	const records: string[][] = [];
	let cells: string[] = [];
	let length = 0;
	// A cell in quotes, in which a quote stands twice, or one without; then whatever ends it.
	const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n)/y;
	for (let match = cell.exec(text); match !== null; match = cell.exec(text)) {
		cells.push(match[1]?.replaceAll('""', '"') ?? (match[2] as string));
		if (match[3] === ",") continue;
		records.push(cells);
		cells = [];
		length = cell.lastIndex;
	}
	return { records, length };
}
