/** What the double knows of SCIM: attributes, operations, filters (RFC 7643 §8.7.1, RFC 7644 §3.4.2.2 and §3.5.2). */
export const core = "urn:ietf:params:scim:schemas:core:2.0:User";
export const coreGroup = "urn:ietf:params:scim:schemas:core:2.0:Group";
export const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const patchOp = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

export type Body = Record<string, unknown>;

export interface Attribute {
	readonly name: string;
	readonly type: "string" | "boolean" | "complex";
	readonly multiValued: boolean;
	readonly mutability: string;
	readonly subAttributes?: readonly Attribute[];
}

/** Thrown as the answer. */
export class Refusal extends Error {
	readonly status: number;
	readonly scimType: string | undefined;
	constructor(status: number, scimType: string | undefined, detail: string) {
		super(detail);
		this.status = status;
		this.scimType = scimType;
	}
}

function text(name: string, mutability = "readWrite"): Attribute {
	return { name, type: "string", multiValued: false, mutability };
}
function complex(name: string, subs: readonly string[], multiValued: boolean, mutability = "readWrite"): Attribute {
	const subAttributes = subs.map((sub): Attribute => (sub === "primary" ? { ...text(sub), type: "boolean" } : text(sub)));
	return { name, type: "complex", multiValued, mutability, subAttributes };
}

export function attributesOf(schema: string): readonly Attribute[] {
	if (schema === coreGroup) return [text("displayName"), complex("members", ["value", "type", "display", "$ref"], true)];
	if (schema === enterprise) {
		return [text("employeeNumber"), text("department"), complex("manager", ["value", "displayName", "$ref"], false)];
	}
	return [
		text("userName"),
		complex("name", ["formatted", "familyName", "givenName"], false),
		text("displayName"),
		text("title"),
		{ ...text("active"), type: "boolean" },
		complex("emails", ["value", "type", "primary", "display"], true),
		complex("phoneNumbers", ["value", "type", "primary", "display"], true),
		complex("entitlements", ["value", "type", "primary", "display"], true),
		complex("roles", ["value", "type", "primary", "display"], true),
		complex("groups", ["value", "display"], true, "readOnly"),
	];
}

export type Schemas = ReadonlyMap<string, readonly Attribute[]>;

/** Refuses what RFC 7643 does not have, and what clients should not do: nulls, empty lists, booleans as texts. */
export function checkResource(body: Body, own: string, schemas: Schemas): void {
	const listed = body["schemas"];
	if (!Array.isArray(listed) || !listed.includes(own)) throw new Refusal(400, "invalidSyntax", `schemas must have ${own}`);
	for (const [name, value] of Object.entries(body)) {
		if (name === "schemas" || name === "externalId") continue;
		if (name.startsWith("urn:")) {
			if (!listed.includes(name)) throw new Refusal(400, "invalidSyntax", `schemas does not list ${name}`);
			for (const [inner, innerValue] of Object.entries(value as Body)) checkValue(attributeAt(name, inner, schemas), innerValue);
		} else checkValue(attributeAt(own, name, schemas), value);
	}
}

function attributeAt(schema: string, name: string, schemas: Schemas): Attribute {
	const attribute = schemas.get(schema)?.find((one) => one.name === name);
	if (attribute === undefined) throw new Refusal(400, "invalidPath", `there is no attribute ${name} in ${schema}`);
	return attribute;
}

function checkValue(attribute: Attribute, value: unknown): void {
	const refusal = (why: string): Refusal => new Refusal(400, "invalidValue", `${attribute.name} ${why}`);
	if (attribute.mutability === "readOnly") throw new Refusal(400, "mutability", `${attribute.name} is read-only`);
	if (value === null || value === undefined || value === "") throw refusal("has no value");
	if (attribute.multiValued) {
		if (!Array.isArray(value) || value.length === 0) throw refusal("must be a list that is not empty");
		for (const item of value) checkValue({ ...attribute, multiValued: false }, item);
		return;
	}
	if (attribute.type === "complex") {
		if (typeof value !== "object" || Array.isArray(value)) throw refusal("must be complex");
		for (const [name, inner] of Object.entries(value)) {
			const sub = attribute.subAttributes?.find((one) => one.name === name);
			if (sub === undefined) throw refusal(`has no ${name}`);
			checkValue(sub, inner);
		}
		return;
	}
	const kind: string = typeof value;
	if (kind !== attribute.type) throw refusal(`must be a ${attribute.type}`);
}

/** What a server makes of operations beyond what the RFC says. */
export interface Limits {
	readonly mostMembers: number;
	/** Taking away what is not there is an error. */
	readonly isStrict: boolean;
}

