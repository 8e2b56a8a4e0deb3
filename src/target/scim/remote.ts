import type { Account, Email, PhoneNumber } from "../../core/account.ts";
import type { Anchor } from "../../core/entry.ts";
import type { RemoteAccount } from "../target.ts";
import { entitlementsIn, type UserForm } from "./entitled.ts";
import type { Fields, Value } from "./fields.ts";
import { booleanIn, isObject, type Json, member, objectsIn, textIn } from "./json.ts";
import { DEPARTMENT, EMPLOYEE_NUMBER, MANAGER } from "./mapping.ts";
import { readPath } from "./urns.ts";

/** What stands at a path of a resource, whatever it is. */
export function valueAt(resource: Json, path: string): unknown {
	const { extension, attribute, sub } = readPath(path);
	const owner = extension === undefined ? resource : member(resource, extension);
	if (!isObject(owner)) return undefined;
	const value = member(owner, attribute);
	if (sub === undefined) return value;
	if (Array.isArray(value)) return value.filter(isObject).map((item) => member(item, sub));
	return isObject(value) ? member(value, sub) : undefined;
}

/** The attributes that are ours, as a server shows them. What it does not show is left out: of `active` that means unknown, not false. */
export function fieldsIn(resource: Json, form: UserForm): Fields {
	const fields = new Map<string, Value>();
	const set = (path: string, value: Value | undefined): void => {
		if (value !== undefined && value !== "" && !(Array.isArray(value) && value.length === 0)) fields.set(path, value);
	};
	const text = (path: string): void => set(path, textOf(valueAt(resource, path)));
	for (const path of ["userName", "externalId", "displayName", "name.givenName", "name.familyName", "title"]) text(path);
	text(DEPARTMENT);
	text(EMPLOYEE_NUMBER);
	set("active", booleanIn(resource, "active"));
	set(
		"emails",
		emailsIn(resource).map((email) => ({ ...email })),
	);
	set(
		"phoneNumbers",
		phoneNumbersIn(resource).map((number) => ({ ...number })),
	);
	const manager = managerIn(resource);
	set(MANAGER, manager === undefined ? undefined : { value: manager });
	for (const path of new Set([form.features, form.policies])) {
		if (path !== undefined) set(path, entitlementsAt(valueAt(resource, path)));
	}
	return fields;
}

/** An account as a server shows it; undefined: it has no id, and can be nobody's. */
export function remoteAccount(resource: Json, form: UserForm): RemoteAccount | undefined {
	const remoteId = textIn(resource, "id");
	const fields = fieldsIn(resource, form);
	if (remoteId === undefined) return undefined;
	const text = (path: string, name: string): Readonly<Record<string, string>> => {
		const value = fields.get(path);
		return typeof value === "string" ? { [name]: value } : {};
	};
	const name = { ...text("name.givenName", "givenName"), ...text("name.familyName", "familyName") };
	const emails = emailsIn(resource);
	const phoneNumbers = phoneNumbersIn(resource);
	const manager = managerIn(resource);
	const account: Account = {
		userName: "",
		...text("userName", "userName"),
		...text("displayName", "displayName"),
		...(Object.keys(name).length > 0 && { name }),
		...(emails.length > 0 && { emails }),
		active: fields.get("active") !== false,
		...text("title", "title"),
		...text(DEPARTMENT, "department"),
		...(phoneNumbers.length > 0 && { phoneNumbers }),
		...(manager !== undefined && { manager: manager as Anchor }),
		...text(EMPLOYEE_NUMBER, "employeeNumber"),
		...entitlementsIn(fields, form),
	};
	const untold = untoldOf(fields, form);
	const anchor = textIn(resource, "externalId") as Anchor | undefined;
	return { remoteId, anchor, account, ...(untold.length > 0 && { untold }) };
}

/** Fields of which what is shown says nothing. */
function untoldOf(fields: Fields, { shape, features, policies }: UserForm): readonly (keyof Account)[] {
	const kept: readonly (readonly [keyof Account, readonly (string | undefined)[]])[] = [
		["displayName", ["displayName"]],
		["name", ["name.givenName", "name.familyName"]],
		["emails", ["emails"]],
		["title", ["title"]],
		["department", [DEPARTMENT]],
		["phoneNumbers", ["phoneNumbers"]],
		["manager", [MANAGER]],
		["employeeNumber", [EMPLOYEE_NUMBER]],
		["features", [features]],
		["policies", [policies]],
	];
	const untold = kept
		.filter(([, paths]) => !paths.some((path) => path !== undefined && shape.takes(path, "update")))
		.map(([field]) => field);
	const missing = (["userName", "active"] as const).filter((field) => !fields.has(field));
	return [...untold, ...missing];
}

function emailsIn(resource: Json): readonly Email[] {
	const found = objectsIn(resource, "emails").filter((email) => textIn(email, "value") !== undefined);
	const hasPrimary = found.some((email) => booleanIn(email, "primary") === true);
	return found.map((email, index) => {
		const isPrimary = booleanIn(email, "primary") === true;
		const type = textIn(email, "type")?.toLowerCase() ?? (isPrimary || (!hasPrimary && index === 0) ? "work" : "other");
		return { value: textIn(email, "value") ?? "", type: type === "work" ? "work" : "other", ...(isPrimary && { primary: true }) };
	});
}

function phoneNumbersIn(resource: Json): readonly PhoneNumber[] {
	return objectsIn(resource, "phoneNumbers").flatMap((number) => {
		const value = textIn(number, "value");
		return value === undefined ? [] : [{ value, type: textIn(number, "type")?.toLowerCase() === "mobile" ? "mobile" : "work" }];
	});
}

/** An object with a value (RFC 7643 §4.3), or the value alone; some show a list of one. */
function managerIn(resource: Json): string | undefined {
	const manager = [valueAt(resource, MANAGER) ?? []].flat()[0];
	if (isObject(manager)) return textIn(manager, "value");
	return textOf(manager);
}

/** Values without what servers add to them: display names, references, which one is primary. */
function entitlementsAt(value: unknown): Value | undefined {
	if (!Array.isArray(value)) return isObject(value) ? entitlementsAt([value]) : textOf(value);
	return value.flatMap((item: unknown): readonly (string | Json)[] => {
		if (!isObject(item)) return [textOf(item) ?? []].flat();
		const [text, type] = [textIn(item, "value"), textIn(item, "type")];
		return text === undefined ? [] : [{ value: text, ...(type !== undefined && { type }) }];
	});
}

function textOf(value: unknown): string | undefined {
	if (typeof value === "number") return String(value);
	return typeof value === "string" && value !== "" ? value : undefined;
}
