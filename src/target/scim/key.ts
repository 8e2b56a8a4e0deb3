import type { Account } from "../../core/account.ts";
import type { Anchor } from "../../core/entry.ts";
import type { UserForm } from "./entitled.ts";
import { resourceOf } from "./fields.ts";
import type { Json } from "./json.ts";
import { accountFields, DEPARTMENT, EMPLOYEE_NUMBER } from "./mapping.ts";
import { valueAt } from "./remote.ts";
import { CORE_USER, readPath } from "./urns.ts";

/** What somebody is looked for by. */
export interface Key {
	/** A path that a filter can name. */
	readonly path: string;
	readonly value: string;
	readonly isCaseless: boolean;
}

export function anchorKey(anchor: Anchor): Key {
	return { path: "externalId", value: anchor, isCaseless: false };
}

export function groupNameKey(displayName: string): Key {
	return { path: "displayName", value: displayName, isCaseless: true };
}

/** An account's key by the attribute that the configuration names; undefined: it has no value there, or that is the anchor's own. */
export function matchKey(match: string, account: Account, form: UserForm): Key | undefined {
	const path = matchPath(match);
	if (path === "externalId") return undefined;
	const values = valuesOf(resourceOf(accountFields(account, undefined, undefined, form), CORE_USER), { path, isCaseless: false });
	// Of several e-mail addresses the first is the primary one.
	const value = values[0];
	return value === undefined ? undefined : { path, value, isCaseless: isCaseless(path) };
}

/** Values at a key's path, to be compared with its own. */
export function valuesOf(resource: Json, { path, isCaseless }: Pick<Key, "path" | "isCaseless">): readonly string[] {
	const values = [valueAt(resource, path) ?? []]
		.flat()
		.filter((value): value is string | number => ["string", "number"].includes(typeof value));
	return values.map((value) => (isCaseless ? String(value).toLowerCase() : String(value)));
}

export function isAt(resource: Json, key: Key): boolean {
	return valuesOf(resource, key).includes(key.isCaseless ? key.value.toLowerCase() : key.value);
}

/** A filter of one comparison: servers exist that answer 400 to `and`, or nothing (RFC 7644 §3.4.2.2). */
export function filterOf({ path, value }: Pick<Key, "path" | "value">): string {
	return `${path} eq ${JSON.stringify(value)}`;
}

/** An attribute as the configuration names it, as a path: those of the enterprise extension may be named without it. */
export function matchPath(match: string): string {
	if (match.toLowerCase() === "employeenumber") return EMPLOYEE_NUMBER;
	if (match.toLowerCase() === "department") return DEPARTMENT;
	return match === "emails" ? "emails.value" : match;
}

/** RFC 7643 §4.1.1 and §4.1.2, and the common sense of everybody else. */
function isCaseless(path: string): boolean {
	const { attribute } = readPath(path);
	return ["username", "emails", "displayname"].includes(attribute.toLowerCase());
}