/** A resource with a PATCH applied. */
export function patched(resource: Body, body: Body, own: string, schemas: Schemas, { mostMembers, isStrict }: Limits): Body {
	if (JSON.stringify(body["schemas"]) !== JSON.stringify([patchOp])) throw new Refusal(400, "invalidSyntax", `schemas must be ${patchOp}`);
	const operations = body["Operations"];
	if (!Array.isArray(operations) || operations.length === 0) throw new Refusal(400, "invalidSyntax", "no Operations");
	const result = structuredClone(resource);
	let members = 0;
	for (const { op, path, value } of operations as { op: string; path?: string; value?: unknown }[]) {
		if (!["add", "replace", "remove"].includes(op)) throw new Refusal(400, "invalidSyntax", `no operation ${op}`);
		if (op === "remove" && path === undefined) throw new Refusal(400, "noTarget", "remove without a path");
		if (path?.startsWith("members")) members += Array.isArray(value) ? value.length : 1;
		if (members > mostMembers) throw new Refusal(413, "tooMany", `more than ${mostMembers} members in one request`);
		const before = JSON.stringify(result);
		if (path !== undefined) change(result, op, path, value, own, schemas);
		else for (const [name, inner] of Object.entries(value as Body)) changeWithin(result, op, name, inner, own, schemas);
		if (isStrict && op === "remove" && JSON.stringify(result) === before) throw new Refusal(400, "noTarget", `nothing at ${path}`);
	}
	return result;
}

/** Without a path: a complex value changes the parts it has. */
function changeWithin(resource: Body, op: string, name: string, value: unknown, own: string, schemas: Schemas): void {
	const parts = name.startsWith("urn:") ? ":" : ".";
	const isComplex = typeof value === "object" && value !== null && !Array.isArray(value) && name !== "manager";
	if (!isComplex) change(resource, op, name, value, own, schemas);
	else for (const [part, inner] of Object.entries(value)) change(resource, op, `${name}${parts}${part}`, inner, own, schemas);
}

function change(resource: Body, op: string, path: string, value: unknown, own: string, schemas: Schemas): void {
	const filtered = /^(\w+)\[value eq "([^"]*)"\]$/.exec(path);
	if (filtered !== null) {
		const [, name = "", wanted] = filtered;
		attributeAt(own, name, schemas);
		if (op !== "remove") throw new Refusal(400, "invalidPath", `${op} at ${path}`);
		const list = (resource[name] ?? []) as Body[];
		if (!list.some((item) => item["value"] === wanted)) throw new Refusal(400, "noTarget", `nothing at ${path}`);
		setOrDelete(
			resource,
			name,
			list.filter((item) => item["value"] !== wanted),
		);
		return;
	}
	const at = path.startsWith("urn:") ? path.lastIndexOf(":") : -1;
	const schema = at < 0 ? own : path.slice(0, at);
	const [name = "", sub] = path.slice(at + 1).split(".");
	if (at >= 0 && schema !== own) {
		const extension = (resource[schema] ?? {}) as Body;
		changeAttribute(extension, op, name, sub, value, attributeAt(schema, name, schemas));
		setOrDelete(resource, schema, extension);
	} else if (name === "externalId") changeAttribute(resource, op, name, sub, value, text(name));
	else changeAttribute(resource, op, name, sub, value, attributeAt(own, name, schemas));
}

function changeAttribute(owner: Body, op: string, name: string, sub: string | undefined, value: unknown, attribute: Attribute): void {
	if (sub !== undefined) {
		const found = attribute.subAttributes?.find((one) => one.name === sub);
		if (found === undefined || attribute.multiValued) throw new Refusal(400, "invalidPath", `nothing at ${name}.${sub}`);
		const inner = (owner[name] ?? {}) as Body;
		changeAttribute(inner, op, sub, undefined, value, found);
		setOrDelete(owner, name, inner);
		return;
	}
	if (attribute.mutability === "readOnly") throw new Refusal(400, "mutability", `${name} is read-only`);
	if (op === "remove") {
		if (value !== undefined) throw new Refusal(400, "invalidSyntax", "remove with a value");
		delete owner[name];
		return;
	}
	checkValue(attribute, value);
	owner[name] = op === "add" && attribute.multiValued ? [...((owner[name] ?? []) as unknown[]), ...(value as unknown[])] : value;
}

function setOrDelete(owner: Body, name: string, value: Body | readonly unknown[]): void {
	if (Object.keys(value).length === 0) delete owner[name];
	else owner[name] = value;
}

/** Resources that a filter of one comparison finds. */
export function filtered(list: readonly Body[], filter: string, schemas: Schemas, own: string, isCaseSensitive: boolean): readonly Body[] {
	const match = /^(\S+) eq ("(?:[^"\\]|\\.)*")$/.exec(filter);
	if (match === null) throw new Refusal(400, "invalidFilter", `not understood: ${filter}`);
	const [, path = "", quoted = ""] = match;
	const wanted = JSON.parse(quoted) as string;
	const at = path.startsWith("urn:") ? path.lastIndexOf(":") : -1;
	const schema = at < 0 ? own : path.slice(0, at);
	const [name = "", sub] = path.slice(at + 1).split(".");
	if (!["externalId", "id"].includes(name)) attributeAt(schema, name, schemas);
	const isCaseExact = isCaseSensitive || ["externalId", "id"].includes(name);
	const same = (value: unknown): boolean =>
		typeof value === "string" && (isCaseExact ? value === wanted : value.toLowerCase() === wanted.toLowerCase());
	return list.filter((resource) => {
		const owner = (at < 0 ? resource : resource[schema]) as Body | undefined;
		const value = owner?.[name];
		if (sub === undefined) return same(value);
		return [value ?? []].flat().some((item) => same((item as Body)[sub]));
	});
}
